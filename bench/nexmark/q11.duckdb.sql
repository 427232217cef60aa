WITH marked AS (
    SELECT bidder, date_time,
           CASE WHEN date_time - lag(date_time) OVER (PARTITION BY bidder ORDER BY date_time) <= 10000 THEN 0 ELSE 1 END AS is_first
    FROM bid
),
numbered AS (
    SELECT bidder, date_time, sum(is_first) OVER (PARTITION BY bidder ORDER BY date_time ROWS UNBOUNDED PRECEDING) AS session
    FROM marked
)
SELECT bidder, count(*), make_timestamp_ms(min(date_time)), make_timestamp_ms(max(date_time) + 10000)
FROM numbered
GROUP BY bidder, session
