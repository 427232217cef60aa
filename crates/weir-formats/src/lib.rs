//! Bytes to Arrow and back, dirty records counted, one file per encoding.
//!
//! [`decoder`] turns records into [`arrow::array::RecordBatch`]es of the declared columns, [`encoder`]
//! turns batches into records. Both know neither connectors nor the SQL text; what belongs to a whole
//! object or message stays with the connector: compression, header lines, offsets.

mod blob;
mod cells;
mod column;
mod column_paths;
mod csv;
mod decode;
mod email;
mod encode;
mod json;
mod json_schema;
mod options;
mod records;
mod rows;
mod scalar;
mod text_list;
mod text_rows;
mod xml;

pub use decode::{Decoder, Dirty, decoder};
pub use encode::{EncodedRecords, Encoder, encoder};
pub use json_schema::columns_of_json_schema;
pub use options::{Encode, FORMAT_OPTIONS, FormatError, FormatOptions, Subject};
pub use records::without_carriage_return;
pub use text_rows::TextRows;
