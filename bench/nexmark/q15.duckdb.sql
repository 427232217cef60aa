SELECT strftime(make_timestamp_ms(date_time), '%Y-%m-%d') AS bid_day,
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
GROUP BY bid_day
