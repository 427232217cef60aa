/* Rows are taken in order of time: 40 comes before 20. The row of 09:00:02 that follows 09:00:05 is late.
   `ROWS 2 PRECEDING` is three rows. The price that is missing counts as a row, but not in a sum. */
CREATE SOURCE STREAM trades (symbol STRING, price INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "trades", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 2 SECOND);
CREATE SINK STREAM moving (symbol STRING, ts TIMESTAMP, price INT, n BIGINT, total BIGINT, mean INT, top INT) WITH (
  type = "dis", region = "local", channel = "moving", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM running (symbol STRING, ts TIMESTAMP, n BIGINT, prices BIGINT, low INT) WITH (
  type = "dis", region = "local", channel = "running", encode = "csv", field_delimiter = ",");

INSERT INTO moving
SELECT symbol, ts, price,
  COUNT(*) OVER (PARTITION BY symbol ORDER BY ts ROWS 2 PRECEDING),
  SUM(price) OVER (PARTITION BY symbol ORDER BY ts ROWS 2 PRECEDING),
  AVG(price) OVER (PARTITION BY symbol ORDER BY ts ROWS 2 PRECEDING),
  MAX(price) OVER (PARTITION BY symbol ORDER BY ts ROWS 2 PRECEDING)
FROM trades;

INSERT INTO running
SELECT symbol, ts,
  COUNT(*) OVER (PARTITION BY symbol ORDER BY ts ROWS UNBOUNDED PRECEDING),
  COUNT(price) OVER (PARTITION BY symbol ORDER BY ts ROWS UNBOUNDED PRECEDING),
  MIN(price) OVER (PARTITION BY symbol ORDER BY ts ROWS UNBOUNDED PRECEDING)
FROM trades;
