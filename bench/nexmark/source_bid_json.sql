-- The same bids as JSON lines in a file.
CREATE SOURCE STREAM bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, date_time TIMESTAMP, extra STRING
) WITH (
  type = "file", path = "{path}", encode = "json"
) TIMESTAMP BY date_time.rowtime{proctime} SET WATERMARK (RANGE INTERVAL 1 SECOND, INTERVAL 4 SECOND);
