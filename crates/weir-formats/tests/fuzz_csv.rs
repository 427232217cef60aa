//! Arbitrary bytes through the csv decoder: nothing panics, batches are valid, dirty records leave no trace.

mod support;

use arrow::datatypes::DataType;
use support::*;
use weir_formats::{FormatOptions, decoder};

#[test]
fn csv_decoder() {
    let plain = FormatOptions::default();
    let quoted = FormatOptions { quote: Some(b'"'), ..FormatOptions::default() };
    let wide =
        FormatOptions { field_delimiter: "||".to_string(), quote: Some(b'\''), ..FormatOptions::default() };
    let short = schema(&[("a", DataType::Int32), ("b", DataType::Utf8), ("c", TIMESTAMP)]);
    bolero::check!().with_iterations(2_000).for_each(|data: &[u8]| {
        for options in [&plain, &quoted, &wide] {
            for schema in [&short, &scalar_types()] {
                let mut decoder = decoder(schema.clone(), options).expect("decoder");
                let (mut records, mut dirty, mut rows) = (0, 0, 0);
                for record in data.split(|byte| *byte == b'\n') {
                    records += 1;
                    match decoder.push(record) {
                        Ok(()) => rows += 1,
                        Err(_) => dirty += 1,
                    }
                    assert_eq!(decoder.rows(), rows);
                }
                assert_eq!(rows + dirty, records);
                let one_by_one = flush_checked(decoder.as_mut());
                let consumed = decoder.push_records(data, b"\n", &mut |_, _, _| {});
                decoder.push_last(&data[consumed..], b"\n", &mut |_, _, _| {});
                let in_bulk = flush_checked(decoder.as_mut());
                // In bulk a last empty piece is no record, and carriage returns are dropped.
                if !data.contains(&b'\r') && !data.is_empty() && data.last() != Some(&b'\n') {
                    assert_eq!(one_by_one, in_bulk);
                }
            }
        }
    });
}
