//! Stopping jobs.

use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_base::savepoint::{SavepointAsk, SavepointPlace};
use weir_store::JobRecord;

use crate::audit;
use crate::caller::Caller;
use crate::control::{Control, Refusal};
use crate::decide::{self, StopReason};
use crate::run::{BatchRefusal, Failures, distinct, without_conflict_of_many};
use crate::status::Status;
use crate::success;

impl Control {
    /// Stops a job.
    pub async fn stop(&self, caller: &Caller, id: JobId, trigger_savepoint: bool) -> Result<(), CsError> {
        self.stop_all(caller, &[id], trigger_savepoint).await.map_err(Failures::of_one)
    }

    /// Stops several jobs, all or none.
    pub async fn batch_stop(
        &self,
        caller: &Caller,
        ids: &[JobId],
        trigger_savepoint: bool,
    ) -> Result<(), BatchRefusal> {
        self.stop_all(caller, &distinct(ids), trigger_savepoint).await.map_err(Failures::of_batch)
    }

    async fn stop_all(
        &self,
        caller: &Caller,
        ids: &[JobId],
        trigger_savepoint: bool,
    ) -> Result<(), Failures> {
        let _gate = self.gate.lock().await;
        without_conflict_of_many(|| self.try_stop(caller, ids, trigger_savepoint)).await?;
        self.changed.notify_one();
        Ok(())
    }

    async fn try_stop(
        &self,
        caller: &Caller,
        ids: &[JobId],
        trigger_savepoint: bool,
    ) -> Result<Result<Vec<JobRecord>, Failures>, Refusal> {
        let mut jobs = Vec::new();
        let mut failures = Failures::default();
        for id in ids {
            match self.check_stop(caller, *id, trigger_savepoint).await {
                Ok(job) => jobs.push(job),
                Err(error) => failures.add(*id, error),
            }
        }
        if !failures.is_empty() {
            return Ok(Err(failures));
        }
        let now = self.now();
        let stopped = |job: &JobRecord| {
            if !trigger_savepoint {
                return decide::stop(&job.facts, &StopReason::StoppedBy(caller.user_name.clone()), now);
            }
            let place = SavepointPlace::of_job(job.id, job.definition.obs_bucket.clone());
            decide::savepoint(&job.facts, SavepointAsk { at: now, place, stop: true }, &caller.user_name)
        };
        let changes: Vec<_> = jobs.iter().map(|job| (job, stopped(job))).collect();
        let audits: Vec<_> =
            jobs.iter().map(|job| audit::of_job(caller, "stopJob", job, success::JOB_STOPPED, now)).collect();
        self.write_facts(&changes, &audits).await?;
        Ok(Ok(jobs))
    }

    async fn check_stop(
        &self,
        caller: &Caller,
        id: JobId,
        trigger_savepoint: bool,
    ) -> Result<JobRecord, CsError> {
        let job = self.find_own(caller, id, codes::STOP_JOB_NOT_EXIST).await?;
        let status = self.status_of(&job);
        if !status.can_stop() {
            return Err(codes::JOB_NOT_STOPPABLE.error().because(format!("It is in {}.", status.name())));
        }
        if trigger_savepoint && status != Status::Running {
            return Err(codes::JOB_NOT_STOPPABLE.error().because(format!(
                "It is in {}, and only a running job can write a savepoint; stop it with triggerSavePoint=false.",
                status.name()
            )));
        }
        Ok(job)
    }
}
