/* `k` of the first partition: 1 2 3 9 1 8 8 2; of the second: 5 4 6 6 7. */
CREATE SOURCE STREAM ticks (p STRING, k INT, ts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "ticks", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 SECOND);
CREATE SINK STREAM alternatives (p STRING, first_k INT, last_k INT, name STRING) WITH (type = "dis", channel = "o1", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM groups (p STRING, n BIGINT, lows BIGINT, highs BIGINT) WITH (type = "dis", channel = "o2", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM reluctant (p STRING, n BIGINT, tail BIGINT) WITH (type = "dis", channel = "o3", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM next_row (p STRING, number BIGINT, k INT, n BIGINT) WITH (type = "dis", channel = "o4", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM first_row (p STRING, a INT, b INT) WITH (type = "dis", channel = "o5", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM lookahead (p STRING, peak INT, after_peak INT) WITH (type = "dis", channel = "o6", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM history (p STRING, n BIGINT, before_last INT, second INT) WITH (type = "dis", channel = "o7", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM budget (p STRING, n BIGINT, total BIGINT) WITH (type = "dis", channel = "o8", encode = "csv", field_delimiter = ",");

-- The first alternative is preferred, although the second takes more rows.
INSERT INTO alternatives SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY p ORDER BY ts
  MEASURES FIRST(k) AS first_k, LAST(k) AS last_k, CLASSIFIER() AS name
  PATTERN (LOW HIGH | LOW+)
  DEFINE LOW AS k < 5, HIGH AS k >= 5);

-- A repeated group.
INSERT INTO groups SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY p ORDER BY ts
  MEASURES COUNT(*) AS n, COUNT(LOW.k) AS lows, COUNT(HIGH.k) AS highs
  PATTERN ((LOW HIGH){2})
  DEFINE LOW AS LOW.k < 5, HIGH AS HIGH.k >= 5);

-- A reluctant part leaves as many rows as it can to the part after it.
INSERT INTO reluctant SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY p ORDER BY ts
  MEASURES COUNT(*) AS n, COUNT(TAIL.k) AS tail
  PATTERN (HEAD{1,3}? TAIL+)
  DEFINE HEAD AS HEAD.k < 5, TAIL AS TAIL.k < 4);

-- Every row may begin a match.
INSERT INTO next_row SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY p ORDER BY ts
  MEASURES MATCH_NUMBER() AS number, FIRST(UP.k) AS k, COUNT(*) AS n
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (ANY_ROW UP+)
  DEFINE UP AS UP.k > PREV(UP.k));

-- The search goes on at the first row of B; every match has one.
INSERT INTO first_row SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY p ORDER BY ts
  MEASURES A.k AS a, B.k AS b
  AFTER MATCH SKIP TO FIRST B
  PATTERN (A B)
  DEFINE B AS B.k > A.k);

-- NEXT waits for the row after; the last row of a partition has none.
INSERT INTO lookahead SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY p ORDER BY ts
  MEASURES PEAK.k AS peak, NEXT(PEAK.k) AS after_peak
  PATTERN (PEAK)
  DEFINE PEAK AS PEAK.k > PREV(PEAK.k) AND PEAK.k > NEXT(PEAK.k));

-- Rows of the same variable, counted from the end and from the beginning.
INSERT INTO history SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY p ORDER BY ts
  MEASURES COUNT(A.k) AS n, LAST(A.k, 1) AS before_last, FIRST(A.k, 1) AS second
  PATTERN (A+)
  DEFINE A AS LAST(A.k, 1) IS NULL OR A.k >= LAST(A.k, 1));

-- An aggregate in a definition counts the row in question.
INSERT INTO budget SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY p ORDER BY ts
  MEASURES COUNT(A.k) AS n, SUM(A.k) AS total
  PATTERN (A+)
  DEFINE A AS SUM(A.k) <= 10);
