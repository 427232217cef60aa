-- Auctions made in the process itself, in order of time.
CREATE SOURCE STREAM auction (
  id BIGINT, item_name STRING, description STRING, initial_bid BIGINT, reserve BIGINT,
  date_time TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra STRING
) WITH (
  type = "nexmark", table = "auction", number_of_events = "{events}", splits = "{splits}"
) TIMESTAMP BY date_time.rowtime{proctime} SET WATERMARK (RANGE INTERVAL 1 SECOND, INTERVAL 4 SECOND);
