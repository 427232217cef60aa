//! Arbitrary bytes through the blob decoder: every byte comes back.

mod support;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int8Type};
use support::*;
use weir_formats::{Encode, FormatOptions, decoder};

#[test]
fn blob_decoder() {
    let options = FormatOptions { encode: Encode::Blob, ..FormatOptions::default() };
    let columns = schema(&[("bytes", list(DataType::Int8))]);
    bolero::check!().with_iterations(2_000).for_each(|data: &[u8]| {
        check_records(&columns, &options, data);
        let mut decoder = decoder(columns.clone(), &options).expect("decoder");
        decoder.push(data).expect("a blob is never dirty");
        let batch = flush_checked(decoder.as_mut());
        let bytes = batch.column(0).as_list::<i32>().value(0);
        let read: Vec<u8> =
            bytes.as_primitive::<Int8Type>().values().iter().map(|byte| byte.cast_unsigned()).collect();
        assert_eq!(read, data);
    });
}
