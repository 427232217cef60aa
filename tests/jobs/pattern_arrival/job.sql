/* Without ORDER BY rows are taken as they arrive, whatever their times say.
   With a second item of ORDER BY rows of the same time are taken in its order; NULL is the smallest value. */
CREATE SOURCE STREAM calls (line STRING, n INT, said_at TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "calls", encode = "csv", field_delimiter = ","
) TIMESTAMP BY proctime.proctime;
CREATE SOURCE STREAM moves (game STRING, step INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "moves", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 5 SECOND);
CREATE SINK STREAM pairs (line STRING, a INT, b INT) WITH (
  type = "dis", region = "local", channel = "pairs", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM sequence (game STRING, steps BIGINT, first_step INT, last_step INT) WITH (
  type = "dis", region = "local", channel = "sequence", encode = "csv", field_delimiter = ",");

INSERT INTO pairs SELECT * FROM calls MATCH_RECOGNIZE (
  PARTITION BY line
  MEASURES A.n AS a, B.n AS b
  PATTERN (A B)
  DEFINE B AS B.n > A.n);

INSERT INTO sequence SELECT * FROM moves MATCH_RECOGNIZE (
  PARTITION BY game ORDER BY ts, step DESC
  MEASURES COUNT(*) AS steps, FIRST(S.step) AS first_step, LAST(S.step) AS last_step
  PATTERN (S+)
  DEFINE S AS PREV(S.step) IS NULL OR S.step IS NULL OR S.step < PREV(S.step));
