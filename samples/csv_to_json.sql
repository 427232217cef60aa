-- CSV to JSON: reads quoted CSV files from a bucket and writes nested JSON records to a stream; it ends with the last file.
CREATE SOURCE STREAM sales (
  sale_id INT,
  article STRING,
  price DECIMAL(8, 2),
  shop STRING,
  city STRING
) WITH (
  type = "obs", region = "local", bucket = "my-bucket", object_name = "sales/",
  encode = "csv", row_delimiter = "\n", field_delimiter = ",", quote = "\u0022"
);

CREATE SINK STREAM sale_events (
  id INT,
  article STRING,
  price DECIMAL(8, 2),
  shop STRING,
  city STRING
) WITH (
  type = "dis", region = "local", channel = "sale-events", encode = "json",
  json_config = "price=price.amount;shop=place.shop;city=place.city", enable_output_null = "false"
);

INSERT INTO sale_events
SELECT sale_id, article, price, shop, NULLIF(city, '')
FROM sales;
