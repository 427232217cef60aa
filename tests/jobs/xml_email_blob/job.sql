/* Messages that are not lines: XML documents, e-mails and raw bytes. Each file of a directory is one message.
 * Elements are found by their path below the root, wherever they stand; one that is missing gives NULL.
 * Headers are found without case, and `_` is as good as `-`; `charset` comes from Content-Type, an ARRAY
 * column takes the header apart at its commas. Two messages are dirty: a document whose tags do not match
 * and a mail with a date that is none.
 */
CREATE SOURCE STREAM stations (
  station STRING, opened DATE, degrees DOUBLE, alarms ARRAY[STRING], manned BOOLEAN, note STRING
) WITH (
  type = "dis", region = "local", channel = "stations", encode = "xml",
  xml_config = "station=head.station; opened=head.opened; degrees=values.air.degrees; alarms=values.alarms; manned=head.manned;"
);

CREATE SOURCE STREAM mails (
  mid STRING, sent TIMESTAMP, sent_day DATE, subject STRING, cc ARRAY[STRING], charset STRING, body STRING, x_none STRING
) WITH (
  type = "dis", region = "local", channel = "mails", encode = "email",
  email_key = "message_id, Date, date, SUBJECT, Cc, charset, Body, X_None"
);

CREATE SOURCE STREAM frames (bytes ARRAY[TINYINT]) WITH (
  type = "dis", region = "local", channel = "frames", encode = "blob"
);

CREATE SINK STREAM readings (
  station STRING, opened DATE, degrees DOUBLE, last_alarm STRING, alarms INT, manned BOOLEAN, note STRING
) WITH (
  type = "dis", region = "local", channel = "readings", encode = "csv", field_delimiter = "|"
);

CREATE SINK STREAM letters (
  mid STRING, sent TIMESTAMP, sent_day DATE, subject STRING, cc ARRAY[STRING], charset STRING, body STRING, x_none STRING
) WITH (
  type = "dis", region = "local", channel = "letters", encode = "json", enable_output_null = "false"
);

CREATE SINK STREAM sizes (bytes INT, first_byte TINYINT, second_byte TINYINT) WITH (
  type = "dis", region = "local", channel = "sizes", encode = "csv", field_delimiter = ","
);

INSERT INTO readings
SELECT station, opened, degrees, alarms[CARDINALITY(alarms)], CARDINALITY(alarms), manned, note FROM stations;

INSERT INTO letters
SELECT mid, sent, sent_day, subject, cc, charset, body, x_none FROM mails;

INSERT INTO sizes
SELECT CARDINALITY(bytes), bytes[1], bytes[2] FROM frames;
