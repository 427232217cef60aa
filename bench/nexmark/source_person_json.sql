-- The same persons as JSON lines in a file.
CREATE SOURCE STREAM person (
  id BIGINT, name STRING, email_address STRING, credit_card STRING, city STRING, state STRING,
  date_time TIMESTAMP, extra STRING
) WITH (
  type = "file", path = "{path}", encode = "json"
) TIMESTAMP BY date_time.rowtime{proctime} SET WATERMARK (RANGE INTERVAL 1 SECOND, INTERVAL 4 SECOND);
