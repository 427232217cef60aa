-- Sessions: gathers the page views of a visitor into visits, which end after half an hour without a view.
CREATE SOURCE STREAM views (
  visitor STRING,
  page STRING,
  seen_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "page-views", encode = "json"
) TIMESTAMP BY seen_at.rowtime SET WATERMARK (ROWS 1, INTERVAL 30 SECOND);

CREATE SINK STREAM visits (
  visitor STRING,
  began_at TIMESTAMP,
  minutes BIGINT,
  views BIGINT,
  pages BIGINT
) WITH (
  type = "dis", region = "local", channel = "visits", encode = "csv", field_delimiter = ","
);

INSERT INTO visits
SELECT
  visitor,
  MIN(seen_at),
  TIMESTAMPDIFF(MINUTE, MIN(seen_at), MAX(seen_at)),
  COUNT(*),
  COUNT(DISTINCT page)
FROM views
GROUP BY SESSION(seen_at, INTERVAL '30' MINUTE), visitor;
