-- Unique visitors: how many different visitors each page had in each hour, beside its views.
CREATE SOURCE STREAM views (
  page STRING,
  visitor STRING,
  seen_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "page-views", encode = "csv", field_delimiter = ","
) TIMESTAMP BY seen_at.rowtime SET WATERMARK (RANGE INTERVAL 10 SECOND, INTERVAL 1 MINUTE);

CREATE SINK STREAM page_hours (
  hour_start TIMESTAMP,
  page STRING,
  views BIGINT,
  visitors BIGINT
) WITH (
  type = "dis", region = "local", channel = "page-hours", encode = "csv", field_delimiter = ","
);

INSERT INTO page_hours
SELECT TUMBLE_START(seen_at, INTERVAL '1' HOUR), page, COUNT(*), COUNT(DISTINCT visitor)
FROM views
GROUP BY TUMBLE(seen_at, INTERVAL '1' HOUR), page;
