-- q16: statistics of each channel and day, with the minute of the last bid.
CREATE SINK STREAM result (
  channel STRING, bid_day STRING, last_minute STRING,
  total_bids BIGINT, rank1_bids BIGINT, rank2_bids BIGINT, rank3_bids BIGINT,
  total_bidders BIGINT, rank1_bidders BIGINT, rank2_bidders BIGINT, rank3_bidders BIGINT,
  total_auctions BIGINT, rank1_auctions BIGINT, rank2_auctions BIGINT, rank3_auctions BIGINT
) WITH ({sink});

INSERT INTO result
SELECT channel, DATE_FORMAT(date_time, 'yyyy-MM-dd'), MAX(DATE_FORMAT(date_time, 'HH:mm')),
       COUNT(*),
       COUNT(CASE WHEN price < 10000 THEN 1 END),
       COUNT(CASE WHEN price >= 10000 AND price < 1000000 THEN 1 END),
       COUNT(CASE WHEN price >= 1000000 THEN 1 END),
       COUNT(DISTINCT bidder),
       COUNT(DISTINCT CASE WHEN price < 10000 THEN bidder END),
       COUNT(DISTINCT CASE WHEN price >= 10000 AND price < 1000000 THEN bidder END),
       COUNT(DISTINCT CASE WHEN price >= 1000000 THEN bidder END),
       COUNT(DISTINCT auction),
       COUNT(DISTINCT CASE WHEN price < 10000 THEN auction END),
       COUNT(DISTINCT CASE WHEN price >= 10000 AND price < 1000000 THEN auction END),
       COUNT(DISTINCT CASE WHEN price >= 1000000 THEN auction END)
FROM bid
GROUP BY channel, DATE_FORMAT(date_time, 'yyyy-MM-dd');
