//! What streams there are: one JSON file per stream, replaced as a whole.
//!
//! The records of a stream are kept under its id, not its name, so a stream that is deleted and
//! created anew never sees the records of the old one, whatever another process still has open.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::files::{self, FileLock};
use super::{StreamsError, placement};

/// The capacity class of a stream; here it only sets the size of one put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StreamType {
    /// Up to 1 MB in one put.
    #[default]
    Common,
    /// Up to 5 MB in one put.
    Advanced,
}

/// What the records are, as the owner says; the store does not look into them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DataType {
    /// Anything.
    #[default]
    Blob,
    /// JSON text.
    Json,
    /// CSV text.
    Csv,
}

/// A label of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Key, unique in the stream.
    pub key: String,
    /// Value.
    #[serde(default)]
    pub value: String,
}

/// The wish that the number of partitions follows the load. Kept and shown; as partitions are not
/// throttled here, there is never a reason to change their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AutoScale {
    /// Whether it is on.
    pub enabled: bool,
    /// Fewest partitions.
    pub minimum: Option<u32>,
    /// Most partitions.
    pub maximum: Option<u32>,
}

/// A stream to create.
#[derive(Debug, Clone)]
pub struct NewStream {
    /// Name, unique in the project: 1 to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// Number of partitions.
    pub partition_count: u32,
    /// Capacity class.
    pub stream_type: StreamType,
    /// What the records are.
    pub data_type: DataType,
    /// Hours for which records are kept.
    pub data_duration_hours: u32,
    /// Automatic scaling.
    pub auto_scale: AutoScale,
    /// Schema of the records, for their readers.
    pub data_schema: Option<String>,
    /// Delimiter of CSV records, for their readers.
    pub csv_delimiter: Option<String>,
    /// How writers compress records, for their readers.
    pub compression_format: Option<String>,
    /// Labels.
    pub tags: Vec<Tag>,
    /// Labels of the system.
    pub sys_tags: Vec<Tag>,
}

impl NewStream {
    /// Makes a description with defaults: common, binary records, kept for 24 hours.
    pub fn new(name: &str, partition_count: u32) -> Self {
        Self {
            name: name.to_string(),
            partition_count,
            stream_type: StreamType::Common,
            data_type: DataType::Blob,
            data_duration_hours: 24,
            auto_scale: AutoScale::default(),
            data_schema: None,
            csv_delimiter: None,
            compression_format: None,
            tags: Vec::new(),
            sys_tags: Vec::new(),
        }
    }
}

/// Attributes to change; `None` leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct StreamChange {
    /// Hours for which records are kept.
    pub data_duration_hours: Option<u32>,
    /// What the records are.
    pub data_type: Option<DataType>,
    /// Schema of the records.
    pub data_schema: Option<String>,
    /// Whether automatic scaling is on.
    pub auto_scale_enabled: Option<bool>,
    /// Fewest partitions.
    pub auto_scale_minimum: Option<u32>,
    /// Most partitions.
    pub auto_scale_maximum: Option<u32>,
}

/// What can be done with a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PartitionStatus {
    /// Written and read.
    Active,
    /// Only read, since the stream was scaled down.
    Deleted,
    /// Neither: it was deleted longer ago than records are kept.
    Expired,
}

/// One partition of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionEntry {
    /// Number, from 0.
    pub id: u32,
    /// When scaling down took it out of use, milliseconds since the epoch.
    pub deleted_ms: Option<i64>,
}

/// One change of the number of partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scaling {
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// Partitions before.
    pub from: u32,
    /// Partitions after.
    pub to: u32,
}

/// A stream as kept in the catalog.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StreamEntry {
    /// Id, never reused.
    pub id: String,
    /// Name.
    pub name: String,
    /// When it was created, milliseconds since the epoch.
    pub created_ms: i64,
    /// When an attribute was last changed, milliseconds since the epoch.
    pub modified_ms: i64,
    /// Capacity class.
    pub stream_type: StreamType,
    /// What the records are.
    pub data_type: DataType,
    /// Hours for which records are kept.
    pub data_duration_hours: u32,
    /// Automatic scaling.
    pub auto_scale: AutoScale,
    /// Schema of the records.
    pub data_schema: Option<String>,
    /// Delimiter of CSV records.
    pub csv_delimiter: Option<String>,
    /// How writers compress records.
    pub compression_format: Option<String>,
    /// Labels.
    pub tags: Vec<Tag>,
    /// Labels of the system.
    pub sys_tags: Vec<Tag>,
    /// All partitions, by number.
    pub partitions: Vec<PartitionEntry>,
    /// Changes of the number of partitions, oldest first.
    pub scalings: Vec<Scaling>,
}

