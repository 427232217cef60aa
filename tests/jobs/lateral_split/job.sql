/* A NULL gives no row, an empty text one empty row, and a separator at an end an empty piece. */
CREATE SOURCE STREAM posts (id INT, tags STRING) WITH (
  type = "dis", region = "local", channel = "posts", encode = "json");
CREATE SINK STREAM kept (id INT, tag STRING) WITH (
  type = "dis", region = "local", channel = "kept", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM dropped (id INT, tag STRING) WITH (
  type = "dis", region = "local", channel = "dropped", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM paired (id INT, a STRING, b STRING) WITH (
  type = "dis", region = "local", channel = "paired", encode = "csv", field_delimiter = ",");

INSERT INTO kept
SELECT id, tag FROM posts LEFT JOIN LATERAL TABLE(split_cursor(tags, '|')) AS T(tag) ON TRUE;

INSERT INTO dropped
SELECT p.id, T.tag FROM posts AS p, LATERAL TABLE(SPLIT_CURSOR(p.tags, '|')) AS T(tag);

-- Each table function reads what stands before it.
INSERT INTO paired
SELECT id, a, b
FROM posts
  CROSS JOIN LATERAL TABLE(split_cursor(tags, '|')) AS A(a)
  JOIN LATERAL TABLE(split_cursor(UPPER(a) || '+' || a, '+')) AS B(b) ON b <> a
WHERE id < 4;
