//! Creating, listing, changing and deleting streams.

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_cloud::streams::{AutoScale, DataType, NewStream, StreamChange, StreamType, Tag};

use super::call::{Call, page_after, parse_partition};
use super::error::DisError;
use super::{describe, tags};

/// Formats that a stream may name for its records.
const COMPRESSION_FORMATS: [&str; 3] = ["snappy", "gzip", "zip"];

#[derive(Deserialize)]
struct CreateBody {
    stream_name: String,
    partition_count: u32,
    stream_type: Option<String>,
    data_type: Option<String>,
    data_duration: Option<u32>,
    auto_scale_enabled: Option<bool>,
    auto_scale_min_partition_count: Option<u32>,
    auto_scale_max_partition_count: Option<u32>,
    data_schema: Option<String>,
    csv_properties: Option<CsvProperties>,
    compression_format: Option<String>,
    tags: Option<Vec<Tag>>,
    sys_tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
struct CsvProperties {
    delimiter: Option<String>,
}

/// POST `/streams`.
pub(super) async fn create(call: Call) -> Result<StatusCode, DisError> {
    let body: CreateBody = call.json()?;
    call.is_about("", &body.stream_name);
    let auto_scale = AutoScale {
        enabled: body.auto_scale_enabled.unwrap_or(false),
        minimum: body.auto_scale_min_partition_count,
        maximum: body.auto_scale_max_partition_count,
    };
    check_auto_scale(auto_scale)?;
    let tags = body.tags.unwrap_or_default();
    tags::check(&tags)?;
    let format = body.compression_format.filter(|format| !format.is_empty());
    if let Some(format) = format.as_deref()
        && !COMPRESSION_FORMATS.contains(&format)
    {
        return Err(DisError::body(format!(
            "`compression_format` is `{format}`; it must be snappy, gzip or zip"
        )));
    }
    let new = NewStream {
        stream_type: parse_stream_type(body.stream_type.as_deref())?,
        data_type: parse_data_type(body.data_type.as_deref())?.unwrap_or_default(),
        data_duration_hours: body.data_duration.unwrap_or(24),
        auto_scale,
        data_schema: body.data_schema.filter(|schema| !schema.is_empty()),
        csv_delimiter: body.csv_properties.and_then(|properties| properties.delimiter),
        compression_format: format,
        tags,
        sys_tags: body.sys_tags.unwrap_or_default(),
        ..NewStream::new(&body.stream_name, body.partition_count)
    };
    check_schema(new.data_type, new.data_schema.as_deref())?;
    let entry = call.streams.create_stream(&call.project, new).await?;
    call.is_about(&entry.id, &entry.name);
    Ok(StatusCode::CREATED)
}

/// GET `/streams`.
pub(super) async fn list(call: Call) -> Result<Json<Value>, DisError> {
    let limit = call.number("limit", 1, 100, 10)? as usize;
    let start = call.query("start_stream_name");
    let all = call.streams.list_streams(&call.project).await?;
    let total = all.len();
    let page = page_after(all, limit, |entry| start.is_none_or(|start| entry.name.as_str() > start));
    let names: Vec<_> = page.items.iter().map(|entry| entry.name.clone()).collect();
    let infos: Vec<_> = page.items.iter().map(|entry| describe::summary(entry)).collect();
    Ok(Json(json!({
        "total_number": total,
        "stream_names": names,
        "has_more_streams": page.has_more,
        "stream_info_list": infos,
    })))
}

/// GET `/streams/{name}`.
pub(super) async fn describe(call: Call) -> Result<Json<Value>, DisError> {
    let limit = call.number("limit_partitions", 1, 1000, 100)? as usize;
    let start = call.query("start_partitionId").map(parse_partition).transpose()?;
    let entry = call.path_stream().await?;
    let page =
        page_after(entry.partitions.clone(), limit, |known| start.is_none_or(|start| known.id > start));
    Ok(Json(describe::whole(&call, &entry, page).await?))
}

#[derive(Deserialize)]
struct ResizeBody {
    stream_name: Option<String>,
    target_partition_count: u32,
}

/// PUT `/streams/{name}`.
pub(super) async fn resize(call: Call) -> Result<StatusCode, DisError> {
    let body: ResizeBody = call.json()?;
    let entry = call.path_stream().await?;
    check_same_name(body.stream_name.as_deref(), &entry.name)?;
    call.streams.resize_stream(&call.project, &entry.name, body.target_partition_count).await?;
    Ok(StatusCode::OK)
}

#[derive(Deserialize)]
struct UpdateBody {
    stream_name: Option<String>,
    data_duration: Option<u32>,
    data_type: Option<String>,
    data_schema: Option<String>,
    auto_scale_enabled: Option<bool>,
    auto_scale_min_partition_count: Option<u32>,
    auto_scale_max_partition_count: Option<u32>,
}

/// PUT `/v3/{project_id}/streams/{name}`.
pub(super) async fn update(call: Call) -> Result<StatusCode, DisError> {
    let body: UpdateBody = call.json()?;
    let entry = call.path_stream().await?;
    check_same_name(body.stream_name.as_deref(), &entry.name)?;
    let auto_scale = AutoScale {
        enabled: body.auto_scale_enabled.unwrap_or(entry.auto_scale.enabled),
        minimum: body.auto_scale_min_partition_count.or(entry.auto_scale.minimum),
        maximum: body.auto_scale_max_partition_count.or(entry.auto_scale.maximum),
    };
    check_auto_scale(auto_scale)?;
    let change = StreamChange {
        data_duration_hours: body.data_duration,
        data_type: parse_data_type(body.data_type.as_deref())?,
        data_schema: body.data_schema,
        auto_scale_enabled: body.auto_scale_enabled,
        auto_scale_minimum: body.auto_scale_min_partition_count,
        auto_scale_maximum: body.auto_scale_max_partition_count,
    };
    check_schema(change.data_type.unwrap_or(entry.data_type), change.data_schema.as_deref())?;
    call.streams.change_stream(&call.project, &entry.name, change).await?;
    Ok(StatusCode::OK)
}

/// DELETE `/streams/{name}`.
pub(super) async fn delete(call: Call) -> Result<StatusCode, DisError> {
    let entry = call.path_stream().await?;
    call.streams.delete_stream(&call.project, &entry.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_same_name(body: Option<&str>, path: &str) -> Result<(), DisError> {
    match body {
        Some(name) if !name.is_empty() && name != path => {
            Err(DisError::body(format!("the path names stream `{path}`, the body `{name}`")))
        }
        _ => Ok(()),
    }
}

fn check_auto_scale(auto_scale: AutoScale) -> Result<(), DisError> {
    match (auto_scale.minimum, auto_scale.maximum) {
        (Some(least), Some(most)) if least > most => {
            Err(DisError::body("`auto_scale_min_partition_count` is above `auto_scale_max_partition_count`"))
        }
        (Some(0), _) | (_, Some(0)) => Err(DisError::body("counts of partitions for scaling begin at 1")),
        _ => Ok(()),
    }
}

/// The schema is for the readers of the stream; here it only has to be what its format says.
fn check_schema(data_type: DataType, schema: Option<&str>) -> Result<(), DisError> {
    let Some(schema) = schema.filter(|schema| !schema.is_empty()) else { return Ok(()) };
    if data_type == DataType::Blob {
        return Err(DisError::new(4360, "a stream of type BLOB has no `data_schema`"));
    }
    let parsed: Result<Value, _> = serde_json::from_str(schema);
    parsed.map(|_| ()).map_err(|error| DisError::new(4360, format!("`data_schema` is not JSON: {error}")))
}

fn parse_stream_type(text: Option<&str>) -> Result<StreamType, DisError> {
    match text.unwrap_or_default() {
        "" | "COMMON" => Ok(StreamType::Common),
        "ADVANCED" => Ok(StreamType::Advanced),
        other => Err(DisError::body(format!("`stream_type` is `{other}`; it must be COMMON or ADVANCED"))),
    }
}

fn parse_data_type(text: Option<&str>) -> Result<Option<DataType>, DisError> {
    match text.unwrap_or_default() {
        "" => Ok(None),
        "BLOB" => Ok(Some(DataType::Blob)),
        "JSON" => Ok(Some(DataType::Json)),
        "CSV" => Ok(Some(DataType::Csv)),
        other => Err(DisError::body(format!("`data_type` is `{other}`; it must be BLOB, JSON or CSV"))),
    }
}
