//! Changing, stopping, restarting and deleting a cluster.

use weir_base::error::{CsError, codes};
use weir_base::id::ClusterId;
use weir_store::{BillingMode, ClusterFacts, ClusterIntent, ClusterRecord, JobRecord, RunFacts, StoreError};

use super::capacity::{Given, Wanted};
use super::fields::SentCluster;
use super::state::{self, ClusterStatus, status};
use crate::audit::{self, Subject};
use crate::caller::Caller;
use crate::control::{Control, Refusal, fault, without_conflict};
use crate::decide::{self, StopReason};
use crate::success::{self, Success};

impl Control {
    /// Changes the fields that are sent. Jobs go on.
    pub async fn update_cluster(
        &self,
        caller: &Caller,
        id: ClusterId,
        sent: SentCluster,
    ) -> Result<(), CsError> {
        // What is sent is looked at before the cluster is; the network is that of any cluster and always right.
        sent.over(&Default::default(), &self.options.clusters)?;
        without_conflict(|| self.try_update_cluster(caller, id, &sent)).await?;
        self.changed.notify_one();
        Ok(())
    }

    async fn try_update_cluster(
        &self,
        caller: &Caller,
        id: ClusterId,
        sent: &SentCluster,
    ) -> Result<(), Refusal> {
        let before = self.find_cluster(caller, id).await?;
        let options = &self.options.clusters;
        let definition = sent.over(&before.definition, options)?;
        let (was, is) = (before.definition.maximum_spu_quota, definition.maximum_spu_quota);
        let more = is + definition.manager_node_spu - was - before.definition.manager_node_spu;
        // What a subscription pays for is paid already.
        if more > 0 && before.billing_mode == BillingMode::PayPerUse {
            self.check_affords(caller, more).await?;
        }
        let _gate = self.gate.lock().await;
        let present = status(&before.facts);
        if present != ClusterStatus::Running {
            return Err(codes::CLUSTER_NOT_MODIFIABLE.error().because(in_status(present)).into());
        }
        if before.billing_mode == BillingMode::Period && was != is {
            return Err(codes::PERIOD_CLUSTER_QUOTA_NOT_MODIFIABLE.error().into());
        }
        let clusters = self.store.all_clusters().await?;
        let name = sent.name.as_ref().unwrap_or(&before.name);
        if clusters.iter().any(|o| o.project == before.project && o.name == *name && o.id != id) {
            return Err(codes::CLUSTER_NAME_EXIST.error().into());
        }
        let used = self.spu_used(id).await?;
        if is < used {
            return Err(codes::CLUSTER_SPU_USED_EXCEEDS_QUOTA.error().with("used", used).into());
        }
        let wanted = Wanted { spus: is, manager_node: definition.manager_node_spu };
        let has = Wanted { spus: was, manager_node: before.definition.manager_node_spu };
        Given::to(&clusters, Some(id)).admit(&before.project, wanted, Some(has), options)?;
        let now = self.now();
        let facts = if wanted == has { before.facts.clone() } else { state::resized(&before.facts, now) };
        let after = ClusterRecord { name: name.clone(), definition, facts, ..before.clone() };
        let audit = of_cluster(caller, "updateCluster", &after, success::CLUSTER_UPDATED, now);
        let usage = self.usage_of_cluster(&before, &after, now);
        match self.store.update_cluster(&before, &after, &audit, &usage).await {
            Err(StoreError::NameTaken) => Err(codes::CLUSTER_NAME_EXIST.error().into()),
            other => Ok(other?),
        }
    }

    /// Stops a cluster and the jobs in it.
    pub async fn stop_cluster(&self, caller: &Caller, id: ClusterId) -> Result<(), CsError> {
        let _gate = self.gate.lock().await;
        without_conflict(|| async {
            let cluster = self.find_cluster(caller, id).await?;
            if cluster.billing_mode == BillingMode::Period {
                return Err(codes::PERIOD_CLUSTER_NOT_STOPPABLE.error().into());
            }
            let present = status(&cluster.facts);
            if present != ClusterStatus::Running {
                return Err(codes::CLUSTER_STATUS_NOT_RUNNING.error().because(in_status(present)).into());
            }
            let now = self.now();
            let audit = of_cluster(caller, "stopCluster", &cluster, success::CLUSTER_STOPPED, now);
            let facts = state::stopped(&cluster.facts, now);
            self.write_with_jobs_stopped(caller, &cluster, &facts, audit).await
        })
        .await?;
        self.changed.notify_one();
        Ok(())
    }

    /// Makes a cluster run again. Its jobs are not started.
    pub async fn restart_cluster(&self, caller: &Caller, id: ClusterId) -> Result<(), CsError> {
        without_conflict(|| async {
            let cluster = self.find_cluster(caller, id).await?;
            let period = cluster.billing_mode == BillingMode::Period;
            let definition = &cluster.definition;
            if !period {
                let spus = definition.maximum_spu_quota + definition.manager_node_spu;
                self.check_affords(caller, spus).await?;
            }
            let _gate = self.gate.lock().await;
            let present = status(&cluster.facts);
            if period || !present.can_restart() {
                let reason =
                    if period { "It is paid for by subscription.".to_string() } else { in_status(present) };
                return Err(codes::CLUSTER_NOT_RESTARTABLE.error().because(reason).into());
            }
            let clusters = self.store.all_clusters().await?;
            let given = Given::to(&clusters, Some(id));
            given.admit_spus(definition.maximum_spu_quota, &self.options.clusters)?;
            let now = self.now();
            let audit = of_cluster(caller, "restartCluster", &cluster, success::CLUSTER_RESTARTED, now);
            let facts = state::restarted(&cluster.facts, now);
            Ok(self.write_cluster(&cluster, &facts, &[], &[audit]).await?)
        })
        .await?;
        self.changed.notify_one();
        Ok(())
    }

