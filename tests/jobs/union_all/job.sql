/* UNION ALL keeps every row of both inputs; UNION gives a row the first time it is seen, in whichever of them. */
CREATE SOURCE STREAM east (sku STRING, qty INT) WITH (
  type = "dis", region = "local", channel = "east", encode = "csv", field_delimiter = ",");
CREATE SOURCE STREAM west (sku STRING, qty INT) WITH (
  type = "dis", region = "local", channel = "west", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM all_rows (sku STRING, qty INT) WITH (
  type = "dis", region = "local", channel = "all_rows", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM once (sku STRING, qty INT) WITH (
  type = "dis", region = "local", channel = "once", encode = "csv", field_delimiter = ",");

INSERT INTO all_rows SELECT * FROM east UNION ALL SELECT * FROM west;
INSERT INTO once SELECT * FROM east UNION SELECT * FROM west;
