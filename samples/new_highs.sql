-- New highs: bids that are the highest of the last hundred of their article, which a list of leaders needs.
CREATE SOURCE STREAM bids (
  article STRING,
  bidder STRING,
  price BIGINT
) WITH (
  type = "dis", region = "local", channel = "bids", encode = "csv", field_delimiter = ","
) TIMESTAMP BY proctime.proctime;

CREATE SINK STREAM leaders (
  article STRING,
  bidder STRING,
  price BIGINT,
  lowest BIGINT
) WITH (
  type = "dis", region = "local", channel = "leaders", encode = "csv", field_delimiter = ","
);

INSERT INTO leaders
SELECT article, bidder, price, lowest
FROM (
  SELECT
    article, bidder, price,
    MAX(price) OVER (PARTITION BY article ORDER BY proctime ROWS BETWEEN 99 PRECEDING AND CURRENT ROW) AS highest,
    MIN(price) OVER (PARTITION BY article ORDER BY proctime ROWS BETWEEN 99 PRECEDING AND CURRENT ROW) AS lowest
  FROM bids
)
WHERE price = highest;
