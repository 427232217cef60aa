//! Counts per minute of what went in and out, as charts of clients ask for them.

use axum::Json;
use serde_json::{Value, json};
use weir_cloud::streams::{Measure, StreamEntry, Streams};

use super::call::{Call, parse_partition};
use super::error::DisError;

/// The labels, without `_per_stream` or `_per_partition`.
const LABELS: [(&str, Measure); 4] = [
    ("total_put_records", Measure::PutRecords),
    ("total_put_bytes", Measure::PutBytes),
    ("total_get_records", Measure::GetRecords),
    ("total_get_bytes", Measure::GetBytes),
];
/// The span that is shown when none is asked for, and the longest that is kept.
const DEFAULT_SPAN_SECONDS: i64 = 3600;
const KEPT_SECONDS: i64 = 3 * 3600;

/// GET `/streams/{stream}/metrics`.
pub(super) async fn stream(call: Call) -> Result<Json<Value>, DisError> {
    let entry = call.path_stream().await?;
    answer(&call, &entry, None)
}

/// GET `/streams/{stream}/partitions/{partition}/metrics`.
pub(super) async fn partition(call: Call) -> Result<Json<Value>, DisError> {
    let entry = call.path_stream().await?;
    let partition = parse_partition(call.path("partition"))?;
    call.streams.bounds(&call.project, &entry.name, partition).await?;
    answer(&call, &entry, Some(partition))
}

fn answer(call: &Call, entry: &StreamEntry, partition: Option<u32>) -> Result<Json<Value>, DisError> {
    let now = call.now_ms.div_euclid(1000);
    let end = instant(call, "end_time", 4204)?.unwrap_or(now);
    let start = instant(call, "start_time", 4203)?.unwrap_or(end.saturating_sub(DEFAULT_SPAN_SECONDS));
    if start > end {
        return Err(DisError::new(4203, "`start_time` is after `end_time`"));
    }
    let (start, end) = (start.max(now - KEPT_SECONDS), end.min(now));
    let suffix = if partition.is_some() { "_per_partition" } else { "_per_stream" };
    let series = |label: &str| -> Result<Value, DisError> {
        let measure =
            label.strip_suffix(suffix).and_then(|name| LABELS.iter().find(|(known, _)| *known == name));
        let Some((_, measure)) = measure else {
            let known: Vec<_> = LABELS.iter().map(|(name, _)| format!("{name}{suffix}")).collect();
            return Err(DisError::new(
                4209,
                format!("`{label}` is not a label here; there are {}", known.join(", ")),
            ));
        };
        let counts = call.streams.points(entry, partition, *measure, start, end);
        // A minute in which nothing happened is a zero, not a gap.
        let points = (start.div_euclid(60)..=end.div_euclid(60)).map(|minute| {
            let count = counts.iter().find(|point| point.timestamp_seconds == minute * 60);
            json!({ "timestamp": minute * 60, "value": count.map_or(0, |point| point.value) })
        });
        Ok(json!({ "label": label, "dataPoints": points.collect::<Vec<_>>() }))
    };
    if let Some(labels) = call.query("label_list") {
        let list = labels.split(',').map(|label| series(label.trim())).collect::<Result<Vec<_>, _>>()?;
        return Ok(Json(json!({ "metrics_list": list })));
    }
    let label = call.query("label").ok_or_else(|| DisError::new(4209, "give `label` or `label_list`"))?;
    Ok(Json(json!({ "metrics": series(label)? })))
}

fn instant(call: &Call, name: &str, code: u16) -> Result<Option<i64>, DisError> {
    let Some(text) = call.query(name) else { return Ok(None) };
    let instant = text.parse().ok().filter(|seconds| (0..100_000_000_000).contains(seconds));
    instant
        .map(Some)
        .ok_or_else(|| DisError::new(code, format!("`{name}` is `{text}`; it must be seconds since 1970")))
}
