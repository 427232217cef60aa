//! csv, in and out, by tables.

mod support;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, ListArray, MapArray, RecordBatch, StringArray, StructArray,
};
use arrow::datatypes::{DataType, Int32Type};
use serde_json::{Value, json};
use support::*;
use weir_base::text::Zone;
use weir_formats::{FormatOptions, decoder, encoder};

#[test]
fn every_type_reads_its_forms() {
    let options =
        FormatOptions { field_delimiter: ";".to_string(), zone: zone("+08:00"), ..FormatOptions::default() };
    for (data_type, text, expected) in [
        (DataType::Utf8, " a b ", json!(" a b ")),
        (DataType::Utf8, "", json!("")),
        (DataType::Boolean, " TRUE ", json!(true)),
        (DataType::Boolean, "", Value::Null),
        (DataType::Int8, "-128", json!(-128)),
        (DataType::Int16, "+7", json!(7)),
        (DataType::Int32, " 42 ", json!(42)),
        (DataType::Int32, "  ", Value::Null),
        (DataType::Int64, "9223372036854775807", json!(i64::MAX)),
        (DataType::Float32, "0.1", json!(0.1_f32)),
        (DataType::Float64, "-1.5e3", json!(-1500.0)),
        (DataType::Decimal128(10, 2), "1.005", json!("1.01")),
        (DataType::Decimal128(10, 2), "-1.005", json!("-1.01")),
        (DataType::Date32, "1970-01-02", json!(1)),
        (TIME, "00:00:01.5", json!(1_500)),
        (TIMESTAMP, "1970-01-01 00:00:01", json!(1_000)),
        (TIMESTAMP, "1970-01-01T00:00:01", json!(1_000)),
        (TIMESTAMP, "1970-01-01T00:00:01Z", json!(28_801_000)),
        (TIMESTAMP, "1000", json!(28_801_000)),
        (TIMESTAMP, "", Value::Null),
    ] {
        let schema = schema(&[("c", data_type.clone())]);
        assert_eq!(decode_one(&schema, &options, text), Ok(vec![expected]), "{data_type} {text}");
    }
}

#[test]
fn what_does_not_fit_is_dirty_and_says_why() {
    for (data_type, text, reason) in [
        (DataType::Boolean, "yes", "column `c`: `yes` is not a BOOLEAN"),
        (DataType::Int32, "x2", "column `c`: `x2` is not an INT"),
        (DataType::Int32, "1.0", "column `c`: `1.0` is not an INT"),
        (DataType::Int32, "99999999999", "column `c`: `99999999999`: INT out of range"),
        (DataType::Int8, "128", "column `c`: `128`: TINYINT out of range"),
        (DataType::Int64, "NA", "column `c`: `NA` is not a BIGINT"),
        (DataType::Float64, "NaN", "column `c`: `NaN` is not a DOUBLE"),
        (DataType::Float64, "1e999", "column `c`: `1e999`: DOUBLE out of range"),
        (DataType::Decimal128(3, 1), "100", "column `c`: `100`: DECIMAL(3, 1) out of range"),
        (DataType::Date32, "2024-02-30", "column `c`: `2024-02-30` is not a DATE"),
        (TIME, "25:00:00", "column `c`: `25:00:00` is not a TIME"),
        (TIMESTAMP, "2024-03-15", "column `c`: `2024-03-15` is not a TIMESTAMP"),
    ] {
        let schema = schema(&[("c", data_type)]);
        assert_eq!(decode_one(&schema, &FormatOptions::default(), text), Err(reason.to_string()));
    }
}

