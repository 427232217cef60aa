/* Vehicle overspeed: copy fast readings to a stream, and send one message for each device
 * that was above 90 at least three times within a 30 s processing-time window.
 * All seven records fall into the window [00:00:00, 00:00:30). MAX of a DOUBLE prints as 104.5.
 */
CREATE SOURCE STREAM driving (
  device_id STRING, /* vehicle */
  data_time STRING, /* time told by the vehicle */
  velocity DOUBLE   /* km/h */
) WITH (
  type = "dis", region = "local", channel = "driving",
  partition_count = "1", encode = "csv", field_delimiter = ","
) TIMESTAMP BY proctime.proctime;

CREATE SINK STREAM fast (device_id STRING, data_time STRING, velocity DOUBLE) WITH (
  type = "dis", region = "local", channel = "fast",
  partition_key = "device_id", encode = "csv", field_delimiter = ",");

CREATE SINK STREAM alarm (message_text STRING) WITH (
  type = "dis", region = "local", channel = "alarm", encode = "csv", field_delimiter = ",");

INSERT INTO fast
SELECT device_id, data_time, velocity FROM driving WHERE velocity > 90;

INSERT INTO alarm
SELECT "Device " || device_id || " reached " || CAST(top AS VARCHAR(20))
FROM (
  SELECT device_id, MAX(velocity) AS top, COUNT(velocity) AS times
  FROM driving
  WHERE velocity > 90
  GROUP BY TUMBLE(proctime, INTERVAL '30' SECOND), device_id
)
WHERE times >= 3;
