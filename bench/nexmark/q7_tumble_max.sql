-- The aggregate inside q7: the highest price in windows of 10 s.
CREATE SINK STREAM result (price BIGINT, window_start TIMESTAMP, window_end TIMESTAMP) WITH ({sink});

INSERT INTO result
SELECT MAX(price), TUMBLE_START(date_time, INTERVAL '10' SECOND), TUMBLE_END(date_time, INTERVAL '10' SECOND)
FROM bid
GROUP BY TUMBLE(date_time, INTERVAL '10' SECOND);
