/* GROUP BY without a window. To a message sink each record brings the new result of its group, also the price of p3 that
   changes nothing; what is left at the end is one row for each group. HAVING withdraws a group that no longer meets it:
   the lowest price of p2 falls below 5. */
CREATE SOURCE STREAM offers (product STRING, shop STRING, price INT) WITH (
  type = "dis", region = "local", channel = "offers", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM feed (product STRING, offers BIGINT, shops BIGINT, lowest INT) WITH (
  type = "dis", region = "local", channel = "feed", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM dear (product STRING, lowest INT) WITH (
  type = "dis", region = "local", channel = "dear", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM lowest (product STRING, price INT) WITH (
  type = "dis", region = "local", channel = "lowest", encode = "csv", field_delimiter = ",");

INSERT INTO feed SELECT product, COUNT(*), COUNT(DISTINCT shop), MIN(price) FROM offers GROUP BY product;
INSERT INTO dear SELECT product, MIN(price) FROM offers GROUP BY product HAVING MIN(price) >= 5;
INSERT INTO lowest SELECT product, MIN(price) FROM offers GROUP BY product;
