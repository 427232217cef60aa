//! The contract of a dimension table: rows by the values of some of its columns.
//!
//! The engine hands over all distinct keys of a batch at once, so that a connector needs few round trips. A
//! connector answers or says why not; trying again after a transient fault is the engine's part.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use async_trait::async_trait;

use crate::error::ConnectorError;

/// A declared dimension table, ready to be asked.
#[async_trait]
pub trait LookupConnector: Send + Sync + 'static {
    /// Returns the columns of the table, as declared.
    fn schema(&self) -> SchemaRef;

    /// Looks keys up. `keys` has one column for each of `key_columns` (indices into the schema, without
    /// repetition) and of its type; its rows are distinct and without NULL. A row of the table whose key
    /// is NULL answers nothing.
    async fn look_up(&self, key_columns: &[usize], keys: &RecordBatch) -> Result<LookedUp, ConnectorError>;

    /// Returns the bytes of rows that are held in memory between two look-ups.
    fn cached_bytes(&self) -> usize {
        0
    }
}

/// A shared dimension table.
pub type SharedLookup = Arc<dyn LookupConnector>;

/// What a table answers.
#[derive(Debug, Clone)]
pub struct LookedUp {
    /// Rows of the table, all columns.
    pub rows: RecordBatch,
    /// For each of them the index of the key that it answers.
    pub keys: Vec<u32>,
    /// Keys whose rows are there but cannot be read.
    pub faults: Vec<KeyFault>,
}

impl LookedUp {
    /// Returns an answer without rows.
    pub fn nothing(schema: SchemaRef) -> Self {
        Self { rows: RecordBatch::new_empty(schema), keys: Vec::new(), faults: Vec::new() }
    }
}

/// A key that a table cannot answer although it has the key, such as one with a value of another type than declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFault {
    /// Index of the key.
    pub key: u32,
    /// Why, for people.
    pub reason: String,
}

/// The keys of a look-up, to find which of them a row of the table answers.
///
/// Values are compared exactly: strings by code point, whatever the collation of the table says.
pub struct KeyIndex {
    converter: RowConverter,
    indices: HashMap<OwnedRow, u32>,
}

impl KeyIndex {
    /// Makes the index of the rows of `keys`.
    pub fn new(keys: &RecordBatch) -> Result<Self, ArrowError> {
        let converter = row_converter(&keys.schema())?;
        let rows = converter.convert_columns(keys.columns())?;
        let indices = rows.iter().zip(0u32..).map(|(row, index)| (row.owned(), index)).collect();
        Ok(Self { converter, indices })
    }

    /// Returns for each row of `columns`, the key columns of rows of the table, the key that it answers.
    pub fn find(&self, columns: &[ArrayRef]) -> Result<Vec<Option<u32>>, ArrowError> {
        let rows = self.converter.convert_columns(columns)?;
        Ok(rows.iter().map(|row| self.indices.get(&row.owned()).copied()).collect())
    }
}

/// Returns a converter of the columns of a schema to rows of bytes, equal when all values are.
pub fn row_converter(schema: &Schema) -> Result<RowConverter, ArrowError> {
    let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone()));
    RowConverter::new(fields.collect())
}

/// Returns the rows of a batch as bytes, with their converter.
pub fn rows_of(batch: &RecordBatch) -> Result<(RowConverter, Rows), ArrowError> {
    let converter = row_converter(&batch.schema())?;
    let rows = converter.convert_columns(batch.columns())?;
    Ok((converter, rows))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn rows_find_their_key_by_exact_values() {
        let schema =
            Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)]);
        let column = |a: &[Option<i64>], b: &[Option<&str>]| -> Vec<ArrayRef> {
            vec![Arc::new(Int64Array::from(a.to_vec())), Arc::new(StringArray::from(b.to_vec()))]
        };
        let keys =
            RecordBatch::try_new(Arc::new(schema), column(&[Some(1), Some(2)], &[Some("x"), Some("y")]))
                .unwrap();
        let index = KeyIndex::new(&keys).unwrap();
        let found = index
            .find(&column(
                &[Some(2), Some(1), Some(1), None, Some(2)],
                &[Some("y"), Some("X"), Some("x"), Some("y"), None],
            ))
            .unwrap();
        assert_eq!(found, [Some(1), None, Some(0), None, None]);
    }
}
