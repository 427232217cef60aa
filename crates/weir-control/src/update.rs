//! Changing the definition of a job that does not run.

use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_base::time::Timestamp;
use weir_store::{JobRecord, StoreError};

use crate::audit;
use crate::caller::Caller;
use crate::control::{Control, Refusal, without_conflict};
use crate::fields::{self, SentFields};
use crate::{jar, success};

impl Control {
    /// Changes the fields that are sent; returns the update time. The status stays as it is.
    pub async fn update_sql_job(
        &self,
        caller: &Caller,
        id: JobId,
        sent: SentFields,
    ) -> Result<Timestamp, CsError> {
        fields::check_sent(&sent, self.options.sql_max_bytes)?;
        without_conflict(|| self.try_update(caller, id, &sent)).await
    }

    async fn try_update(&self, caller: &Caller, id: JobId, sent: &SentFields) -> Result<Timestamp, Refusal> {
        let job = self.find_own(caller, id, codes::JOB_NOT_EXIST).await?;
        self.check_updatable(&job, !jar::is_jar(&job.definition))?;
        let definition = sent.over(&job.definition);
        fields::check_merged(sent, &definition, self.options.sql_max_bytes)?;
        self.check_surroundings(caller, &definition, sent).await?;
        let _gate = self.gate.lock().await;
        // One that goes after this takes the job, and its version, along.
        if sent.names_cluster() {
            self.check_cluster_of(caller, &definition).await?;
        }
        let now = self.now();
        let audit = audit::of_job(caller, "updateJob", &job, success::JOB_UPDATED, now);
        match self.store.update_definition(&job, &definition, now, &audit).await {
            Ok(()) => Ok(now),
            Err(StoreError::Conflict) => Err(Refusal::Conflict),
            Err(StoreError::NameTaken) => Err(codes::UPDATE_JOB_NAME_EXIST.error().into()),
            Err(other) => {
                tracing::error!(error = %other, job_id = %id, "a changed job could not be written");
                Err(codes::UPDATE_SQL_FAILED.error().because(format!("{other}.")).into())
            }
        }
    }

    /// Refuses an update that the status does not allow, or that belongs to another type of jobs.
    pub(crate) fn check_updatable(&self, job: &JobRecord, is_of_type: bool) -> Result<(), CsError> {
        let status = self.status_of(job);
        if let Some(code) = status.update_refusal() {
            return Err(code.error().because(format!("The job is in {}.", status.name())));
        }
        if !is_of_type {
            let reason = format!("A {} is updated by another call.", job.definition.job_type);
            return Err(codes::JOB_NOT_UPDATABLE.error().because(reason));
        }
        Ok(())
    }
}
