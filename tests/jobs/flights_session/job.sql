/* Busy periods of an airline at an airport: flights of which each is scheduled at most two hours after the one before.
 * The gap counts inclusively: a flight exactly two hours later still belongs to the period.
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
) TIMESTAMP BY time_hour.rowtime SET WATERMARK (RANGE INTERVAL 1 HOUR, INTERVAL 1 DAY);

CREATE SINK STREAM busy_periods (
  carrier STRING, origin STRING, period_start TIMESTAMP, period_end TIMESTAMP, departures BIGINT, worst_delay INT
) WITH (
  type = "dis", region = "local", channel = "busy_periods", encode = "csv", field_delimiter = ",");

INSERT INTO busy_periods
SELECT carrier, origin,
       SESSION_START(time_hour, INTERVAL '2' HOUR), SESSION_END(time_hour, INTERVAL '2' HOUR),
       COUNT(*), MAX(dep_delay)
FROM flights
GROUP BY SESSION(time_hour, INTERVAL '2' HOUR), carrier, origin;
