-- The same auctions as JSON lines in a file.
CREATE SOURCE STREAM auction (
  id BIGINT, item_name STRING, description STRING, initial_bid BIGINT, reserve BIGINT,
  date_time TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra STRING
) WITH (
  type = "file", path = "{path}", encode = "json"
) TIMESTAMP BY date_time.rowtime{proctime} SET WATERMARK (RANGE INTERVAL 1 SECOND, INTERVAL 4 SECOND);
