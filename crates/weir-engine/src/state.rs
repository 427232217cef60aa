//! The form of operator state in checkpoints: a small JSON header, then tables of Arrow IPC batches, each part with
//! its length before it.

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
    encode_tables(header, &[batches])
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode<H: DeserializeOwned>(bytes: &[u8]) -> Result<(H, Vec<RecordBatch>), OperatorError> {
    let (header, mut tables) = decode_tables(bytes)?;
    Ok((header, tables.pop().unwrap_or_default()))
}

/// Writes a header and tables, each of batches of one schema.
pub(crate) fn encode_tables<H: Serialize>(
    header: &H,
    tables: &[&[RecordBatch]],
) -> Result<Vec<u8>, OperatorError> {
    let header = serde_json::to_vec(header).map_err(|e| OperatorError::State(e.to_string()))?;
    let mut bytes = Vec::new();
    put_part(&mut bytes, &header);
    for batches in tables {
        let mut table = Vec::new();
        if let Some(first) = batches.first() {
            let mut writer = StreamWriter::try_new(&mut table, &first.schema())?;
            for batch in *batches {
                writer.write(batch)?;
            }
            writer.finish()?;
        }
        put_part(&mut bytes, &table);
    }
    Ok(bytes)
}

/// Reads what [`encode_tables`] wrote.
pub(crate) fn decode_tables<H: DeserializeOwned>(
    bytes: &[u8],
) -> Result<(H, Vec<Vec<RecordBatch>>), OperatorError> {
    let (header, mut rest) = take_part(bytes)?;
    let header = serde_json::from_slice(header).map_err(|e| OperatorError::State(e.to_string()))?;
    let mut tables = Vec::new();
    while !rest.is_empty() {
        let (table, others) = take_part(rest)?;
        rest = others;
        tables.push(match table.is_empty() {
            true => Vec::new(),
            false => StreamReader::try_new(Cursor::new(table), None)?.collect::<Result<_, _>>()?,
        });
    }
    Ok((header, tables))
}

fn put_part(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    bytes.extend_from_slice(part);
}

fn take_part(bytes: &[u8]) -> Result<(&[u8], &[u8]), OperatorError> {
    let short = || OperatorError::State("the state file is cut short".to_string());
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
    rest.split_at_checked(length).ok_or_else(short)
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
