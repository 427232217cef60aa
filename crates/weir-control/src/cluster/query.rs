//! Reading clusters and their jobs.

use std::collections::BTreeMap;

use weir_base::error::{CsError, codes};
use weir_base::id::ClusterId;
use weir_store::{ClusterRecord, StoreError};

use super::state::{ClusterStatus, status};
use crate::caller::{Caller, Role};
use crate::control::{Control, fault};
use crate::paging::{Page, page_of};

/// Which clusters a list holds.
#[derive(Debug, Clone, Default)]
pub struct ClusterListRequest {
    /// Part of the name.
    pub name: Option<String>,
    /// Status.
    pub status: Option<ClusterStatus>,
}

/// One page of clusters.
#[derive(Debug, Clone)]
pub struct ClusterList {
    /// Clusters that match, whatever the page.
    pub total: usize,
    /// The page.
    pub clusters: Vec<ClusterView>,
}

/// A cluster as users see it.
#[derive(Debug, Clone)]
pub struct ClusterView {
    /// What is stored.
    pub record: ClusterRecord,
    /// Its status now.
    pub status: ClusterStatus,
    /// SPUs that its jobs hold.
    pub spu_used: i64,
}

impl Control {
    /// Lists the clusters that the caller may see.
    pub async fn list_clusters(
        &self,
        caller: &Caller,
        request: &ClusterListRequest,
        page: Page,
    ) -> Result<ClusterList, CsError> {
        let mut clusters = self.store.clusters(&caller.project).await.map_err(fault)?;
        if let Some(name) = &request.name {
            clusters.retain(|cluster| cluster.name.contains(name.as_str()));
        }
        clusters.retain(|cluster| request.status.is_none_or(|wanted| status(&cluster.facts) == wanted));
        if !caller.role.reads_project() {
            let assigned = self.store.clusters_of_user(&caller.project, &caller.user).await.map_err(fault)?;
            clusters.retain(|cluster| assigned.contains(&cluster.id));
        }
        let total = clusters.len();
        let used = self.spus_used().await.map_err(unreadable)?;
        let clusters = page_of(clusters, page, |cluster| cluster.id.0)
            .into_iter()
            .map(|record| view(record, &used))
            .collect();
        Ok(ClusterList { total, clusters })
    }

    /// Returns a cluster.
    pub async fn cluster(&self, caller: &Caller, id: ClusterId) -> Result<ClusterView, CsError> {
        let record = self.find_readable_cluster(caller, id).await?;
        let used = self.spus_used().await.map_err(unreadable)?;
        Ok(view(record, &used))
    }

    /// Returns a cluster that the caller may see, else CS.20005.
    pub(crate) async fn find_readable_cluster(
        &self,
        caller: &Caller,
        id: ClusterId,
    ) -> Result<ClusterRecord, CsError> {
        let record = self.find_cluster(caller, id).await?;
        if !caller.role.reads_project() && !self.is_assigned(caller, id).await? {
            return Err(super::change::no_cluster(id));
        }
        Ok(record)
    }

    /// Whether a user was assigned a cluster.
    pub(crate) async fn is_assigned(&self, caller: &Caller, id: ClusterId) -> Result<bool, CsError> {
        let assigned = self.store.clusters_of_user(&caller.project, &caller.user).await.map_err(fault)?;
        Ok(assigned.contains(&id))
    }

    /// Refuses a cluster that the caller may not use with CS.13011.
    pub(crate) async fn check_may_use(&self, caller: &Caller, id: ClusterId) -> Result<(), CsError> {
        if caller.role == Role::Administrator || self.is_assigned(caller, id).await? {
            return Ok(());
        }
        Err(codes::CLUSTER_NOT_PERMITTED.error().because(format!("It is cluster {id}.")))
    }

    async fn spus_used(&self) -> Result<BTreeMap<i64, i64>, StoreError> {
        let mut used = BTreeMap::new();
        for job in self.store.jobs_with_runs().await? {
            if let Some(held) = self.held_by(&job)
                && let Some(cluster) = held.cluster_id
            {
                *used.entry(cluster).or_default() += held.spus;
            }
        }
        Ok(used)
    }
}

fn view(record: ClusterRecord, used: &BTreeMap<i64, i64>) -> ClusterView {
    let spu_used = used.get(&record.id.0).copied().unwrap_or(0);
    ClusterView { status: status(&record.facts), spu_used, record }
}

/// The cluster is known, and what its jobs use is not.
fn unreadable(error: StoreError) -> CsError {
    tracing::error!(%error, "the jobs of clusters could not be read");
    codes::QUERY_CLUSTER_FAILED.error().because(format!("{error}."))
}
