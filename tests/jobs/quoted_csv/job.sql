/* CSV with quote characters: delimiters inside quotes are text, the quotes are removed.
 * The option value \u005c\u0022 is one double quote. The last line has an odd number of quotes and is dirty.
 */
CREATE SOURCE STREAM notes (id INT, title STRING, place STRING) WITH (
  type = "obs", region = "local", bucket = "b1", object_name = "notes/35.csv",
  encode = "csv", row_delimiter = "\n", field_delimiter = ",", quote = "\u005c\u0022");
CREATE SINK STREAM copies (id INT, title STRING, place STRING) WITH (
  type = "dis", region = "local", channel = "copies", encode = "csv", field_delimiter = "|");

INSERT INTO copies SELECT id, title, place FROM notes;
