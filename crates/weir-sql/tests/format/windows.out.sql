INSERT INTO a
SELECT tumble_start(ts, INTERVAL '1' MINUTE), k, sum(v)
FROM s
GROUP BY tumble(ts, INTERVAL '1' MINUTE), k;

INSERT INTO b
SELECT
  hop_end(ts, INTERVAL '5' SECOND, INTERVAL '1' MINUTE) AS window_end,
  count(DISTINCT customer) AS customers,
  max(price) AS highest_price
FROM bids
GROUP BY
  hop(ts, INTERVAL '5' SECOND, INTERVAL '1' MINUTE),
  GROUPING SETS ((auction, bidder), (auction), ()),
  channel;

INSERT INTO c
SELECT
  sum(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 4 PRECEDING AND CURRENT ROW),
  avg(v) OVER (
    PARTITION BY k, another_column_of_the_key
    ORDER BY proctime
    RANGE BETWEEN INTERVAL '30' MINUTE PRECEDING AND CURRENT ROW
  ) AS average_of_half_an_hour
FROM s;

INSERT INTO d
SELECT k, count(*)
FROM s
GROUP BY CUBE (a, b), ROLLUP (c, d);
