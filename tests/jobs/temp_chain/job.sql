/* Temp streams: sums of 1 minute, then the largest of them within 3 minutes.
 * The temp stream makes the window start its own event time and sets a new watermark on it.
 */
CREATE SOURCE STREAM power (dev STRING, watts INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "power", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);

CREATE TEMP STREAM per_minute (dev STRING, total BIGINT, wts TIMESTAMP)
  TIMESTAMP BY wts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);

CREATE SINK STREAM peaks (dev STRING, w_start TIMESTAMP, minutes BIGINT, peak BIGINT) WITH (
  type = "dis", region = "local", channel = "peaks", encode = "csv", field_delimiter = ",");

INSERT INTO per_minute
SELECT dev, SUM(watts), TUMBLE_START(ts, INTERVAL '1' MINUTE)
FROM power
GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), dev;

INSERT INTO peaks
SELECT dev, TUMBLE_START(wts, INTERVAL '3' MINUTE), COUNT(*), MAX(total)
FROM per_minute
GROUP BY TUMBLE(wts, INTERVAL '3' MINUTE), dev;
