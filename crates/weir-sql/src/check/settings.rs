//! What a check depends on besides the text.

use std::time::Duration;

use weir_base::variables::Variables;

/// Where a job is to run and what its text may use.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// The greatest size of the text in bytes.
    pub max_bytes: usize,
    /// Where the job runs.
    pub cluster: Cluster,
    /// Global variables of the project, for `{{name}}` in option values.
    pub variables: Variables,
    /// The time zone of the job.
    pub time_zone: String,
    /// After which time idle state is forgotten, when whoever runs the job has said it.
    pub idle_state_retention: Option<Duration>,
}

/// Where a job runs; this decides which connectors it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cluster {
    /// The cluster that all projects share.
    Shared {
        /// Whether connectors to services in private networks are refused.
        restricted: bool,
    },
    /// A cluster of the project's own.
    Exclusive,
    /// The machine of the user, without a server.
    Local,
}

impl Default for CheckOptions {
    fn default() -> Self {
        let cluster = Cluster::Shared { restricted: true };
        Self {
            max_bytes: 10_000,
            cluster,
            variables: Variables::default(),
            time_zone: "UTC".to_string(),
            idle_state_retention: None,
        }
    }
}
