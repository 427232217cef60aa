/* Three-valued logic, COALESCE, NULLIF, CASE with several values in one WHEN.
 * An empty INT field is NULL, an empty STRING field is the empty string.
 */
CREATE SOURCE STREAM orders (id INT, phase STRING, units INT, price DOUBLE) WITH (
  type = "dis", region = "local", channel = "orders", encode = "csv", field_delimiter = ",");

CREATE SINK STREAM graded (id INT, grade STRING, units INT, amount DOUBLE, big BOOLEAN, per_unit DOUBLE) WITH (
  type = "dis", region = "local", channel = "graded", encode = "csv", field_delimiter = ",");

INSERT INTO graded
SELECT id,
       CASE phase WHEN 'new', 'open' THEN 'active' WHEN 'done' THEN 'closed' ELSE 'other' END,
       COALESCE(units, 0),
       units * price,
       NOT (units < 10),
       price / NULLIF(units, 0)
FROM orders;
