//! The form of operator state in checkpoints: a small JSON header, then Arrow IPC batches.

use std::io::Cursor;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::operator::OperatorError;

/// Writes a header and batches of one schema.
pub(crate) fn encode<H: Serialize>(header: &H, batches: &[RecordBatch]) -> Result<Vec<u8>, OperatorError> {
    let header = serde_json::to_vec(header).map_err(|e| OperatorError::State(e.to_string()))?;
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&header);
    if let Some(first) = batches.first() {
        let mut writer = StreamWriter::try_new(&mut bytes, &first.schema())?;
        for batch in batches {
            writer.write(batch)?;
        }
        writer.finish()?;
    }
    Ok(bytes)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode<H: DeserializeOwned>(bytes: &[u8]) -> Result<(H, Vec<RecordBatch>), OperatorError> {
    let short = || OperatorError::State("the state file is cut short".to_string());
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    let length = u32::from_le_bytes(*length) as usize;
    let header = rest.get(..length).ok_or_else(short)?;
    let header = serde_json::from_slice(header).map_err(|e| OperatorError::State(e.to_string()))?;
    let rest = &rest[length..];
    if rest.is_empty() {
        return Ok((header, Vec::new()));
    }
    let batches = StreamReader::try_new(Cursor::new(rest), None)?.collect::<Result<_, _>>()?;
    Ok((header, batches))
}

/// Appends a column.
pub(crate) fn with_column(
    batch: &RecordBatch,
    name: &str,
    column: ArrayRef,
) -> Result<RecordBatch, OperatorError> {
    let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
    fields.push(Field::new(name, column.data_type().clone(), true).into());
    let mut columns = batch.columns().to_vec();
    columns.push(column);
    Ok(RecordBatch::try_new(Schema::new(fields).into(), columns)?)
}

/// Drops the last column and checks that the rest has the schema expected.
pub(crate) fn without_last_column(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch, OperatorError> {
    let columns = batch.columns()[..batch.num_columns() - 1].to_vec();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|e| OperatorError::State(format!("the saved state has other columns than the job: {e}")))
}

/// Keeps the rows that a predicate on their index accepts.
pub(crate) fn keep_rows(
    batch: &RecordBatch,
    keep: impl Fn(usize) -> bool,
) -> Result<RecordBatch, OperatorError> {
    let mask: BooleanArray = (0..batch.num_rows()).map(|row| Some(keep(row))).collect();
    Ok(filter_record_batch(batch, &mask)?)
}
