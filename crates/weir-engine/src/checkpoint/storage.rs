//! Checkpoints in an object store: one directory each, the manifest written last.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use thiserror::Error;

use super::Manifest;
use super::manifest::FORMAT;

/// Checkpoints kept; older ones are removed when a newer one is complete.
const KEPT: usize = 3;

const MANIFEST: &str = "manifest.json";

/// A fault of checkpoint storage.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The object store failed.
    #[error("checkpoint storage: {0}")]
    Store(#[from] object_store::Error),
    /// A manifest cannot be read.
    #[error("checkpoint `{path}` cannot be read: {reason}")]
    Unreadable {
        /// The manifest.
        path: String,
        /// Why.
        reason: String,
    },
}

/// Where the checkpoints of one job are kept.
#[derive(Debug, Clone)]
pub struct CheckpointStorage {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Checkpoints that are being copied: retention leaves them alone. Clones share it.
    held: Arc<Mutex<BTreeSet<u64>>>,
}

impl CheckpointStorage {
    /// Keeps checkpoints under `prefix`, such as `jobs/checkpoint/7`.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: impl Into<Path>) -> Self {
        Self { store, prefix: prefix.into(), held: Arc::default() }
    }

    fn directory(&self, epoch: u64) -> Path {
        self.prefix.clone().join(format!("chk-{epoch}"))
    }

    /// Writes one state file of a checkpoint under way.
    pub async fn write_state(&self, epoch: u64, name: &str, bytes: Vec<u8>) -> Result<(), CheckpointError> {
        let path = self.directory(epoch).join(name);
        self.store.put(&path, PutPayload::from(bytes)).await?;
        Ok(())
    }

    /// Reads one state file of a complete checkpoint.
    pub async fn read_state(&self, epoch: u64, file: &super::StateFile) -> Result<Bytes, CheckpointError> {
        let path = self.directory(epoch).join(file.name.as_str());
        let bytes = self.store.get(&path).await?.bytes().await?;
        if bytes.len() as u64 != file.bytes {
            return Err(CheckpointError::Unreadable {
                path: path.to_string(),
                reason: format!("it has {} bytes instead of {}", bytes.len(), file.bytes),
            });
        }
        Ok(bytes)
    }

    /// Writes the manifest, which makes the checkpoint complete.
    pub async fn complete(&self, manifest: &Manifest) -> Result<(), CheckpointError> {
        let path = self.directory(manifest.epoch).join(MANIFEST);
        let text = serde_json::to_vec_pretty(manifest)
            .map_err(|e| CheckpointError::Unreadable { path: path.to_string(), reason: e.to_string() })?;
        self.store.put(&path, PutPayload::from(text)).await?;
        Ok(())
    }

    /// Returns the newest complete checkpoint, or `None` when there is none.
    pub async fn newest_complete(&self) -> Result<Option<Manifest>, CheckpointError> {
        let mut epochs = self.epochs().await?;
        epochs.sort_unstable_by(|a, b| b.cmp(a));
        for epoch in epochs {
            let path = self.directory(epoch).join(MANIFEST);
            let bytes = match self.store.get(&path).await {
                Ok(found) => found.bytes().await?,
                Err(object_store::Error::NotFound { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let unreadable = |reason: String| CheckpointError::Unreadable { path: path.to_string(), reason };
            let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| unreadable(e.to_string()))?;
            if manifest.format != FORMAT {
                return Err(unreadable(format!("its format {} is not {FORMAT}", manifest.format)));
            }
            return Ok(Some(manifest));
        }
        Ok(None)
    }

    /// Copies a complete checkpoint, so that it outlives this storage. The copy is durable before it is complete.
    pub async fn copy(&self, manifest: &Manifest, to: &CheckpointStorage) -> Result<(), CheckpointError> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(manifest.epoch);
        let copied = self.copy_held(manifest, to).await;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&manifest.epoch);
        copied
    }

    async fn copy_held(&self, manifest: &Manifest, to: &CheckpointStorage) -> Result<(), CheckpointError> {
        for file in manifest.operators.values().flat_map(|operator| &operator.files) {
            let bytes = self.read_state(manifest.epoch, file).await?;
            to.write_state(manifest.epoch, &file.name, bytes.to_vec()).await?;
        }
        to.complete(manifest).await
    }

    /// Removes checkpoints that newer complete ones replace, unfinished ones included.
    pub async fn remove_older(&self, newest: u64) -> Result<(), CheckpointError> {
        let mut epochs = self.epochs().await?;
        epochs.retain(|epoch| *epoch <= newest);
        epochs.sort_unstable_by(|a, b| b.cmp(a));
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        epochs.drain(..epochs.len().min(KEPT));
        epochs.retain(|epoch| !held.contains(epoch));
        self.remove(&epochs).await
    }

    /// Removes all checkpoints, and nothing else that is under the prefix: a user may have put something there.
    pub async fn remove_all(&self) -> Result<(), CheckpointError> {
        self.remove(&self.epochs().await?).await
    }

    /// Whether both are the same place.
    pub fn is_same_place(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.store, &other.store) && self.prefix == other.prefix
    }

    async fn remove(&self, epochs: &[u64]) -> Result<(), CheckpointError> {
        let directories: Vec<Path> = epochs.iter().map(|epoch| self.directory(*epoch)).collect();
        // The manifests go first: what is left, wherever it stops, is then no checkpoint.
        self.delete(directories.iter().map(|directory| directory.clone().join(MANIFEST)).collect()).await?;
        for directory in &directories {
            // A checkpoint has no directories in its own: what is in one is somebody else's.
            let listing = self.store.list_with_delimiter(Some(directory)).await?;
            self.delete(listing.objects.into_iter().map(|object| object.location).collect()).await?;
        }
        Ok(())
    }

    async fn delete(&self, paths: Vec<Path>) -> Result<(), CheckpointError> {
        let paths = futures::stream::iter(paths.into_iter().map(Ok)).boxed();
        let mut deleted = self.store.delete_stream(paths);
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn epochs(&self) -> Result<Vec<u64>, CheckpointError> {
        let listing = self.store.list_with_delimiter(Some(&self.prefix)).await?;
        let epoch = |path: &Path| path.filename()?.strip_prefix("chk-")?.parse().ok();
        Ok(listing.common_prefixes.iter().filter_map(epoch).collect())
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn a_removal_leaves_what_a_user_put_below() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let at = |prefix: &str| CheckpointStorage::new(store.clone(), prefix);
        let own = at("jobs/savepoint/7");
        // The second looks like a checkpoint from above.
        let theirs =
            ["jobs/savepoint/7/before-upgrade", "jobs/savepoint/7/chk-5", "jobs/savepoint/70"].map(at);
        for storage in theirs.iter().chain([&own]) {
            storage.write_state(5, "a", vec![1]).await.unwrap();
            let manifest = Manifest { format: FORMAT, epoch: 5, ..Manifest::default() };
            storage.complete(&manifest).await.unwrap();
        }
        own.remove_all().await.unwrap();
        assert!(own.newest_complete().await.unwrap().is_none());
        let left: Vec<String> =
            store.list(None).map(|object| object.unwrap().location.to_string()).collect().await;
        assert_eq!(left.len(), 6, "{left:?}");
        for storage in theirs {
            assert!(storage.newest_complete().await.unwrap().is_some(), "{storage:?}");
        }
    }
}
