-- q5: the auctions with the most bids in windows of 10 s, one starting every 2 s. The time of a window is its last
-- millisecond, so a window of 2 s over those times holds the counts of exactly one of them.
CREATE SINK STREAM result (auction BIGINT, bids BIGINT, window_start TIMESTAMP, window_end TIMESTAMP) WITH ({sink});

CREATE TEMP STREAM counted (
  auction BIGINT, bids BIGINT, window_start TIMESTAMP, window_end TIMESTAMP, window_time TIMESTAMP
) TIMESTAMP BY window_time.rowtime;

INSERT INTO counted
SELECT auction, COUNT(*),
       HOP_START(date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND),
       HOP_END(date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND),
       HOP_ROWTIME(date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND)
FROM bid
GROUP BY HOP(date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND), auction;

INSERT INTO result
SELECT c.auction, c.bids, c.window_start, c.window_end
FROM counted AS c JOIN (
  SELECT MAX(bids) AS most, MAX(window_end) AS window_end, TUMBLE_ROWTIME(window_time, INTERVAL '2' SECOND) AS window_time
  FROM counted
  GROUP BY TUMBLE(window_time, INTERVAL '2' SECOND)
) AS m
ON c.window_end = m.window_end AND c.window_time BETWEEN m.window_time AND m.window_time
WHERE c.bids >= m.most;
