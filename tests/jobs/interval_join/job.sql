/* An answer belongs to a call when it comes at most ten seconds later on the same line. Call 2 is answered after exactly
   ten seconds, call 1 a second time after fourteen: too late. Call 4 and the answer of eve have no line. */
CREATE SOURCE STREAM calls (id INT, line INT, cts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "calls", encode = "csv", field_delimiter = ","
) TIMESTAMP BY cts.rowtime SET WATERMARK (ROWS 1, INTERVAL 5 SECOND);
CREATE SOURCE STREAM answers (line INT, agent STRING, ats TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "answers", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ats.rowtime SET WATERMARK (ROWS 1, INTERVAL 5 SECOND);

CREATE SINK STREAM answered (id INT, line INT, agent STRING) WITH (
  type = "dis", region = "local", channel = "answered", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM every_call (id INT, line INT, agent STRING) WITH (
  type = "dis", region = "local", channel = "every_call", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM every_answer (id INT, line INT, agent STRING) WITH (
  type = "dis", region = "local", channel = "every_answer", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM everything (id INT, called INT, answered INT, agent STRING) WITH (
  type = "dis", region = "local", channel = "everything", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM picky (id INT, line INT, agent STRING) WITH (
  type = "dis", region = "local", channel = "picky", encode = "csv", field_delimiter = ",");

INSERT INTO answered
SELECT id, c.line, agent FROM calls AS c, answers AS a
WHERE c.line = a.line AND ats BETWEEN cts AND cts + INTERVAL '10' SECOND;

INSERT INTO every_call
SELECT c.id, c.line, a.agent FROM calls AS c LEFT JOIN answers AS a
ON a.line = c.line AND a.ats >= c.cts AND a.ats - INTERVAL '10' SECOND <= c.cts;

INSERT INTO every_answer
SELECT c.id, a.line, a.agent FROM calls AS c RIGHT OUTER JOIN answers AS a
ON c.line = a.line AND c.cts BETWEEN a.ats - INTERVAL '10' SECOND AND a.ats;

INSERT INTO everything
SELECT c.id, c.line, a.line, a.agent FROM calls AS c FULL JOIN answers AS a
ON c.line = a.line AND a.ats > c.cts - INTERVAL '1' MILLISECOND AND a.ats < c.cts + INTERVAL '10.001' SECOND;

-- Of the kept rows a part of the condition drops only the match, not the call.
INSERT INTO picky
SELECT c.id, c.line, a.agent FROM calls AS c LEFT JOIN answers AS a
ON c.line = a.line AND a.ats BETWEEN c.cts AND c.cts + INTERVAL '10' SECOND AND CHAR_LENGTH(a.agent) > c.id;
