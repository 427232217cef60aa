//! The rows of a batch under construction, shared by the decoders that fill their columns in order.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::column::{Column, finish_batch};
use crate::decode::Dirty;
use crate::options::FormatError;

/// Columns that grow by one row for each good record and keep no trace of a dirty one.
pub(crate) struct Rows {
    pub schema: SchemaRef,
    pub columns: Vec<Column>,
    count: usize,
    /// Rows and text bytes per column of the last batch: what the next one will probably need.
    last_sizes: Vec<(usize, usize)>,
}

impl Rows {
    /// Makes empty columns for the declared ones.
    pub fn new(schema: SchemaRef) -> Result<Self, FormatError> {
        let columns =
            schema.fields().iter().map(|field| Column::new(field)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { last_sizes: vec![(0, 0); columns.len()], schema, columns, count: 0 })
    }

    /// Returns the number of complete rows.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Makes room when a batch begins.
    #[inline]
    pub fn begin(&mut self) {
        if self.count == 0 {
            for (column, (rows, bytes)) in self.columns.iter_mut().zip(&self.last_sizes) {
                column.reserve(*rows, *bytes);
            }
        }
    }

    /// Ends a row: it stays when the record was good and is taken back when not.
    #[inline]
    pub fn end(&mut self, outcome: Result<(), String>) -> Result<(), Dirty> {
        match outcome {
            Ok(()) => {
                self.count += 1;
                Ok(())
            }
            Err(reason) => {
                self.columns.iter_mut().for_each(|column| column.truncate(self.count));
                Err(Dirty { reason })
            }
        }
    }

    /// Gives NULL to the columns that the row at hand has not filled.
    pub fn fill_with_null(&mut self) {
        for column in &mut self.columns {
            if column.len() == self.count {
                column.push_null();
            }
        }
    }

    /// Says that a reason is about a column.
    #[cold]
    pub fn reason(&self, column: usize, reason: &str) -> String {
        format!("column `{}`: {reason}", self.schema.field(column).name())
    }

    /// Returns the rows and starts anew.
    pub fn flush(&mut self) -> RecordBatch {
        self.last_sizes = self.columns.iter().map(|column| (column.len(), column.text_bytes())).collect();
        finish_batch(&self.schema, &mut self.columns, std::mem::take(&mut self.count))
    }
}

/// Returns a record as text, or why it is none.
pub(crate) fn checked_text(record: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(record).map_err(|error| format!("not valid UTF-8 at byte {}", error.valid_up_to()))
}
