/* ROW, MAP and ARRAY columns.
 * An absent key, an absent map entry and a subscript out of range give NULL (empty text).
 */
CREATE SOURCE STREAM devices (
  id STRING,
  site ROW<city STRING, floor INT>,
  load MAP[STRING, DOUBLE],
  temps ARRAY[INT]
) WITH (
  type = "dis", region = "local", channel = "devices", encode = "json"
);

CREATE SINK STREAM flat (
  id STRING, city STRING, cpu DOUBLE, first_temp INT, last_temp INT, n INT
) WITH (
  type = "dis", region = "local", channel = "devices_flat", encode = "csv", field_delimiter = ";"
);

INSERT INTO flat
SELECT id, site.city, load['cpu'], temps[1], temps[CARDINALITY(temps)], CARDINALITY(temps)
FROM devices;
