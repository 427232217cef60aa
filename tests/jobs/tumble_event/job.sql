/* Event-time tumbling windows of 10 s, watermark 2 s behind after every record.
 * Windows are complete when watermark >= end - 1 ms:
 * the record of second 12 raises the watermark to 10 and closes [0, 10);
 * the record of second 8 after it is late for [0, 10) and dropped;
 * the record of second 9 before it was out of order but in time.
 * Everything still open is closed at the end of the input.
 */
CREATE SOURCE STREAM meter (dev STRING, val INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "meter", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 2 SECOND);

CREATE SINK STREAM sums (dev STRING, w_start TIMESTAMP, w_end TIMESTAMP, n BIGINT, total BIGINT) WITH (
  type = "dis", region = "local", channel = "sums", encode = "csv", field_delimiter = ",");

INSERT INTO sums
SELECT dev,
       TUMBLE_START(ts, INTERVAL '10' SECOND),
       TUMBLE_END(ts, INTERVAL '10' SECOND),
       COUNT(*), SUM(val)
FROM meter
GROUP BY TUMBLE(ts, INTERVAL '10' SECOND), dev;
