//! The operations of the CS API that this service has, with what each needs of its caller.

use weir_control::Role;

/// An operation.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its id in the OpenAPI description.
    pub id: &'static str,
    /// The weakest role that may call it.
    pub role: Role,
    /// Whether it reads a body.
    pub body: Body,
    /// The event in the audit and the type of what it changes; `None` for one that only reads.
    pub event: Option<(&'static str, &'static str)>,
}

/// Whether an operation reads a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// It has none; what is sent is not looked at.
    None,
    /// JSON.
    Json,
}

const fn operation(
    id: &'static str,
    role: Role,
    body: Body,
    event: Option<(&'static str, &'static str)>,
) -> Operation {
    Operation { id, role, body, event }
}

/// Registers the caller.
pub const USER_REGISTER: Operation =
    operation("userRegister", Role::User, Body::None, Some(("registerUser", "user")));
/// Authorizes buckets.
pub const AUTHORIZE_BUCKET: Operation =
    operation("authorizeBucket", Role::User, Body::Json, Some(("authorizeBucket", "bucket")));
/// Creates a SQL job.
pub const SUBMIT_SQL_JOB: Operation =
    operation("submitSqlJob", Role::User, Body::Json, Some(("createJob", "job")));
/// Updates a SQL job.
pub const UPDATE_SQL_JOB: Operation =
    operation("updateSqlJob", Role::User, Body::Json, Some(("updateJob", "job")));
/// Lists jobs.
pub const GET_JOBS: Operation = operation("getJobs", Role::Reader, Body::None, None);
/// Reads a job.
pub const GET_JOB_DETAIL: Operation = operation("getJobDetail", Role::Reader, Body::None, None);
/// Deletes a job.
pub const DELETE_JOB: Operation = operation("deleteJob", Role::User, Body::None, Some(("deleteJob", "job")));
/// Runs a job.
pub const RUN_JOB: Operation = operation("runJob", Role::User, Body::None, Some(("startJob", "job")));
/// Stops a job.
pub const STOP_JOB: Operation = operation("stopJob", Role::User, Body::None, Some(("stopJob", "job")));
/// Runs jobs.
pub const BATCH_RUN_JOBS: Operation =
    operation("batchRunJobs", Role::User, Body::Json, Some(("startJob", "job")));
/// Stops jobs.
pub const BATCH_STOP_JOBS: Operation =
    operation("batchStopJobs", Role::User, Body::Json, Some(("stopJob", "job")));
/// Deletes jobs.
pub const BATCH_DELETE_JOBS: Operation =
    operation("batchDeleteJobs", Role::User, Body::Json, Some(("deleteJob", "job")));
/// Reads an execution graph.
pub const GET_JOB_EXECUTE_GRAPH: Operation = operation("getJobExecuteGraph", Role::Reader, Body::None, None);
/// Reads metrics.
pub const GET_JOBS_METRICS: Operation = operation("getJobsMetrics", Role::Reader, Body::Json, None);

/// Every operation that needs a credential.
pub const ALL: &[Operation] = &[
    USER_REGISTER,
    AUTHORIZE_BUCKET,
    SUBMIT_SQL_JOB,
    UPDATE_SQL_JOB,
    GET_JOBS,
    GET_JOB_DETAIL,
    DELETE_JOB,
    RUN_JOB,
    STOP_JOB,
    BATCH_RUN_JOBS,
    BATCH_STOP_JOBS,
    BATCH_DELETE_JOBS,
    GET_JOB_EXECUTE_GRAPH,
    GET_JOBS_METRICS,
];
