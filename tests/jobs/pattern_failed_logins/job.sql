/* At least three refused log-ins of a user and then one that is let in, in less than a minute.
   ada: four refused ones, then in. bob: only two. cyd: the third refused one comes after a break. dan: let in exactly one
   minute after the first of three refused ones; with the second as the first there are too few. */
CREATE SOURCE STREAM attempts (who STRING, let_in BOOLEAN, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "attempts", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE SINK STREAM alarms (who STRING, refused BIGINT, since TIMESTAMP, until TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "alarms", encode = "csv", field_delimiter = ",");

INSERT INTO alarms
SELECT who, refused, since, until
FROM attempts MATCH_RECOGNIZE (
  PARTITION BY who
  ORDER BY ts
  MEASURES COUNT(NO.let_in) AS refused, FIRST(NO.ts) AS since, YES.ts AS until
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (NO{3,} YES)
  WITHIN INTERVAL '1' MINUTE
  DEFINE NO AS NOT NO.let_in, YES AS YES.let_in
) AS found;
