-- The aggregate inside q5: bids per auction in windows of 10 s, one starting every 2 s.
CREATE SINK STREAM result (auction BIGINT, bids BIGINT, window_start TIMESTAMP, window_end TIMESTAMP) WITH ({sink});

INSERT INTO result
SELECT auction, COUNT(*),
       HOP_START(date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND),
       HOP_END(date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND)
FROM bid
GROUP BY HOP(date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND), auction;
