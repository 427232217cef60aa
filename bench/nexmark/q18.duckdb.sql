SELECT auction, bidder, price, channel, url, make_timestamp_ms(date_time), extra
FROM (SELECT *, rank() OVER (PARTITION BY auction, bidder ORDER BY date_time DESC) AS place FROM bid)
WHERE place = 1
