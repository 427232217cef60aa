//! Starts a checked job on the engine in this process: shared by the worker and by `weir run`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use weir_base::clock::Clock;
use weir_base::settings::CheckpointMode;
use weir_base::spawn::{Spawner, TokioSpawner};
use weir_base::time::Timestamp;
use weir_base::variables::Redactor;
use weir_connectors::Environment;
use weir_engine::checkpoint::{CheckpointStorage, Manifest};
use weir_engine::job::{JobHandle, JobSpec, Outcome, Surroundings};
use weir_sql::{Job, SourceStream};

use crate::dirty::dirty_policy;
use crate::dirty_as_declared::DirtyAsDeclared;
use crate::execution_graph::execution_graph;
use crate::savepoint;
use crate::translate::{dataflow, stream_name};

/// A job to launch.
pub struct Launch<'a> {
    /// The checked job.
    pub job: &'a Job,
    /// Its id; 0 outside the service.
    pub id: i64,
    /// Its name.
    pub name: &'a str,
    /// What connectors are given; holds the settings too.
    pub environment: &'a Environment,
    /// Where checkpoints go.
    pub storage: CheckpointStorage,
    /// Whether to continue from the newest checkpoint. A fresh start removes old ones.
    pub resume: bool,
    /// The savepoint that a run starts from which has no checkpoint yet. When it is at the place of the checkpoints, none of
    /// them is removed before there are newer ones.
    pub savepoint: Option<CheckpointStorage>,
    /// When the run began: checkpoints with a smaller epoch belong to earlier runs and are removed.
    pub fresh_since: Timestamp,
}

/// A launched job.
pub struct Launched {
    /// Its handle.
    pub handle: JobHandle,
    /// Its execution graph.
    pub graph: Value,
    /// Epoch of the checkpoint it continues from.
    pub restored: Option<u64>,
    /// Whether that is a savepoint.
    pub from_savepoint: bool,
    redactor: Redactor,
}

impl Launched {
    /// Waits for the end of the job. The reason of a failure does not tell the values of global variables.
    pub async fn wait(&self) -> Outcome {
        match self.handle.wait().await {
            Outcome::Failed(reason) => Outcome::Failed(self.redactor.redact(&reason).into_owned()),
            outcome => outcome,
        }
    }
}

impl Launch<'_> {
    /// Starts the job. The error is for people; it does not tell the values of global variables.
    pub async fn start(self, clock: Arc<dyn Clock>) -> Result<Launched, String> {
        self.start_on(clock, Arc::new(TokioSpawner)).await
    }

    /// Starts the job with its tasks in the hands of `spawner`; otherwise like [`Self::start`].
    pub async fn start_on(
        self,
        clock: Arc<dyn Clock>,
        spawner: Arc<dyn Spawner>,
    ) -> Result<Launched, String> {
        let redactor = self.job.redactor.clone();
        let started = self.start_unredacted(clock, spawner).await;
        started.map_err(|reason| redactor.redact(&reason).into_owned())
    }

    async fn start_unredacted(
        self,
        clock: Arc<dyn Clock>,
        spawner: Arc<dyn Spawner>,
    ) -> Result<Launched, String> {
        let settings = &self.environment.settings;
        let first_epoch = u64::try_from(self.fresh_since.0).unwrap_or(0);
        let (restore, from_savepoint) =
            beginning(&self.storage, self.savepoint.as_ref(), self.resume, first_epoch).await?;
        let label = match self.id {
            0 => "0".to_string(),
            id => id.to_string(),
        };
        let graph =
            dataflow(self.job, &label, settings, self.environment).map_err(|error| error.to_string())?;
        let document = execution_graph(&graph, self.id, self.name, settings.parallelism, clock.now());
        let dirty =
            dirty_policy(&settings.dirty_data, self.id, &self.environment.objects, clock.clone()).await?;
        let names = declared_names(self.job, &label);
        let dirty = Arc::new(DirtyAsDeclared::new(dirty, names, self.job.redactor.clone()));
        let restored = restore.as_ref().map(|manifest| manifest.epoch);
        let spec = JobSpec {
            graph,
            parallelism: settings.parallelism,
            storage: self.storage,
            checkpoint_interval: settings.checkpoint.as_ref().map(|checkpoint| checkpoint.interval),
            mode: settings.checkpoint.as_ref().map_or(CheckpointMode::ExactlyOnce, |c| c.mode),
            restore,
            first_epoch,
            idle_timeout: settings.source_idle_timeout,
            record_clock: settings.record_clock.clone(),
        };
        let surroundings = Surroundings { clock, spawner, dirty };
        let handle = JobHandle::start(spec, surroundings).await.map_err(|error| error.to_string())?;
        Ok(Launched {
            handle,
            graph: document,
            restored,
            from_savepoint,
            redactor: self.job.redactor.clone(),
        })
    }
}

