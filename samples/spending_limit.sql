-- Running totals: for each payment what the card has paid in the last hour, and those that go over a limit.
CREATE SOURCE STREAM payments (
  card STRING,
  amount DOUBLE,
  paid_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "payments", encode = "csv", field_delimiter = ","
) TIMESTAMP BY paid_at.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 MINUTE);

CREATE SINK STREAM over_limit (
  card STRING,
  paid_at TIMESTAMP,
  amount DOUBLE,
  payments BIGINT,
  spent DOUBLE
) WITH (
  type = "dis", region = "local", channel = "over-limit", encode = "csv", field_delimiter = ","
);

INSERT INTO over_limit
SELECT card, paid_at, amount, payments, spent
FROM (
  SELECT
    card, paid_at, amount,
    COUNT(amount) OVER (PARTITION BY card ORDER BY paid_at RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) AS payments,
    SUM(amount) OVER (PARTITION BY card ORDER BY paid_at RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) AS spent
  FROM payments
)
WHERE spent > 1000;
