WITH assigned AS (
    SELECT auction, date_time // 2000 * 2000 - back * 2000 AS start_ms
    FROM bid, (SELECT unnest([0, 1, 2, 3, 4]) AS back)
)
SELECT auction, count(*), make_timestamp_ms(start_ms), make_timestamp_ms(start_ms + 10000)
FROM assigned
GROUP BY auction, start_ms
