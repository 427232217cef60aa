//! Apps: the names under which consumers keep their positions, and how far they are.

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_cloud::streams::{App, PartitionStatus, Streams};

use super::call::{Call, page_after, parse_partition, partition_id};
use super::checkpoints::check_type;
use super::error::DisError;

#[derive(Deserialize)]
struct CreateBody {
    app_name: String,
}

/// POST `/apps`.
pub(super) async fn create(call: Call) -> Result<StatusCode, DisError> {
    let body: CreateBody = call.json()?;
    call.is_about("", &body.app_name);
    let app = call.streams.create_app(&call.project, &body.app_name).await?;
    call.is_about(&app.id, &app.name);
    Ok(StatusCode::CREATED)
}

/// GET `/apps`.
pub(super) async fn list(call: Call) -> Result<Json<Value>, DisError> {
    let limit = call.number("limit", 1, 100, 10)? as usize;
    let start = call.query("start_app_name");
    let streams = call.streams.app_streams(&call.project).await?;
    let mut all = call.streams.list_apps(&call.project).await?;
    if let Some(stream) = call.query("stream_name") {
        let entry = call.stream(Some(stream), None).await?;
        all.retain(|app| streams.get(&app.name).is_some_and(|names| names.contains(&entry.name)));
    }
    let total = all.len();
    let page = page_after(all, limit, |app| start.is_none_or(|start| app.name.as_str() > start));
    let apps: Vec<_> =
        page.items.iter().map(|app| shown(app, streams.get(&app.name).map_or(&[], Vec::as_slice))).collect();
    Ok(Json(json!({ "has_more_app": page.has_more, "apps": apps, "total_number": total })))
}

/// GET `/apps/{app}`.
pub(super) async fn describe(call: Call) -> Result<Json<Value>, DisError> {
    let app = call.streams.app(&call.project, call.path("app")).await?;
    let streams = call.streams.app_streams(&call.project).await?;
    Ok(Json(shown(&app, streams.get(&app.name).map_or(&[], Vec::as_slice))))
}

/// DELETE `/apps/{app}`.
pub(super) async fn delete(call: Call) -> Result<StatusCode, DisError> {
    call.streams.delete_app(&call.project, call.path("app")).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// GET `/apps/{app}/streams/{stream}`.
pub(super) async fn consuming_state(call: Call) -> Result<Json<Value>, DisError> {
    check_type(Some(call.required("checkpoint_type")?))?;
    let limit = call.number("limit", 1, 1000, 100)? as usize;
    // The page begins behind this partition. One client always sends a bare `0` and means the beginning.
    let start =
        call.query("start_partition_id").filter(|text| *text != "0").map(parse_partition).transpose()?;
    let entry = call.path_stream().await?;
    let app = call.streams.app(&call.project, call.path("app")).await?;
    let positions = call.streams.checkpoints(&call.project, &entry.name, &app.name).await?;
    let readable: Vec<_> = entry
        .partitions
        .iter()
        .map(|known| (known.id, entry.status(known, call.now_ms)))
        .filter(|(_, status)| *status != PartitionStatus::Expired)
        .collect();
    let page = page_after(readable, limit, |(id, _)| start.is_none_or(|start| *id > start));
    let mut states = Vec::with_capacity(page.items.len());
    for (partition, status) in page.items {
        let bounds = call.streams.bounds(&call.project, &entry.name, partition).await?;
        let stored = positions.get(&partition);
        states.push(json!({
            "partition_id": partition_id(partition),
            "sequence_number": stored.map_or("-1".to_string(), |checkpoint| checkpoint.sequence.to_string()),
            "latest_offset": bounds.next,
            "earliest_offset": bounds.earliest,
            "checkpoint_type": "LAST_READ",
            "status": status,
        }));
    }
    Ok(Json(json!({
        "has_more": page.has_more,
        "stream_name": entry.name,
        "app_name": app.name,
        "partition_consuming_states": states,
    })))
}

fn shown(app: &App, streams: &[String]) -> Value {
    json!({
        "app_name": app.name,
        "app_id": app.id,
        "create_time": app.created_ms,
        "commit_checkpoint_stream_names": streams,
    })
}
