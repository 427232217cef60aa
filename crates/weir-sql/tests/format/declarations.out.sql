CREATE SOURCE STREAM car_infos (car_id STRING, car_owner STRING, car_brand STRING, car_price INT)
WITH (
  type = "dis",
  region = "cn-north-1",
  channel = "csinput",
  encode = "csv",
  field_delimiter = ","
)
TIMESTAMP BY proctime.proctime;

CREATE SOURCE STREAM temperatures (
  sensor STRING,
  ts TIMESTAMP(3),
  readings ARRAY<ROW<unit STRING, value DOUBLE>>,
  attributes MAP[STRING, ARRAY[INT]],
  `order` DECIMAL(10, 2)
)
WITH (
  type = "obs",
  bucket = "b",
  object_name = "in/",
  row_delimiter = "\n",
  json_config = "sensor=a.b;ts=$"
)
TIMESTAMP BY ts.rowtime, proctime.proctime
  SET WATERMARK (RANGE INTERVAL 10 SECOND, INTERVAL 20 SECOND);

CREATE SINK STREAM by_day (day STRING, n BIGINT)
PARTITIONED BY (day)
WITH (
  type = 'filesystem',
  file.path = 'obs://b/d',
  encode = 'parquet',
  ak = "{{ak}}",
  sk = "{{sk}}"
);

CREATE TEMP STREAM steps (a INT)
TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL '1' SECOND);

CREATE TABLE t (k STRING, v STRING)
WITH (
  type = "dcs_redis",
  cluster_address = "10.0.0.1:6379",
  value_type = "string",
  key_column = "k",
  cache_time = 0
);

CREATE FUNCTION f AS "com.example.F";
