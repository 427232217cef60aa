//! Arbitrary bytes through the json decoder: nothing panics, batches are valid, dirty records leave no
//! trace, and what serde_json does not take for an object is never accepted.

mod support;

use std::sync::{Mutex, PoisonError};

use arrow::datatypes::DataType;
use serde_json::{Map, Value};
use support::*;
use weir_formats::{FormatOptions, decoder};

#[test]
fn json_decoder() {
    let paths = FormatOptions { json_config: Some("a=x.y;b=x[0];c=$".to_string()), ..json_options() };
    let short =
        schema(&[("a", DataType::Int64), ("b", DataType::Utf8), ("c", DataType::Utf8), ("d", TIMESTAMP)]);
    // The decoders live on, so that the remembered order of keys is that of other inputs.
    let decoders = [
        decoder(short.clone(), &json_options()).expect("decoder"),
        decoder(short, &paths).expect("decoder"),
        decoder(all_types(), &json_options()).expect("decoder"),
    ];
    let decoders = Mutex::new(decoders);
    bolero::check!().with_iterations(2_000).for_each(|data: &[u8]| {
        for decoder in decoders.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            let mut rows = 0;
            for record in data.split(|byte| *byte == b'\n') {
                if decoder.push(record).is_ok() {
                    rows += 1;
                    // serde_json refuses numbers beyond a double, which as text are fine here.
                    let parsed: Result<Map<String, Value>, _> = serde_json::from_slice(record);
                    let out_of_range = |error: &serde_json::Error| error.to_string().contains("out of range");
                    assert!(parsed.as_ref().err().is_none_or(out_of_range), "accepted {record:?}");
                }
                assert_eq!(decoder.rows(), rows);
            }
            flush_checked(decoder.as_mut());
        }
    });
}
