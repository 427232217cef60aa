//! Putting records in and getting them out.

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_cloud::streams::{
    NewRecord, Placement, ReadRecords, Stored, StoredRecord, StreamEntry, StreamType, Streams, placement,
};

use super::call::{Call, TextOrNumber, parse_partition, partition_id};
use super::cursors::Cursor;
use super::error::DisError;
use super::protobuf;

/// The largest record.
const MAX_RECORD_BYTES: usize = 1 << 20;
/// All records of one put, by type of stream; keys do not count.
const MAX_PUT_BYTES_COMMON: usize = 1 << 20;
const MAX_PUT_BYTES_ADVANCED: usize = 5 << 20;
/// Bytes of records in one answer, when the reader names no number, and the most there are.
const DEFAULT_FETCH_BYTES: u64 = 1 << 20;
const MAX_FETCH_BYTES: u64 = 10 << 20;
/// Records in one answer, when the reader names no number, and the most there are.
const DEFAULT_FETCH_RECORDS: u64 = 1000;
const MAX_FETCH_RECORDS: u64 = 10_000;

/// A record as sent, from either form of body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PutEntry {
    pub(super) data: Bytes,
    pub(super) partition_id: Option<String>,
    pub(super) explicit_hash_key: Option<String>,
    pub(super) partition_key: Option<String>,
}

/// A put as sent, from either form of body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PutRequest {
    pub(super) stream_name: Option<String>,
    pub(super) stream_id: Option<String>,
    pub(super) records: Vec<PutEntry>,
}

/// What became of one record.
#[derive(Debug, Serialize)]
pub(super) struct PutResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) partition_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sequence_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_message: Option<String>,
}

/// What became of a put.
#[derive(Debug, Serialize)]
pub(super) struct PutAnswer {
    pub(super) failed_record_count: usize,
    pub(super) records: Vec<PutResult>,
}

#[derive(Deserialize)]
struct JsonPut {
    stream_name: Option<String>,
    stream_id: Option<String>,
    records: Vec<JsonEntry>,
}

/// A record's own `timestamp` is not read: records carry the time at which they are stored, so
/// that positions by time are in order.
#[derive(Deserialize)]
struct JsonEntry {
    data: String,
    partition_id: Option<TextOrNumber>,
    explicit_hash_key: Option<TextOrNumber>,
    partition_key: Option<String>,
}

/// POST `/records`.
pub(super) async fn put(call: Call) -> Result<Response, DisError> {
    let is_protobuf = protobuf::is_type(&call.content_type);
    let request = if is_protobuf { protobuf::parse_put(&call.body)? } else { parse_json_put(&call)? };
    if request.records.is_empty() {
        return Err(DisError::new(4202, "`records` is empty"));
    }
    let name = request.stream_name.as_deref().filter(|name| !name.is_empty());
    // The name wins when both are given.
    let id = request.stream_id.as_deref().filter(|_| name.is_none());
    let entry = call.stream(name, id).await?;
    check_total(&entry, &request.records)?;
    let answer = store(&call, &entry, request.records).await?;
    if !is_protobuf {
        return Ok(Json(answer).into_response());
    }
    Ok(([(CONTENT_TYPE, protobuf::TYPE)], protobuf::write_put_answer(&answer)).into_response())
}

/// GET `/records`.
pub(super) async fn get(call: Call) -> Result<Response, DisError> {
    let cursor = Cursor::decode(call.required("partition-cursor")?, call.now_ms)?;
    let given_bytes = call.query("max_fetch_bytes").is_some();
    let bytes = call.number("max_fetch_bytes", 1, i64::MAX as u64, DEFAULT_FETCH_BYTES)?.min(MAX_FETCH_BYTES)
        as usize;
    let default_records = if given_bytes { MAX_FETCH_RECORDS } else { DEFAULT_FETCH_RECORDS };
    let records = call.number("limit", 1, MAX_FETCH_RECORDS, default_records)? as usize;
    let entry = call.stream(Some(&cursor.stream), None).await?;
    if entry.id != cursor.stream_id {
        return Err(DisError::new(
            4217,
            format!("stream `{}` was created anew since the cursor was made", entry.name),
        ));
    }
    let mut read = call
        .streams
        .read(&call.project, &entry.name, cursor.partition, cursor.position, records, bytes)
        .await?;
    if read.records.first().map_or(read.next, |first| first.sequence) > cursor.position {
        return Err(DisError::new(4226, "the record behind the cursor is expired; get a new cursor"));
    }
    if read.records.first().is_some_and(|first| first.data.len() > bytes) {
        // The reader asked for less than the next record holds, and gets nothing until it asks for more.
        read = ReadRecords { records: Vec::new(), next: cursor.position };
    }
    let next = Cursor::new(&entry, cursor.partition, read.next, call.now_ms).encode();
    if protobuf::is_type(&call.content_type) {
        return Ok(([(CONTENT_TYPE, protobuf::TYPE)], protobuf::write_get_answer(&read.records, &next))
            .into_response());
    }
    let answer = GetAnswer { records: read.records.iter().map(shown).collect(), next_partition_cursor: next };
    Ok(Json(answer).into_response())
}

