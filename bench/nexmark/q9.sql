-- q9: the winning bid of each auction, the highest in its time, of equal ones the first. Without ROW_NUMBER the best bid
-- is found by its price and then by its time; bids that are equal in both all win.
CREATE SINK STREAM result (
  id BIGINT, item_name STRING, seller BIGINT, category BIGINT, expires TIMESTAMP,
  bidder BIGINT, price BIGINT, bid_time TIMESTAMP
) WITH ({sink});

CREATE TEMP STREAM fitting (
  id BIGINT, item_name STRING, seller BIGINT, category BIGINT, expires TIMESTAMP,
  bidder BIGINT, price BIGINT, bid_time TIMESTAMP
);

INSERT INTO fitting
SELECT a.id, a.item_name, a.seller, a.category, a.expires, b.bidder, b.price, b.date_time
FROM auction AS a JOIN bid AS b ON a.id = b.auction
WHERE b.date_time BETWEEN a.date_time AND a.expires;

INSERT INTO result
SELECT f.id, f.item_name, f.seller, f.category, f.expires, f.bidder, f.price, f.bid_time
FROM fitting AS f JOIN (
  SELECT p.id, p.price, MIN(p.bid_time) AS bid_time
  FROM fitting AS p JOIN (SELECT id, MAX(price) AS price FROM fitting GROUP BY id) AS m
  ON p.id = m.id AND p.price = m.price
  GROUP BY p.id, p.price
) AS w
ON f.id = w.id AND f.price = w.price AND f.bid_time = w.bid_time;
