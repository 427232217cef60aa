-- Look-up in Redis: prices rides with the tariff of their zone, of which Redis has one for each; needs an exclusive cluster.
CREATE SOURCE STREAM rides (
  ride STRING,
  zone STRING,
  minutes INT
) WITH (
  type = "dis", region = "local", channel = "rides", encode = "csv", field_delimiter = ","
);

CREATE TABLE tariffs (
  zone STRING,
  cents STRING
) WITH (
  type = "dcs_redis", cluster_address = "192.168.0.11:6379", password = "change-me", value_type = "string",
  key_column = "zone", cache_time = "60000"
);

CREATE SINK STREAM fares (
  ride STRING,
  zone STRING,
  minutes INT,
  cents BIGINT
) WITH (
  type = "dis", region = "local", channel = "fares", encode = "csv", field_delimiter = ","
);

INSERT INTO fares
SELECT r.ride, r.zone, r.minutes, 100 + CAST(r.minutes AS BIGINT) * CAST(t.cents AS BIGINT)
FROM rides AS r JOIN tariffs AS t ON r.zone = t.zone;
