//! Arbitrary bytes through the xml decoder: nothing panics, batches are valid, dirty records leave no trace.

mod support;

use arrow::datatypes::DataType;
use support::*;
use weir_formats::{Encode, FormatOptions};

#[test]
fn xml_decoder() {
    let config = "a=p.a;b=p.b;c=p.q.c;d=d";
    let options = FormatOptions {
        encode: Encode::Xml,
        xml_config: Some(config.to_string()),
        ..FormatOptions::default()
    };
    let columns = schema(&[
        ("a", DataType::Int32),
        ("b", DataType::Utf8),
        ("c", list(DataType::Utf8)),
        ("d", TIMESTAMP),
        ("e", DataType::Utf8),
    ]);
    bolero::check!().with_iterations(4_000).for_each(|data: &[u8]| check_records(&columns, &options, data));
}