/// Returns the declared names of sources by the names that the dataflow shows.
fn declared_names(job: &Job, label: &str) -> HashMap<String, String> {
    let shown =
        |source: &SourceStream| stream_name("Source", label, &source.name, source.options.get("type"));
    job.sources.iter().map(|source| (shown(source), source.name.clone())).collect()
}

/// Returns what a run begins from, and whether that is its savepoint.
async fn beginning(
    storage: &CheckpointStorage,
    savepoint: Option<&CheckpointStorage>,
    resume: bool,
    first_epoch: u64,
) -> Result<(Option<Manifest>, bool), String> {
    // A user may name the checkpoints of an earlier run. They are read where they are, and go when there are newer ones.
    if savepoint.is_some_and(|savepoint| savepoint.is_same_place(storage)) {
        let newest = savepoint::newest(storage).await?;
        let is_earlier = newest.epoch < first_epoch;
        return Ok((Some(newest), is_earlier));
    }
    let restore = restorable(storage, resume, first_epoch).await?;
    match savepoint.filter(|_| restore.is_none()) {
        Some(savepoint) => Ok((Some(savepoint::take_up(savepoint, storage).await?), true)),
        None => Ok((restore, false)),
    }
}

/// Returns the checkpoint to continue from. When there is none of this run, those of earlier runs are removed:
/// the attempt that should have removed them may have died before.
pub(crate) async fn restorable(
    storage: &CheckpointStorage,
    resume: bool,
    first_epoch: u64,
) -> Result<Option<Manifest>, String> {
    if resume {
        let newest = storage.newest_complete().await.map_err(|error| error.to_string())?;
        if let Some(manifest) = newest.filter(|manifest| manifest.epoch >= first_epoch) {
            return Ok(Some(manifest));
        }
    }
    storage.remove_all().await.map_err(|error| error.to_string())?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use weir_engine::checkpoint::FORMAT;

    use super::*;

    async fn with_checkpoint(epoch: u64) -> CheckpointStorage {
        let storage = CheckpointStorage::new(Arc::new(InMemory::new()), "c");
        let manifest = Manifest { format: FORMAT, epoch, ..Manifest::default() };
        storage.complete(&manifest).await.unwrap();
        storage
    }

    #[tokio::test]
    async fn a_checkpoint_of_an_earlier_run_is_removed_even_by_a_restart() {
        for (resume, epoch, continues) in [(true, 100, true), (true, 99, false), (false, 100, false)] {
            let storage = with_checkpoint(epoch).await;
            let restored = restorable(&storage, resume, 100).await.unwrap().map(|manifest| manifest.epoch);
            assert_eq!(restored, continues.then_some(epoch));
            let left = storage.newest_complete().await.unwrap().map(|manifest| manifest.epoch);
            assert_eq!(left, restored, "resume {resume}, epoch {epoch}");
        }
    }

    #[tokio::test]
    async fn checkpoints_that_are_the_savepoint_of_a_run_are_not_removed_before_it_has_read_them() {
        for resume in [false, true] {
            let storage = with_checkpoint(99).await;
            let (begin, from_savepoint) = beginning(&storage, Some(&storage), resume, 100).await.unwrap();
            assert_eq!((begin.map(|manifest| manifest.epoch), from_savepoint), (Some(99), true));
            let left = storage.newest_complete().await.unwrap();
            assert!(left.is_some(), "a start that fails can be tried again");
        }
        let storage = with_checkpoint(100).await;
        let (begin, from_savepoint) = beginning(&storage, Some(&storage), true, 100).await.unwrap();
        assert_eq!((begin.map(|manifest| manifest.epoch), from_savepoint), (Some(100), false));
        let (storage, savepoint) = (with_checkpoint(98).await, with_checkpoint(97).await);
        let (begin, from_savepoint) = beginning(&storage, Some(&savepoint), true, 100).await.unwrap();
        assert_eq!((begin.map(|manifest| manifest.epoch), from_savepoint), (Some(97), true));
    }
}