impl StreamEntry {
    /// Returns the number of partitions that can be written. They are the first ones.
    pub fn active_count(&self) -> u32 {
        self.partitions.iter().filter(|partition| partition.deleted_ms.is_none()).count() as u32
    }

    /// Returns what can be done with a partition at an instant.
    pub fn status(&self, partition: &PartitionEntry, now_ms: i64) -> PartitionStatus {
        match partition.deleted_ms {
            None => PartitionStatus::Active,
            Some(deleted) if now_ms.saturating_sub(deleted) <= self.retention_ms() => {
                PartitionStatus::Deleted
            }
            Some(_) => PartitionStatus::Expired,
        }
    }

    /// Returns how long records are kept, in milliseconds.
    pub fn retention_ms(&self) -> i64 {
        i64::from(self.data_duration_hours) * 3_600_000
    }

    /// Returns the span of hashes of a partition that can be written.
    pub fn hash_range(&self, partition: u32) -> Option<(u64, u64)> {
        let count = self.active_count();
        (partition < count).then(|| placement::hash_range(partition, count))
    }
}

/// The catalog files of all projects.
#[derive(Debug)]
pub(super) struct Catalog {
    root: PathBuf,
    read: Mutex<HashMap<PathBuf, (Stamp, Arc<StreamEntry>)>>,
}

/// Tells one content of a file from another: replacing it makes a new inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    modified: (i64, i64),
    length: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Self { inode: metadata.ino(), modified, length: metadata.len() }
    }
}

impl Catalog {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), read: Mutex::default() }
    }

    /// Returns the directory of a project. Names that could leave it are refused.
    pub(super) fn project(&self, project: &str) -> Result<PathBuf, StreamsError> {
        if !is_plain_name(project, 64) {
            return Err(StreamsError::Invalid(format!("`{project}` is not a project id")));
        }
        Ok(self.root.join(project))
    }

    /// Lists the projects that have or had streams.
    pub(super) fn projects(&self) -> io::Result<Vec<String>> {
        files::list_names(&self.root)
    }

    /// Waits for the right to change the catalog of a project.
    pub(super) fn lock(&self, project: &str) -> Result<FileLock, StreamsError> {
        let directory = self.project(project)?;
        std::fs::create_dir_all(directory.join("catalog"))?;
        Ok(FileLock::acquire(&directory.join("lock"))?)
    }

    /// Returns the directory with the records of a stream.
    pub(super) fn stream_directory(
        &self,
        project: &str,
        entry: &StreamEntry,
    ) -> Result<PathBuf, StreamsError> {
        Ok(self.project(project)?.join("streams").join(&entry.id))
    }

    /// Reads a stream; from memory when its file has not changed.
    pub(super) fn stream(&self, project: &str, name: &str) -> Result<Arc<StreamEntry>, StreamsError> {
        if !is_plain_name(name, 64) {
            return Err(StreamsError::NoStream(name.to_string()));
        }
        let path = self.file(project, name)?;
        let stamp = match std::fs::metadata(&path) {
            Ok(metadata) => Stamp::of(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StreamsError::NoStream(name.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, entry)) = read.get(&path)
            && *known == stamp
        {
            return Ok(Arc::clone(entry));
        }
        let entry: Option<StreamEntry> = files::read_json(&path)?;
        let entry = Arc::new(entry.ok_or_else(|| StreamsError::NoStream(name.to_string()))?);
        read.insert(path, (stamp, Arc::clone(&entry)));
        Ok(entry)
    }

    /// Lists the names of the streams of a project, in order.
    pub(super) fn names(&self, project: &str) -> Result<Vec<String>, StreamsError> {
        let names = files::list_names(&self.project(project)?.join("catalog"))?;
        let mut names: Vec<_> =
            names.iter().filter_map(|name| name.strip_suffix(".json")).map(str::to_string).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Stores a stream. The caller holds the lock of the project.
    pub(super) fn save(&self, project: &str, entry: &StreamEntry) -> Result<(), StreamsError> {
        Ok(files::write_json(&self.file(project, &entry.name)?, entry)?)
    }

    /// Removes a stream from the catalog. The caller holds the lock of the project.
    pub(super) fn remove(&self, project: &str, name: &str) -> Result<(), StreamsError> {
        let path = self.file(project, name)?;
        self.read.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
        files::remove_if_present(&path)?;
        Ok(files::sync_directory(&self.project(project)?.join("catalog"))?)
    }

    fn file(&self, project: &str, name: &str) -> Result<PathBuf, StreamsError> {
        Ok(self.project(project)?.join("catalog").join(format!("{name}.json")))
    }
}

/// Tells whether a name has 1 to `longest` letters, digits, `_` and `-`.
pub(super) fn is_plain_name(name: &str, longest: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !name.is_empty() && name.len() <= longest && name.bytes().all(allowed)
}
