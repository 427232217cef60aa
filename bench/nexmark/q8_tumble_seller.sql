-- The aggregate inside q8: who sells something in windows of 10 s.
CREATE SINK STREAM result (seller BIGINT, auctions BIGINT, window_start TIMESTAMP, window_end TIMESTAMP) WITH ({sink});

INSERT INTO result
SELECT seller, COUNT(*),
       TUMBLE_START(date_time, INTERVAL '10' SECOND), TUMBLE_END(date_time, INTERVAL '10' SECOND)
FROM auction
GROUP BY TUMBLE(date_time, INTERVAL '10' SECOND), seller;
