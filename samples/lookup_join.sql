-- Lookup join: adds the data of a customer from a database table to each order; needs an exclusive cluster, which reaches the database.
CREATE SOURCE STREAM orders (
  order_id STRING,
  customer_id INT,
  amount DECIMAL(10, 2)
) WITH (
  type = "dis", region = "local", channel = "orders", encode = "csv", field_delimiter = ","
);

CREATE TABLE customers (
  customer_id INT,
  name STRING,
  grade STRING
) WITH (
  type = "rds", username = "reader", password = "change-me", db_url = "postgresql://192.168.0.10:5432/shop",
  table_name = "customers", cache_max_num = "10000", cache_time = "60000"
);

CREATE SINK STREAM known_orders (
  order_id STRING,
  name STRING,
  grade STRING,
  amount DECIMAL(10, 2)
) WITH (
  type = "dis", region = "local", channel = "known-orders", encode = "csv", field_delimiter = ","
);

INSERT INTO known_orders
SELECT o.order_id, COALESCE(c.name, 'unknown'), COALESCE(c.grade, 'none'), o.amount
FROM orders AS o LEFT JOIN customers AS c ON o.customer_id = c.customer_id;
