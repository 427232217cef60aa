CREATE SOURCE STREAM ticks (symbol STRING, price DOUBLE, ts TIMESTAMP)
  WITH (type = "dis", channel = "ticks", encode = "csv", field_delimiter = ",")
  TIMESTAMP BY ts.ROWTIME SET WATERMARK (ROWS 1, INTERVAL 5 SECOND);
CREATE SOURCE STREAM news (symbol STRING, headline STRING, at TIMESTAMP)
  WITH (type = "dis", channel = "news", encode = "csv", field_delimiter = ",")
  TIMESTAMP BY at.ROWTIME SET WATERMARK (ROWS 1, INTERVAL 5 SECOND);
CREATE SINK STREAM falls (symbol STRING, bottom DOUBLE) WITH (type = "print");
CREATE SINK STREAM reactions (symbol STRING, headline STRING, price DOUBLE) WITH (type = "print");

INSERT INTO falls
SELECT symbol, bottom
FROM ticks MATCH_RECOGNIZE (
  PARTITION BY symbol ORDER BY ts
  MEASURES LAST(down.price) AS bottom
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (high down+ up) WITHIN INTERVAL '1' HOUR
  DEFINE down AS down.price < 10, up AS up.price > LAST(down.price)
) AS m;

INSERT INTO reactions
SELECT n.symbol, n.headline, t.price
FROM news AS n JOIN ticks AS t ON n.symbol = t.symbol AND t.ts BETWEEN n.at AND n.at + INTERVAL '10' MINUTE;
