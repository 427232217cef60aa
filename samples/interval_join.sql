-- Interval join: matches orders with payments that come within a quarter of an hour, and reports those that were not paid in time.
CREATE SOURCE STREAM orders (
  order_id STRING,
  amount DECIMAL(10, 2),
  ordered_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "orders", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ordered_at.rowtime SET WATERMARK (ROWS 1, INTERVAL 10 SECOND);

CREATE SOURCE STREAM payments (
  order_id STRING,
  method STRING,
  paid_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "payments", encode = "csv", field_delimiter = ","
) TIMESTAMP BY paid_at.rowtime SET WATERMARK (ROWS 1, INTERVAL 10 SECOND);

CREATE SINK STREAM paid (
  order_id STRING,
  amount DECIMAL(10, 2),
  method STRING,
  seconds BIGINT
) WITH (
  type = "dis", region = "local", channel = "paid-orders", encode = "csv", field_delimiter = ","
);

CREATE SINK STREAM unpaid (
  order_id STRING,
  amount DECIMAL(10, 2),
  ordered_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "unpaid-orders", encode = "json"
);

INSERT INTO paid
SELECT o.order_id, o.amount, p.method, TIMESTAMPDIFF(SECOND, o.ordered_at, p.paid_at)
FROM orders AS o JOIN payments AS p
  ON o.order_id = p.order_id AND p.paid_at BETWEEN o.ordered_at AND o.ordered_at + INTERVAL '15' MINUTE;

INSERT INTO unpaid
SELECT o.order_id, o.amount, o.ordered_at
FROM orders AS o LEFT JOIN payments AS p
  ON o.order_id = p.order_id AND p.paid_at BETWEEN o.ordered_at AND o.ordered_at + INTERVAL '15' MINUTE
WHERE p.order_id IS NULL;
