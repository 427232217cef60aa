SELECT carrier || flight || ' ' || origin || '-' || dest AS message, event_time AS scheduled, dep_delay AS delay
FROM departed_flights
WHERE dep_delay > 60
ORDER BY row_number