    /// Deletes a cluster. Its jobs are ended at once and stay as jobs without a cluster.
    pub async fn delete_cluster(&self, caller: &Caller, id: ClusterId) -> Result<(), CsError> {
        let _gate = self.gate.lock().await;
        without_conflict(|| async {
            let cluster = self.find_cluster(caller, id).await?;
            if cluster.billing_mode == BillingMode::Period {
                return Err(codes::PERIOD_CLUSTER_NOT_DELETABLE.error().into());
            }
            let present = status(&cluster.facts);
            if present == ClusterStatus::Deleting {
                return Err(codes::DELETE_CLUSTER_FAILED.error().because(in_status(present)).into());
            }
            let now = self.now();
            let audit = of_cluster(caller, "deleteCluster", &cluster, success::CLUSTER_DELETED, now);
            let facts = state::deleted(&cluster.facts, now);
            match self.write_with_jobs_stopped(caller, &cluster, &facts, audit).await {
                Err(Refusal::Error(error)) => {
                    Err(codes::DELETE_CLUSTER_FAILED.error().because(error.cause()).into())
                }
                other => other,
            }
        })
        .await?;
        self.changed.notify_one();
        Ok(())
    }

    /// Stores the facts of a cluster together with a stop of each of its jobs.
    async fn write_with_jobs_stopped(
        &self,
        caller: &Caller,
        cluster: &ClusterRecord,
        facts: &ClusterFacts,
        audit: weir_store::AuditRecord,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let cause = cause_of(&ClusterRecord { facts: facts.clone(), ..cluster.clone() });
        let jobs: Vec<JobRecord> = self.jobs_holding_spus_of(cluster.id).await?;
        let stopped: Vec<(&JobRecord, RunFacts)> = jobs
            .iter()
            .filter(|job| job.deleted_at.is_none() && self.status_of(job).stops_with_cluster())
            .map(|job| (job, decide::stop(&job.facts, &cause, now)))
            .collect();
        // Whoever asks what became of a job finds it with the job.
        let of_job = |job: &JobRecord| audit::of_job(caller, "stopJob", job, success::JOB_STOPPED, now);
        let audits: Vec<_> =
            std::iter::once(audit).chain(stopped.iter().map(|(job, _)| of_job(job))).collect();
        Ok(self.write_cluster(cluster, facts, &stopped, &audits).await?)
    }

    /// Returns a cluster of the caller's project, else CS.20005.
    pub(crate) async fn find_cluster(
        &self,
        caller: &Caller,
        id: ClusterId,
    ) -> Result<ClusterRecord, CsError> {
        let cluster = self.store.cluster(&caller.project, id).await.map_err(fault)?;
        cluster.ok_or_else(|| no_cluster(id))
    }

    /// Returns the jobs of a cluster that hold SPUs, deleted ones among them whose workers have not ended yet.
    pub(crate) async fn jobs_holding_spus_of(&self, id: ClusterId) -> Result<Vec<JobRecord>, StoreError> {
        let mut jobs = self.store.jobs_with_runs().await?;
        jobs.retain(|job| self.held_by(job).is_some_and(|held| held.cluster_id == Some(id.0)));
        Ok(jobs)
    }

    /// Returns how many SPUs the jobs of a cluster hold.
    pub(super) async fn spu_used(&self, id: ClusterId) -> Result<i64, StoreError> {
        let jobs = self.jobs_holding_spus_of(id).await?;
        Ok(jobs.iter().filter_map(|job| self.held_by(job)).map(|held| held.spus).sum())
    }
}

/// Returns why the jobs of a cluster that is stopped or deleted end.
pub(super) fn cause_of(cluster: &ClusterRecord) -> StopReason {
    match cluster.facts.intent {
        ClusterIntent::Delete => StopReason::ClusterDeleted(cluster.name.clone()),
        _ => StopReason::ClusterStopped(cluster.name.clone()),
    }
}

/// The error for an id that no cluster of the project has.
pub(crate) fn no_cluster(id: impl std::fmt::Display) -> CsError {
    codes::CLUSTER_NOT_EXIST.error().because(format!("There is no cluster {id}."))
}

/// Says in what status a cluster is.
pub(crate) fn in_status(status: ClusterStatus) -> String {
    format!("It is in {}.", status.name())
}

/// Returns the record of a change of a cluster.
pub(super) fn of_cluster(
    caller: &Caller,
    event: &str,
    cluster: &ClusterRecord,
    success: Success,
    now: weir_base::time::Timestamp,
) -> weir_store::AuditRecord {
    let id = cluster.id.to_string();
    let subject = Subject { resource_type: "cluster", id: &id, name: &cluster.name };
    audit::of_success(caller, event, subject, success, now)
}
