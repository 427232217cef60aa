/* A table of a database as a dimension table. A car may have several owners and then gives several rows; LEFT JOIN keeps
   a car without one. Event time goes through the join: the pass of 08:00:40 that comes after 08:01:30 is joined all
   the same, and only the window behind the join drops it as late. */
CREATE SOURCE STREAM passes (plate STRING, gate INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "passes", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 20 SECOND);

CREATE TABLE owners (plate STRING, owner STRING, town STRING, since DATE) WITH (
  type = "rds", username = "reader", password = "secret", db_url = "jdbc:postgresql://db.example.com:5432/cars",
  table_name = "t_owner", db_columns = "id,owner,town,since", cache_max_num = "1000", cache_time = "60000");

CREATE SINK STREAM seen (plate STRING, gate INT, owner STRING, since DATE) WITH (
  type = "dis", region = "local", channel = "seen", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM towns (minute_start TIMESTAMP, town STRING, n BIGINT) WITH (
  type = "dis", region = "local", channel = "towns", encode = "csv", field_delimiter = ",");

INSERT INTO seen
SELECT p.plate, p.gate, o.owner, o.since FROM passes AS p LEFT JOIN owners AS o ON p.plate = o.plate;

INSERT INTO towns
SELECT TUMBLE_START(p.ts, INTERVAL '1' MINUTE), o.town, COUNT(*)
FROM passes AS p JOIN owners AS o ON p.plate = o.plate
GROUP BY TUMBLE(p.ts, INTERVAL '1' MINUTE), o.town;
