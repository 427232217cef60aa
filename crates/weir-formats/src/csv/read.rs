//! Reading delimited text: fields are matched to columns by position.
//!
//! Quoting is that of the dialect, which is simpler than RFC 4180: a delimiter between two quote
//! characters is text, the enclosing quotes go, and nothing is unescaped. A record never spans lines.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use memchr::memmem::Finder;
use weir_base::text::Zone;

use crate::column::Values;
use crate::decode::{Decoder, Dirty};
use crate::options::{FormatError, FormatOptions, type_name};
use crate::rows::{Rows, checked_text};
use crate::scalar;

pub(crate) struct CsvDecoder {
    rows: Rows,
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
                return Err(FormatError::column(field.name(), message)
                    .hint("expected a primitive type; only json reads ARRAY, MAP and ROW"));
            }
        }
        let delimiter = options.field_delimiter.clone().into_bytes();
        Ok(Self {
            finder: Finder::new(&delimiter).into_owned(),
            rows: Rows::new(schema)?,
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
        let wanted = self.rows.columns.len();
        if count < wanted {
            return Err(format!("too few fields: {count} instead of {wanted}"));
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
                self.push_quoted_field(index, &record[start..position], quote)?;
                index += 1;
                position += self.delimiter.len();
                start = position;
            } else {
                position += 1;
            }
        }
        if inside {
            let reason = "odd number of quote characters";
            return Err(match index < self.rows.columns.len() {
                true => self.rows.reason(index, reason),
                false => reason.to_string(),
            });
        }
        self.push_quoted_field(index, &record[start..], quote)?;
        Ok(index + 1)
    }

    /// Adds a field without the quotes around it. Blanks outside of them are text of a STRING and nothing else.
    fn push_quoted_field(&mut self, index: usize, field: &[u8], quote: u8) -> Result<(), String> {
        let is_text =
            self.rows.columns.get(index).is_some_and(|column| matches!(column.values, Values::Text(_)));
        self.push_field(index, without_quotes(if is_text { field } else { field.trim_ascii() }, quote))
    }

    fn push_field(&mut self, index: usize, field: &[u8]) -> Result<(), String> {
        let wanted = self.rows.columns.len();
        let Some(column) = self.rows.columns.get_mut(index) else {
            return Err(format!("too many fields: more than {wanted}"));
        };
        scalar::push_field(column, field, &self.zone).map_err(|reason| self.rows.reason(index, &reason))
    }
}

impl Decoder for CsvDecoder {
    fn push(&mut self, record: &[u8]) -> Result<(), Dirty> {
        self.rows.begin();
        let outcome = checked_text(record).and_then(|_| self.push_fields(record));
        self.rows.end(outcome)
    }

    fn rows(&self) -> usize {
        self.rows.count()
    }

    fn flush(&mut self) -> RecordBatch {
        self.rows.flush()
    }
}

/// Removes the quotes around a field.
fn without_quotes(field: &[u8], quote: u8) -> &[u8] {
    match field {
        [first, middle @ .., last] if *first == quote && *last == quote => middle,
        _ => field,
    }
}

/// Checks that fields can be told apart.
pub(super) fn check_delimiter(options: &FormatOptions) -> Result<(), FormatError> {
    if options.field_delimiter.is_empty() {
        return Err(FormatError::option("field_delimiter", "is empty").hint("give one or more characters"));
    }
    let Some(quote) = options.quote else { return Ok(()) };
    if !quote.is_ascii() {
        return Err(FormatError::option("quote", "is not an ASCII character"));
    }
    if options.field_delimiter.as_bytes().contains(&quote) {
        return Err(
            FormatError::option("quote", "is part of `field_delimiter`").hint("choose another character")
        );
    }
    Ok(())
}
