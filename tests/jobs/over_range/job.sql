/* A frame of ten seconds holds a row exactly ten seconds older. Rows of one device and time see each other. */
CREATE SOURCE STREAM meter (dev STRING, v INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "meter", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 SECOND);
CREATE SINK STREAM recent (dev STRING, v INT, total BIGINT, kinds BIGINT) WITH (
  type = "dis", region = "local", channel = "recent", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM rising (dev STRING, v INT, total BIGINT) WITH (
  type = "dis", region = "local", channel = "rising", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM by_minute (w_start TIMESTAMP, n BIGINT, most BIGINT) WITH (
  type = "dis", region = "local", channel = "by_minute", encode = "csv", field_delimiter = ",");

INSERT INTO recent
SELECT dev, v,
  SUM(v) OVER (PARTITION BY dev ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW),
  COUNT(DISTINCT v / 4) OVER (PARTITION BY dev ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW)
FROM meter;

-- Without a frame: all rows up to this time. Without PARTITION BY: all devices.
INSERT INTO rising
SELECT dev, v, total
FROM (SELECT dev, v, SUM(v) OVER (ORDER BY ts) AS total FROM meter)
WHERE total > 20;

-- The event time goes on.
INSERT INTO by_minute
SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE), COUNT(*), MAX(total)
FROM (SELECT ts, SUM(v) OVER (PARTITION BY dev ORDER BY ts) AS total FROM meter) AS sums
GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE);
