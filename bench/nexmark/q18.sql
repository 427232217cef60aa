-- q18: the last bid of each bidder for each auction. Without ROW_NUMBER it is found by its time; bids of the same
-- millisecond all are the last.
CREATE SINK STREAM result (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, date_time TIMESTAMP, extra STRING
) WITH ({sink});

INSERT INTO result
SELECT b.auction, b.bidder, b.price, b.channel, b.url, b.date_time, b.extra
FROM bid AS b JOIN (
  SELECT auction, bidder, MAX(date_time) AS date_time FROM bid GROUP BY auction, bidder
) AS l
ON b.auction = l.auction AND b.bidder = l.bidder AND b.date_time = l.date_time;
