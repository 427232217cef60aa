//! Limits and choices of the installation.

use std::time::Duration;

use weir_base::network::NetworkSettings;

use crate::billing::BillingOptions;
use crate::cluster::ClusterOptions;

/// The deadlines and delays of the state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From the hand-over to the runtime until the job runs; after it the attempt counts as failed.
    pub start: Duration,
    /// From a stop until the job has stopped; after it the status is `job_cancel_fail`.
    pub cancel: Duration,
    /// From the ask for a savepoint until it is written; after it the job runs on without.
    pub savepoint: Duration,
    /// Without a sign of life of a running job for this long its worker counts as lost.
    pub silence: Duration,
    /// Delay before the first restart; doubles with each failure in a row.
    pub restart_first: Duration,
    /// Longest delay before a restart.
    pub restart_longest: Duration,
    /// After running this long the delays begin anew.
    pub restart_reset: Duration,
    /// Attempts of a job that has never come up in this run.
    pub start_attempts: u32,
    /// From the creation or restart of a cluster until there is room for it; after it the creation has failed, and
    /// a cluster that was to run again stands still.
    pub cluster_begin: Duration,
    /// From the stop of a cluster until its jobs have stopped; after it their workers are ended. Longer than `cancel`.
    pub cluster_stop: Duration,
    /// From the delete of a cluster until its jobs have ended; after it the status is `cluster_delete_fail`.
    pub cluster_delete: Duration,
    /// A stop that has no effect is repeated after this time.
    pub ask_again: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(120),
            cancel: Duration::from_secs(300),
            savepoint: Duration::from_secs(300),
            silence: Duration::from_secs(60),
            restart_first: Duration::from_secs(10),
            restart_longest: Duration::from_secs(300),
            restart_reset: Duration::from_secs(600),
            start_attempts: 3,
            cluster_begin: Duration::from_secs(600),
            cluster_stop: Duration::from_secs(360),
            cluster_delete: Duration::from_secs(300),
            ask_again: Duration::from_secs(5),
        }
    }
}

/// A group of edge nodes that jobs may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeGroup {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
}

/// What the operator of an installation chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlOptions {
    /// Drafts that a project may have.
    pub draft_limit: u32,
    /// SPUs that a user may hold who has no quota record of their own.
    pub user_spu_quota: i64,
    /// SPUs of the shared cluster.
    pub shared_cluster_spus: i64,
    /// Room for exclusive clusters.
    pub clusters: ClusterOptions,
    /// How use is charged for; `None` meters nothing.
    pub billing: Option<BillingOptions>,
    /// Groups of edge nodes that jobs may name.
    pub edge_groups: Vec<EdgeGroup>,
    /// Address below which sinks are read, without a slash at its end.
    pub gateway_url: String,
    /// What no job reaches of the network, whatever its cluster.
    pub network: NetworkSettings,
    /// The region, as clients know it.
    pub region: String,
    /// Longest SQL text in bytes.
    pub sql_max_bytes: usize,
    /// Whether the shared cluster refuses stream types that must reach hosts in a user's network.
    pub restricted_shared_cluster: bool,
    /// Wall clock of the jobs: IANA name or fixed offset.
    pub time_zone: String,
    /// How long a run waits for the runtime's word, so that a refusal is part of the answer.
    pub submit_wait: Duration,
    /// Time between two rounds of the reconciler when nothing wakes it.
    pub tick: Duration,
    /// Time between two writes of the metrics of a running job.
    pub report_interval: Duration,
    /// Deadlines and delays.
    pub limits: Limits,
}

impl Default for ControlOptions {
    fn default() -> Self {
        Self {
            draft_limit: 100,
            user_spu_quota: 1_000,
            shared_cluster_spus: 1_000,
            clusters: ClusterOptions::default(),
            billing: None,
            edge_groups: Vec::new(),
            gateway_url: "http://127.0.0.1/gateway".to_string(),
            network: NetworkSettings::default(),
            region: "local".to_string(),
            sql_max_bytes: 10_000,
            restricted_shared_cluster: true,
            time_zone: "UTC".to_string(),
            submit_wait: Duration::from_secs(1),
            tick: Duration::from_millis(250),
            report_interval: Duration::from_secs(5),
            limits: Limits::default(),
        }
    }
}
