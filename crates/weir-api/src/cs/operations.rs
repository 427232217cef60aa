//! The operations of the CS API that this service has, with what each needs of its caller.

use weir_base::error::{ErrorCode, codes};
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
    /// Whether errors have the form of the successor of the service.
    pub successor_errors: bool,
}

/// Whether an operation reads a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// It has none; what is sent is not looked at.
    None,
    /// JSON.
    Json,
    /// A form with so many files at most, and the code that says that one is too long.
    Form(ErrorCode, usize),
}

const fn operation(
    id: &'static str,
    role: Role,
    body: Body,
    event: Option<(&'static str, &'static str)>,
) -> Operation {
    Operation { id, role, body, event, successor_errors: false }
}

/// An operation that answers errors as the successor of the service does.
const fn of_successor(
    id: &'static str,
    role: Role,
    body: Body,
    event: Option<(&'static str, &'static str)>,
) -> Operation {
    Operation { id, role, body, event, successor_errors: true }
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

/// Reads the totals of a project.
pub const OVERVIEW: Operation = operation("overview", Role::Reader, Body::None, None);
/// Reads what was charged.
pub const GET_BILLING_HISTORY: Operation = operation("getBillingHistory", Role::Reader, Body::None, None);
/// Adds to the balance of the account.
pub const TOP_UP_ACCOUNT: Operation =
    operation("topUpAccount", Role::Administrator, Body::Json, Some(("topUpAccount", "account")));
/// Charges for what was used until now.
pub const SETTLE_ACCOUNT: Operation =
    operation("settleAccount", Role::Administrator, Body::None, Some(("settleAccount", "account")));
/// Creates a template.
pub const CREATE_JOB_TEMPLATE: Operation =
    operation("createJobTemplate", Role::User, Body::Json, Some(("createTemplate", "template")));
/// Updates a template.
pub const UPDATE_JOB_TEMPLATE: Operation =
    operation("updateJobTemplate", Role::User, Body::Json, Some(("updateTemplate", "template")));
/// Lists templates.
pub const GET_JOB_TEMPLATES: Operation = operation("getJobTemplates", Role::Reader, Body::None, None);
/// Lists the samples.
pub const GET_SAMPLE_TEMPLATES: Operation = operation("getSampleTemplates", Role::Reader, Body::None, None);
/// Deletes a template.
pub const DELETE_JOB_TEMPLATE: Operation =
    operation("deleteJobTemplate", Role::User, Body::None, Some(("deleteTemplate", "template")));
/// Lists quotas.
pub const GET_USER_QUOTAS: Operation = operation("getUserQuotas", Role::Reader, Body::None, None);
/// Reads a quota.
pub const GET_USER_QUOTA: Operation = operation("getUserQuota", Role::Reader, Body::None, None);
/// Changes a quota.
pub const UPDATE_USER_QUOTA: Operation =
    operation("updateUserQuota", Role::Administrator, Body::Json, Some(("updateUserQuota", "user")));
/// Reads the audit.
pub const GET_AUDIT_LOGS: Operation = operation("getAuditLogs", Role::Reader, Body::None, None);
/// Reads the agency.
pub const GET_AGENCY: Operation = operation("getAgency", Role::Reader, Body::None, None);
/// Makes the agency or adds roles to it.
pub const CREATE_AGENCY: Operation =
    operation("createAgency", Role::Administrator, Body::Json, Some(("createAgency", "agency")));
/// Creates a cluster.
pub const CREATE_RESERVED_CLUSTER: Operation =
    operation("createReservedCluster", Role::Administrator, Body::Json, Some(("createCluster", "cluster")));
/// Lists clusters.
pub const GET_RESERVED_CLUSTERS: Operation = operation("getReservedClusters", Role::Reader, Body::None, None);
/// Reads a cluster.
pub const DESCRIBE_RESERVED_CLUSTER: Operation =
    operation("describeReservedCluster", Role::Reader, Body::None, None);
/// Updates a cluster.
pub const UPDATE_RESERVED_CLUSTER: Operation =
    operation("updateReservedCluster", Role::Administrator, Body::Json, Some(("updateCluster", "cluster")));
/// Deletes a cluster.
pub const DELETE_RESERVED_CLUSTER: Operation =
    operation("deleteReservedCluster", Role::Administrator, Body::None, Some(("deleteCluster", "cluster")));
/// Stops a cluster.
pub const STOP_RESERVED_CLUSTER: Operation =
    operation("stopReservedCluster", Role::Administrator, Body::None, Some(("stopCluster", "cluster")));
/// Restarts a cluster.
pub const RESTART_RESERVED_CLUSTER: Operation =
    operation("restartReservedCluster", Role::Administrator, Body::None, Some(("restartCluster", "cluster")));
/// Lists the jobs of a cluster.
pub const GET_CLUSTER_JOBS: Operation = operation("getClusterJobs", Role::Reader, Body::None, None);

/// Lists the mappings of a cluster.
pub const GET_HOSTS_INFO: Operation = operation("getHostsInfo", Role::Reader, Body::None, None);
/// Adds mappings to a cluster.
pub const ADD_HOSTS_INFO: Operation =
    operation("addHostsInfo", Role::Administrator, Body::Json, Some(("addHosts", "cluster")));
/// Adds the mappings of a file to a cluster.
pub const ADD_HOSTS_FILE: Operation = operation(
    "addHostsFile",
    Role::Administrator,
    Body::Form(codes::HOSTS_FILE_TOO_LARGE, 1),
    Some(("addHosts", "cluster")),
);
/// Updates a mapping of a cluster.
pub const UPDATE_HOSTS_INFO: Operation =
    operation("updateHostsInfo", Role::Administrator, Body::Json, Some(("updateHosts", "cluster")));
/// Deletes mappings of a cluster.
pub const DELETE_HOSTS_INFO: Operation =
    operation("deleteHostsInfo", Role::Administrator, Body::Json, Some(("deleteHosts", "cluster")));

/// Creates a peering of a cluster.
pub const CREATE_PEERING: Operation =
    operation("createPeering", Role::Administrator, Body::Json, Some(("createPeering", "cluster")));
/// Lists the peerings of a cluster.
pub const GET_PEERINGS: Operation = operation("getPeerings", Role::Reader, Body::None, None);
/// Reads a peering of a cluster.
pub const GET_PEERING: Operation = operation("getPeering", Role::Reader, Body::None, None);
/// Deletes a peering of a cluster.
pub const DELETE_PEERING: Operation =
    operation("deletePeering", Role::Administrator, Body::None, Some(("deletePeering", "cluster")));
/// Creates a route of a cluster.
pub const CREATE_ROUTE: Operation =
    operation("createRoute", Role::Administrator, Body::Json, Some(("createRoute", "cluster")));
/// Lists the routes of a peering.
pub const GET_ROUTES: Operation = operation("getRoutes", Role::Reader, Body::None, None);
/// Deletes a route of a cluster.
pub const DELETE_ROUTE: Operation =
    operation("deleteRoute", Role::Administrator, Body::None, Some(("deleteRoute", "cluster")));

/// Writes a savepoint.
pub const TRIGGER_SAVEPOINT: Operation =
    operation("triggerSavepoint", Role::User, Body::Json, Some(("triggerSavepoint", "job")));
/// Names a savepoint.
pub const IMPORT_SAVEPOINT: Operation =
    operation("importSavepoint", Role::User, Body::Json, Some(("importSavepoint", "job")));
/// Takes the report of an edge node.
pub const REPORT_EDGE_JOB_STATUS: Operation =
    of_successor("reportEdgeJobStatus", Role::User, Body::Json, None);
/// Reads where the sinks of a job can be read.
pub const GET_APIG_SINKS: Operation = operation("getApigSinks", Role::Reader, Body::None, None);
/// Creates a JAR job.
pub const SUBMIT_JAR_JOB: Operation = operation(
    "submitJarJob",
    Role::User,
    Body::Form(codes::UPLOAD_FILE_TOO_LARGE, 2),
    Some(("createJob", "job")),
);
/// Updates a JAR job.
pub const UPDATE_JAR_JOB: Operation = operation(
    "updateJarJob",
    Role::User,
    Body::Form(codes::UPLOAD_FILE_TOO_LARGE, 2),
    Some(("updateJob", "job")),
);
/// Writes an archive of jobs.
pub const EXPORT_JOBS: Operation =
    operation("exportJobs", Role::User, Body::Json, Some(("exportJobs", "job")));
/// Creates jobs from an archive.
pub const IMPORT_JOBS: Operation =
    operation("importJobs", Role::User, Body::Json, Some(("importJobs", "job")));
/// Writes an archive of logs.
pub const AGGREGATE_JOB_LOGS: Operation =
    operation("aggregateJobLogs", Role::User, Body::None, Some(("aggregateJobLogs", "job")));
/// Lists jobs as the successor does.
pub const GET_FLINK_JOBS: Operation = of_successor("getFlinkJobs", Role::Reader, Body::None, None);

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
    OVERVIEW,
    GET_BILLING_HISTORY,
    TOP_UP_ACCOUNT,
    SETTLE_ACCOUNT,
    CREATE_JOB_TEMPLATE,
    UPDATE_JOB_TEMPLATE,
    GET_JOB_TEMPLATES,
    GET_SAMPLE_TEMPLATES,
    DELETE_JOB_TEMPLATE,
    GET_USER_QUOTAS,
    GET_USER_QUOTA,
    UPDATE_USER_QUOTA,
    GET_AUDIT_LOGS,
    GET_AGENCY,
    CREATE_AGENCY,
    CREATE_RESERVED_CLUSTER,
    GET_RESERVED_CLUSTERS,
    DESCRIBE_RESERVED_CLUSTER,
    UPDATE_RESERVED_CLUSTER,
    DELETE_RESERVED_CLUSTER,
    STOP_RESERVED_CLUSTER,
    RESTART_RESERVED_CLUSTER,
    GET_CLUSTER_JOBS,
    GET_HOSTS_INFO,
    ADD_HOSTS_INFO,
    ADD_HOSTS_FILE,
    UPDATE_HOSTS_INFO,
    DELETE_HOSTS_INFO,
    CREATE_PEERING,
    GET_PEERINGS,
    GET_PEERING,
    DELETE_PEERING,
    CREATE_ROUTE,
    GET_ROUTES,
    DELETE_ROUTE,
    TRIGGER_SAVEPOINT,
    IMPORT_SAVEPOINT,
    GET_FLINK_JOBS,
    EXPORT_JOBS,
    IMPORT_JOBS,
    AGGREGATE_JOB_LOGS,
    SUBMIT_JAR_JOB,
    UPDATE_JAR_JOB,
    GET_APIG_SINKS,
    REPORT_EDGE_JOB_STATUS,
];
