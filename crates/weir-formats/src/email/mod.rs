//! E-mail, one message per record.
//!
//! `keys` says what fills each column, `message` takes a message apart, `read` puts the pieces into
//! columns. Texts are taken as they stand: neither transfer encodings nor encoded words are undone.

mod keys;
mod message;
mod read;

pub(crate) use read::EmailDecoder;
