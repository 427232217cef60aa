-- Changelog of a table: keeps the sums of a table up to date from its inserts, updates and deletes, as tools for change data capture tell them.
CREATE SOURCE STREAM changes (
  operation STRING,
  old_category STRING,
  old_price DECIMAL(10, 2),
  new_category STRING,
  new_price DECIMAL(10, 2)
) WITH (
  type = "dis", region = "local", channel = "article-changes", encode = "json",
  json_config = "operation=op;old_category=before.category;old_price=before.price;new_category=after.category;new_price=after.price"
);

-- What a row was is taken away, what it is now is added.
CREATE TEMP STREAM differences (
  category STRING,
  articles INT,
  price DECIMAL(10, 2)
);

CREATE SINK STREAM categories (
  category STRING,
  articles BIGINT,
  total_price DECIMAL(38, 2)
) WITH (
  type = "dis", region = "local", channel = "article-categories", partition_key = "category", encode = "json"
);

INSERT INTO differences
SELECT old_category, -1, -old_price FROM changes WHERE operation IN ('u', 'd');

INSERT INTO differences
SELECT new_category, 1, new_price FROM changes WHERE operation IN ('c', 'r', 'u');

INSERT INTO categories
SELECT category, SUM(articles), SUM(price)
FROM differences
GROUP BY category;
