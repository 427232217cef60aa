-- Hourly totals: counts and sums sales for each shop and hour, by the time of the sale; records may be five minutes late.
CREATE SOURCE STREAM sales (
  shop STRING,
  amount DECIMAL(10, 2),
  sold_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "sales", encode = "csv", field_delimiter = ","
) TIMESTAMP BY sold_at.rowtime SET WATERMARK (RANGE INTERVAL 10 SECOND, INTERVAL 5 MINUTE);

CREATE SINK STREAM hourly (
  hour_start TIMESTAMP,
  shop STRING,
  sales BIGINT,
  revenue DECIMAL(38, 2),
  largest DECIMAL(10, 2)
) WITH (
  type = "dis", region = "local", channel = "hourly-sales", encode = "csv", field_delimiter = ","
);

INSERT INTO hourly
SELECT TUMBLE_START(sold_at, INTERVAL '1' HOUR), shop, COUNT(*), SUM(amount), MAX(amount)
FROM sales
GROUP BY TUMBLE(sold_at, INTERVAL '1' HOUR), shop;
