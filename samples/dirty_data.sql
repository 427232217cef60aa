-- Dirty data: takes records as text, passes those that are well formed and sends the others, with the reason, to a stream of their own.
CREATE SOURCE STREAM lines (
  device STRING,
  temperature STRING,
  battery STRING
) WITH (
  type = "dis", region = "local", channel = "device-lines", encode = "csv", field_delimiter = ","
);

CREATE SINK STREAM readings (
  device STRING,
  temperature DOUBLE,
  battery INT
) WITH (
  type = "dis", region = "local", channel = "readings", encode = "csv", field_delimiter = ","
);

CREATE SINK STREAM rejected (
  reason STRING,
  device STRING,
  temperature STRING,
  battery STRING
) WITH (
  type = "dis", region = "local", channel = "rejected-readings", encode = "json"
);

-- What is null here is well formed. A line with more or fewer fields is counted as dirty data of the job.
CREATE TEMP STREAM judged (
  device STRING,
  temperature STRING,
  battery STRING,
  reason STRING
);

INSERT INTO judged
SELECT device, temperature, battery, CASE
  WHEN device = '' THEN 'no device'
  WHEN NOT IS_NUMBER(temperature) THEN 'temperature is no number'
  WHEN NOT IS_DIGITS(battery) THEN 'battery is no number'
  WHEN CAST(battery AS INT) > 100 THEN 'battery is above 100'
END
FROM lines;

INSERT INTO readings
SELECT device, CAST(temperature AS DOUBLE), CAST(battery AS INT) FROM judged WHERE reason IS NULL;

INSERT INTO rejected
SELECT reason, device, temperature, battery FROM judged WHERE reason IS NOT NULL;
