-- q17: statistics of each auction and day.
CREATE SINK STREAM result (
  auction BIGINT, bid_day STRING, total_bids BIGINT, rank1_bids BIGINT, rank2_bids BIGINT, rank3_bids BIGINT,
  min_price BIGINT, max_price BIGINT, avg_price BIGINT, sum_price BIGINT
) WITH ({sink});

INSERT INTO result
SELECT auction, DATE_FORMAT(date_time, 'yyyy-MM-dd'),
       COUNT(*),
       COUNT(CASE WHEN price < 10000 THEN 1 END),
       COUNT(CASE WHEN price >= 10000 AND price < 1000000 THEN 1 END),
       COUNT(CASE WHEN price >= 1000000 THEN 1 END),
       MIN(price), MAX(price), AVG(price), SUM(price)
FROM bid
GROUP BY auction, DATE_FORMAT(date_time, 'yyyy-MM-dd');
