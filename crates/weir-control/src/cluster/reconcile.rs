//! Drives clusters towards what was asked for: reads, asks [`state::next`], does it.

use weir_base::error::codes;
use weir_base::id::ClusterId;
use weir_base::time::Timestamp;
use weir_store::{AuditRecord, ClusterFacts, ClusterRecord, EndKind, Intent, StoreError};

use super::capacity::Given;
use super::change::cause_of;
use super::state::{self, ClusterStatus, ClusterStep, Seen};
use crate::audit;
use crate::control::Control;
use crate::decide;

impl Control {
    /// Runs one round over all clusters. Returns those for which something was done.
    pub(crate) async fn attend_clusters(
        &self,
        clusters: &[ClusterRecord],
        now: Timestamp,
    ) -> Result<Vec<ClusterId>, StoreError> {
        let has_room = Given::to(clusters, None).fits(&self.options.clusters);
        let mut attended = Vec::new();
        for cluster in clusters {
            if !state::status(&cluster.facts).is_transient() {
                continue;
            }
            match self.attend_cluster(cluster, has_room, now).await {
                Ok(true) => attended.push(cluster.id),
                Ok(false) => {}
                // The user was faster: the next round sees what they want now.
                Err(StoreError::Conflict) => self.changed.notify_one(),
                Err(error) => {
                    tracing::error!(cluster_id = %cluster.id, %error, "a cluster could not be attended to, will retry");
                }
            }
        }
        if !attended.is_empty() {
            self.changed.notify_one();
        }
        Ok(attended)
    }

    async fn attend_cluster(
        &self,
        cluster: &ClusterRecord,
        has_room: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let has_jobs = !self.jobs_holding_spus_of(cluster.id).await?.is_empty();
        match state::next(&cluster.facts, Seen { has_room, has_jobs }, now, &self.options.limits) {
            ClusterStep::Wait => Ok(false),
            ClusterStep::Record(facts) => {
                let incident = incident(cluster, &facts, now);
                self.write_cluster(cluster, &facts, &[], incident.as_slice()).await?;
                let status = state::status(&facts).name();
                tracing::info!(cluster_id = %cluster.id, status, reason = facts.reason, "cluster moved on");
                Ok(true)
            }
            ClusterStep::EndJobs => {
                self.end_jobs_of(cluster, now).await?;
                Ok(false)
            }
            ClusterStep::End => {
                // A use-case that has seen the cluster may be about to put a job into it.
                let _gate = self.gate.lock().await;
                self.store.end_cluster(cluster, now).await?;
                tracing::info!(cluster_id = %cluster.id, "cluster is gone");
                Ok(true)
            }
        }
    }

    /// Ends the workers of what is left; the round over the jobs notes their end. A job whose stop has failed before
    /// is stopped once more.
    async fn end_jobs_of(&self, cluster: &ClusterRecord, now: Timestamp) -> Result<(), StoreError> {
        for job in self.jobs_holding_spus_of(cluster.id).await? {
            self.runner.kill(job.id).await;
            if job.deleted_at.is_some() {
                continue;
            }
            let intent = job.facts.intent;
            let stopping = matches!(intent, Intent::Stop | Intent::Freeze);
            if stopping && job.facts.end != Some(EndKind::CancelFailed) {
                continue;
            }
            let ended = match intent {
                Intent::Freeze => decide::freeze(&job.facts, now),
                _ => decide::stop(&job.facts, &cause_of(cluster), now),
            };
            self.write_facts(&[(&job, ended)], &[]).await?;
        }
        Ok(())
    }
}

/// Returns the record of a cluster that does not become what it should be; only then there is a reason.
fn incident(cluster: &ClusterRecord, facts: &ClusterFacts, now: Timestamp) -> Option<AuditRecord> {
    if facts.reason.is_empty() {
        return None;
    }
    let code = match state::status(facts) {
        ClusterStatus::CreateFail => codes::CREATE_CLUSTER_FAILED,
        ClusterStatus::DeleteFail => codes::DELETE_CLUSTER_FAILED,
        // It was to run again, and stands still.
        _ => codes::CLUSTER_RESOURCE_INSUFFICIENT,
    };
    Some(audit::of_cluster_incident(cluster, code, &facts.reason, now))
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
