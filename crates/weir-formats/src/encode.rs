//! The contract of an encoder and the choice of one.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::csv::CsvEncoder;
use crate::json::JsonEncoder;
use crate::options::{Encode, FormatError, FormatOptions};

/// Turns rows into records.
pub trait Encoder: Send {
    /// Appends one record for each row. When it fails, nothing is appended.
    fn encode(&mut self, rows: &RecordBatch, out: &mut EncodedRecords) -> Result<(), FormatError>;
}

/// Records, one after the other, without delimiters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedRecords {
    /// The bytes of all records.
    pub bytes: Vec<u8>,
    /// Where each record ends; the next one starts there.
    pub ends: Vec<usize>,
}

impl EncodedRecords {
    /// Returns the number of records.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Removes all records and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Returns the records in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

/// Returns an encoder of rows with the declared columns of a sink stream.
pub fn encoder(schema: SchemaRef, options: &FormatOptions) -> Result<Box<dyn Encoder>, FormatError> {
    Ok(match options.encode {
        Encode::Csv => Box::new(CsvEncoder::new(schema, options)?),
        Encode::Json => Box::new(JsonEncoder::new(schema, options)?),
        Encode::Xml | Encode::Email | Encode::Blob => {
            let message = format!("`{}` can be read but not written", options.encode.name());
            return Err(FormatError::option("encode", message).hint("expected `csv` or `json` on a sink"));
        }
    })
}
