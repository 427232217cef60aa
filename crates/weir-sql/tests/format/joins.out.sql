INSERT INTO a
SELECT l.id, r.v
FROM l
  JOIN r ON l.id = r.id AND l.ts BETWEEN r.ts - INTERVAL '5' MINUTE AND r.ts;

INSERT INTO b
SELECT *
FROM l
  LEFT OUTER JOIN r ON l.id = r.id
  FULL JOIN q ON q.id = l.id
  CROSS JOIN w;

INSERT INTO c
SELECT s.id, word, n
FROM s,
  LATERAL TABLE(split_cursor(s.text, ',')) AS t(word),
  UNNEST(s.items) WITH ORDINALITY AS u(item, n);

INSERT INTO d
SELECT l.identification, r.description_of_the_thing
FROM left_stream_with_long_name AS l
  INNER JOIN right_stream_with_long_name AS r
    ON l.identification = r.identification
      AND l.category = r.category
      AND l.rowtime_of_left BETWEEN r.rowtime_of_right - INTERVAL '5' MINUTE AND r.rowtime_of_right;

INSERT INTO e
SELECT a
FROM (
  SELECT a
  FROM x
  WHERE b
)
  JOIN (
    SELECT c
    FROM y
  )
    ON a = c;

INSERT INTO f
SELECT a
FROM TABLE t AS x;
