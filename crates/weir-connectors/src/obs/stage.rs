//! The staging area of a sink in its bucket, and the steps from there to visible objects.
//!
//! A chunk has the key `.weir/staging/<job>/<sink>/<epoch>/<subtask>-<random>`. Committing an object copies its
//! chunks to the final key in one step and removes them afterwards: so chunks that are missing
//! mean that the object was committed before.
//!
//! A sink writes only to names that it has reserved: `.weir/names/<key>` holds the sink's folder from the choice
//! of the name to its commit. So sinks that share a directory never overwrite each other's objects.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload, WriteMultipart};
use weir_engine::error::ConnectorError;

use super::naming::number_of;
use super::part::FinishedObject;
use super::{NAMES, STAGING, fault};

/// Parts of a large object that are on their way at once; bounds the memory of a commit.
const UPLOADS: usize = 2;

/// The staging area of one sink.
#[derive(Clone)]
pub(crate) struct Stage {
    pub stream: String,
    pub store: Arc<dyn ObjectStore>,
    folder: String,
}

impl Stage {
    pub fn new(stream: &str, job: &str, store: Arc<dyn ObjectStore>) -> Self {
        Self { stream: stream.to_string(), store, folder: format!("{STAGING}/{job}/{stream}") }
    }

    /// Stores a chunk and returns its key.
    pub async fn upload(&self, epoch: u64, subtask: usize, data: Vec<u8>) -> Result<String, ConnectorError> {
        let key = format!("{}/{epoch}/{subtask}-{:016x}", self.folder, rand::random::<u64>());
        let payload = PutPayload::from_bytes(Bytes::from(data));
        let outcome = self.store.put(&path(&key), payload).await;
        outcome.map_err(|error| fault(&self.stream, "stage", &key, &error))?;
        Ok(key)
    }

    /// Removes chunks whose epoch is above `restored_epoch`, or all.
    pub async fn discard(&self, restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        let folder = path(&self.folder);
        let failed = |error| fault(&self.stream, "clean up", &self.folder, &error);
        let mut stale = Vec::new();
        let mut listed = self.store.list(Some(&folder));
        while let Some(object) = listed.try_next().await.map_err(failed)? {
            let epoch = object
                .location
                .prefix_match(&folder)
                .and_then(|mut parts| parts.next().and_then(|part| part.as_ref().parse::<u64>().ok()));
            if restored_epoch.is_none_or(|restored| epoch.is_some_and(|epoch| epoch > restored)) {
                stale.push(object.location);
            }
        }
        for key in stale {
            self.remove(&key).await?;
        }
        Ok(())
    }

    /// Reserves the name of an object for this sink; `false` when it is taken.
    pub async fn reserve(&self, key: &str) -> Result<bool, ConnectorError> {
        let failed = |error| fault(&self.stream, "reserve object", key, &error);
        let name = reservation(key);
        let owner = || PutPayload::from(self.folder.clone().into_bytes());
        match self.store.put_opts(&name, owner(), PutMode::Create.into()).await {
            Ok(_) => {}
            // A store without conditional writes: objects that exist are still left alone.
            Err(object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }) => {}
            Err(object_store::Error::AlreadyExists { .. }) => {
                // Subtasks never meet, so that one of this sink was left by a process that died.
                let read = async { self.store.get(&name).await?.bytes().await };
                match read.await {
                    Ok(found) if found == self.folder.as_bytes() => {}
                    // Gone in this moment: its object has just been committed.
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => return Ok(false),
                    Err(error) => return Err(failed(error)),
                }
            }
            Err(error) => return Err(failed(error)),
        }
        // Only now: an object that appears from here on is this sink's.
        match self.store.head(&path(key)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(true),
            Err(error) => Err(failed(error)),
            Ok(_) => {
                self.remove(&name).await?;
                Ok(false)
            }
        }
    }

    /// Makes an object visible under the name that was reserved. Repeatable.
    pub async fn commit(&self, object: &FinishedObject) -> Result<(), ConnectorError> {
        if self.has_all(&object.chunks).await? {
            let target = path(&object.key);
            let failed = |error| fault(&self.stream, "write object", &object.key, &error);
            match object.chunks.as_slice() {
                [chunk] => self.store.copy(&path(chunk), &target).await.map_err(failed)?,
                chunks => self.join(chunks, &target).await.map_err(failed)?,
            }
        }
        self.remove_all(&object.chunks).await?;
        // Last: as long as there are chunks, the object may be written again.
        self.remove(&reservation(&object.key)).await
    }

    /// Returns whether all chunks are there.
    pub async fn has_all(&self, chunks: &[String]) -> Result<bool, ConnectorError> {
        for chunk in chunks {
            match self.store.head(&path(chunk)).await {
                Ok(_) => {}
                Err(object_store::Error::NotFound { .. }) => return Ok(false),
                Err(error) => return Err(fault(&self.stream, "look for", chunk, &error)),
            }
        }
        Ok(true)
    }

    /// Removes chunks; those that are gone do not matter.
    pub async fn remove_all(&self, chunks: &[String]) -> Result<(), ConnectorError> {
        for chunk in chunks {
            self.remove(&path(chunk)).await?;
        }
        Ok(())
    }

    /// Returns the greatest number of an object `prefix.N` below a folder, 0 when there is none.
    pub async fn greatest_number(&self, root: &str, prefix: &str) -> Result<u64, ConnectorError> {
        let file_prefix = prefix.rsplit('/').next().unwrap_or(prefix);
        let root_path = path(root);
        let mut listed = self.store.list((!root.is_empty()).then_some(&root_path));
        let mut greatest = 0;
        while let Some(object) = listed.next().await {
            let object = object.map_err(|error| fault(&self.stream, "list", root, &error))?;
            let number = object.location.filename().and_then(|name| number_of(name, file_prefix));
            greatest = greatest.max(number.unwrap_or(0));
        }
        Ok(greatest)
    }

    async fn join(&self, chunks: &[String], target: &Path) -> Result<(), object_store::Error> {
        let mut writer = WriteMultipart::new(self.store.put_multipart(target).await?);
        for chunk in chunks {
            let read = async { self.store.get(&path(chunk)).await?.bytes().await };
            match read.await {
                Ok(data) => writer.put(data),
                Err(error) => {
                    writer.abort().await?;
                    return Err(error);
                }
            }
            writer.wait_for_capacity(UPLOADS).await?;
        }
        writer.finish().await?;
        Ok(())
    }

    async fn remove(&self, key: &Path) -> Result<(), ConnectorError> {
        match self.store.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(fault(&self.stream, "remove", key.as_ref(), &error)),
        }
    }
}

fn reservation(key: &str) -> Path {
    path(&format!("{NAMES}/{key}"))
}

/// Returns the path of a key; what cannot stand in one (`..`, control characters) is escaped.
pub(crate) fn path(key: &str) -> Path {
    Path::parse(key).unwrap_or_else(|_| Path::from(key))
}
