//! The savepoints of the job of a worker.

use std::time::Duration;

use weir_base::savepoint::{SavepointAsk, SavepointOutcome, SavepointPlace};
use weir_cloud::objects::{Objects, ObjectsError};
use weir_engine::checkpoint::CheckpointStorage;
use weir_engine::job::JobHandle;

use super::folder::{Folder, WorkerRequest};
use super::worker;
use crate::savepoint;

/// Returns the storage of a savepoint.
pub(super) async fn storage_of(
    place: &SavepointPlace,
    objects: &Objects,
    folder: &Folder,
) -> Result<CheckpointStorage, String> {
    match &place.bucket {
        Some(bucket) => savepoint::in_bucket(objects, bucket, place).await.map_err(|error| error.to_string()),
        None => worker::storage_in(&folder.savepoint(), "savepoint"),
    }
}

/// Removes a savepoint. One that is gone with its bucket is no error.
pub(super) async fn remove(place: &SavepointPlace, objects: &Objects, folder: &Folder) -> Result<(), String> {
    let storage = match &place.bucket {
        Some(bucket) => match savepoint::in_bucket(objects, bucket, place).await {
            Ok(storage) => storage,
            Err(ObjectsError::NoBucket(_)) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        },
        None => worker::storage_in(&folder.savepoint(), "savepoint")?,
    };
    storage.remove_all().await.map_err(|error| error.to_string())
}

/// A savepoint with which the job ends, once its place is known to be there.
pub(super) struct Prepared {
    ask: SavepointAsk,
    target: CheckpointStorage,
}

/// Writes the savepoints of a running job.
pub(super) struct Savepoints<'a> {
    handle: &'a JobHandle,
    storage: CheckpointStorage,
    request: &'a WorkerRequest,
    objects: &'a Objects,
    folder: &'a Folder,
}

impl<'a> Savepoints<'a> {
    pub(super) fn new(
        handle: &'a JobHandle,
        storage: CheckpointStorage,
        request: &'a WorkerRequest,
        objects: &'a Objects,
        folder: &'a Folder,
    ) -> Self {
        Self { handle, storage, request, objects, folder }
    }

    /// Writes one while the job runs on.
    pub(super) async fn write(&self, ask: SavepointAsk) -> SavepointOutcome {
        let at = ask.at;
        let failure = match self.prepare(ask).await {
            Ok(prepared) => self.write_running(&prepared.target).await.err(),
            Err(outcome) => return outcome,
        };
        SavepointOutcome { at, failure }
    }

    async fn write_running(&self, target: &CheckpointStorage) -> Result<(), String> {
        if !self.handle.checkpoint().await {
            return Err("the job ended before".to_string());
        }
        savepoint::write(&self.storage, target).await?;
        if self.request.start.settings.checkpoint.is_none() {
            // A job without checkpoints begins anew after a crash: this one would soon be stale.
            self.storage.remove_all().await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Looks whether the place is there, before the job ends for a savepoint that cannot be written.
    pub(super) async fn prepare(&self, ask: SavepointAsk) -> Result<Prepared, SavepointOutcome> {
        let objects = match &ask.place.bucket {
            // The service has looked at it; the project may have got it after the job began.
            Some(bucket) if !ask.stop => self.objects.and(bucket),
            _ => self.objects.clone(),
        };
        match storage_of(&ask.place, &objects, self.folder).await {
            Ok(target) => Ok(Prepared { ask, target }),
            Err(reason) => Err(SavepointOutcome { at: ask.at, failure: Some(reason) }),
        }
    }

    /// Writes the savepoint of a job that has ended with a last checkpoint, in time or not at all.
    pub(super) async fn finish(&self, prepared: Prepared, limit: Duration) -> SavepointOutcome {
        let written = savepoint::write(&self.storage, &prepared.target);
        let written = tokio::time::timeout(limit, written).await;
        let written = written.unwrap_or_else(|_| Err(format!("it took longer than {} s", limit.as_secs())));
        SavepointOutcome { at: prepared.ask.at, failure: written.err() }
    }
}
