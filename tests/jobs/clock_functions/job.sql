-- Every record has a processing instant of its own, however the reader cuts its batches. A window is given out at the
-- instant of the record that completes it, the last one at that of the last record.
CREATE SOURCE STREAM meter (id INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "meter", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);

CREATE SINK STREAM stamped (id INT, day DATE, clock TIME, instant TIMESTAMP, local_time TIMESTAMP, seconds BIGINT, text STRING)
  WITH (type = "dis", region = "local", channel = "stamped", encode = "csv", field_delimiter = ",");

CREATE SINK STREAM hourly (hour_start TIMESTAMP, records BIGINT, instant TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "hourly", encode = "csv", field_delimiter = ",");

CREATE SINK STREAM constant (id INT, millis BIGINT) WITH (
  type = "dis", region = "local", channel = "constant", encode = "csv", field_delimiter = ",");

INSERT INTO stamped
SELECT id, CURRENT_DATE, CURRENT_TIME, CURRENT_TIMESTAMP, LOCALTIMESTAMP, UNIX_TIMESTAMP(),
       DATE_FORMAT(CURRENT_TIMESTAMP, "HH'h'mm")
FROM meter
WHERE CURRENT_TIMESTAMP < TIMESTAMP '2024-03-16 00:00:02';

INSERT INTO hourly
SELECT TUMBLE_START(ts, INTERVAL '1' HOUR), COUNT(*), CURRENT_TIMESTAMP
FROM meter GROUP BY TUMBLE(ts, INTERVAL '1' HOUR);

INSERT INTO constant VALUES (1, UNIX_TIMESTAMP_MS()), (2, 7);