#[test]
fn dirty_records_among_good_ones_leave_no_trace() {
    let schema = schema(&[
        ("id", DataType::Int32),
        ("kind", DataType::Utf8),
        ("size_text", DataType::Utf8),
        ("ok", DataType::Boolean),
        ("at_ts", TIMESTAMP),
    ]);
    let input = "1,a,100,true,2024-03-15 00:00:01\r\nx2,a,100,true,2024-03-15 00:00:02\n3,a,100,true\n\
        4,b,100,TRUE,2024-03-15 00:00:04.250\n,c,7,false,2024-03-15 00:00:05\n6,d,7,yes,2024-03-15 00:00:07\n\
        8,f,8,true,2024-03-15\n9,g,9,true,2024-03-15 00:00:09,extra\n99999999999,h,1,true,2024-03-15 00:00:10\n\
        10,tail";
    let mut decoder = decoder(schema, &FormatOptions::default()).expect("decoder");
    let mut reasons = Vec::new();
    let consumed = decoder.push_records(input.as_bytes(), b"\n", &mut |offset, record, dirty| {
        assert!(input.as_bytes()[offset..].starts_with(record));
        reasons.push(dirty.reason);
    });
    assert_eq!(&input[consumed..], "10,tail");
    decoder.push_last(&input.as_bytes()[consumed..], b"\n", &mut |_, _, dirty| reasons.push(dirty.reason));
    decoder.push_last(b"", b"\n", &mut |_, _, dirty| reasons.push(dirty.reason));
    let classes = [
        "is not an INT",
        "too few fields",
        "not a BOOLEAN",
        "not a TIMESTAMP",
        "too many fields",
        "INT out of range",
        "too few fields",
    ];
    assert_eq!(reasons.len(), classes.len(), "{reasons:?}");
    for (reason, class) in reasons.iter().zip(classes) {
        assert!(reason.contains(class), "{reason}");
    }
    let batch = flush_checked(decoder.as_mut());
    let rows: Vec<Vec<Value>> = (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|column| value(column, row)).collect())
        .collect();
    let expected = vec![
        vec![json!(1), json!("a"), json!("100"), json!(true), json!(1_710_460_801_000_i64)],
        vec![json!(4), json!("b"), json!("100"), json!(true), json!(1_710_460_804_250_i64)],
        vec![Value::Null, json!("c"), json!("7"), json!(false), json!(1_710_460_805_000_i64)],
    ];
    assert_eq!(rows, expected);
}

#[test]
fn delimiters_have_one_or_more_characters() {
    let schema = schema(&[("a", DataType::Utf8), ("b", DataType::Utf8), ("c", DataType::Utf8)]);
    for (delimiter, record, expected) in [
        (",", "1,2,3", Ok(["1", "2", "3"])),
        ("||", "1|x||2||", Ok(["1|x", "2", ""])),
        ("\t", "\t\t", Ok(["", "", ""])),
        ("é", "1é2é3", Ok(["1", "2", "3"])),
        ("||", "1||2", Err("too few fields: 2 instead of 3")),
        (",", "1,2,3,4", Err("too many fields: more than 3")),
    ] {
        let options = FormatOptions { field_delimiter: delimiter.to_string(), ..FormatOptions::default() };
        let expected = expected.map(|fields| fields.map(Value::from).to_vec()).map_err(str::to_string);
        assert_eq!(decode_one(&schema, &options, record), expected, "{record}");
    }
}

#[test]
fn delimiters_between_quotes_are_text() {
    let schema = schema(&[("id", DataType::Int32), ("title", DataType::Utf8), ("place", DataType::Utf8)]);
    for (delimiter, record, expected) in [
        (",", "1,\"red, green\",here", Ok((json!(1), "red, green", "here"))),
        (",", "2,plain,\"there\"", Ok((json!(2), "plain", "there"))),
        (",", "\"3\",\"\",a\"b,c\"d", Ok((json!(3), "", "a\"b,c\"d"))),
        (",", " \"3\" , \"a\",b", Ok((json!(3), " \"a\"", "b"))),
        (",", "\" 3 \",a,b", Ok((json!(3), "a", "b"))),
        (",", " \"\" ,a,b", Ok((Value::Null, "a", "b"))),
        (",", "\"\",a,b", Ok((Value::Null, "a", "b"))),
        ("||", "1||\"a||b\"||c|d", Ok((json!(1), "a||b", "c|d"))),
        (",", "3,\"open,there", Err("column `title`: odd number of quote characters")),
        (",", "3,a,b\"", Err("column `place`: odd number of quote characters")),
    ] {
        let options = FormatOptions {
            quote: Some(b'"'),
            field_delimiter: delimiter.to_string(),
            ..FormatOptions::default()
        };
        let expected =
            expected.map(|(id, title, place)| vec![id, json!(title), json!(place)]).map_err(str::to_string);
        assert_eq!(decode_one(&schema, &options, record), expected, "{record}");
    }
}

