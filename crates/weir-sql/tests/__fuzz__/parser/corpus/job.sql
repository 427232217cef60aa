CREATE SOURCE STREAM meter (dev STRING, val INT, ts TIMESTAMP, m MAP[STRING, ARRAY<ROW<a INT>>]) WITH (
  type = "dis", channel = 'meter', encode = "json", quote = "\u005c\u0022", partition_count = 2
) TIMESTAMP BY ts.rowtime, proctime.proctime SET WATERMARK (RANGE INTERVAL '1 02:03' DAY TO MINUTE, INTERVAL 2 SECOND);
CREATE TEMP STREAM sums (dev STRING, n BIGINT) TIMESTAMP BY proctime.proctime; // comment
CREATE SINK STREAM out_stream (`order` DECIMAL(10, 2)) WITH (type = "dis", channel = "{{name}}", encode = "csv");
INSERT INTO sums SELECT dev, COUNT(DISTINCT val) AS n FROM (SELECT * FROM meter WHERE val BETWEEN SYMMETRIC 1 AND 2)
GROUP BY TUMBLE(ts, INTERVAL '10' SECOND), dev HAVING COUNT(*) > 1;
INSERT INTO out_stream SELECT CASE n WHEN 1, 2 THEN m['a'][1].a ELSE -1.5E0 END FROM sums -- end
UNION ALL VALUES (1, DATE '2024-03-15'), (TRIM(BOTH 'x' FROM 'y'), EXTRACT(YEAR FROM t.a));
