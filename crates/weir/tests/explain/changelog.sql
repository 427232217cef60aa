CREATE SOURCE STREAM bids (auction BIGINT, bidder BIGINT, price BIGINT, at TIMESTAMP)
  WITH (type = "dis", channel = "bids", encode = "csv", field_delimiter = ",");
CREATE SOURCE STREAM auctions (id BIGINT, name STRING) WITH (type = "dis", channel = "auctions", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM best (name STRING, price BIGINT, kind STRING) WITH (type = "print");

CREATE TEMP STREAM highest (auction BIGINT, price BIGINT);
INSERT INTO highest SELECT auction, MAX(price) FROM bids GROUP BY auction;

INSERT INTO best
SELECT a.name, h.price, CASE WHEN h.price IS NULL THEN 'none' WHEN h.price > 1000 THEN 'high' ELSE CAST(h.price AS STRING) END
FROM auctions AS a
LEFT JOIN highest AS h ON a.id = h.auction AND h.price <> 13;
