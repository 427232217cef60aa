/* Spells of at least two readings above 100, as long as possible, and how many of them end in each hour.
   The temp stream gives the matches an event time of their own, that of their last reading. */
CREATE SOURCE STREAM speeds (car STRING, kmh INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "speeds", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE TEMP STREAM spells (car STRING, readings BIGINT, top INT, ended TIMESTAMP)
  TIMESTAMP BY ended.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 HOUR);
CREATE SINK STREAM busy (car STRING, from_time TIMESTAMP, spells BIGINT, readings BIGINT, top INT) WITH (
  type = "dis", region = "local", channel = "busy", encode = "csv", field_delimiter = ",");

INSERT INTO spells
SELECT car, readings, top, ended
FROM speeds MATCH_RECOGNIZE (
  PARTITION BY car
  ORDER BY ts
  MEASURES COUNT(*) AS readings, MAX(FAST.kmh) AS top, LAST(FAST.ts) AS ended
  PATTERN (FAST{2,})
  DEFINE FAST AS FAST.kmh > 100
) AS found;

INSERT INTO busy
SELECT car, TUMBLE_START(ended, INTERVAL '1' HOUR), COUNT(*), SUM(readings), MAX(top)
FROM spells
GROUP BY TUMBLE(ended, INTERVAL '1' HOUR), car
HAVING COUNT(*) > 1;