#[derive(Serialize)]
struct GetAnswer<'a> {
    records: Vec<GetRecord<'a>>,
    next_partition_cursor: String,
}

#[derive(Serialize)]
struct GetRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    partition_key: Option<&'a str>,
    sequence_number: String,
    data: String,
    timestamp: i64,
    timestamp_type: &'static str,
}

fn shown(record: &StoredRecord) -> GetRecord<'_> {
    GetRecord {
        partition_key: record.partition_key.as_deref(),
        sequence_number: record.sequence.to_string(),
        data: STANDARD.encode(&record.data),
        timestamp: record.timestamp_ms,
        timestamp_type: "CreateTime",
    }
}

fn parse_json_put(call: &Call) -> Result<PutRequest, DisError> {
    let body: JsonPut = call.json()?;
    let mut records = Vec::with_capacity(body.records.len());
    for (index, entry) in body.records.into_iter().enumerate() {
        let data = STANDARD
            .decode(&entry.data)
            .map_err(|error| DisError::body(format!("`data` of record {index} is not base64: {error}")))?;
        records.push(PutEntry {
            data: Bytes::from(data),
            partition_id: entry.partition_id.map(TextOrNumber::into_text),
            explicit_hash_key: entry.explicit_hash_key.map(TextOrNumber::into_text),
            partition_key: entry.partition_key,
        });
    }
    Ok(PutRequest { stream_name: body.stream_name, stream_id: body.stream_id, records })
}

fn check_total(entry: &StreamEntry, records: &[PutEntry]) -> Result<(), DisError> {
    let total: usize = records.iter().map(|record| record.data.len()).sum();
    let (most, kind) = match entry.stream_type {
        StreamType::Common => (MAX_PUT_BYTES_COMMON, "COMMON"),
        StreamType::Advanced => (MAX_PUT_BYTES_ADVANCED, "ADVANCED"),
    };
    if total > most {
        let text =
            format!("the records of one put have {total} bytes; a {kind} stream takes up to {most} at once");
        return Err(DisError::too_large(text));
    }
    Ok(())
}

async fn store(call: &Call, entry: &StreamEntry, sent: Vec<PutEntry>) -> Result<PutAnswer, DisError> {
    let mut results: Vec<Option<PutResult>> = Vec::with_capacity(sent.len());
    let mut accepted = Vec::with_capacity(sent.len());
    for record in sent {
        match place(record) {
            Ok(record) => {
                accepted.push(record);
                results.push(None);
            }
            Err(error) => results.push(Some(failed(&error))),
        }
    }
    let mut stored = call.streams.put(&call.project, &entry.name, accepted).await?.into_iter();
    let records: Vec<_> = results
        .into_iter()
        .map(|refused| match refused {
            Some(refused) => refused,
            None => match stored.next() {
                Some(Ok(place)) => succeeded(place),
                Some(Err(error)) => failed(&DisError::from(error)),
                None => failed(&DisError::new(5000, "the stream store gave no answer for this record")),
            },
        })
        .collect();
    let failed_record_count = records.iter().filter(|record| record.error_code.is_some()).count();
    Ok(PutAnswer { failed_record_count, records })
}

fn place(record: PutEntry) -> Result<NewRecord, DisError> {
    if record.data.len() > MAX_RECORD_BYTES {
        let text = format!("the record has {} bytes; the most is {MAX_RECORD_BYTES}", record.data.len());
        return Err(DisError::body(text));
    }
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let key = given(record.partition_key);
    let placement = match (given(record.partition_id), given(record.explicit_hash_key), key) {
        (Some(partition), _, _) => Placement::Partition(parse_partition(&partition)?),
        (None, Some(hash), None) => Placement::HashKey(parse_hash(&hash)?),
        (None, Some(hash), Some(key)) => Placement::HashKeyAndKey { hash: parse_hash(&hash)?, key },
        (None, None, Some(key)) => Placement::Key(key),
        (None, None, None) => Placement::Any,
    };
    Ok(NewRecord { placement, data: record.data })
}

fn parse_hash(text: &str) -> Result<u64, DisError> {
    let hash = text.parse().ok().filter(|hash| *hash <= placement::MAX_HASH);
    hash.ok_or_else(|| {
        DisError::body(format!("`explicit_hash_key` is `{text}`; it must be 0 to {}", placement::MAX_HASH))
    })
}

fn succeeded(stored: Stored) -> PutResult {
    PutResult {
        partition_id: Some(partition_id(stored.partition)),
        sequence_number: Some(stored.sequence.to_string()),
        error_code: None,
        error_message: None,
    }
}

fn failed(error: &DisError) -> PutResult {
    PutResult {
        partition_id: None,
        sequence_number: None,
        error_code: Some(error.full_code()),
        error_message: Some(error.message.clone()),
    }
}
