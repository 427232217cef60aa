//! The contract of a decoder and the choice of one.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::blob::BlobDecoder;
use crate::csv::CsvDecoder;
use crate::email::EmailDecoder;
use crate::json::JsonDecoder;
use crate::options::{Encode, FormatError, FormatOptions};
use crate::records::{Records, without_carriage_return};
use crate::xml::XmlDecoder;

/// A record that does not fit the declared columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirty {
    /// Why, for people: names the column and the class, such as "column `id`: `x2` is not an INT".
    pub reason: String,
}

/// Collects records as rows of one schema.
pub trait Decoder: Send {
    /// Adds one record as a row. When it is dirty, nothing is added.
    fn push(&mut self, record: &[u8]) -> Result<(), Dirty>;

    /// Returns the number of rows since the last flush.
    fn rows(&self) -> usize;

    /// Returns the rows since the last flush, and starts anew.
    fn flush(&mut self) -> RecordBatch;

    /// Adds every complete record of `data`, which begins at the start of a record, and returns how many
    /// bytes they took, delimiters included. The rest is the begin of a record whose end has not been read.
    ///
    /// A carriage return before the default delimiter, a line feed, is dropped. Dirty records go to
    /// `on_dirty` with the offset in `data` at which they start.
    fn push_records(
        &mut self,
        data: &[u8],
        delimiter: &[u8],
        on_dirty: &mut dyn FnMut(usize, &[u8], Dirty),
    ) -> usize {
        let mut records = Records::new(data, delimiter);
        for (offset, record) in records.by_ref() {
            if let Err(dirty) = self.push(record) {
                on_dirty(offset, record, dirty);
            }
        }
        records.consumed()
    }

    /// Adds the last piece of an object, which no delimiter follows. An empty piece is not a record.
    fn push_last(&mut self, data: &[u8], delimiter: &[u8], on_dirty: &mut dyn FnMut(usize, &[u8], Dirty)) {
        let record = without_carriage_return(data, delimiter);
        if data.is_empty() {
            return;
        }
        if let Err(dirty) = self.push(record) {
            on_dirty(0, record, dirty);
        }
    }
}

/// Returns a decoder of records into the declared columns of a source stream.
pub fn decoder(schema: SchemaRef, options: &FormatOptions) -> Result<Box<dyn Decoder>, FormatError> {
    Ok(match options.encode {
        Encode::Csv => Box::new(CsvDecoder::new(schema, options)?),
        Encode::Json => Box::new(JsonDecoder::new(schema, options)?),
        Encode::Xml => Box::new(XmlDecoder::new(schema, options)?),
        Encode::Email => Box::new(EmailDecoder::new(schema, options)?),
        Encode::Blob => Box::new(BlobDecoder::new(schema)?),
    })
}
