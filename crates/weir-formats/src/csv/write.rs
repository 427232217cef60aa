//! Writing delimited text.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::read::check_delimiter;
use crate::cells::{Cells, Kind, check_type, declared_columns, elements};
use crate::encode::{EncodedRecords, Encoder};
use crate::options::{FormatError, FormatOptions};

pub(crate) struct CsvEncoder {
    schema: SchemaRef,
    delimiter: Vec<u8>,
    quote: Option<u8>,
    brackets: (String, String),
}

impl CsvEncoder {
    pub fn new(schema: SchemaRef, options: &FormatOptions) -> Result<Self, FormatError> {
        check_delimiter(options)?;
        if !matches!(options.array_bracket, ('[', ']') | ('(', ')') | ('{', '}')) {
            return Err(FormatError::option("array_bracket", "is no pair of brackets")
                .hint("expected `[]`, `()` or `{}`"));
        }
        for field in schema.fields() {
            check_type(field.name(), field.data_type())?;
        }
        let (opening, closing) = options.array_bracket;
        Ok(Self {
            schema,
            delimiter: options.field_delimiter.clone().into_bytes(),
            quote: options.quote,
            brackets: (opening.to_string(), closing.to_string()),
        })
    }

    fn write_value(&self, cells: &Cells<'_>, row: usize, out: &mut Vec<u8>) {
        if cells.is_null(row) {
            return;
        }
        match &cells.kind {
            Kind::List(offsets, items) => {
                out.extend_from_slice(self.brackets.0.as_bytes());
                for (number, item) in elements(offsets, row).enumerate() {
                    separate(number, b", ", out);
                    self.write_value(items, item, out);
                }
                out.extend_from_slice(self.brackets.1.as_bytes());
            }
            Kind::Map(offsets, keys, values) => {
                out.push(b'{');
                for (number, entry) in elements(offsets, row).enumerate() {
                    separate(number, b", ", out);
                    self.write_value(keys, entry, out);
                    out.push(b'=');
                    self.write_value(values, entry, out);
                }
                out.push(b'}');
            }
            Kind::Row(children) => {
                for (number, (_, child)) in children.iter().enumerate() {
                    separate(number, b",", out);
                    self.write_value(child, row, out);
                }
            }
            _ => cells.write_text(row, out),
        }
    }
}

impl Encoder for CsvEncoder {
    fn encode(&mut self, rows: &RecordBatch, out: &mut EncodedRecords) -> Result<(), FormatError> {
        let columns = declared_columns(&self.schema, rows)?;
        let columns = Cells::open_all(&columns)?;
        out.ends.reserve(rows.num_rows());
        for row in 0..rows.num_rows() {
            for (number, cells) in columns.iter().enumerate() {
                separate(number, &self.delimiter, &mut out.bytes);
                out.bytes.extend(self.quote);
                self.write_value(cells, row, &mut out.bytes);
                out.bytes.extend(self.quote);
            }
            out.ends.push(out.bytes.len());
        }
        Ok(())
    }
}

#[inline]
fn separate(number: usize, separator: &[u8], out: &mut Vec<u8>) {
    if number > 0 {
        out.extend_from_slice(separator);
    }
}
