//! Delimited text.

mod read;
mod write;

pub(crate) use read::CsvDecoder;
pub(crate) use write::CsvEncoder;
