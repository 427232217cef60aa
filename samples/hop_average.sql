-- Moving average: every minute, the average speed of the last five minutes on each section of a road, where at least two cars passed.
CREATE SOURCE STREAM passes (
  section STRING,
  speed DOUBLE,
  passed_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "passes", encode = "csv", field_delimiter = ","
) TIMESTAMP BY passed_at.rowtime SET WATERMARK (ROWS 1, INTERVAL 10 SECOND);

CREATE SINK STREAM speeds (
  section STRING,
  from_time TIMESTAMP,
  to_time TIMESTAMP,
  cars BIGINT,
  average DOUBLE
) WITH (
  type = "dis", region = "local", channel = "speeds", encode = "csv", field_delimiter = ","
);

INSERT INTO speeds
SELECT
  section,
  HOP_START(passed_at, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE),
  HOP_END(passed_at, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE),
  COUNT(*),
  AVG(speed)
FROM passes
GROUP BY HOP(passed_at, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE), section
HAVING COUNT(*) >= 2;
