//! Removes what nobody needs any more: deleted jobs, and savepoints whose life has ended.
//!
//! What cannot be removed is tried again ([`Remains`] says when). What is given up is said: in the log, and in the audit as
//! an incident that names what is left where.

use std::sync::{MutexGuard, PoisonError};

use weir_base::savepoint::SavepointPlace;
use weir_base::time::Timestamp;
use weir_runtime::RemoveError;
use weir_store::{JobRecord, StoreError};

use super::remains::{Remain, Remains, Verdict};
use super::{Action, Reconciler};
use crate::audit;
use crate::decide;
use crate::decide::savepoints::{is_removable, places_but};

/// What became of something that was to be removed.
enum Removed {
    Yes,
    /// It is to be tried again.
    NotYet,
    /// It is to be tried again, and its bucket refuses.
    Refused,
    /// It is left where it is, for the reason.
    GivenUp(String),
}

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
        let savepoints = places.iter().cloned().map(Remain::Savepoint);
        for what in [Remain::OfJob].into_iter().chain(savepoints) {
            if self.remains().is_pausing(job.id, &what, false, now) {
                return Ok(None);
            }
        }
        let (mut is_done, mut left) = (true, Vec::new());
        match self.remove_job(job, now).await? {
            Removed::Yes => {}
            Removed::NotYet => return Ok(None),
            Removed::Refused => is_done = false,
            Removed::GivenUp(reason) => left.push(reason),
        }
        // Now that no worker is left that could still write the one it was asked for.
        for place in &places {
            match self.remove_savepoint(job, place, now).await {
                Removed::Yes => {}
                Removed::NotYet | Removed::Refused => is_done = false,
                Removed::GivenUp(reason) => left.push(reason),
            }
        }
        if !is_done {
            return Ok(None);
        }
        let incidents: Vec<_> =
            left.iter().map(|left| audit::of_remains(job, "deleteJob", left, now)).collect();
        self.control.store.mark_cleared(job.id, &incidents).await?;
        tracing::info!(job_id = %job.id, "deleted job cleared away");
        Ok(Some(Action::Cleared(job.id)))
    }

    async fn remove_job(&self, job: &JobRecord, now: Timestamp) -> Result<Removed, StoreError> {
        let control = &self.control;
        let reach = control.buckets.names_of(&job.project).await?;
        let bucket = job.definition.obs_bucket.clone().filter(|_| job.definition.checkpoint_enabled);
        let bucket = bucket.filter(|bucket| reach.contains(bucket));
        let Err(error) = control.runner.remove(job.id, bucket).await else { return Ok(Removed::Yes) };
        let what = "what a deleted job left: its checkpoints, or what it staged for its sinks";
        let removed = self.not_removed(job, &Remain::OfJob, what, &error, now);
        // What is not in a bucket goes all the same.
        if matches!(removed, Removed::GivenUp(_))
            && let Err(error) = control.runner.abandon(job.id).await
        {
            return Ok(self.not_removed(job, &Remain::OfJob, "the files of a deleted job", &error, now));
        }
        Ok(removed)
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
