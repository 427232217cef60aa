-- Live totals: writes the number and the sum of the orders of a customer anew with each order, for a table that keeps the newest row.
CREATE SOURCE STREAM orders (
  customer STRING,
  amount DECIMAL(10, 2),
  ordered_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "orders", encode = "csv", field_delimiter = ","
);

-- Records of one customer go to one partition, so that they stay in their order.
CREATE SINK STREAM customer_totals (
  customer STRING,
  orders BIGINT,
  revenue DECIMAL(38, 2),
  last_order TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "customer-totals", partition_key = "customer", encode = "csv", field_delimiter = ","
);

INSERT INTO customer_totals
SELECT customer, COUNT(*), SUM(amount), MAX(ordered_at)
FROM orders
GROUP BY customer;
