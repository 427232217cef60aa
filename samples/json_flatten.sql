-- JSON to rows: reads nested JSON, and makes one CSV record of each element of an array in it.
CREATE SOURCE STREAM carts (
  cart STRING,
  customer STRING,
  articles ARRAY[ROW<name STRING, pieces INT, price DOUBLE>]
) WITH (
  type = "dis", region = "local", channel = "carts", encode = "json",
  json_config = "cart=id;customer=customer.name;articles=content.articles"
);

CREATE SINK STREAM cart_lines (
  cart STRING,
  customer STRING,
  article STRING,
  pieces INT,
  total DOUBLE
) WITH (
  type = "dis", region = "local", channel = "cart-lines", encode = "csv", field_delimiter = ","
);

INSERT INTO cart_lines
SELECT c.cart, c.customer, line.name, line.pieces, line.pieces * line.price
FROM carts AS c CROSS JOIN UNNEST(c.articles) AS line (name, pieces, price);
