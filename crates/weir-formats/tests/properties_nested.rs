//! Properties of all types together, nested ones included: values are read from json as they were put there,
//! and what is written reads back, in batches of any size.

mod support;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Fields};
use proptest::collection::{btree_map, vec};
use proptest::option::weighted;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::*;
use weir_base::text::{Zone, format_date, format_time};
use weir_formats::{FormatOptions, decoder};

const EAST_MS: i64 = 8 * 3_600_000;

/// A value as a record has it, and as [`value`] shows it in a column.
type Pair = (Value, Value);

fn options() -> FormatOptions {
    FormatOptions { zone: Zone::parse("+08:00").expect("zone"), ..json_options() }
}

fn pairs(data_type: &DataType) -> BoxedStrategy<Pair> {
    weighted(0.85, values(data_type)).prop_map(|pair| pair.unwrap_or((Value::Null, Value::Null))).boxed()
}

fn same<T: Into<Value>>(value: T) -> Pair {
    let value = value.into();
    (value.clone(), value)
}

fn values(data_type: &DataType) -> BoxedStrategy<Pair> {
    match data_type {
        DataType::Utf8 => "\\PC{0,6}|[\\x00-\\x20\"\\\\/]{0,3}".prop_map(same).boxed(),
        DataType::Boolean => any::<bool>().prop_map(same).boxed(),
        DataType::Int8 => any::<i8>().prop_map(same).boxed(),
        DataType::Int16 => any::<i16>().prop_map(same).boxed(),
        DataType::Int32 => any::<i32>().prop_map(same).boxed(),
        DataType::Int64 => any::<i64>().prop_map(same).boxed(),
        DataType::Float32 => {
            any::<f32>().prop_filter("finite", |value| value.is_finite()).prop_map(same).boxed()
        }
        DataType::Float64 => {
            any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(same).boxed()
        }
        DataType::Decimal128(10, 2) => (any::<bool>(), 0..99_999_999_u32, 0..100_u32)
            .prop_map(|(is_negative, whole, cents)| {
                let sign = if is_negative && (whole, cents) != (0, 0) { "-" } else { "" };
                same(format!("{sign}{whole}.{cents:02}"))
            })
            .boxed(),
        DataType::Date32 => {
            (-719_528..=2_932_896_i32).prop_map(|day| (json!(format_date(day)), json!(day))).boxed()
        }
        DataType::Time32(_) => (0..86_400_000_i32).prop_map(|ms| (json!(format_time(ms)), json!(ms))).boxed(),
        DataType::Timestamp(..) => (-62_167_219_200_000..253_402_300_800_000_i64)
            .prop_map(|ms| (json!(ms), json!(ms + EAST_MS)))
            .boxed(),
        DataType::List(item) => vec(pairs(item.data_type()), 0..4)
            .prop_map(|items| {
                let (texts, values): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                (json!(texts), json!(values))
            })
            .boxed(),
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else {
                panic!("the entries of a map are rows")
            };
            entries_of(fields)
        }
        DataType::Struct(fields) => members(fields),
        other => panic!("unexpected type {other}"),
    }
}

fn entries_of(fields: &Fields) -> BoxedStrategy<Pair> {
    let has_numbers = *fields[0].data_type() == DataType::Int32;
    let keys = if has_numbers { "-?[1-9][0-9]{0,4}" } else { "[a-z\"\\\\\u{e9}]{0,3}" };
    btree_map(keys, pairs(fields[1].data_type()), 0..4)
        .prop_map(move |entries| {
            let key = |key: &String| {
                if has_numbers { json!(key.parse::<i32>().expect("a number")) } else { json!(key) }
            };
            let shown: Vec<_> = entries.iter().map(|(name, (_, value))| json!([key(name), value])).collect();
            let texts: Map<_, _> = entries.into_iter().map(|(key, (text, _))| (key, text)).collect();
            (Value::Object(texts), json!(shown))
        })
        .boxed()
}

/// An object with these fields; those that are NULL are sometimes left out.
fn members(fields: &Fields) -> BoxedStrategy<Pair> {
    let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
    let members: Vec<_> = fields.iter().map(|field| (pairs(field.data_type()), any::<bool>())).collect();
    members
        .prop_map(move |members| {
            let (mut texts, mut values) = (Map::new(), Map::new());
            for (name, ((text, value), keeps_null)) in names.iter().zip(members) {
                if keeps_null || !text.is_null() {
                    texts.insert(name.clone(), text);
                }
                values.insert(name.clone(), value);
            }
            (Value::Object(texts), Value::Object(values))
        })
        .boxed()
}

fn decode(records: &[String], batch_rows: usize) -> RecordBatch {
    let schema = all_types();
    let mut decoder = decoder(schema.clone(), &options()).expect("decoder");
    let mut batches = Vec::new();
    for records in records.chunks(batch_rows) {
        for record in records {
            decoder.push(record.as_bytes()).unwrap_or_else(|dirty| panic!("{}: {record}", dirty.reason));
            // A dirty one in between leaves no trace.
            decoder.push(&record.as_bytes()[..record.len() - 1]).expect_err("not an object");
        }
        batches.push(flush_checked(decoder.as_mut()));
    }
    concat_batches(&schema, &batches).expect("batches of one schema")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_type_is_read_as_it_was_put_and_written_as_it_was_read(
        rows in vec(members(all_types().fields()), 1..8),
        batch_rows in 1..5_usize,
    ) {
        let records: Vec<String> = rows.iter().map(|(text, _)| text.to_string()).collect();
        let batch = decode(&records, batch_rows);
        prop_assert_eq!(batch.num_rows(), rows.len());
        for (row, (_, expected)) in rows.iter().enumerate() {
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                prop_assert_eq!(&value(column, row), &expected[field.name()], "{} of {}", field.name(), records[row]);
            }
        }
        prop_assert_eq!(&decode(&encode_all(&batch, &options()), batch_rows), &batch);
        let sparse = FormatOptions { enable_output_null: false, ..options() };
        prop_assert_eq!(&decode(&encode_all(&batch, &sparse), rows.len()), &batch);
    }
}
