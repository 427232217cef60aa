-- The watermark that a row meets is the greatest event time before it, less 12 hours. A window [s, e) that
-- was complete then (watermark >= e - 1 ms) does not take the row any more.
WITH arriving AS (
    SELECT *, max(event_time) OVER (ORDER BY row_number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
              - INTERVAL 12 HOUR AS watermark
    FROM departed_flights
),
assigned AS (
    SELECT *, date_trunc('hour', event_time) - to_hours(back) AS window_start
    FROM arriving, (SELECT unnest([0, 1, 2]) AS back)
)
SELECT origin, window_start, window_start + INTERVAL 3 HOUR AS window_end, count(*) AS departures, sum(distance) AS miles
FROM assigned
WHERE watermark IS NULL OR watermark < window_start + INTERVAL 3 HOUR - INTERVAL 1 MILLISECOND
GROUP BY ALL
ORDER BY ALL
