SELECT seller, count(*),
       make_timestamp_ms(date_time // 10000 * 10000), make_timestamp_ms(date_time // 10000 * 10000 + 10000)
FROM events
GROUP BY seller, date_time // 10000
