-- q13: bids with a value from a side table of 10,000 rows.
CREATE SINK STREAM result (auction BIGINT, bidder BIGINT, price BIGINT, date_time TIMESTAMP, side_value STRING) WITH ({sink});

CREATE TABLE side (side_key BIGINT, side_value STRING) WITH (type = "file", path = "{side}", encode = "csv");

INSERT INTO result
SELECT b.auction, b.bidder, b.price, b.date_time, s.side_value
FROM bid AS b JOIN side AS s ON s.side_key = MOD(b.auction, 10000);
