/* The id is a number here and a text there: both are compared as DOUBLE, and a click whose id is none is dirty. A user may be
   there twice, a click too. Users 4 and the one without an id have no click; the click of 9 has no user. */
CREATE SOURCE STREAM users (id INT, name STRING) WITH (
  type = "dis", region = "local", channel = "users", encode = "csv", field_delimiter = ",");
CREATE SOURCE STREAM clicks (who STRING, page STRING) WITH (
  type = "dis", region = "local", channel = "clicks", encode = "csv", field_delimiter = ",");

CREATE SINK STREAM visits (name STRING, page STRING) WITH (
  type = "dis", region = "local", channel = "visits", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM every_user (id INT, name STRING, page STRING) WITH (
  type = "dis", region = "local", channel = "every_user", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM everything (name STRING, page STRING) WITH (
  type = "dis", region = "local", channel = "everything", encode = "csv", field_delimiter = ",");

CREATE TEMP STREAM good (who STRING, page STRING);
INSERT INTO good SELECT who, page FROM clicks WHERE CAST(who AS DOUBLE) IS NOT NULL;

INSERT INTO visits SELECT u.name, g.page FROM users u JOIN good g ON u.id = g.who;
INSERT INTO every_user SELECT u.id, u.name, g.page FROM users u LEFT JOIN good g ON u.id = g.who AND g.page <> 'home';
INSERT INTO everything SELECT u.name, g.page FROM users u FULL JOIN good g ON u.id = g.who AND u.name < g.page;
