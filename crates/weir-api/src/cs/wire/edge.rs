//! What edge nodes report.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an edge node knows of its jobs.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // Read to be checked.
pub struct EdgeJobReport {
    /// One entry per job.
    #[schema(min_items = 1)]
    pub jobs: Vec<EdgeJobState>,
    /// Topic on which the node wants the confirmation.
    #[schema(value_type = String, required = false)]
    msg_confirm_topic: Option<String>,
    /// Id of the report.
    message_id: String,
}

/// What an edge node knows of a job.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // Read to be checked.
pub struct EdgeJobState {
    /// Job id.
    #[schema(value_type = i64, required = false)]
    pub job_id: Option<i64>,
    /// Status.
    status: String,
    /// Milliseconds since the epoch.
    create_time: i64,
    /// What went wrong.
    #[schema(value_type = String, required = false)]
    exceptions: Option<String>,
    /// Counters.
    #[schema(value_type = String, required = false)]
    metrics: Option<String>,
    /// Execution plan.
    #[schema(value_type = String, required = false)]
    plan: Option<String>,
}

/// A success in the form of the successor of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlinkSimpleResponse {
    /// True.
    is_success: bool,
    /// Text.
    message: String,
}
