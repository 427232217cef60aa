//! Buckets as folders of a directory.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use weir_base::time::Timestamp;

use super::error::ObjectsError;
use super::name::is_bucket_name;
use super::service::Bucket;

/// Opens the store of a bucket. Writes are flushed to the disk before they are acknowledged, because
/// sinks and checkpoints rely on it; folders that become empty go away, because keys have no folders.
pub(super) fn open(directory: &Path, name: &str) -> Result<LocalFileSystem, ObjectsError> {
    let store = LocalFileSystem::new_with_prefix(directory.join(name))?;
    Ok(store.with_fsync(true).with_automatic_cleanup(true))
}

pub(super) async fn exists(directory: &Path, name: &str) -> Result<bool, ObjectsError> {
    match tokio::fs::metadata(directory.join(name)).await {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn create(directory: &Path, name: &str) -> Result<(), ObjectsError> {
    tokio::fs::create_dir_all(directory).await?;
    match tokio::fs::create_dir(directory.join(name)).await {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(ObjectsError::BucketExists(name.to_string()));
        }
        Err(error) => return Err(error.into()),
    }
    // The new entry is in the directory, so that it is the directory that must reach the disk.
    tokio::fs::File::open(directory).await?.sync_all().await?;
    Ok(())
}

pub(super) async fn delete(directory: &Path, name: &str) -> Result<(), ObjectsError> {
    if !exists(directory, name).await? {
        return Err(ObjectsError::NoBucket(name.to_string()));
    }
    let has_object = open(directory, name)?.list(None).next().await.transpose()?.is_some();
    if has_object {
        return Err(ObjectsError::NotEmpty(name.to_string()));
    }
    let path = directory.join(name);
    let removed = tokio::task::spawn_blocking(move || remove_folders(path)).await;
    match removed.map_err(io::Error::other)? {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            Err(ObjectsError::NotEmpty(name.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes a tree of folders. A file that has come in between makes it fail: nothing is lost.
fn remove_folders(path: PathBuf) -> io::Result<()> {
    for entry in std::fs::read_dir(&path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_folders(entry.path())?;
        }
    }
    std::fs::remove_dir(path)
}

/// Removes files that a killed process had not finished when it wrote an object, and that are older than a moment. No list
/// shows them, but they take room, and a bucket with one cannot be removed. Returns how many there were.
pub(super) async fn remove_unfinished(directory: &Path, before: Timestamp) -> Result<usize, ObjectsError> {
    let directory = directory.to_path_buf();
    let removed = tokio::task::spawn_blocking(move || remove_unfinished_below(&directory, before)).await;
    Ok(removed.map_err(io::Error::other)??)
}

fn remove_unfinished_below(path: &Path, before: Timestamp) -> io::Result<usize> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        // Folders go when they become empty.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += remove_unfinished_below(&entry.path(), before)?;
        } else if entry.file_name().to_str().is_some_and(is_unfinished)
            && entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|at| is_before(at, before))
        {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// An object is written as `name#1`, or with another number, and renamed. A `#` in a key is never one in the file.
fn is_unfinished(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_before(at: SystemTime, before: Timestamp) -> bool {
    at.duration_since(UNIX_EPOCH).is_ok_and(|since| Timestamp(weir_base::time::millis(since)) < before)
}

pub(super) async fn list(directory: &Path) -> Result<Vec<Bucket>, ObjectsError> {
    let mut entries = match tokio::fs::read_dir(directory).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut buckets = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let Some(name) = entry.file_name().to_str().map(String::from) else { continue };
        let metadata = tokio::fs::metadata(entry.path()).await?;
        if !metadata.is_dir() || !is_bucket_name(&name) {
            continue;
        }
        // Not every file system knows when a folder was made.
        let made = metadata.created().or_else(|_| metadata.modified()).ok();
        let since_epoch = made.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        let created_at = since_epoch.map(|duration| Timestamp(weir_base::time::millis(duration)));
        buckets.push(Bucket { name, created_at });
    }
    Ok(buckets)
}
