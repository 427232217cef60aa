/* A group is forgotten when no record has come for it for three seconds, so it begins anew afterwards; a row of SELECT
   DISTINCT comes again. The clock of the test counts a second for each record. */
CREATE SOURCE STREAM taps (card STRING, fare INT) WITH (
  type = "dis", region = "local", channel = "taps", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM spent (card STRING, taps BIGINT, fares BIGINT) WITH (
  type = "dis", region = "local", channel = "spent", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM cards (card STRING) WITH (
  type = "dis", region = "local", channel = "cards", encode = "csv", field_delimiter = ",");

INSERT INTO spent SELECT card, COUNT(*), SUM(fare) FROM taps GROUP BY card;
INSERT INTO cards SELECT DISTINCT card FROM taps;
