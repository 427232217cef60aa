//! XML, one document per record.
//!
//! `plan` says which elements are wanted, `read` walks a document and puts their texts into columns, and
//! `grammar` checks what the parser beneath takes on trust. Entities are never expanded, apart from the
//! five that XML defines, so a document cannot grow while it is read.

mod grammar;
mod plan;
mod read;

pub(crate) use read::XmlDecoder;
