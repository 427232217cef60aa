//! What a stream may be and how it may change. Pure: values in, values out.

use super::catalog::{PartitionEntry, StreamEntry, is_plain_name};
use super::{NewStream, Scaling, StreamChange, StreamsError};

/// The most partitions of a stream: what one page of its description can hold.
const MAX_PARTITIONS: u32 = 1000;
/// Changes of the number of partitions that are remembered.
const KEPT_SCALINGS: usize = 100;
/// Hours for which a stream may keep its records.
const DATA_DURATION_HOURS: std::ops::RangeInclusive<u32> = 24..=72;

/// Checks the attributes of a new stream.
pub(super) fn check_new(new: &NewStream) -> Result<(), StreamsError> {
    if !is_plain_name(&new.name, 64) {
        let text = format!("`{}` is not a name of a stream: 1 to 64 letters, digits, `_` and `-`", new.name);
        return Err(StreamsError::Invalid(text));
    }
    check_partition_count(new.partition_count)?;
    check_duration(new.data_duration_hours)
}

fn check_partition_count(count: u32) -> Result<(), StreamsError> {
    if (1..=MAX_PARTITIONS).contains(&count) {
        return Ok(());
    }
    Err(StreamsError::Invalid(format!("{count} partitions are out of range: 1 to {MAX_PARTITIONS}")))
}

fn check_duration(hours: u32) -> Result<(), StreamsError> {
    if DATA_DURATION_HOURS.contains(&hours) {
        return Ok(());
    }
    let (least, most) = (DATA_DURATION_HOURS.start(), DATA_DURATION_HOURS.end());
    Err(StreamsError::Invalid(format!("a data duration of {hours} hours is out of range: {least} to {most}")))
}

/// Changes the number of partitions that can be written.
pub(super) fn resize(entry: &mut StreamEntry, target: u32, now: i64) -> Result<(), StreamsError> {
    check_partition_count(target)?;
    let from = entry.active_count();
    if from == target {
        return Err(StreamsError::Invalid(format!(
            "stream `{}` has {target} partitions already",
            entry.name
        )));
    }
    for partition in &mut entry.partitions {
        partition.deleted_ms = (partition.id >= target).then(|| partition.deleted_ms.unwrap_or(now));
    }
    let known = entry.partitions.len() as u32;
    entry.partitions.extend((known..target).map(|id| PartitionEntry { id, deleted_ms: None }));
    entry.scalings.push(Scaling { at_ms: now, from, to: target });
    let surplus = entry.scalings.len().saturating_sub(KEPT_SCALINGS);
    entry.scalings.drain(..surplus);
    Ok(())
}

/// Changes the attributes that are given.
pub(super) fn apply(entry: &mut StreamEntry, change: StreamChange) -> Result<(), StreamsError> {
    if let Some(hours) = change.data_duration_hours {
        check_duration(hours)?;
        entry.data_duration_hours = hours;
    }
    entry.data_type = change.data_type.unwrap_or(entry.data_type);
    entry.data_schema = change.data_schema.or(entry.data_schema.take());
    entry.auto_scale.enabled = change.auto_scale_enabled.unwrap_or(entry.auto_scale.enabled);
    entry.auto_scale.minimum = change.auto_scale_minimum.or(entry.auto_scale.minimum);
    entry.auto_scale.maximum = change.auto_scale_maximum.or(entry.auto_scale.maximum);
    Ok(())
}
