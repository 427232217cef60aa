-- q11: bids of a bidder without a pause of more than 10 s.
CREATE SINK STREAM result (bidder BIGINT, bids BIGINT, session_start TIMESTAMP, session_end TIMESTAMP) WITH ({sink});

INSERT INTO result
SELECT bidder, COUNT(*),
       SESSION_START(date_time, INTERVAL '10' SECOND), SESSION_END(date_time, INTERVAL '10' SECOND)
FROM bid
GROUP BY SESSION(date_time, INTERVAL '10' SECOND), bidder;
