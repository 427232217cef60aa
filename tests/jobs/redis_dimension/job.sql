/* A Redis hash as a dimension table: the city is the key, the zone the field. Both must be given in ON, and all columns
   are STRING. A ride in a zone without a tariff is dropped, as is one whose zone is NULL, although there is a tariff
   for the empty zone. */
CREATE SOURCE STREAM rides (ride STRING, city STRING, zone STRING, minutes INT) WITH (
  type = "dis", region = "local", channel = "rides", encode = "csv", field_delimiter = ",");

CREATE TABLE tariffs (zone STRING, cents STRING, city STRING) WITH (
  type = "dcs_redis", cluster_address = "redis.example.com:6379", password = "secret", value_type = "hash",
  key_column = "city", hash_key_column = "zone", cache_time = "0");

CREATE SINK STREAM fares (ride STRING, zone STRING, cents INT) WITH (
  type = "dis", region = "local", channel = "fares", encode = "csv", field_delimiter = ",");

INSERT INTO fares
SELECT r.ride, t.zone, r.minutes * CAST(t.cents AS INT)
FROM rides AS r JOIN tariffs AS t ON t.city = r.city AND NULLIF(r.zone, '') = t.zone
WHERE r.city <> 'test' AND t.cents <> '0';
