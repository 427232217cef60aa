/* Filter: keep audi cars below 300000.
 * LIKE is case-sensitive, so the row with brand "Audi" is dropped; the row without a price is
 * dropped because NULL < 300000 is not TRUE.
 */
CREATE SOURCE STREAM cars (
  car_id STRING,
  car_owner STRING,
  car_brand STRING,
  car_price INT
) WITH (
  type = "dis", region = "local", channel = "cars_in",
  partition_count = "1", encode = "csv", field_delimiter = ","
);

CREATE SINK STREAM cheap_audi (
  car_id STRING,
  car_owner STRING,
  car_price INT
) WITH (
  type = "dis", region = "local", channel = "cars_out",
  partition_key = "car_owner", encode = "csv", field_delimiter = ","
);

INSERT INTO cheap_audi
SELECT car_id, car_owner, car_price
FROM cars
WHERE car_brand LIKE 'audi%' AND car_price < 300000;
