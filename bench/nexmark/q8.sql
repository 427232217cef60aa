-- q8: who registered and sold something in the same window of 10 s.
CREATE SINK STREAM result (id BIGINT, name STRING, window_start TIMESTAMP) WITH ({sink});

INSERT INTO result
SELECT p.id, p.name, p.window_start
FROM (
  SELECT id, name, TUMBLE_START(date_time, INTERVAL '10' SECOND) AS window_start,
         TUMBLE_ROWTIME(date_time, INTERVAL '10' SECOND) AS window_time
  FROM person
  GROUP BY TUMBLE(date_time, INTERVAL '10' SECOND), id, name
) AS p JOIN (
  SELECT seller, TUMBLE_ROWTIME(date_time, INTERVAL '10' SECOND) AS window_time
  FROM auction
  GROUP BY TUMBLE(date_time, INTERVAL '10' SECOND), seller
) AS a
ON p.id = a.seller AND a.window_time BETWEEN p.window_time AND p.window_time;
