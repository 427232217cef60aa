-- AVG of integers truncates toward zero in Stream SQL: TRUNC of the exact quotient.
SELECT origin,
       date_trunc('hour', event_time) AS hour_start,
       count(*) AS departures,
       CAST(trunc(sum(dep_delay) / count(*)) AS INTEGER) AS average_delay,
       sum(dep_delay) / count(*) AS exact_average,
       max(dep_delay) AS worst_delay
FROM departed_flights
GROUP BY ALL
ORDER BY ALL
