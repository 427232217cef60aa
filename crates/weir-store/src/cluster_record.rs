//! An exclusive cluster as it is stored: what was asked for, what is wanted of it, and what is known.
//!
//! There is no status here: it is computed from these facts by weir-control.

use serde::{Deserialize, Serialize};
use weir_base::id::{ClusterId, ProjectId, UserId};
use weir_base::time::Timestamp;

/// The fields of the create request with their defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterDefinition {
    /// Description.
    pub desc: String,
    /// SPUs that its jobs may hold together.
    pub maximum_spu_quota: i64,
    /// SPUs of the node that manages it; not part of the former.
    pub manager_node_spu: i64,
    /// Its network.
    pub vpc_cidr: String,
    /// Where its nodes are in the network.
    pub subnet_cidr: String,
    /// Gateway of the subnet.
    pub subnet_gateway: String,
    /// Tags.
    pub tags: Option<String>,
    /// Enterprise project.
    pub sys_enterprise_project_id: Option<String>,
}

impl Default for ClusterDefinition {
    fn default() -> Self {
        Self {
            desc: String::new(),
            maximum_spu_quota: 100,
            manager_node_spu: 2,
            vpc_cidr: "172.16.0.0/23".to_string(),
            subnet_cidr: "172.16.0.0/23".to_string(),
            subnet_gateway: "172.16.0.1".to_string(),
            tags: None,
            sys_enterprise_project_id: Some("0".to_string()),
        }
    }
}

/// What is wanted of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterIntent {
    /// To run.
    Run,
    /// To stand still, as its owner asked.
    Stop,
    /// To stand still, as the balance of the account asks.
    Freeze,
    /// To be gone.
    Delete,
}

/// Why a cluster is made to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterBeginning {
    /// It is new.
    Create,
    /// It was stopped.
    Restart,
    /// It was frozen.
    Recover,
}

/// What is wanted of a cluster and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterFacts {
    /// What is wanted.
    pub intent: ClusterIntent,
    /// Since when.
    pub intent_at: Timestamp,
    /// Why it was last made to run.
    pub beginning: ClusterBeginning,
    /// When its nodes were ready.
    pub provisioned_at: Option<Timestamp>,
    /// When its last start began; `None` while that is due.
    pub starting_at: Option<Timestamp>,
    /// Since when it runs.
    pub running_since: Option<Timestamp>,
    /// Since when its size is being changed.
    pub updating_since: Option<Timestamp>,
    /// When the last of its jobs had stopped, after a stop or freeze.
    pub halted_at: Option<Timestamp>,
    /// Whether what is wanted could not be done.
    pub failed: bool,
    /// Why; for people.
    pub reason: String,
}

/// How a cluster is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BillingMode {
    /// By the hour.
    PayPerUse,
    /// By subscription, as the operator says.
    Period,
}

impl BillingMode {
    /// Returns the stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PayPerUse => "pay_per_use",
            Self::Period => "period",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::PayPerUse, Self::Period].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A cluster as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRecord {
    /// Id.
    pub id: ClusterId,
    /// Project.
    pub project: ProjectId,
    /// Who made it.
    pub user: UserId,
    /// Name, unique in the project.
    pub name: String,
    /// The id of its network.
    pub vpc_id: String,
    /// What was asked for.
    pub definition: ClusterDefinition,
    /// How it is paid for.
    pub billing_mode: BillingMode,
    /// Until when it is paid for by subscription; `None` when that has no end.
    pub paid_until: Option<Timestamp>,
    /// What is wanted and known.
    pub facts: ClusterFacts,
    /// Created.
    pub created_at: Timestamp,
    /// Number of writes so far.
    pub version: i64,
}

/// A cluster to create.
#[derive(Debug, Clone)]
pub struct NewCluster {
    /// Project.
    pub project: ProjectId,
    /// Who makes it.
    pub user: UserId,
    /// Name.
    pub name: String,
    /// The id of its network.
    pub vpc_id: String,
    /// What was asked for.
    pub definition: ClusterDefinition,
    /// What is wanted.
    pub facts: ClusterFacts,
    /// Now.
    pub created_at: Timestamp,
}
