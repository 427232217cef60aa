/* Departures of every origin in windows of three hours, one starting every hour. The watermark is 12 hours behind,
 * less than the disorder of the file, so rows are late: for some of their three windows or for all of them.
 */
CREATE SOURCE STREAM flights (
  year INT, month INT, day INT,
  dep_time INT, sched_dep_time INT, dep_delay INT,       -- NA in a cancelled flight: a dirty record
  arr_time STRING, sched_arr_time STRING, arr_delay STRING,
  carrier STRING, flight STRING, tailnum STRING, origin STRING, dest STRING,
  air_time STRING, distance INT, hour INT, minute INT,
  time_hour TIMESTAMP                                     -- scheduled hour, UTC
) WITH (
  type = "obs", region = "local", bucket = "flights", object_name = "flights-2013-01.csv.gz",
  encode = "csv", field_delimiter = ",", row_delimiter = "\n"
) TIMESTAMP BY time_hour.rowtime SET WATERMARK (ROWS 1, INTERVAL 12 HOUR);

CREATE SINK STREAM sliding_departures (origin STRING, window_start TIMESTAMP, window_end TIMESTAMP, departures BIGINT, miles BIGINT) WITH (
  type = "dis", region = "local", channel = "sliding_departures", encode = "csv", field_delimiter = ",");

INSERT INTO sliding_departures
SELECT origin,
       HOP_START(time_hour, INTERVAL '1' HOUR, INTERVAL '3' HOUR),
       HOP_END(time_hour, INTERVAL '1' HOUR, INTERVAL '3' HOUR),
       COUNT(*), SUM(distance)
FROM flights
GROUP BY HOP(time_hour, INTERVAL '1' HOUR, INTERVAL '3' HOUR), origin;
