-- q12: bids of a bidder in windows of 10 s of processing time.
CREATE SINK STREAM result (bidder BIGINT, bids BIGINT, window_start TIMESTAMP, window_end TIMESTAMP) WITH ({sink});

INSERT INTO result
SELECT bidder, COUNT(*),
       TUMBLE_START(proctime, INTERVAL '10' SECOND), TUMBLE_END(proctime, INTERVAL '10' SECOND)
FROM bid
GROUP BY TUMBLE(proctime, INTERVAL '10' SECOND), bidder;
