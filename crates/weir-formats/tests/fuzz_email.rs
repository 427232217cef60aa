//! Arbitrary bytes through the email decoder: nothing panics, batches are valid, dirty records leave no trace.

mod support;

use arrow::datatypes::DataType;
use support::*;
use weir_formats::{Encode, FormatOptions};

#[test]
fn email_decoder() {
    let keys = "a, date, date, cc, charset, body, x_none";
    let options = FormatOptions {
        encode: Encode::Email,
        email_key: Some(keys.to_string()),
        ..FormatOptions::default()
    };
    let columns = schema(&[
        ("a", DataType::Int32),
        ("day", DataType::Date32),
        ("at", TIMESTAMP),
        ("cc", list(DataType::Utf8)),
        ("charset", DataType::Utf8),
        ("body", DataType::Utf8),
        ("none", DataType::Utf8),
    ]);
    bolero::check!().with_iterations(4_000).for_each(|data: &[u8]| check_records(&columns, &options, data));
}
