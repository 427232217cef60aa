SELECT auction, price, bidder, make_timestamp_ms(date_time), extra
FROM (SELECT *, max(price) OVER (PARTITION BY date_time // 10000) AS highest FROM bid)
WHERE price = highest
