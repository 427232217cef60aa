/* SELECT DISTINCT gives a row at its first appearance, NULL being like any other value. Above a result that changes a row
   goes when its last occurrence does: of the totals 3 is withdrawn twice, and there are two of 5 in the end. */
CREATE SOURCE STREAM visits (who STRING, door INT, minutes INT) WITH (
  type = "dis", region = "local", channel = "visits", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM doors (who STRING, door INT) WITH (
  type = "dis", region = "local", channel = "doors", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM totals (minutes BIGINT) WITH (
  type = "dis", region = "local", channel = "totals", encode = "csv", field_delimiter = ",");

INSERT INTO doors SELECT DISTINCT who, door FROM visits;
INSERT INTO totals SELECT DISTINCT total FROM (SELECT who, SUM(minutes) AS total FROM visits GROUP BY who);
