create source stream car_infos(car_id STRING,car_owner STRING, car_brand string,car_price INT) with (type="dis",region="cn-north-1",channel="csinput",encode="csv",field_delimiter=",") timestamp by proctime.proctime;
CREATE SOURCE STREAM temperatures (sensor STRING, ts TIMESTAMP(3), readings ARRAY<ROW<unit STRING, value DOUBLE>>, attributes MAP[STRING, ARRAY[INT]], `order` decimal(10,2)) WITH (type = "obs", bucket = "b", object_name = "in/", row_delimiter = "\n", json_config = "sensor=a.b;ts=$") TIMESTAMP BY ts.rowtime, proctime.proctime SET WATERMARK (RANGE INTERVAL 10 SECOND, INTERVAL 20 SECOND);
create sink stream by_day(day string,n bigint)partitioned by(day)with(type='filesystem',file.path='obs://b/d',encode='parquet',ak="{{ak}}",sk="{{sk}}");
create temp stream steps(a int) timestamp by ts . rowtime set watermark(rows 1,interval '1' second);
create table t(k string,v string) with (type="dcs_redis",cluster_address="10.0.0.1:6379",value_type="string",key_column="k",cache_time=0);
create function f as "com.example.F";
