//! Deleting jobs, in any status.

use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_store::JobRecord;

use crate::audit;
use crate::caller::Caller;
use crate::control::{Control, Refusal};
use crate::run::{BatchRefusal, Failures, distinct, without_conflict_of_many};
use crate::success;

impl Control {
    /// Deletes a job. One that runs is ended first, by the reconciler; the name is free at once.
    pub async fn delete(&self, caller: &Caller, id: JobId) -> Result<(), CsError> {
        self.delete_all(caller, &[id]).await.map_err(Failures::of_one)
    }

    /// Deletes several jobs, all or none.
    pub async fn batch_delete(&self, caller: &Caller, ids: &[JobId]) -> Result<(), BatchRefusal> {
        self.delete_all(caller, &distinct(ids)).await.map_err(Failures::of_batch)
    }

    async fn delete_all(&self, caller: &Caller, ids: &[JobId]) -> Result<(), Failures> {
        let _gate = self.gate.lock().await;
        without_conflict_of_many(|| self.try_delete(caller, ids)).await?;
        self.changed.notify_one();
        Ok(())
    }

    async fn try_delete(
        &self,
        caller: &Caller,
        ids: &[JobId],
    ) -> Result<Result<Vec<JobRecord>, Failures>, Refusal> {
        let mut jobs = Vec::new();
        let mut failures = Failures::default();
        for id in ids {
            match self.check_delete(caller, *id).await {
                Ok(job) => jobs.push(job),
                Err(error) => failures.add(*id, error),
            }
        }
        if !failures.is_empty() {
            return Ok(Err(failures));
        }
        let now = self.now();
        let audits: Vec<_> = jobs
            .iter()
            .map(|job| audit::of_job(caller, "deleteJob", job, success::JOB_DELETED, now))
            .collect();
        self.store.delete_jobs(&jobs, now, &audits).await?;
        Ok(Ok(jobs))
    }

    async fn check_delete(&self, caller: &Caller, id: JobId) -> Result<JobRecord, CsError> {
        let job = self.find_own(caller, id, codes::DELETE_JOB_NOT_EXIST).await?;
        Ok(job)
    }
}
