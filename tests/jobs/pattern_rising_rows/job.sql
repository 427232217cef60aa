/* A level followed by two or more higher ones, every row of the match given out.
   The columns are those of the input, then the measures. A measure of a variable that has no row yet is NULL. The mean
   of whole numbers is cut off. `FINAL` looks at the whole match. Rows are taken in order of time: the row of 10:00:20
   arrives before that of 10:00:10; the last row is late. */
CREATE SOURCE STREAM levels (tank STRING, cm INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "levels", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 15 SECOND);
CREATE SINK STREAM climbs (
  tank STRING, cm INT, ts TIMESTAMP, number BIGINT, name STRING, mean INT, mean_of_all INT, top INT, step INT
) WITH (type = "dis", region = "local", channel = "climbs", encode = "csv", field_delimiter = ",");

INSERT INTO climbs
SELECT *
FROM levels MATCH_RECOGNIZE (
  PARTITION BY tank
  ORDER BY ts
  MEASURES
    MATCH_NUMBER() AS number,
    CLASSIFIER() AS name,
    AVG(UP.cm) AS mean,
    FINAL AVG(UP.cm) AS mean_of_all,
    FINAL LAST(UP.cm) AS top,
    UP.cm - PREV(UP.cm) AS step
  ALL ROWS PER MATCH
  PATTERN (START_ROW UP{2,})
  DEFINE UP AS UP.cm > PREV(UP.cm)
);
