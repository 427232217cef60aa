WITH assigned AS (
    SELECT auction, date_time // 2000 * 2000 - back * 2000 AS start_ms
    FROM bid, (SELECT unnest([0, 1, 2, 3, 4]) AS back)
),
counted AS (SELECT auction, start_ms, count(*) AS bids FROM assigned GROUP BY auction, start_ms),
ranked AS (SELECT *, max(bids) OVER (PARTITION BY start_ms) AS most FROM counted)
SELECT auction, bids, make_timestamp_ms(start_ms), make_timestamp_ms(start_ms + 10000)
FROM ranked
WHERE bids = most
