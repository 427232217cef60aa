//! Blob: the bytes of a record as they are, in the one column of the stream.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

use crate::column::{Values, offset};
use crate::decode::{Decoder, Dirty};
use crate::options::{FormatError, type_name};
use crate::rows::Rows;
use crate::scalar::Mismatch;

pub(crate) struct BlobDecoder {
    rows: Rows,
}

impl BlobDecoder {
    pub fn new(schema: SchemaRef) -> Result<Self, FormatError> {
        let hint = "expected exactly one column, of type ARRAY[TINYINT]";
        if let Some(second) = schema.fields().get(1) {
            return Err(
                FormatError::column(second.name(), "a blob has no place for a second column").hint(hint)
            );
        }
        for field in schema.fields() {
            let holds_bytes =
                matches!(field.data_type(), DataType::List(item) if *item.data_type() == DataType::Int8);
            if !holds_bytes {
                let message = match field.data_type() {
                    DataType::List(item) => {
                        format!("ARRAY of {} cannot be read from blob", type_name(item.data_type()))
                    }
                    other => format!("{} cannot be read from blob", type_name(other)),
                };
                return Err(FormatError::column(field.name(), message).hint(hint));
            }
        }
        Ok(Self { rows: Rows::new(schema)? })
    }

    fn read(&mut self, record: &[u8]) -> Result<(), String> {
        let Some(column) = self.rows.columns.first_mut() else { return Ok(()) };
        let Values::List { offsets, items, .. } = &mut column.values else { return Ok(()) };
        let Ok(end) = offset(items.len() + record.len()) else {
            return Err(Mismatch::TooLarge.reason(record, &column.values));
        };
        if let Values::Int8(bytes) = &mut items.values {
            bytes.extend(record.iter().map(|byte| byte.cast_signed()));
            items.nulls.append_n_non_nulls(record.len());
        }
        offsets.push(end);
        column.nulls.append_non_null();
        Ok(())
    }
}

impl Decoder for BlobDecoder {
    fn push(&mut self, record: &[u8]) -> Result<(), Dirty> {
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
