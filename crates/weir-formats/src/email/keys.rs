//! `email_key`: what fills each column.

use std::collections::HashMap;

use arrow::datatypes::Schema;

use crate::options::FormatError;

/// What fills a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// The text after the first empty line.
    Body,
    /// The parameter of that name of the header `Content-Type`, by the number of the header.
    Charset(usize),
    /// A header, by its number.
    Header(usize),
}

/// The keys of all columns, and the headers they need.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// One for each column.
    pub columns: Vec<Key>,
    /// Comparable name of a header to its number.
    headers: HashMap<Vec<u8>, usize>,
}

impl Keys {
    /// Reads the list of keys, one for each column of the stream.
    pub fn new(schema: &Schema, email_key: &str) -> Result<Self, FormatError> {
        let wrong = |message: String| {
            FormatError::option("email_key", message)
                .hint("write a header, `body` or `charset` for each column, separated by commas")
        };
        let names: Vec<&str> = email_key.split(',').map(str::trim).collect();
        let (given, wanted) = (names.len(), schema.fields().len());
        if given != wanted {
            return Err(wrong(format!(
                "has {}, but the stream has {}",
                counted(given, "key"),
                counted(wanted, "column")
            )));
        }
        let mut keys = Self::default();
        for name in names {
            if !is_header_name(name.as_bytes()) {
                return Err(wrong(format!("`{name}` is not a name of a header")));
            }
            let key = match name.to_ascii_lowercase().as_str() {
                "body" => Key::Body,
                "charset" => Key::Charset(keys.number("Content-Type")),
                _ => Key::Header(keys.number(name)),
            };
            keys.columns.push(key);
        }
        Ok(keys)
    }

    fn number(&mut self, header: &str) -> usize {
        let next = self.headers.len();
        let mut name = Vec::new();
        write_comparable(header.as_bytes(), &mut name);
        *self.headers.entry(name).or_insert(next)
    }

    /// Returns how many headers are wanted.
    pub fn headers(&self) -> usize {
        self.headers.len()
    }

    /// Returns the number of a header, when it is wanted; the name is in comparable form.
    pub fn find(&self, comparable_name: &[u8]) -> Option<usize> {
        self.headers.get(comparable_name).copied()
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Returns whether a text can be the name of a header: visible ASCII without a colon.
pub(super) fn is_header_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic() && *byte != b':')
}

/// Writes the name of a header as names are compared: without case, and with `_` as `-`.
pub(super) fn write_comparable(name: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend(name.iter().map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }));
}
