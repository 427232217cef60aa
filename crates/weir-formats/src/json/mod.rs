//! JSON, one object per record.
//!
//! Reading is driven by the declared columns: `paths` says where they are, `members` walks an object
//! expecting its keys in the order of the last record, `values` and `entries` put what is found into
//! columns, and `cursor`, `scan` and `escapes` know JSON's grammar.

mod cursor;
mod entries;
mod escapes;
mod members;
mod paths;
mod plan;
mod problem;
mod read;
mod scan;
mod values;
mod write;

pub(crate) use read::JsonDecoder;
pub(crate) use write::JsonEncoder;
