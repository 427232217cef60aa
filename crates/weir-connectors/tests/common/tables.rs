//! What the tests of dimension tables share.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use weir_base::connector::TableKeys;
use weir_engine::error::ConnectorError;
use weir_engine::lookup::SharedLookup;
use weir_sql::DimensionTable;

use super::{options, schema, text};

/// Declares the table `T`. A later option of a name replaces an earlier one.
pub fn table(columns: &[(&str, &str)], pairs: &[(&str, &str)]) -> DimensionTable {
    DimensionTable {
        name: "T".to_string(),
        schema: schema(columns),
        options: options(pairs),
        keys: TableKeys::Any,
    }
}

/// Makes keys of some columns from texts.
pub fn keys(columns: &[(&str, &str)], key_columns: &[usize], rows: &[&[&str]]) -> RecordBatch {
    let schema = Arc::new(schema(columns).project(key_columns).unwrap());
    let arrays = schema.fields().iter().enumerate().map(|(at, field)| {
        let texts = StringArray::from_iter_values(rows.iter().map(|row| row[at]));
        let to = match field.data_type() {
            DataType::Utf8 => return Arc::new(texts) as _,
            other => other,
        };
        cast(&texts, to).unwrap()
    });
    let arrays = arrays.collect();
    RecordBatch::try_new(schema, arrays).unwrap()
}

/// Looks keys up and returns the rows as `key: values`, sorted.
pub async fn ask(
    table: &SharedLookup,
    key_columns: &[usize],
    keys: &RecordBatch,
) -> Result<Vec<String>, ConnectorError> {
    let answer = table.look_up(key_columns, keys).await?;
    assert!(answer.faults.is_empty(), "{:?}", answer.faults);
    let rows = text(&answer.rows);
    let mut rows: Vec<String> =
        answer.keys.iter().zip(rows).map(|(key, row)| format!("{key}: {row}")).collect();
    rows.sort();
    Ok(rows)
}
