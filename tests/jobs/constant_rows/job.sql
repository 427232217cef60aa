/* Constant rows: SELECT without FROM and VALUES. There is no input; the job ends by itself. */
CREATE SINK STREAM seeds (student STRING, subject STRING, score INT) WITH (
  type = "dis", region = "local", channel = "seeds", encode = "csv", field_delimiter = ",");

INSERT INTO seeds SELECT "s1", "math", 95;
INSERT INTO seeds SELECT 's2', 'it''s art', 80 + 5;
INSERT INTO seeds VALUES ('s3', 'music', 70), ('s4', CAST(NULL AS STRING), 60);
