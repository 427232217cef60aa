/* Session windows with a gap of 5 s.
 * u1 at 00 and 04 share a session; 09 is exactly 5 s after 04 and still belongs to it; 20 starts a new one.
 */
CREATE SOURCE STREAM clicks (usr STRING, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "clicks", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);

CREATE SINK STREAM visits (usr STRING, s_start TIMESTAMP, s_end TIMESTAMP, clicks BIGINT) WITH (
  type = "dis", region = "local", channel = "visits", encode = "csv", field_delimiter = ",");

INSERT INTO visits
SELECT usr, SESSION_START(ts, INTERVAL '5' SECOND), SESSION_END(ts, INTERVAL '5' SECOND), COUNT(*)
FROM clicks
GROUP BY SESSION(ts, INTERVAL '5' SECOND), usr;
