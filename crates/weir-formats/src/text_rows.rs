//! Rows from the texts of their values, as databases hand them out.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use weir_base::text::Zone;

use crate::column::{Column, Values, finish_batch};
use crate::decode::Dirty;
use crate::options::FormatError;
use crate::scalar::{push_text, quoted};

/// Collects rows of primitive columns, value by value in text form.
#[derive(Debug)]
pub struct TextRows {
    schema: SchemaRef,
    columns: Vec<Column>,
    zone: Zone,
    rows: usize,
}

impl TextRows {
    /// Begins without rows. An instant becomes a wall clock of `zone`.
    pub fn new(schema: SchemaRef, zone: Zone) -> Result<Self, FormatError> {
        if let Some(nested) = schema.fields().iter().find(|field| field.data_type().is_nested()) {
            return Err(FormatError::column(nested.name(), "values of nested types have no text form here"));
        }
        let columns = schema.fields().iter().map(|field| Column::new(field)).collect::<Result<_, _>>()?;
        Ok(Self { schema, columns, zone, rows: 0 })
    }

    /// Adds a row: for each column the text of its value, or `None` for NULL. When a value does not fit, nothing
    /// is added.
    pub fn push<'v>(&mut self, values: impl IntoIterator<Item = Option<&'v [u8]>>) -> Result<(), Dirty> {
        let mut values = values.into_iter();
        for at in 0..self.columns.len() {
            let column = &mut self.columns[at];
            let fault = match values.next().flatten() {
                None => {
                    column.push_null();
                    continue;
                }
                Some(value) => match add(column, value, &self.zone) {
                    Ok(()) => continue,
                    Err(fault) => fault,
                },
            };
            self.columns.iter_mut().for_each(|column| column.truncate(self.rows));
            return Err(Dirty { reason: format!("column `{}`: {fault}", self.schema.field(at).name()) });
        }
        self.rows += 1;
        Ok(())
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the rows and starts anew.
    pub fn finish(&mut self) -> RecordBatch {
        finish_batch(&self.schema, &mut self.columns, std::mem::take(&mut self.rows))
    }
}

fn add(column: &mut Column, value: &[u8], zone: &Zone) -> Result<(), String> {
    if matches!(column.values, Values::Text(_)) && std::str::from_utf8(value).is_err() {
        return Err(format!("{} is not UTF-8", quoted(value)));
    }
    push_text(column, value, zone).map_err(|fault| fault.reason(value, &column.values))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{DataType, Field, Int32Type, Schema};

    use super::*;

    fn rows() -> TextRows {
        let schema =
            Schema::new(vec![Field::new("n", DataType::Int32, true), Field::new("s", DataType::Utf8, true)]);
        TextRows::new(Arc::new(schema), Zone::UTC).unwrap()
    }

    #[test]
    fn a_row_that_does_not_fit_leaves_nothing_behind() {
        let mut rows = rows();
        rows.push([Some("7".as_bytes()), Some("a".as_bytes())]).unwrap();
        let fault = rows.push([Some("8".as_bytes()), Some(b"\xff".as_slice())]).unwrap_err();
        assert_eq!(fault.reason, "column `s`: `\u{fffd}` is not UTF-8");
        let fault = rows.push([Some("x".as_bytes()), Some("b".as_bytes())]).unwrap_err();
        assert_eq!(fault.reason, "column `n`: `x` is not an INT");
        rows.push([None, None]).unwrap();
        let batch = rows.finish();
        assert_eq!(batch.column(0).as_primitive::<Int32Type>().value(0), 7);
        assert_eq!(batch.column(1).as_string::<i32>().value(0), "a");
        assert!(batch.column(0).is_null(1) && batch.column(1).is_null(1));
        assert_eq!((batch.num_rows(), rows.rows()), (2, 0));
    }

    #[test]
    fn nested_columns_are_refused_by_name() {
        let list = DataType::new_list(DataType::Int32, true);
        let schema = Schema::new(vec![Field::new("l", list, true)]);
        let error = TextRows::new(Arc::new(schema), Zone::UTC).unwrap_err();
        assert!(error.to_string().starts_with("column `l`"), "{error}");
    }
}
