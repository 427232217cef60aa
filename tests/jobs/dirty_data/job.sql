/* Dirty records: wrong numbers of fields, values that do not fit their column, a CAST that fails.
 * An empty INT field is NULL, not dirty. The seventh line decodes, but its CAST fails:
 * by then the record is a row, so its values are saved instead of its text.
 */
CREATE SOURCE STREAM raw_in (id INT, kind STRING, size_text STRING, ok BOOLEAN, at_ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "raw",
  encode = "csv", field_delimiter = ",", start_time = "2024-01-01 00:00:00");

CREATE SINK STREAM clean (id INT, kind STRING, bytes BIGINT, ok BOOLEAN, at_ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "clean", encode = "json");

INSERT INTO clean
SELECT id, UPPER(kind), CAST(size_text AS BIGINT), ok, at_ts FROM raw_in;
