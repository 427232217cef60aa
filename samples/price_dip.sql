-- Pattern of prices: finds prices that fall at least twice in a row and then rise above where they began.
CREATE SOURCE STREAM ticks (
  symbol STRING,
  price DOUBLE,
  traded_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "ticks", encode = "csv", field_delimiter = ","
) TIMESTAMP BY traded_at.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 SECOND);

CREATE SINK STREAM dips (
  symbol STRING,
  began_at TIMESTAMP,
  ended_at TIMESTAMP,
  first_price DOUBLE,
  lowest DOUBLE,
  last_price DOUBLE
) WITH (
  type = "dis", region = "local", channel = "dips", encode = "csv", field_delimiter = ","
);

INSERT INTO dips
SELECT symbol, began_at, ended_at, first_price, lowest, last_price
FROM ticks MATCH_RECOGNIZE (
  PARTITION BY symbol
  ORDER BY traded_at
  MEASURES
    A.traded_at AS began_at,
    C.traded_at AS ended_at,
    A.price AS first_price,
    LAST(B.price) AS lowest,
    C.price AS last_price
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B{2,} C)
  WITHIN INTERVAL '1' HOUR
  DEFINE
    B AS B.price < PREV(B.price),
    C AS C.price > A.price
) AS found;
