//! blob: bytes as they are, into one column of one type.

mod support;

use arrow::datatypes::DataType;
use serde_json::json;
use support::*;
use weir_formats::{Encode, FormatOptions, decoder};

fn options() -> FormatOptions {
    FormatOptions { encode: Encode::Blob, ..FormatOptions::default() }
}

#[test]
fn every_byte_is_a_tinyint() {
    let mut decoder = decoder(schema(&[("bytes", list(DataType::Int8))]), &options()).expect("decoder");
    let all: Vec<u8> = (0..=255).collect();
    for record in [b"\x00\x7f\x80\xff".as_slice(), b"", b"\r\n", &all] {
        decoder.push(record).expect("a blob is never dirty");
    }
    let batch = flush_checked(decoder.as_mut());
    let rows: Vec<_> = (0..3).map(|row| value(batch.column(0), row)).collect();
    assert_eq!(rows, [json!([0, 127, -128, -1]), json!([]), json!([13, 10])]);
    let wrapped: Vec<i8> = (0..=127).chain(-128..=-1).collect();
    assert_eq!(value(batch.column(0), 3), json!(wrapped));
}

#[test]
fn streams_that_cannot_work_are_refused() {
    let bytes = || list(DataType::Int8);
    for (columns, message) in [
        (vec![("a", bytes()), ("b", bytes())], "column `b`: a blob has no place for a second column"),
        (vec![("a", DataType::Utf8)], "column `a`: STRING cannot be read from blob"),
        (vec![("a", DataType::Int8)], "column `a`: TINYINT cannot be read from blob"),
        (vec![("a", list(DataType::Int32))], "column `a`: ARRAY of INT cannot be read from blob"),
    ] {
        let error = decoder(schema(&columns), &options()).err().expect(message);
        let hint = "expected exactly one column, of type ARRAY[TINYINT]";
        assert_eq!(error.to_string(), format!("{message}; {hint}"));
    }
}
