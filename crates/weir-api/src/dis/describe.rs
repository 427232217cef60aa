//! A stream as answers show it.

use serde_json::{Map, Value, json};
use weir_cloud::streams::{PartitionEntry, PartitionStatus, StreamEntry, Streams, StreamsError};

use super::call::{Call, Page, partition_id};
use super::error::DisError;

/// Returns a stream as an item of a list.
pub(super) fn summary(entry: &StreamEntry) -> Value {
    let mut members = common(entry);
    members.insert("partition_count".into(), json!(entry.active_count()));
    Value::Object(members)
}

/// Returns a stream with a page of its partitions.
pub(super) async fn whole(
    call: &Call,
    entry: &StreamEntry,
    page: Page<PartitionEntry>,
) -> Result<Value, DisError> {
    let readable =
        entry.partitions.iter().filter(|known| entry.status(known, call.now_ms) != PartitionStatus::Expired);
    let mut members = common(entry);
    let more = json!({
        "last_modified_time": entry.modified_ms,
        "writable_partition_count": entry.active_count(),
        "readable_partition_count": readable.count(),
        "update_partition_counts": scalings(entry),
        "has_more_partitions": page.has_more,
    });
    if let Value::Object(more) = more {
        members.extend(more);
    }
    insert_given(&mut members, "data_schema", entry.data_schema.as_deref());
    insert_given(&mut members, "compression_format", entry.compression_format.as_deref());
    if let Some(delimiter) = &entry.csv_delimiter {
        members.insert("csv_properties".into(), json!({ "delimiter": delimiter }));
    }
    let mut partitions = Vec::with_capacity(page.items.len());
    for known in &page.items {
        partitions.push(partition(call, entry, known).await?);
    }
    members.insert("partitions".into(), Value::Array(partitions));
    Ok(Value::Object(members))
}

fn common(entry: &StreamEntry) -> Map<String, Value> {
    let members = json!({
        "stream_id": entry.id,
        "stream_name": entry.name,
        "create_time": entry.created_ms,
        "retention_period": entry.data_duration_hours,
        "status": "RUNNING",
        "stream_type": entry.stream_type,
        "data_type": entry.data_type,
        "tags": entry.tags,
        "sys_tags": entry.sys_tags,
        "auto_scale_enabled": entry.auto_scale.enabled,
    });
    let Value::Object(mut members) = members else { return Map::new() };
    let bounds = [
        ("auto_scale_min_partition_count", entry.auto_scale.minimum),
        ("auto_scale_max_partition_count", entry.auto_scale.maximum),
    ];
    for (name, count) in bounds {
        if let Some(count) = count {
            members.insert(name.into(), json!(count));
        }
    }
    members
}

fn insert_given(members: &mut Map<String, Value>, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        members.insert(name.into(), json!(text));
    }
}

fn scalings(entry: &StreamEntry) -> Vec<Value> {
    let shown = entry.scalings.iter().map(|scaling| {
        json!({
            "create_timestamp": scaling.at_ms,
            "src_partition_count": scaling.from,
            "target_partition_count": scaling.to,
            "result_code": 0,
            "auto_scale": false,
        })
    });
    shown.collect()
}

async fn partition(call: &Call, entry: &StreamEntry, known: &PartitionEntry) -> Result<Value, DisError> {
    let status = entry.status(known, call.now_ms);
    let (earliest, next) = match call.streams.bounds(&call.project, &entry.name, known.id).await {
        Ok(bounds) => (bounds.earliest, bounds.next),
        // Expired: nothing can be read.
        Err(StreamsError::NoPartition { .. }) => (0, 0),
        Err(error) => return Err(error.into()),
    };
    // A partition that takes no records has no share of the hashes.
    let hashes =
        entry.hash_range(known.id).map_or(String::new(), |(first, last)| format!("[{first} : {last}]"));
    Ok(json!({
        "partition_id": partition_id(known.id),
        "status": status,
        "hash_range": hashes,
        "sequence_number_range": format!("[{earliest} : {next}]"),
        "parent_partitions": "",
    }))
}
