SELECT max(price), make_timestamp_ms(date_time // 10000 * 10000), make_timestamp_ms(date_time // 10000 * 10000 + 10000)
FROM events
GROUP BY date_time // 10000
