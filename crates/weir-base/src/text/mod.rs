//! The text forms of the scalar types: what CSV and JSON fields, casts and option values may look like.
//!
//! Every parser takes the exact text: callers cut surrounding blanks with [`trim`] where their format
//! ignores them. Every writer appends to a byte buffer and has a `format_` form that returns a `String`.
//! Nothing here knows Arrow, columns or formats.

mod datetime;
mod float;
mod mail_date;
mod number;
mod zone;

pub use datetime::{
    format_date, format_time, format_timestamp, parse_date, parse_plain_timestamp, parse_time,
    parse_timestamp, write_date, write_time, write_timestamp,
};
pub use float::{
    format_double, format_float, parse_float, parse_single, scale_double, scale_single, write_double,
    write_float,
};
pub use mail_date::parse_mail_date;
pub use number::{
    Integer, IntegerError, format_decimal, is_number, parse_boolean, parse_decimal, parse_integer,
    try_parse_integer, write_decimal, write_integer,
};
pub use zone::Zone;

/// Returns the text without the blanks (space, tab, CR, LF) around it.
pub fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Runs a writer on an empty buffer and returns what it wrote.
fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::with_capacity(24);
    write(&mut out);
    String::from_utf8(out).expect("the writers of this module write ASCII only")
}
