SELECT auction, strftime(make_timestamp_ms(date_time), '%Y-%m-%d') AS bid_day,
       COUNT(*),
       COUNT(CASE WHEN price < 10000 THEN 1 END),
       COUNT(CASE WHEN price >= 10000 AND price < 1000000 THEN 1 END),
       COUNT(CASE WHEN price >= 1000000 THEN 1 END),
       min(price), max(price), CAST(sum(price) // count(*) AS BIGINT), CAST(sum(price) AS BIGINT)
FROM bid
GROUP BY auction, bid_day
