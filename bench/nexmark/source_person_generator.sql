-- Persons made in the process itself, in order of time.
CREATE SOURCE STREAM person (
  id BIGINT, name STRING, email_address STRING, credit_card STRING, city STRING, state STRING,
  date_time TIMESTAMP, extra STRING
) WITH (
  type = "nexmark", table = "person", number_of_events = "{events}", splits = "{splits}"
) TIMESTAMP BY date_time.rowtime{proctime} SET WATERMARK (RANGE INTERVAL 1 SECOND, INTERVAL 4 SECOND);
