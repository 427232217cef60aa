/* GROUPING SETS beside a window, and without one. A column that is not in a set is NULL in its rows; GROUPING tells such a
   NULL from one of the data. */
CREATE SOURCE STREAM calls (office STRING, team STRING, minutes INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "calls", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 SECOND);
CREATE SINK STREAM hourly (office STRING, team STRING, calls BIGINT, minutes BIGINT) WITH (
  type = "dis", region = "local", channel = "hourly", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM so_far (office STRING, team STRING, summed INT, minutes BIGINT) WITH (
  type = "dis", region = "local", channel = "so_far", encode = "csv", field_delimiter = ",");

INSERT INTO hourly
SELECT office, team, COUNT(*), SUM(minutes) FROM calls
GROUP BY TUMBLE(ts, INTERVAL '1' HOUR), GROUPING SETS ((office, team), (office), ());

INSERT INTO so_far
SELECT office, team, GROUPING(team), SUM(minutes) FROM calls GROUP BY ROLLUP (office, team);
