-- Pattern of log-ins: reports a user who is let in after at least three refused attempts within five minutes.
CREATE SOURCE STREAM attempts (
  who STRING,
  address STRING,
  let_in BOOLEAN,
  tried_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "log-ins", encode = "csv", field_delimiter = ","
) TIMESTAMP BY tried_at.rowtime SET WATERMARK (ROWS 1, INTERVAL 5 SECOND);

CREATE SINK STREAM suspects (
  who STRING,
  refused BIGINT,
  since TIMESTAMP,
  let_in_at TIMESTAMP,
  address STRING
) WITH (
  type = "dis", region = "local", channel = "suspects", encode = "json"
);

INSERT INTO suspects
SELECT who, refused, since, let_in_at, address
FROM attempts MATCH_RECOGNIZE (
  PARTITION BY who
  ORDER BY tried_at
  MEASURES
    COUNT(NO.let_in) AS refused,
    FIRST(NO.tried_at) AS since,
    YES.tried_at AS let_in_at,
    YES.address AS address
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (NO{3,} YES)
  WITHIN INTERVAL '5' MINUTE
  DEFINE
    NO AS NOT NO.let_in,
    YES AS YES.let_in
) AS found;
