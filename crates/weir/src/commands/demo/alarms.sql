-- One alarm for every flight that left more than an hour late.
CREATE SOURCE STREAM flights (
  year INT, month INT, day INT,
  dep_time INT, sched_dep_time INT, dep_delay INT,       -- NA in a cancelled flight: a dirty record
  arr_time STRING, sched_arr_time STRING, arr_delay STRING,
  carrier STRING, flight STRING, tailnum STRING, origin STRING, dest STRING,
  air_time STRING, distance INT, hour INT, minute INT,
  time_hour TIMESTAMP
) WITH (
  type = "obs", region = "local", bucket = "flights", object_name = "flights-2013-01.csv.gz",
  encode = "csv", field_delimiter = ",", row_delimiter = "\n"
);

CREATE SINK STREAM alarms (message STRING, scheduled TIMESTAMP, delay INT) WITH (
  type = "dis", region = "local", channel = "alarms", partition_key = "message",
  encode = "csv", field_delimiter = ",");

INSERT INTO alarms
SELECT carrier || flight || ' ' || origin || '-' || dest, time_hour, dep_delay
FROM flights
WHERE dep_delay > 60;
