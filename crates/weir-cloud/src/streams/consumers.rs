//! Read positions of consumers (checkpoints): one JSON file per consumer in the stream's directory.
//!
//! A position is kept as it is given; whether it is the last record read or the next to read is a
//! matter of its owner. Changes are made under the lock of the project.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{list_names, read_json, remove_if_present, write_json};

/// A stored position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The position.
    pub sequence: u64,
    /// Text of the consumer's own.
    pub metadata: String,
}

/// Returns the positions of a consumer by partition.
pub(super) fn positions(stream: &Path, app: &str) -> io::Result<BTreeMap<u32, Checkpoint>> {
    Ok(read_json(&file(stream, app))?.unwrap_or_default())
}

/// Stores one position.
pub(super) fn store(stream: &Path, app: &str, partition: u32, checkpoint: Checkpoint) -> io::Result<()> {
    std::fs::create_dir_all(directory(stream))?;
    let mut all = positions(stream, app)?;
    all.insert(partition, checkpoint);
    write_json(&file(stream, app), &all)
}

/// Forgets one position.
pub(super) fn delete(stream: &Path, app: &str, partition: u32) -> io::Result<()> {
    let mut all = positions(stream, app)?;
    if all.remove(&partition).is_none() {
        return Ok(());
    }
    if all.is_empty() { delete_all(stream, app) } else { write_json(&file(stream, app), &all) }
}

/// Forgets all positions of a consumer.
pub(super) fn delete_all(stream: &Path, app: &str) -> io::Result<()> {
    remove_if_present(&file(stream, app))
}

/// Lists the consumers that have positions.
pub(super) fn apps(stream: &Path) -> io::Result<Vec<String>> {
    let names = list_names(&directory(stream))?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".json")).map(str::to_string).collect())
}

fn directory(stream: &Path) -> PathBuf {
    stream.join("checkpoints")
}

fn file(stream: &Path, app: &str) -> PathBuf {
    directory(stream).join(format!("{app}.json"))
}
