//! What the tests of this crate share: schemas, and batches as JSON values.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Schema, SchemaRef, Time32MillisecondType, TimeUnit, TimestampMillisecondType,
};
use serde_json::{Value, json};
use weir_formats::{Decoder, Encode, EncodedRecords, FormatOptions, decoder, encoder};

pub const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);
pub const TIME: DataType = DataType::Time32(TimeUnit::Millisecond);

pub fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields: Vec<_> =
        columns.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect();
    Arc::new(Schema::new(fields))
}

pub fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

pub fn map(key: DataType, value: DataType) -> DataType {
    let fields = vec![Field::new("key", key, false), Field::new("value", value, true)];
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields.into()), false)), false)
}

pub fn row(fields: &[(&str, DataType)]) -> DataType {
    DataType::Struct(schema(fields).fields().clone())
}

pub fn json_options() -> FormatOptions {
    FormatOptions { encode: Encode::Json, ..FormatOptions::default() }
}

/// Every type that can be read, nested ones last.
pub fn all_types() -> SchemaRef {
    schema(&[
        ("s", DataType::Utf8),
        ("b", DataType::Boolean),
        ("i8", DataType::Int8),
        ("i16", DataType::Int16),
        ("i32", DataType::Int32),
        ("i64", DataType::Int64),
        ("f32", DataType::Float32),
        ("f64", DataType::Float64),
        ("dec", DataType::Decimal128(10, 2)),
        ("d", DataType::Date32),
        ("t", TIME),
        ("ts", TIMESTAMP),
        ("l", list(list(DataType::Int32))),
        ("m", map(DataType::Int32, row(&[("x", DataType::Float64), ("y", list(DataType::Utf8))]))),
        ("r", row(&[("x", DataType::Int64), ("m", map(DataType::Utf8, DataType::Boolean))])),
    ])
}

pub fn scalar_types() -> SchemaRef {
    let fields: Vec<_> =
        all_types().fields().iter().filter(|field| !field.data_type().is_nested()).cloned().collect();
    Arc::new(Schema::new(fields))
}

/// Decodes one record; the row as values, or the reason why it is dirty.
pub fn decode_one(schema: &SchemaRef, options: &FormatOptions, record: &str) -> Result<Vec<Value>, String> {
    let mut decoder = decoder(schema.clone(), options).expect("decoder");
    decoder.push(record.as_bytes()).map_err(|dirty| dirty.reason)?;
    let batch = flush_checked(decoder.as_mut());
    assert_eq!(batch.num_rows(), 1);
    Ok(batch.columns().iter().map(|column| value(column, 0)).collect())
}

/// Flushes and checks that the batch is sound from the inside.
pub fn flush_checked(decoder: &mut dyn Decoder) -> RecordBatch {
    let rows = decoder.rows();
    let batch = decoder.flush();
    assert_eq!(batch.num_rows(), rows);
    assert_eq!(decoder.rows(), 0);
    for column in batch.columns() {
        column.to_data().validate_full().expect("a valid array");
    }
    batch
}

pub fn encode_all(batch: &RecordBatch, options: &FormatOptions) -> Vec<String> {
    let mut out = EncodedRecords::default();
    encoder(batch.schema(), options).expect("encoder").encode(batch, &mut out).expect("encode");
    assert_eq!(out.len(), batch.num_rows());
    out.iter().map(|record| String::from_utf8(record.to_vec()).expect("UTF-8")).collect()
}

/// Returns a cell as JSON: times as numbers, maps as arrays of pairs, rows as objects.
pub fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    let all = |array: &ArrayRef| (0..array.len()).map(|row| value(array, row)).collect::<Vec<_>>();
    match array.data_type() {
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int8 => json!(array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => json!(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => json!(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => json!(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Date32 => json!(array.as_primitive::<Date32Type>().value(row)),
        DataType::Time32(_) => json!(array.as_primitive::<Time32MillisecondType>().value(row)),
        DataType::Timestamp(..) => json!(array.as_primitive::<TimestampMillisecondType>().value(row)),
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::List(_) => json!(all(&array.as_list::<i32>().value(row))),
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let pairs = all(entries.column(0)).into_iter().zip(all(entries.column(1)));
            json!(pairs.map(|(key, value)| json!([key, value])).collect::<Vec<_>>())
        }
        DataType::Struct(fields) => {
            let children = fields.iter().zip(array.as_struct().columns());
            Value::Object(children.map(|(field, child)| (field.name().clone(), value(child, row))).collect())
        }
        other => panic!("unexpected type {other}"),
    }
}

/// Decodes a record in the midst of its like, once after the other and in one batch: good ones are equal
/// rows each time, dirty ones have a reason and leave nothing behind.
pub fn check_records(columns: &SchemaRef, options: &FormatOptions, record: &[u8]) {
    let mut decoder = decoder(columns.clone(), options).expect("decoder");
    let first = decoder.push(record);
    assert_eq!(decoder.rows(), usize::from(first.is_ok()));
    let alone = flush_checked(decoder.as_mut());
    let again = [decoder.push(record), decoder.push(b""), decoder.push(record)];
    assert_eq!((&again[0], &again[2]), (&first, &first), "the same record, another outcome");
    let together = flush_checked(decoder.as_mut());
    assert_eq!(together.num_rows(), again.iter().filter(|outcome| outcome.is_ok()).count());
    if let Err(dirty) = &first {
        assert!(!dirty.reason.is_empty() && !dirty.reason.contains('\n'), "{:?}", dirty.reason);
    } else {
        assert_eq!(together.slice(0, 1), alone);
        assert_eq!(together.slice(together.num_rows() - 1, 1), alone);
    }
}
