/* Empty and missing collections give no row, unless the join is a LEFT JOIN. */
CREATE SOURCE STREAM carts (
  cart STRING, items ARRAY[ROW<sku STRING, qty INT>], tags ARRAY[STRING], prices MAP[STRING, DOUBLE]
) WITH (type = "dis", region = "local", channel = "carts", encode = "json");
CREATE SINK STREAM items (cart STRING, sku STRING, qty INT) WITH (
  type = "dis", region = "local", channel = "items", encode = "json");
CREATE SINK STREAM numbered (cart STRING, tag STRING, n INT) WITH (
  type = "dis", region = "local", channel = "numbered", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM entries (cart STRING, sku STRING, price DOUBLE) WITH (
  type = "dis", region = "local", channel = "entries", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM constants (n INT) WITH (
  type = "dis", region = "local", channel = "constants", encode = "csv", field_delimiter = ",");

INSERT INTO items
SELECT t1.cart, t2.sku, t2.qty
FROM carts AS t1 CROSS JOIN UNNEST(t1.items) AS t2(sku, qty)
WHERE t2.qty > 0;

INSERT INTO numbered
SELECT cart, tag, n
FROM carts LEFT JOIN UNNEST(tags) WITH ORDINALITY AS T(tag, n) ON TRUE;

-- Without column names the fields of a map entry are `key` and `value`.
INSERT INTO entries
SELECT cart, `key`, `value` FROM carts, UNNEST(prices) AS P;

INSERT INTO constants
SELECT n FROM UNNEST(ARRAY[3, 1, 2]) AS T(n) WHERE n <> 1;
