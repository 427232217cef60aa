/* JSON: read nested keys, write nested keys, leave NULLs out.
 * "speed" of the third record is a numeric string and is accepted for INT.
 * The second record has no speed: speed and fast are NULL and are left out.
 */
CREATE SOURCE STREAM readings (
  car_id STRING,
  speed INT,
  lat DOUBLE
) WITH (
  type = "dis", region = "local", channel = "readings_in", encode = "json",
  json_config = "car_id = car.id; speed = car.speed; lat=pos.lat;"
);

CREATE SINK STREAM checked (
  car_id STRING,
  speed INT,
  fast BOOLEAN
) WITH (
  type = "dis", region = "local", channel = "readings_out", encode = "json",
  json_config = "car_id=vehicle.id;speed=vehicle.speed",
  enable_output_null = "false"
);

INSERT INTO checked
SELECT car_id, speed, speed > 90
FROM readings
WHERE lat IS NOT NULL;
