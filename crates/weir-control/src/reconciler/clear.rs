//! Removes what nobody needs any more: deleted jobs, and savepoints whose life has ended.
//!
//! What cannot be removed is tried again ([`Remains`] says when). What is given up is said: in the log, and in the audit as
//! an incident that names what is left where.

use std::sync::{MutexGuard, PoisonError};

use weir_base::savepoint::SavepointPlace;
use weir_base::time::Timestamp;
use weir_runtime::RemoveError;
use weir_store::{JobRecord, StoreError};

use super::remains::{Remain, Remains, Removed, Verdict};
use super::{Action, Reconciler};
use crate::audit;
use crate::decide;
use crate::decide::savepoints::{is_removable, places_but};

impl Reconciler {
    pub(super) fn remains(&self) -> MutexGuard<'_, Remains> {
        self.remains.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes savepoints of a job that runs, those that are not pausing.
    pub(super) async fn remove_leftovers(
        &self,
        job: &JobRecord,
        places: &[SavepointPlace],
        now: Timestamp,
    ) -> Result<Option<Action>, StoreError> {
        let is_waited_for = job.facts.savepoint.ask.is_some();
        let (mut gone, mut incidents) = (Vec::new(), Vec::new());
        for place in places {
            let what = Remain::Savepoint(place.clone());
            if self.remains().is_pausing(job.id, &what, is_waited_for, now) {
                continue;
            }
            match self.remove_savepoint(job, place, now).await {
                Removed::Yes => {}
                Removed::NotYet | Removed::Refused => continue,
                Removed::GivenUp(left) => {
                    incidents.push(audit::of_remains(job, "removeSavepoint", &left, now))
                }
            }
            gone.push(place.clone());
        }
        if gone.is_empty() {
            return Ok(None);
        }
        let facts = decide::without_leftovers(&job.facts, &gone);
        self.control.write_facts(&[(job, facts)], &incidents).await?;
        for place in gone {
            self.remains().forget(job.id, &Remain::Savepoint(place));
        }
        Ok(Some(Action::Recorded(job.id)))
    }

    /// Clears a deleted job away.
    pub(super) async fn clear(&self, job: &JobRecord, now: Timestamp) -> Result<Option<Action>, StoreError> {
        let savepoint = &job.facts.savepoint;
        let mut places = places_but(savepoint, None);
        let asked = savepoint.ask.iter().map(|ask| ask.place.clone());
        places.extend(asked.filter(|place| !savepoint.leftovers.contains(place)));
        // Those in the service's own store go with the folder of the worker.
        places.retain(|place| place.bucket.is_some());
        let of_job = self.settle(job, &Remain::OfJob, now).await?;
        // As long as there may be a worker, it could write the savepoint that it was asked for.
        if of_job == Removed::NotYet {
            return Ok(None);
        }
        let is_left = matches!(of_job, Removed::GivenUp(_));
        let mut all = vec![of_job];
        for place in places {
            all.push(self.settle(job, &Remain::Savepoint(place), now).await?);
        }
        let mut incidents = Vec::new();
        for removed in all {
            match removed {
                Removed::Yes => {}
                Removed::NotYet | Removed::Refused => return Ok(None),
                Removed::GivenUp(told) if told.is_empty() => {}
                Removed::GivenUp(left) => incidents.push(audit::of_remains(job, "deleteJob", &left, now)),
            }
        }
        if is_left {
            // First: without the files of the job nobody would know any more, after a crash, that something is left.
            self.control.store.write_audits(&incidents).await?;
            self.remains().told(job.id);
            incidents.clear();
            if self.settle(job, &Remain::Files, now).await? != Removed::Yes {
                return Ok(None);
            }
        }
        self.control.store.mark_cleared(job.id, &incidents).await?;
        tracing::info!(job_id = %job.id, "deleted job cleared away");
        Ok(Some(Action::Cleared(job.id)))
    }

    /// Removes something of a deleted job, unless it is pausing or needs nothing more.
    async fn settle(&self, job: &JobRecord, what: &Remain, now: Timestamp) -> Result<Removed, StoreError> {
        let known = self.remains().known(job.id, what, now);
        if let Some(known) = known {
            return Ok(known);
        }
        let removed = match what {
            Remain::OfJob => self.remove_job(job, now).await?,
            Remain::Files => match self.control.runner.abandon(job.id).await {
                Ok(()) => Removed::Yes,
                Err(error) => self.not_removed(job, what, "the files of a deleted job", &error, now),
            },
            Remain::Savepoint(place) => self.remove_savepoint(job, place, now).await,
        };
        self.remains().settle(job.id, what, &removed);
        Ok(removed)
    }

    async fn remove_job(&self, job: &JobRecord, now: Timestamp) -> Result<Removed, StoreError> {
        let control = &self.control;
        let reach = control.buckets.names_of(&job.project).await?;
        let bucket = job.definition.obs_bucket.clone().filter(|_| job.definition.checkpoint_enabled);
        let bucket = bucket.filter(|bucket| reach.contains(bucket));
        let Err(error) = control.runner.remove(job.id, bucket).await else { return Ok(Removed::Yes) };
        let what = "what a deleted job left: its checkpoints, or what it staged for its sinks";
        Ok(self.not_removed(job, &Remain::OfJob, what, &error, now))
    }

    /// Removes a savepoint, when the service wrote it.
    async fn remove_savepoint(&self, job: &JobRecord, place: &SavepointPlace, now: Timestamp) -> Removed {
        if !is_removable(&job.facts.savepoint, place, job.id) {
            return Removed::Yes;
        }
        let Err(error) = self.control.runner.remove_savepoint(job.id, place).await else {
            return Removed::Yes;
        };
        let shown = place.shown().unwrap_or_else(|| "the store of the service".to_string());
        let what = Remain::Savepoint(place.clone());
        self.not_removed(job, &what, &format!("the savepoint at {shown}"), &error, now)
    }

    fn not_removed(
        &self,
        job: &JobRecord,
        what: &Remain,
        named: &str,
        error: &RemoveError,
        now: Timestamp,
    ) -> Removed {
        let verdict = self.remains().failed(job.id, what, error, now);
        match verdict {
            Verdict::Again(pause) => {
                let seconds = pause.as_secs();
                tracing::warn!(job_id = %job.id, %error, seconds, "{named} could not be removed, will retry");
                match error {
                    RemoveError::NotYet(_) => Removed::NotYet,
                    RemoveError::Refused(_) => Removed::Refused,
                }
            }
            Verdict::GiveUp => {
                tracing::error!(
                    job_id = %job.id, %error, "{named} could not be removed and is given up; remove it by hand"
                );
                Removed::GivenUp(format!(
                    "{named} could not be removed and is left; remove it by hand: {error}"
                ))
            }
        }
    }
}
