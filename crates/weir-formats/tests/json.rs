//! json, in and out, by tables.

mod support;

use arrow::datatypes::DataType;
use serde_json::{Value, json};
use support::*;
use weir_base::text::Zone;
use weir_formats::{FormatOptions, decoder, encoder};

fn in_zone(zone: &str) -> FormatOptions {
    FormatOptions { zone: Zone::parse(zone).expect("zone"), ..json_options() }
}

fn with_config(config: &str) -> FormatOptions {
    FormatOptions { json_config: Some(config.to_string()), ..json_options() }
}

#[test]
fn every_type_reads_its_forms() {
    let site = row(&[("city", DataType::Utf8), ("Floor", DataType::Int32)]);
    for (data_type, text, expected) in [
        (DataType::Utf8, r#""a\u00e9\n""#, json!("aé\n")),
        (DataType::Utf8, "1.50", json!("1.50")),
        (DataType::Utf8, "true", json!("true")),
        (DataType::Utf8, r#"{ "a" : [1, 2] }"#, json!(r#"{ "a" : [1, 2] }"#)),
        (DataType::Utf8, "[ ]", json!("[ ]")),
        (DataType::Utf8, "null", Value::Null),
        (DataType::Boolean, "false", json!(false)),
        (DataType::Boolean, r#"" True""#, json!(true)),
        (DataType::Int8, "-128", json!(-128)),
        (DataType::Int16, r#""12""#, json!(12)),
        (DataType::Int32, "97", json!(97)),
        (DataType::Int32, "-0", json!(0)),
        (DataType::Int32, r#""\u00397""#, json!(97)),
        (DataType::Int64, "-9223372036854775808", json!(i64::MIN)),
        (DataType::Int64, "9223372036854775807", json!(i64::MAX)),
        (DataType::Float32, "0.1", json!(0.1_f32)),
        (DataType::Float64, "1e-3", json!(0.001)),
        (DataType::Float64, "-12345678901234567890.5", json!(-12345678901234567890.5)),
        (DataType::Float64, r#""2.5""#, json!(2.5)),
        (DataType::Decimal128(10, 2), "1.005", json!("1.01")),
        (DataType::Decimal128(10, 2), r#""15e-1""#, json!("1.50")),
        (DataType::Date32, r#""1970-01-02""#, json!(1)),
        (TIME, r#""00:00:01""#, json!(1_000)),
        (TIMESTAMP, "1000", json!(28_801_000)),
        (TIMESTAMP, r#""1970-01-01 00:00:01""#, json!(1_000)),
        (TIMESTAMP, r#""1970-01-01T00:00:01+00:00""#, json!(28_801_000)),
        (TIMESTAMP, r#""1000""#, json!(28_801_000)),
        (list(DataType::Int32), r#"[1,"2",null]"#, json!([1, 2, null])),
        (list(list(DataType::Utf8)), r#"[[], ["a"], null]"#, json!([[], ["a"], null])),
        (
            map(DataType::Utf8, DataType::Float64),
            r#"{"cpu":1,"mem":null}"#,
            json!([["cpu", 1.0], ["mem", null]]),
        ),
        (map(DataType::Int32, DataType::Utf8), r#"{"7":"a","8":"b","07":"c"}"#, json!([[8, "b"], [7, "c"]])),
        (map(DataType::Utf8, DataType::Utf8), "{}", json!([])),
        (site.clone(), r#"{"CITY":"Xian","Floor":"3","x":[{}]}"#, json!({"city": "Xian", "Floor": 3})),
        (site.clone(), "{}", json!({"city": null, "Floor": null})),
        (site.clone(), r#"{"city":"a","City":"b"}"#, json!({"city": "a", "Floor": null})),
        (site.clone(), r#"{"City":"b","city":"a","city":"c"}"#, json!({"city": "c", "Floor": null})),
        (
            list(site),
            r#"[{"city":"a"},null,{"Floor":1}]"#,
            json!([
                {"city": "a", "Floor": null}, null, {"city": null, "Floor": 1}
            ]),
        ),
    ] {
        let schema = schema(&[("c", data_type.clone())]);
        let record = format!(r#" {{ "c" : {text} }} "#);
        assert_eq!(
            decode_one(&schema, &in_zone("GMT+08:00"), &record),
            Ok(vec![expected]),
            "{data_type} {text}"
        );
    }
}

#[test]
fn what_does_not_fit_is_dirty_and_says_why() {
    let long = "x".repeat(100);
    for (data_type, text, reason) in [
        (DataType::Int32, r#""x2""#.to_string(), "column `c`: `x2` is not an INT".to_string()),
        (DataType::Int32, "1.0".to_string(), "column `c`: `1.0` is not an INT".to_string()),
        (
            DataType::Int32,
            "99999999999".to_string(),
            "column `c`: `99999999999`: INT out of range".to_string(),
        ),
        (
            DataType::Int64,
            "9223372036854775808".to_string(),
            "column `c`: `9223372036854775808`: BIGINT out of range".to_string(),
        ),
        (DataType::Int32, "true".to_string(), "column `c`: `true` is not an INT".to_string()),
        (DataType::Int32, "{}".to_string(), "column `c`: an object is not an INT".to_string()),
        (DataType::Int32, "[1]".to_string(), "column `c`: an array is not an INT".to_string()),
        (DataType::Boolean, "1".to_string(), "column `c`: `1` is not a BOOLEAN".to_string()),
        (
            DataType::Boolean,
            format!("\"{long}\""),
            format!("column `c`: `{}...` is not a BOOLEAN", "x".repeat(40)),
        ),
        (DataType::Float32, "1e39".to_string(), "column `c`: `1e39`: FLOAT out of range".to_string()),
        (DataType::Date32, "5".to_string(), "column `c`: `5` is not a DATE".to_string()),
        (TIMESTAMP, "1.5".to_string(), "column `c`: `1.5` is not a TIMESTAMP".to_string()),
        (TIMESTAMP, r#""2024-03-15""#.to_string(), "column `c`: `2024-03-15` is not a TIMESTAMP".to_string()),
        (list(DataType::Int32), "{}".to_string(), "column `c`: an object is not an ARRAY".to_string()),
        (list(DataType::Int32), "5".to_string(), "column `c`: `5` is not an ARRAY".to_string()),
        (
            row(&[("x", row(&[("y", DataType::Int8)]))]),
            r#"{"x":{"y":300}}"#.to_string(),
            "column `c.x.y`: `300`: TINYINT out of range".to_string(),
        ),
    ] {
        let schema = schema(&[("c", data_type)]);
        let record = format!(r#"{{"c":{text}}}"#);
        assert_eq!(decode_one(&schema, &json_options(), &record), Err(reason), "{record}");
    }
}

#[test]
fn a_record_is_one_json_object() {
    let schema = schema(&[("a", DataType::Int32)]);
    for record in [
        "",
        " ",
        "5",
        "[]",
        "null",
        "{",
        "}",
        r#"{"a":1"#,
        r#"{"a":1}}"#,
        r#"{"a":1} {"a":2}"#,
        r#"{"a":1},"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{a:1}"#,
        r#"{"a":01}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"b":tru,"a":1}"#,
        r#"{"b":"\x","a":1}"#,
        r#"{"b":"\ud800","a":1}"#,
        "{\"b\":\"\t\",\"a\":1}",
        r#"{"b":[1,{"x":}],"a":1}"#,
        r#"{"a":-}"#,
        r#"{"a":1.}"#,
        r#"{"a":nul}"#,
    ] {
        let reason = decode_one(&schema, &json_options(), record).expect_err(record);
        assert!(reason.starts_with("not a JSON object: "), "{record}: {reason}");
    }
}

#[test]
fn keys_match_exactly_first_and_the_last_one_wins() {
    let schema = schema(&[("Id", DataType::Int32)]);
    for (record, expected) in [
        (r#"{"Id":1}"#, json!(1)),
        (r#"{"ID":1}"#, json!(1)),
        (r#"{"id":1,"Id":2,"ID":3}"#, json!(2)),
        (r#"{"Id":1,"Id":2}"#, json!(2)),
        (r#"{"Id":1,"Id":null}"#, Value::Null),
        (r#"{"id":1,"iD":2}"#, json!(2)),
        (r#"{"\u0049d":4}"#, json!(4)),
        (r#"{"Id":"x","Id":2}"#, json!(2)),
        (r#"{"id":[1],"Id":2,"ID":{}}"#, json!(2)),
        (r#"{"other":1}"#, Value::Null),
        ("{}", Value::Null),
    ] {
        assert_eq!(decode_one(&schema, &json_options(), record), Ok(vec![expected]), "{record}");
    }
}

#[test]
fn only_the_value_that_wins_makes_a_record_dirty() {
    let columns = schema(&[
        ("a", DataType::Int32),
        ("r", row(&[("x", list(DataType::Int32))])),
        ("m", map(DataType::Utf8, TIME)),
    ]);
    let clean = r#"{"a":1,"r":{"x":[1]},"m":{"k":"00:00:01"}}"#;
    for record in [
        r#"{"a":"x","r":{"x":[2,"y"],"x":[1]},"m":{"k":5,"k":"00:00:01"},"a":1}"#,
        r#"{"a":1,"r":{"x":[2,"y"]},"m":{"k":{}},"r":{"x":[1]},"m":{"k":"00:00:01"}}"#,
        r#"{"a":1,"r":{"x":[1],"X":5},"m":{"k":"00:00:01"},"A":"x"}"#,
    ] {
        let expected = decode_one(&columns, &json_options(), clean);
        assert_eq!(decode_one(&columns, &json_options(), record), expected, "{record}");
    }
    for record in [
        r#"{"a":1,"a":"x"}"#,
        r#"{"a":"x","A":1}"#,
        r#"{"r":{"x":5,"X":[1]}}"#,
        r#"{"m":{"k":"00:00:01","k":5}}"#,
        r#"{"m":{"k":5,"j":"00:00:01"}}"#,
    ] {
        let reason = decode_one(&columns, &json_options(), record).expect_err(record);
        assert!(reason.starts_with("column "), "{record}: {reason}");
    }
}

#[test]
fn paths_lead_to_nested_keys_and_elements() {
    let columns = [
        ("car_id", DataType::Utf8),
        ("speed", DataType::Int32),
        ("car", DataType::Utf8),
        ("second", DataType::Int32),
        ("whole", DataType::Utf8),
        ("lat", DataType::Float64),
    ];
    let options = with_config("car_id = car.id; speed = car.speed; second = xs[1].y; whole=$; lat=pos.lat;");
    for (record, expected) in [
        (
            r#"{"car":{"id":"A3","speed":"97"},"pos":{"lat":22.7},"xs":[{"y":1},{"y":2},{"y":3}]}"#,
            json!(["A3", 97, r#"{"id":"A3","speed":"97"}"#, 2, null, 22.7]),
        ),
        (r#"{"car":5,"pos":[1],"xs":{"y":1}}"#, json!([null, null, "5", null, null, null])),
        (
            r#"{"car":{"id":"a","speed":1},"car":{"ID":"b"}}"#,
            json!(["b", null, r#"{"ID":"b"}"#, null, null, null]),
        ),
        (r#"{"xs":[1]}"#, json!([null, null, null, null, null, null])),
        (r#"{}"#, json!([null, null, null, null, null, null])),
    ] {
        let mut expected = expected.as_array().expect("array").clone();
        expected[4] = json!(record);
        let padded = format!(" {record} ");
        assert_eq!(decode_one(&schema(&columns), &options, &padded), Ok(expected), "{record}");
    }
    let dirty = decode_one(&schema(&columns), &options, r#"{"car":{"speed":"fast"}}"#);
    assert_eq!(dirty, Err("column `speed`: `fast` is not an INT".to_string()));
}

#[test]
fn several_columns_may_read_one_place() {
    let columns =
        schema(&[("a", DataType::Int32), ("b", DataType::Utf8), ("c", row(&[("y", DataType::Utf8)]))]);
    let options = with_config("a=x.y;b=x.y;c=x");
    let row = decode_one(&columns, &options, r#"{"x":{"y":7}}"#);
    assert_eq!(row, Ok(vec![json!(7), json!("7"), json!({"y": "7"})]));
}

#[test]
fn rows_survive_dirty_ones_and_changing_key_orders() {
    let columns = schema(&[("a", DataType::Int32), ("s", DataType::Utf8), ("l", list(DataType::Int32))]);
    let mut decoder = decoder(columns, &json_options()).expect("decoder");
    for round in 0..2 {
        let mut expected = Vec::new();
        for i in 0..50 {
            let clean = match i % 4 {
                0 => format!(r#"{{"a":{i},"s":"s{i}","l":[{i},{i}]}}"#),
                1 => format!(r#"{{"l":[{i}],"x":{{"a":1}},"s":"s{i}","a":{i}}}"#),
                2 => format!(r#"{{ "a": {i} , "s" : "s{i}" }}"#),
                _ => format!(r#"{{"a":{i},"l":[],"s":"s{i}"}}"#),
            };
            let dirty = format!(r#"{{"s":"lost","l":[1,2,"x"],"a":{i}}}"#);
            decoder.push(dirty.as_bytes()).expect_err("dirty");
            decoder.push(clean.as_bytes()).expect("clean");
            let elements = [json!([i, i]), json!([i]), Value::Null, json!([])];
            expected.push(vec![json!(i), json!(format!("s{i}")), elements[i % 4].clone()]);
        }
        assert_eq!(decoder.rows(), 50);
        let batch = flush_checked(decoder.as_mut());
        let rows: Vec<Vec<Value>> =
            (0..50).map(|row| batch.columns().iter().map(|column| value(column, row)).collect()).collect();
        assert_eq!(rows, expected, "round {round}");
    }
    assert_eq!(decoder.flush().num_rows(), 0);
}

#[test]
fn every_type_is_written_in_its_form() {
    let record = concat!(
        r#"{"s":"a\"\né","b":true,"i8":-1,"i16":2,"i32":3,"i64":4,"f32":0.1,"f64":1.0E10,"dec":1.50,"d":"2024-02-29","#,
        r#""t":"01:02:03","ts":1514736001000,"l":[[1,null],[]],"m":{"7":{"x":0.5,"y":["a"]},"8":null},"#,
        r#""r":{"x":null,"m":{"k":true}}}"#
    );
    let mut decoder = decoder(all_types(), &in_zone("+08:00")).expect("decoder");
    decoder.push(record.as_bytes()).expect("record");
    decoder.push(b"{}").expect("nulls");
    let batch = flush_checked(decoder.as_mut());
    let nulls = r#"{"s":null,"b":null,"i8":null,"i16":null,"i32":null,"i64":null,"f32":null,"f64":null,"dec":null,"d":null,"t":null,"ts":null,"l":null,"m":null,"r":null}"#;
    assert_eq!(encode_all(&batch, &in_zone("+08:00")), [record, nulls]);
    assert_eq!(value(batch.column(11), 0), json!(1_514_764_801_000_i64));
    let without_nulls = FormatOptions { enable_output_null: false, ..in_zone("+08:00") };
    assert_eq!(encode_all(&batch, &without_nulls), [record, "{}"]);
}

#[test]
fn numbers_without_json_form_are_written_as_null() {
    let values = arrow::array::Float64Array::from(vec![f64::NAN, f64::INFINITY, -0.0]);
    let columns = schema(&[("x", DataType::Float64)]);
    let batch =
        arrow::array::RecordBatch::try_new(columns, vec![std::sync::Arc::new(values)]).expect("batch");
    assert_eq!(encode_all(&batch, &json_options()), [r#"{"x":null}"#, r#"{"x":null}"#, r#"{"x":-0.0}"#]);
}

#[test]
fn paths_build_nested_objects() {
    let columns =
        schema(&[("car_id", DataType::Utf8), ("fast", DataType::Boolean), ("speed", DataType::Int32)]);
    let config = "car_id=vehicle.id;speed=vehicle.more.speed";
    let mut decoder = decoder(columns, &json_options()).expect("decoder");
    for record in
        [r#"{"car_id":"A1","speed":80,"fast":false}"#, r#"{"car_id":"A2"}"#, r#"{"fast":true}"#, "{}"]
    {
        decoder.push(record.as_bytes()).expect("record");
    }
    let batch = flush_checked(decoder.as_mut());
    let without_nulls = FormatOptions { enable_output_null: false, ..with_config(config) };
    let expected = [
        r#"{"vehicle":{"id":"A1","more":{"speed":80}},"fast":false}"#,
        r#"{"vehicle":{"id":"A2"}}"#,
        r#"{"fast":true}"#,
        "{}",
    ];
    assert_eq!(encode_all(&batch, &without_nulls), expected);
    let nulls = r#"{"vehicle":{"id":null,"more":{"speed":null}},"fast":null}"#;
    assert_eq!(encode_all(&batch, &with_config(config))[3], nulls);
}

#[test]
fn options_that_cannot_work_are_refused() {
    let columns = schema(&[("a", DataType::Int32), ("b", DataType::Utf8)]);
    let read =
        |config: &str| decoder(columns.clone(), &with_config(config)).err().map(|error| error.to_string());
    let write =
        |config: &str| encoder(columns.clone(), &with_config(config)).err().map(|error| error.to_string());
    assert_eq!(read("a=$"), Some("column `a`: path `$` needs a STRING column".to_string()));
    assert_eq!(read("b=$"), None);
    assert!(read("nope=x").is_some_and(|error| error.starts_with("option `json_config`: ")));
    for config in ["b=$", "a=x[0]", "a=b", "a=b.c", "a=x.y;b=x"] {
        assert!(write(config).is_some_and(|error| error.starts_with("option `json_config`: ")), "{config}");
    }
    let unknown = schema(&[("a", DataType::Binary)]);
    assert!(decoder(unknown.clone(), &json_options()).is_err());
    assert!(encoder(unknown, &json_options()).is_err());
}

#[test]
fn rows_of_other_types_are_converted_or_refused() {
    let strings = arrow::array::StringViewArray::from(vec!["x"]);
    let batch = arrow::array::RecordBatch::try_new(
        schema(&[("a", DataType::Utf8View)]),
        vec![std::sync::Arc::new(strings)],
    )
    .expect("batch");
    let mut out = weir_formats::EncodedRecords::default();
    let mut views = encoder(schema(&[("a", DataType::Utf8)]), &json_options()).expect("encoder");
    views.encode(&batch, &mut out).expect("encoded");
    assert_eq!(out.bytes, br#"{"a":"x"}"#);
    let mut two =
        encoder(schema(&[("a", DataType::Utf8), ("b", DataType::Utf8)]), &json_options()).expect("encoder");
    assert!(two.encode(&batch, &mut out).is_err());
    assert_eq!(out.len(), 1);
}
