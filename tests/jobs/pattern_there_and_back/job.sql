/* A card is used in a city, then in one or more other cities, then in the first one again.
   `HOME` has no definition: any row may begin a match. The search goes on with the row that ended the match, so the
   return of one trip begins the next. Card 8 returns, but ten minutes later, which is not less than ten. */
CREATE SOURCE STREAM swipes (card STRING, city STRING, at_time TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "swipes", encode = "csv", field_delimiter = ","
) TIMESTAMP BY at_time.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE SINK STREAM returns (card STRING, city STRING, last_away STRING, stops BIGINT, took_until TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "returns", encode = "csv", field_delimiter = ",");

INSERT INTO returns
SELECT * FROM swipes MATCH_RECOGNIZE (
  PARTITION BY card
  ORDER BY at_time
  MEASURES
    HOME.card AS card,
    HOME.city AS city,
    LAST(AWAY.city) AS last_away,
    COUNT(AWAY.city) AS stops,
    BACK.at_time AS took_until
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST BACK
  PATTERN (HOME AWAY+ BACK)
  WITHIN INTERVAL '10' MINUTE
  DEFINE
    AWAY AS AWAY.city <> HOME.city,
    BACK AS BACK.city = HOME.city
) AS trips;
