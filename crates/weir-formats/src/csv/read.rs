//! Reading delimited text: fields are matched to columns by position.
//!
//! Quoting is that of the dialect, which is simpler than RFC 4180: a delimiter between two quote
//! characters is text, the enclosing quotes go, and nothing is unescaped. A record never spans lines.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use memchr::memmem::Finder;
use weir_base::text::Zone;

use crate::column::{Column, Values};
use crate::decode::{Decoder, Dirty};
use crate::options::{FormatError, FormatOptions, type_name};
use crate::scalar;

pub(crate) struct CsvDecoder {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    /// Rows and text bytes per column of the last batch: what the next one will probably need.
    last_sizes: Vec<(usize, usize)>,
    delimiter: Vec<u8>,
    finder: Finder<'static>,
    quote: Option<u8>,
    zone: Zone,
}

impl CsvDecoder {
    pub fn new(schema: SchemaRef, options: &FormatOptions) -> Result<Self, FormatError> {
        check_delimiter(options)?;
        for field in schema.fields() {
            if field.data_type().is_nested() {
                let message = format!("{} cannot be read from csv", type_name(field.data_type()));
                return Err(FormatError::column(field.name(), message));
            }
        }
        let columns =
            schema.fields().iter().map(|field| Column::new(field)).collect::<Result<Vec<_>, _>>()?;
        let delimiter = options.field_delimiter.clone().into_bytes();
        Ok(Self {
            last_sizes: vec![(0, 0); columns.len()],
            finder: Finder::new(&delimiter).into_owned(),
            schema,
            columns,
            rows: 0,
            delimiter,
            quote: options.quote,
            zone: options.zone,
        })
    }

    fn push_fields(&mut self, record: &[u8]) -> Result<(), String> {
        let count = match (self.quote, self.delimiter.as_slice()) {
            (Some(quote), _) => self.push_quoted(record, quote)?,
            (None, [delimiter]) => {
                let (mut index, mut start) = (0, 0);
                for end in memchr::memchr_iter(*delimiter, record) {
                    self.push_field(index, &record[start..end])?;
                    (index, start) = (index + 1, end + 1);
                }
                self.push_field(index, &record[start..])?;
                index + 1
            }
            (None, _) => {
                let (mut index, mut start) = (0, 0);
                while let Some(length) = self.finder.find(&record[start..]) {
                    self.push_field(index, &record[start..start + length])?;
                    (index, start) = (index + 1, start + length + self.delimiter.len());
                }
                self.push_field(index, &record[start..])?;
                index + 1
            }
        };
        if count < self.columns.len() {
            return Err(format!("too few fields: {count} instead of {}", self.columns.len()));
        }
        Ok(())
    }

    fn push_quoted(&mut self, record: &[u8], quote: u8) -> Result<usize, String> {
        let first = self.delimiter[0];
        let (mut index, mut start, mut position, mut inside) = (0, 0, 0, false);
        while let Some(skipped) = memchr::memchr2(quote, first, &record[position..]) {
            position += skipped;
            if record[position] == quote {
                inside = !inside;
                position += 1;
            } else if !inside && record[position..].starts_with(&self.delimiter) {
                self.push_field(index, without_quotes(&record[start..position], quote))?;
                index += 1;
                position += self.delimiter.len();
                start = position;
            } else {
                position += 1;
            }
        }
        if inside {
            return Err(match self.schema.fields().get(index) {
                Some(field) => format!("column `{}`: odd number of quote characters", field.name()),
                None => "odd number of quote characters".to_string(),
            });
        }
        self.push_field(index, without_quotes(&record[start..], quote))?;
        Ok(index + 1)
    }

    fn push_field(&mut self, index: usize, field: &[u8]) -> Result<(), String> {
        let wanted = self.columns.len();
        let Some(column) = self.columns.get_mut(index) else {
            return Err(format!("too many fields: more than {wanted}"));
        };
        if field.trim_ascii().is_empty() && !matches!(column.values, Values::Text(_)) {
            column.push_null();
            return Ok(());
        }
        scalar::push_text(column, field, &self.zone).map_err(|mismatch| {
            let reason = mismatch.reason(field, &column.values);
            format!("column `{}`: {reason}", self.schema.field(index).name())
        })
    }
}

impl Decoder for CsvDecoder {
    fn push(&mut self, record: &[u8]) -> Result<(), Dirty> {
        if let Err(error) = std::str::from_utf8(record) {
            return Err(Dirty { reason: format!("not valid UTF-8 at byte {}", error.valid_up_to()) });
        }
        if self.rows == 0 {
            for (column, (rows, bytes)) in self.columns.iter_mut().zip(&self.last_sizes) {
                column.reserve(*rows, *bytes);
            }
        }
        match self.push_fields(record) {
            Ok(()) => {
                self.rows += 1;
                Ok(())
            }
            Err(reason) => {
                self.columns.iter_mut().for_each(|column| column.truncate(self.rows));
                Err(Dirty { reason })
            }
        }
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn flush(&mut self) -> RecordBatch {
        self.last_sizes = self.columns.iter().map(|column| (column.len(), column.text_bytes())).collect();
        crate::column::finish_batch(&self.schema, &mut self.columns, std::mem::take(&mut self.rows))
    }
}

/// Removes the quotes around a field. Blanks outside of them are kept: for STRING they are text.
fn without_quotes(field: &[u8], quote: u8) -> &[u8] {
    match field {
        [first, middle @ .., last] if *first == quote && *last == quote => middle,
        _ => field,
    }
}

/// Checks that fields can be told apart.
pub(super) fn check_delimiter(options: &FormatOptions) -> Result<(), FormatError> {
    if options.field_delimiter.is_empty() {
        return Err(FormatError::option("field_delimiter", "is empty; give one or more characters"));
    }
    let Some(quote) = options.quote else { return Ok(()) };
    if !quote.is_ascii() {
        return Err(FormatError::option("quote", "is not an ASCII character"));
    }
    if options.field_delimiter.as_bytes().contains(&quote) {
        return Err(FormatError::option("quote", "is part of `field_delimiter`; choose another character"));
    }
    Ok(())
}
