//! Checkpoints: how far an app has read a partition.

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_cloud::streams::{Checkpoint, Streams};

use super::call::{Call, TextOrNumber, parse_partition, parse_sequence};
use super::error::DisError;

/// The longest text of an app's own.
const MAX_METADATA_CHARACTERS: usize = 1000;

#[derive(Deserialize)]
struct CommitBody {
    app_name: String,
    checkpoint_type: String,
    stream_name: Option<String>,
    stream_id: Option<String>,
    partition_id: TextOrNumber,
    sequence_number: TextOrNumber,
    metadata: Option<String>,
}

/// POST `/checkpoints`.
pub(super) async fn commit(call: Call) -> Result<StatusCode, DisError> {
    let body: CommitBody = call.json()?;
    check_type(Some(&body.checkpoint_type))?;
    let metadata = body.metadata.unwrap_or_default();
    if metadata.chars().count() > MAX_METADATA_CHARACTERS {
        return Err(DisError::body(format!(
            "`metadata` is longer than {MAX_METADATA_CHARACTERS} characters"
        )));
    }
    let sequence = parse_sequence(&body.sequence_number.into_text())?;
    let entry = call.stream(body.stream_name.as_deref(), body.stream_id.as_deref()).await?;
    let partition = parse_partition(&body.partition_id.into_text())?;
    let bounds = call.streams.bounds(&call.project, &entry.name, partition).await?;
    if sequence > bounds.next {
        let text = format!("Sequence_number out of range: {sequence} is above {}", bounds.next);
        return Err(DisError::new(4224, text));
    }
    let checkpoint = Checkpoint { sequence, metadata };
    call.streams.store_checkpoint(&call.project, &entry.name, &body.app_name, partition, checkpoint).await?;
    Ok(StatusCode::CREATED)
}

/// GET `/checkpoints`.
pub(super) async fn get(call: Call) -> Result<Json<Value>, DisError> {
    check_type(call.query("checkpoint_type"))?;
    let entry = call.stream(call.query("stream_name"), call.query("stream_id")).await?;
    let partition = call.partition("partition_id")?;
    let app = call.required("app_name")?;
    let all = call.streams.checkpoints(&call.project, &entry.name, app).await?;
    call.streams.bounds(&call.project, &entry.name, partition).await?;
    let Some(checkpoint) = all.get(&partition) else {
        let text =
            format!("app `{app}` has no checkpoint in partition {partition} of stream `{}`", entry.name);
        return Err(DisError::new(4375, text));
    };
    Ok(Json(json!({
        "sequence_number": checkpoint.sequence.to_string(),
        "metadata": checkpoint.metadata,
    })))
}

/// DELETE `/checkpoints`.
pub(super) async fn delete(call: Call) -> Result<StatusCode, DisError> {
    check_type(call.query("checkpoint_type"))?;
    let entry = call.stream(call.query("stream_name"), call.query("stream_id")).await?;
    let app = call.required("app_name")?;
    let partition = call.query("partition_id").map(parse_partition).transpose()?;
    call.streams.delete_checkpoints(&call.project, &entry.name, app, partition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Checks the type of checkpoint; there is one, which is also the default.
pub(super) fn check_type(text: Option<&str>) -> Result<(), DisError> {
    match text {
        None | Some("LAST_READ") => Ok(()),
        Some(other) => Err(DisError::query(format!("`checkpoint_type` is `{other}`; it must be LAST_READ"))),
    }
}
