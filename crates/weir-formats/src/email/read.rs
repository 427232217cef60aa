//! Reading records that are one e-mail each.

use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use weir_base::text::{Zone, parse_mail_date};

use super::keys::{Key, Keys, write_comparable};
use super::message::{Piece, Pieces, charset, write_unfolded};
use crate::column::{Column, Values};
use crate::decode::{Decoder, Dirty};
use crate::options::{FormatError, FormatOptions, type_name};
use crate::rows::{Rows, checked_text};
use crate::scalar::{push_field, quoted};
use crate::text_list::{check_flat, push_list};

const MS_PER_DAY: i64 = 86_400_000;

pub(crate) struct EmailDecoder {
    rows: Rows,
    keys: Keys,
    zone: Zone,
    /// The values of the wanted headers of the message at hand, one after the other.
    values: Vec<u8>,
    /// Where in `values` each of them is.
    found: Vec<Option<Range<usize>>>,
    /// The name of a header as it is compared.
    name: Vec<u8>,
}

impl EmailDecoder {
    pub fn new(schema: SchemaRef, options: &FormatOptions) -> Result<Self, FormatError> {
        for field in schema.fields() {
            check_flat(field, "email")?;
            if let DataType::List(item) = field.data_type()
                && *item.data_type() != DataType::Utf8
            {
                let message = format!("ARRAY of {} cannot be read from email", type_name(item.data_type()));
                return Err(FormatError::column(field.name(), message)
                    .hint("expected a primitive type or ARRAY[STRING]"));
            }
        }
        let keys = Keys::new(&schema, options.email_key.as_deref().unwrap_or_default())?;
        Ok(Self {
            found: vec![None; keys.headers()],
            keys,
            rows: Rows::new(schema)?,
            zone: options.zone,
            values: Vec::new(),
            name: Vec::new(),
        })
    }

    fn read(&mut self, record: &[u8]) -> Result<(), String> {
        checked_text(record)?;
        if record.is_empty() {
            return Err("not an e-mail: empty".to_string());
        }
        self.values.clear();
        self.found.fill(None);
        let mut body = None;
        for piece in Pieces::new(record) {
            match piece.map_err(|what| format!("not an e-mail: {what}"))? {
                Piece::Header { name, value } => self.keep(name, value),
                Piece::Body(text) => body = Some(text),
            }
        }
        let header = |number: usize| Some(&self.values[self.found[number].clone()?]);
        for (index, key) in self.keys.columns.iter().enumerate() {
            let text = match key {
                Key::Body => body,
                Key::Charset(number) => header(*number).and_then(charset),
                Key::Header(number) => header(*number),
            };
            push_piece(&mut self.rows.columns[index], text, &self.zone)
                .map_err(|reason| self.rows.reason(index, &reason))?;
        }
        Ok(())
    }

    /// Keeps the value of a header that is wanted. Of equal ones the first counts.
    fn keep(&mut self, name: &[u8], value: &[u8]) {
        write_comparable(name, &mut self.name);
        let Some(number) = self.keys.find(&self.name) else { return };
        if self.found[number].is_none() {
            let start = self.values.len();
            write_unfolded(value, &mut self.values);
            self.found[number] = Some(start..self.values.len());
        }
    }
}

/// Adds a piece of a message: dates in their form in e-mails, arrays cut at commas, others by the rules of csv.
fn push_piece(column: &mut Column, text: Option<&[u8]>, zone: &Zone) -> Result<(), String> {
    let Some(text) = text else {
        column.push_null();
        return Ok(());
    };
    if text.trim_ascii().is_empty() {
        return push_field(column, text, zone);
    }
    match &mut column.values {
        Values::List { .. } => return push_list(column, text, zone),
        Values::Date(days) => {
            let wall = wall_clock(text, zone).ok_or_else(|| no_date(text, "DATE"))?;
            let day = i32::try_from(wall.div_euclid(MS_PER_DAY)).map_err(|_| no_date(text, "DATE"))?;
            days.push(day);
        }
        Values::Timestamp(walls) => {
            walls.push(wall_clock(text, zone).ok_or_else(|| no_date(text, "TIMESTAMP"))?);
        }
        _ => return push_field(column, text, zone),
    }
    column.nulls.append_non_null();
    Ok(())
}

/// Returns the wall clock of the job's zone at a date such as `Fri, 15 Mar 2024 09:54:00 +0000`.
fn wall_clock(text: &[u8], zone: &Zone) -> Option<i64> {
    Some(zone.instant_to_wall(parse_mail_date(std::str::from_utf8(text).ok()?)?))
}

fn no_date(text: &[u8], name: &str) -> String {
    format!("{} is not a {name} in the form of e-mails", quoted(text))
}

impl Decoder for EmailDecoder {
    fn push(&mut self, record: &[u8]) -> Result<(), Dirty> {
        self.rows.begin();
        let outcome = self.read(record);
        self.rows.end(outcome)
    }

    fn rows(&self) -> usize {
        self.rows.count()
    }

    fn flush(&mut self) -> RecordBatch {
        self.rows.flush()
    }
}
