INSERT INTO alarms
SELECT *
FROM s MATCH_RECOGNIZE (
  PARTITION BY car
  ORDER BY ts
  MEASURES first(a.speed) AS first_speed, last(b.speed) AS last_speed, FINAL count(*) AS n
  ALL ROWS PER MATCH
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (a{2,3}? b*? (c | d)+ e{2,} f{,3} g{4})
  WITHIN INTERVAL '10' MINUTE
  DEFINE a AS a.speed > 10, b AS b.speed > prev(b.speed) AND b.speed < avg(a.speed)
) AS t;

INSERT INTO alarms
SELECT t.a
FROM s MATCH_RECOGNIZE (
  ORDER BY ts
  MEASURES a.x AS a
  ONE ROW PER MATCH
  PATTERN (a b)
  DEFINE a AS x > 1
) AS t
WHERE t.a > 1;
