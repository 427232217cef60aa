/* Columns declared by a JSON Schema: bill and ship are ROW columns, items is BIGINT. */
CREATE SOURCE STREAM invoices WITH (
  type = "dis", region = "local", channel = "invoices", encode = "json",
  json_schema = '{"definitions":{"adr":{"type":"object","properties":{"city":{"type":"string"},"zip":{"type":"string"}}}},"type":"object","properties":{"bill":{"$ref":"#/definitions/adr"},"ship":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/adr"}]},"items":{"type":"integer"}}}'
);

CREATE SINK STREAM places (bill_city STRING, ship_zip STRING, items BIGINT) WITH (
  type = "obs", region = "local", encode = "csv", field_delimiter = ",", row_delimiter = "\n",
  obs_dir = "bucket/places", file_prefix = "places", rolling_size = "100m"
);

INSERT INTO places SELECT bill.city, ship.zip, items FROM invoices;
