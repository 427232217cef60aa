/* COUNT(DISTINCT ...) in one-minute windows with HAVING; AVG of an INT truncates.
 * ts is BIGINT epoch milliseconds used as event time; 1710504000000 is 2024-03-15 12:00:00 UTC.
 */
CREATE SOURCE STREAM visits (page STRING, usr STRING, took INT, ts BIGINT) WITH (
  type = "dis", region = "local", channel = "visits", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 5 SECOND);

CREATE SINK STREAM busy (page STRING, w_start TIMESTAMP, users BIGINT, avg_took INT) WITH (
  type = "dis", region = "local", channel = "busy", encode = "csv", field_delimiter = ",");

INSERT INTO busy
SELECT page, TUMBLE_START(ts, INTERVAL '1' MINUTE), COUNT(DISTINCT usr), AVG(took)
FROM visits
GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), page
HAVING COUNT(DISTINCT usr) >= 2;
