CREATE SOURCE STREAM orders (id BIGINT, shop STRING, price DECIMAL(10, 2), note STRING, ts TIMESTAMP)
  WITH (type = "dis", channel = "orders", encode = "csv", field_delimiter = ",")
  TIMESTAMP BY ts.ROWTIME SET WATERMARK (RANGE INTERVAL 10 SECOND, INTERVAL 5 SECOND);
CREATE SINK STREAM hourly (shop STRING, n BIGINT, total DECIMAL(38, 2), until TIMESTAMP) WITH (type = "print");
CREATE SINK STREAM sets (shop STRING, level INT, dearest DECIMAL(10, 2)) WITH (type = "print");
CREATE SINK STREAM running (id BIGINT, last_three DECIMAL(38, 2)) WITH (type = "print");

INSERT INTO hourly
SELECT shop, COUNT(*), SUM(price), TUMBLE_END(ts, INTERVAL '1' HOUR)
FROM orders
WHERE (note LIKE '%gift''s%' OR note IS NULL) AND price > 1.50 AND NOT id IN (7, 8)
GROUP BY shop, TUMBLE(ts, INTERVAL '1' HOUR)
HAVING COUNT(DISTINCT id) > 1;

INSERT INTO sets
SELECT shop, GROUPING_ID(shop), MAX(price)
FROM orders
GROUP BY HOP(ts, INTERVAL '10' SECOND, INTERVAL '30' SECOND), ROLLUP(shop);

INSERT INTO running
SELECT id, SUM(price) OVER (PARTITION BY UPPER(shop) ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
FROM orders
WHERE ts > TIMESTAMP '2024-01-01 00:00:00';
