-- Filter and clean: takes completed orders out of a stream, with the columns and the spelling that others want.
CREATE SOURCE STREAM orders (
  order_id STRING,
  customer STRING,
  country STRING,
  amount DECIMAL(10, 2),
  state STRING,
  placed_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "orders", encode = "csv", field_delimiter = ","
);

CREATE SINK STREAM completed (
  order_id STRING,
  customer STRING,
  country STRING,
  amount DECIMAL(10, 2),
  size_class STRING,
  placed_on STRING
) WITH (
  type = "dis", region = "local", channel = "completed-orders", encode = "json"
);

INSERT INTO completed
SELECT
  order_id,
  TRIM(customer),
  UPPER(country),
  amount,
  CASE WHEN amount >= 1000 THEN 'large' WHEN amount >= 100 THEN 'medium' ELSE 'small' END,
  DATE_FORMAT(placed_at, 'yyyy-MM-dd')
FROM orders
WHERE LOWER(state) = 'completed' AND amount > 0;
