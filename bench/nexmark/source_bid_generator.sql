-- Bids made in the process itself, in order of time.
CREATE SOURCE STREAM bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, date_time TIMESTAMP, extra STRING
) WITH (
  type = "nexmark", table = "bid", number_of_events = "{events}", splits = "{splits}"
) TIMESTAMP BY date_time.rowtime{proctime} SET WATERMARK (RANGE INTERVAL 1 SECOND, INTERVAL 4 SECOND);
