-- q7: the bids with the highest price of their window of 10 s.
CREATE SINK STREAM result (auction BIGINT, price BIGINT, bidder BIGINT, date_time TIMESTAMP, extra STRING) WITH ({sink});

INSERT INTO result
SELECT b.auction, b.price, b.bidder, b.date_time, b.extra
FROM bid AS b JOIN (
  SELECT MAX(price) AS price, TUMBLE_ROWTIME(date_time, INTERVAL '10' SECOND) AS window_time
  FROM bid
  GROUP BY TUMBLE(date_time, INTERVAL '10' SECOND)
) AS m
ON b.price = m.price AND b.date_time BETWEEN m.window_time - INTERVAL '9.999' SECOND AND m.window_time;