#[test]
fn options_that_cannot_work_are_refused() {
    let text = schema(&[("a", DataType::Utf8)]);
    let refuse =
        |schema, options: FormatOptions| decoder(schema, &options).err().expect("refused").to_string();
    let options = |delimiter: &str, quote| FormatOptions {
        field_delimiter: delimiter.to_string(),
        quote,
        ..FormatOptions::default()
    };
    assert!(refuse(text.clone(), options("", None)).starts_with("option `field_delimiter`: "));
    assert!(refuse(text.clone(), options("\",", Some(b'"'))).starts_with("option `quote`: "));
    assert!(refuse(text.clone(), options(",", Some(0xe9))).starts_with("option `quote`: "));
    let nested = schema(&[("tags", list(DataType::Utf8))]);
    assert_eq!(
        refuse(nested, options(",", None)),
        "column `tags`: ARRAY cannot be read from csv; expected a primitive type; only json reads ARRAY, MAP and ROW"
    );
    let binary = schema(&[("raw", DataType::Binary)]);
    assert_eq!(refuse(binary, options(",", None)), "column `raw`: type Binary cannot be read");
    let brackets = FormatOptions { array_bracket: ('<', '>'), ..FormatOptions::default() };
    let error = encoder(text, &brackets).err().expect("refused").to_string();
    assert!(error.starts_with("option `array_bracket`: "));
}

#[test]
fn invalid_utf8_is_dirty() {
    let mut decoder = decoder(schema(&[("a", DataType::Utf8)]), &FormatOptions::default()).expect("decoder");
    let dirty = decoder.push(b"ab\xff").expect_err("dirty");
    assert_eq!(dirty.reason, "not valid UTF-8 at byte 2");
    assert_eq!(decoder.rows(), 0);
}

#[test]
fn every_type_is_written_in_its_form() {
    let record = "a b,true,-1,2,3,4,0.1,1.0E10,1.50,2024-02-29,01:02:03.004,2024-03-15 00:00:04.250";
    let mut decoder = decoder(scalar_types(), &FormatOptions::default()).expect("decoder");
    decoder.push(record.as_bytes()).expect("record");
    decoder.push(b",,,,,,,,,,,").expect("nulls");
    let batch = flush_checked(decoder.as_mut());
    assert_eq!(encode_all(&batch, &FormatOptions::default()), [record, ",,,,,,,,,,,"]);
    let quoted =
        FormatOptions { quote: Some(b'\''), field_delimiter: "|".to_string(), ..FormatOptions::default() };
    assert_eq!(encode_all(&batch.slice(1, 1), &quoted), ["''|".repeat(11) + "''"]);
}

#[test]
fn nested_values_are_written_in_their_forms() {
    let items = vec![Some(vec![Some(1), None, Some(3)]), Some(vec![]), None];
    let array: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(items));
    let strings: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z"]));
    let fields = row(&[("a", DataType::Utf8), ("b", list(DataType::Int32))]);
    let DataType::Struct(fields) = fields else { unreachable!("row makes structs") };
    let rows: ArrayRef = Arc::new(StructArray::new(fields, vec![strings, array.clone()], None));
    let values = Float64Array::from(vec![0.5, 0.25]);
    let maps: ArrayRef =
        Arc::new(MapArray::new_from_strings(["k1", "k2"].into_iter(), &values, &[0, 2, 2, 2]).expect("map"));
    let columns =
        [("l", array.data_type().clone()), ("r", rows.data_type().clone()), ("m", maps.data_type().clone())];
    let batch = RecordBatch::try_new(schema(&columns), vec![array, rows, maps]).expect("batch");
    let options = FormatOptions {
        field_delimiter: ";".to_string(),
        array_bracket: ('(', ')'),
        ..FormatOptions::default()
    };
    assert_eq!(
        encode_all(&batch, &options),
        ["(1, , 3);x,(1, , 3);{k1=0.5, k2=0.25}", "();y,();{}", ";z,;{}"]
    );
}

fn zone(text: &str) -> Zone {
    Zone::parse(text).expect("zone")
}
