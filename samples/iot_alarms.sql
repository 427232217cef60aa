-- Alarms of devices: writes an alarm when a machine was too hot for a whole minute, and keeps the minutes of all machines in a bucket.
CREATE SOURCE STREAM measurements (
  machine STRING,
  celsius DOUBLE,
  measured_at TIMESTAMP
) WITH (
  type = "dis", region = "local", channel = "measurements", encode = "json",
  json_config = "machine=device.id;celsius=data.celsius;measured_at=data.time"
) TIMESTAMP BY measured_at.rowtime SET WATERMARK (ROWS 1, INTERVAL 10 SECOND);

CREATE TEMP STREAM minutes (
  machine STRING,
  minute_start TIMESTAMP,
  lowest DOUBLE,
  average DOUBLE,
  highest DOUBLE
);

CREATE SINK STREAM history (
  machine STRING,
  minute_start TIMESTAMP,
  average DOUBLE,
  highest DOUBLE
) WITH (
  type = "obs", region = "local", encode = "csv", field_delimiter = ",", obs_dir = "my-bucket/machines", file_prefix = "minutes",
  rolling_interval = "yyyy/MM/dd", rolling_size = "100m"
);

CREATE SINK STREAM alarms (
  machine STRING,
  message STRING
) WITH (
  type = "dis", region = "local", channel = "machine-alarms", partition_key = "machine", encode = "json"
);

INSERT INTO minutes
SELECT machine, TUMBLE_START(measured_at, INTERVAL '1' MINUTE), MIN(celsius), AVG(celsius), MAX(celsius)
FROM measurements
GROUP BY TUMBLE(measured_at, INTERVAL '1' MINUTE), machine;

INSERT INTO history
SELECT machine, minute_start, average, highest FROM minutes;

INSERT INTO alarms
SELECT machine, 'Machine ' || machine || ' had up to ' || CAST(highest AS STRING) || ' degrees at ' || DATE_FORMAT(minute_start, 'HH:mm')
FROM minutes
WHERE lowest > 80;
