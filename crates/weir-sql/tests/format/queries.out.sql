INSERT INTO a
SELECT *
FROM s
WHERE x = 1 AND y <> 2 OR NOT z BETWEEN 1 AND 2;

INSERT INTO b
SELECT DISTINCT upper(name) AS n, count(*) c
FROM s
GROUP BY upper(name)
HAVING count(*) > 3;

INSERT INTO c
SELECT
  CASE WHEN a > 1 THEN 'many' WHEN a = 1 THEN 'one' ELSE 'none' END,
  CAST(a AS DOUBLE),
  EXTRACT(HOUR FROM ts),
  FLOOR(ts TO DAY),
  TRIM(BOTH ' ' FROM n),
  SUBSTRING(n FROM 1 FOR 2),
  POSITION('a' IN n),
  OVERLAY(n PLACING 'x' FROM 1),
  a[1],
  m['k'],
  r.x,
  t.r.*,
  ARRAY[1, 2],
  MAP['a', 1],
  row(1, 'x')
FROM t;

INSERT INTO d
SELECT a
FROM x
UNION ALL
SELECT b
FROM y
UNION
(
  SELECT c
  FROM z
  UNION ALL
  VALUES (1), (2)
);

INSERT INTO e
VALUES (1, 'a'), (2, 'b');

INSERT INTO f
SELECT a
FROM (
  SELECT a, b
  FROM (
    SELECT *
    FROM x
    WHERE a IN (1, 2, 3)
  )
) AS q
WHERE b LIKE '%x%' ESCAPE '\' AND c SIMILAR TO 'a|b' AND d IS DISTINCT FROM e;

INSERT INTO g
SELECT
  customer_identification_number,
  customer_first_name
    || ' '
    || customer_last_name
    || ', '
    || customer_street_address AS mailing_label,
  (total_amount_without_taxes + shipping_and_handling_costs) * (
    1 + tax_rate_of_the_country
  ) AS amount
FROM customers
WHERE customer_status = 'active'
  AND (
    last_order_date > DATE '2024-01-01'
      OR last_contact_date > DATE '2024-06-01'
      OR customer_category IN ('gold', 'platinum')
  )
  AND NOT deleted;

INSERT INTO h
SELECT
  CASE kind
    WHEN 1, 2 THEN 'a value that is rather long so that the line is broken'
    WHEN 3 THEN 'another value of considerable length'
    ELSE 'none of them'
  END
FROM s;
