WITH marked AS (
    SELECT *,
           CASE WHEN event_time - lag(event_time) OVER airline <= INTERVAL 2 HOUR THEN 0 ELSE 1 END AS is_first
    FROM departed_flights
    WINDOW airline AS (PARTITION BY carrier, origin ORDER BY event_time, row_number)
),
numbered AS (
    SELECT *, sum(is_first) OVER (PARTITION BY carrier, origin ORDER BY event_time, row_number) AS period
    FROM marked
)
SELECT carrier, origin, min(event_time) AS period_start, max(event_time) + INTERVAL 2 HOUR AS period_end,
       count(*) AS departures, max(dep_delay) AS worst_delay
FROM numbered
GROUP BY carrier, origin, period
ORDER BY ALL
