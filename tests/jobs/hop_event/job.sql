/* Hopping windows: length 10 s, started every 5 s (the slide is the first interval).
 * Each record falls into two windows.
 */
CREATE SOURCE STREAM hits (page STRING, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "hits", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (RANGE INTERVAL 1 SECOND, INTERVAL 1 SECOND);

CREATE SINK STREAM rates (page STRING, w_start TIMESTAMP, hits BIGINT) WITH (
  type = "dis", region = "local", channel = "rates", encode = "csv", field_delimiter = ",");

INSERT INTO rates
SELECT page, HOP_START(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND), COUNT(*)
FROM hits
GROUP BY HOP(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND), page;
