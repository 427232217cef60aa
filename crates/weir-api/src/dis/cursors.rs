//! Cursors: where to read, as text that clients hand back unchanged.
//!
//! A cursor is base64 of a small JSON object with the position and the time it was made; nothing is kept on
//! the server. It is valid for five minutes.

use axum::Json;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weir_cloud::streams::{Bounds, StreamEntry, Streams};

use super::call::{Call, parse_sequence};
use super::error::DisError;

/// How long a cursor is valid.
const CURSOR_LIFE_MS: i64 = 5 * 60 * 1000;
/// The longest text that can be one.
const MAX_CURSOR_CHARACTERS: usize = 512;

/// A position in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    #[serde(rename = "name")]
    pub(super) stream: String,
    #[serde(rename = "id")]
    pub(super) stream_id: String,
    #[serde(rename = "part")]
    pub(super) partition: u32,
    #[serde(rename = "seq")]
    pub(super) position: u64,
    #[serde(rename = "time")]
    made_ms: i64,
}

impl Cursor {
    /// Makes a cursor, valid from now on.
    pub(super) fn new(entry: &StreamEntry, partition: u32, position: u64, now_ms: i64) -> Self {
        let (stream, stream_id) = (entry.name.clone(), entry.id.clone());
        Self { stream, stream_id, partition, position, made_ms: now_ms }
    }

    /// Writes it as clients see it.
    pub(super) fn encode(&self) -> String {
        let text = json!(self).to_string();
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads one that a client hands back.
    pub(super) fn decode(text: &str, now_ms: i64) -> Result<Self, DisError> {
        let wrong = || DisError::new(4217, "the partition cursor is not one that this service gave out");
        if text.len() > MAX_CURSOR_CHARACTERS {
            return Err(wrong());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| wrong())?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
        if now_ms.saturating_sub(cursor.made_ms) > CURSOR_LIFE_MS {
            return Err(DisError::new(4225, "the partition cursor is expired; get a new one"));
        }
        Ok(cursor)
    }
}

/// GET `/cursors`.
pub(super) async fn get(call: Call) -> Result<Json<Value>, DisError> {
    let entry = call.stream(call.query("stream-name"), call.query("stream-id")).await?;
    let partition = call.partition("partition-id")?;
    let bounds = call.streams.bounds(&call.project, &entry.name, partition).await?;
    let position = match call.query("cursor-type").unwrap_or("AT_SEQUENCE_NUMBER") {
        "AT_SEQUENCE_NUMBER" => within(bounds, sequence(&call)?)?,
        "AFTER_SEQUENCE_NUMBER" => within(bounds, sequence(&call)?.saturating_add(1))?,
        "TRIM_HORIZON" => bounds.earliest,
        "LATEST" => bounds.next,
        "AT_TIMESTAMP" => at_timestamp(&call, &entry, partition).await?,
        other => {
            let types = "AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, LATEST or AT_TIMESTAMP";
            return Err(DisError::new(4215, format!("`cursor-type` is `{other}`; it must be {types}")));
        }
    };
    let cursor = Cursor::new(&entry, partition, position, call.now_ms);
    Ok(Json(json!({ "partition_cursor": cursor.encode() })))
}

fn sequence(call: &Call) -> Result<u64, DisError> {
    let name = "starting-sequence-number";
    let text = call
        .query(name)
        .ok_or_else(|| DisError::new(4216, format!("query parameter `{name}` is missing")))?;
    parse_sequence(text)
}

/// The next number is allowed: a reader that has everything waits there.
fn within(bounds: Bounds, position: u64) -> Result<u64, DisError> {
    if (bounds.earliest..=bounds.next).contains(&position) {
        return Ok(position);
    }
    let Bounds { earliest, next } = bounds;
    Err(DisError::new(
        4224,
        format!("Sequence_number out of range: {position} is not from {earliest} to {next}"),
    ))
}

async fn at_timestamp(call: &Call, entry: &StreamEntry, partition: u32) -> Result<u64, DisError> {
    let text = call.required("timestamp")?;
    let timestamp: i64 = text
        .parse()
        .map_err(|_| DisError::query(format!("`timestamp` is `{text}`; it must be milliseconds")))?;
    if timestamp < call.now_ms.saturating_sub(entry.retention_ms()) {
        // Clients look for this text and begin at the oldest record then.
        return Err(DisError::body(
            "timestamp is expired: it is longer ago than the stream keeps its records",
        ));
    }
    Ok(call.streams.position_at(&call.project, &entry.name, partition, timestamp).await?)
}
