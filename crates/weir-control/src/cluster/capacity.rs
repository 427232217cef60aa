//! How much room there is for clusters: quotas of projects, SPUs and nodes of the installation. Values in, values out.

use std::collections::BTreeMap;

use weir_base::error::{CsError, codes};
use weir_base::id::{ClusterId, ProjectId};
use weir_store::ClusterRecord;

use super::state::{ClusterStatus, status};

/// Most SPUs of a cluster.
pub(super) const MOST_SPUS: i64 = 400;

/// What the operator chooses about clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterOptions {
    /// SPUs that all clusters of a project may have together.
    pub project_spus: i64,
    /// SPUs of this installation for clusters.
    pub spus: i64,
    /// Whether no more of these are given out for now.
    pub sold_out: bool,
    /// How many manager nodes there are of each size in SPUs.
    pub manager_nodes: BTreeMap<i64, i64>,
    /// Whether their jobs reach only the subnet of the cluster and where its routes lead.
    pub restricted: bool,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            project_spus: 1_000,
            spus: 1_000,
            sold_out: false,
            manager_nodes: BTreeMap::from([(2, 100), (4, 100), (8, 100), (16, 100)]),
            restricted: true,
        }
    }
}

/// Returns how many SPUs the jobs of each cluster may hold.
pub(crate) fn quotas(clusters: &[ClusterRecord]) -> BTreeMap<i64, i64> {
    clusters.iter().map(|cluster| (cluster.id.0, cluster.definition.maximum_spu_quota)).collect()
}

/// What a cluster asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub spus: i64,
    pub manager_node: i64,
}

/// What the clusters of the installation have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Given {
    spus: i64,
    manager_nodes: BTreeMap<i64, i64>,
    by_project: BTreeMap<String, i64>,
}

impl Given {
    /// Counts what clusters have, all but one of them.
    pub fn to(clusters: &[ClusterRecord], except: Option<ClusterId>) -> Self {
        let mut given = Self::default();
        for cluster in clusters.iter().filter(|cluster| Some(cluster.id) != except) {
            let (status, definition) = (status(&cluster.facts), &cluster.definition);
            if status.holds_spus() {
                given.spus += definition.maximum_spu_quota;
            }
            if status.holds_manager_node() {
                *given.manager_nodes.entry(definition.manager_node_spu).or_default() += 1;
            }
            // The quota is for what a project asked for, whether it runs or not.
            if status != ClusterStatus::CreateFail {
                *given.by_project.entry(cluster.project.0.clone()).or_default() +=
                    definition.maximum_spu_quota;
            }
        }
        given
    }

    /// Whether there is room for all that was given, whatever the operator has changed since.
    pub fn fits(&self, options: &ClusterOptions) -> bool {
        self.spus <= options.spus
    }

    /// Admits what a cluster of a project is to have beside what the others have: quota, stock, then capacity. What
    /// it has already is not asked for again.
    pub fn admit(
        &self,
        project: &ProjectId,
        wanted: Wanted,
        has: Option<Wanted>,
        options: &ClusterOptions,
    ) -> Result<(), CsError> {
        let grows = has.is_none_or(|has| wanted.spus > has.spus);
        let used = self.by_project.get(&project.0).copied().unwrap_or(0);
        let available = (options.project_spus - used).max(0);
        if grows && wanted.spus > available {
            return Err(codes::TOTAL_CLUSTER_SPU_EXCEEDED.error().with("available", available));
        }
        if has.is_none_or(|has| wanted.manager_node != has.manager_node) {
            let taken = self.manager_nodes.get(&wanted.manager_node).copied().unwrap_or(0);
            let stock = options.manager_nodes.get(&wanted.manager_node).copied().unwrap_or(0);
            if taken >= stock {
                return Err(codes::MANAGER_NODE_SOLD_OUT.error().because(format!(
                    "All {stock} manager nodes of {} SPUs are taken.",
                    wanted.manager_node
                )));
            }
        }
        if grows { self.admit_spus(wanted.spus, options) } else { Ok(()) }
    }

    /// Admits the SPUs of a cluster beside those of the others.
    pub fn admit_spus(&self, spus: i64, options: &ClusterOptions) -> Result<(), CsError> {
        if options.sold_out {
            return Err(codes::COMPUTE_NODE_SOLD_OUT.error());
        }
        let free = (options.spus - self.spus).max(0);
        if spus > free {
            return Err(codes::CLUSTER_RESOURCE_INSUFFICIENT.error().because(format!(
                "{free} of {} SPUs for exclusive clusters are free, {spus} are needed.",
                options.spus
            )));
        }
        Ok(())
    }
}
