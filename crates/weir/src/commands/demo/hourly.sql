-- Departures, average and worst delay of every origin in each hour.
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
) TIMESTAMP BY time_hour.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 DAY);

CREATE SINK STREAM hourly_delays (
  origin STRING, hour_start TIMESTAMP, departures BIGINT, average_delay INT, exact_average DOUBLE, worst_delay INT
) WITH (
  type = "obs", region = "local", encode = "csv", field_delimiter = ",", row_delimiter = "\n",
  obs_dir = "flights/hourly", file_prefix = "delays", rolling_size = "100m");

INSERT INTO hourly_delays
SELECT origin, TUMBLE_START(time_hour, INTERVAL '1' HOUR),
       COUNT(*), AVG(dep_delay), AVG(CAST(dep_delay AS DOUBLE)), MAX(dep_delay)
FROM flights
GROUP BY TUMBLE(time_hour, INTERVAL '1' HOUR), origin;
