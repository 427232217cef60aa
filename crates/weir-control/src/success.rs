//! The message ids of successful calls, for answers and audit records.

/// What a successful call answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Success {
    /// Number of the message id, shown as `CS.NNNNN`.
    pub number: u32,
    /// Upper-snake name.
    pub name: &'static str,
    /// Sentence.
    pub text: &'static str,
}

impl Success {
    const fn new(number: u32, name: &'static str, text: &'static str) -> Self {
        Self { number, name, text }
    }

    /// Returns the message id.
    pub fn id(&self) -> String {
        format!("CS.{:05}", self.number)
    }
}

/// userRegister.
pub const USER_REGISTERED: Success = Success::new(10_000, "REGISTER_USER_SUCCESS", "The user is registered.");
/// authorizeBucket.
pub const BUCKETS_AUTHORIZED: Success =
    Success::new(19_000, "AUTHORIZE_BUCKET_SUCCESS", "The buckets are authorized.");
/// submitSqlJob.
pub const JOB_CREATED: Success = Success::new(11_000, "CREATE_JOB_SUCCESS", "The job is created.");
/// updateSqlJob.
pub const JOB_UPDATED: Success = Success::new(12_000, "UPDATE_JOB_SUCCESS", "The job is updated.");
/// runJob and batchRunJobs.
pub const JOB_RUN: Success = Success::new(14_000, "RUN_JOB_SUCCESS", "The job is being submitted.");
/// getJobExecuteGraph.
pub const GRAPH_READ: Success =
    Success::new(14_010, "QUERY_EXECUTE_GRAPH_SUCCESS", "The execution graph is in the payload.");
/// stopJob and batchStopJobs.
pub const JOB_STOPPED: Success = Success::new(15_000, "STOP_JOB_SUCCESS", "The job is being stopped.");
/// getJobDetail.
pub const JOB_READ: Success = Success::new(17_000, "QUERY_JOB_SUCCESS", "The job is in the payload.");
/// getJobsMetrics.
pub const METRICS_READ: Success =
    Success::new(17_010, "QUERY_JOB_METRICS_SUCCESS", "The metrics are in the payload.");
/// deleteJob and batchDeleteJobs.
pub const JOB_DELETED: Success = Success::new(18_000, "DELETE_JOB_SUCCESS", "The job is deleted.");
/// getJobs.
pub const JOBS_READ: Success = Success::new(23_000, "QUERY_JOBS_SUCCESS", "The jobs are in the payload.");

/// overview.
pub const OVERVIEW_READ: Success =
    Success::new(25_000, "QUERY_OVERVIEW_SUCCESS", "The overview is in the payload.");
/// createJobTemplate.
pub const TEMPLATE_CREATED: Success =
    Success::new(18_020, "CREATE_TEMPLATE_SUCCESS", "The template is created.");
/// updateJobTemplate.
pub const TEMPLATE_UPDATED: Success =
    Success::new(18_021, "UPDATE_TEMPLATE_SUCCESS", "The template is updated.");
/// deleteJobTemplate.
pub const TEMPLATE_DELETED: Success =
    Success::new(18_022, "DELETE_TEMPLATE_SUCCESS", "The template is deleted.");
/// getJobTemplates.
pub const TEMPLATES_READ: Success =
    Success::new(18_023, "QUERY_TEMPLATES_SUCCESS", "The templates are in the payload.");
/// getSampleTemplates.
pub const SAMPLES_READ: Success =
    Success::new(18_024, "QUERY_SAMPLE_TEMPLATES_SUCCESS", "The samples are in the payload.");
/// updateUserQuota.
pub const QUOTA_UPDATED: Success =
    Success::new(21_090, "UPDATE_USER_QUOTA_SUCCESS", "The quota of the user is updated.");
/// getUserQuotas.
pub const QUOTAS_READ: Success =
    Success::new(21_093, "QUERY_USER_QUOTAS_SUCCESS", "The quotas of the users are in the payload.");
/// getUserQuota.
pub const QUOTA_READ: Success =
    Success::new(21_094, "QUERY_USER_QUOTA_SUCCESS", "The quota of the user is in the payload.");
/// getAuditLogs.
pub const AUDIT_READ: Success =
    Success::new(24_000, "QUERY_AUDIT_LOGS_SUCCESS", "The audit records are in the payload.");
/// createAgency.
pub const AGENCY_CREATED: Success =
    Success::new(19_012, "CREATE_AGENCY_SUCCESS", "The agency has the roles in the payload.");
/// getAgency.
pub const AGENCY_READ: Success =
    Success::new(19_013, "QUERY_AGENCY_SUCCESS", "The agency is in the payload.");
/// getBillingHistory.
pub const BILLING_READ: Success =
    Success::new(25_002, "QUERY_BILLING_HISTORY_SUCCESS", "The charges are in the payload.");
/// topUpAccount.
pub const ACCOUNT_TOPPED_UP: Success =
    Success::new(25_010, "TOP_UP_ACCOUNT_SUCCESS", "The amount is added to the balance.");
/// settleAccount.
pub const ACCOUNT_SETTLED: Success =
    Success::new(25_011, "SETTLE_ACCOUNT_SUCCESS", "What was used is charged for.");
/// createReservedCluster.
pub const CLUSTER_CREATED: Success =
    Success::new(20_000, "CREATE_CLUSTER_SUCCESS", "The cluster is being created.");
/// getReservedClusters.
pub const CLUSTERS_READ: Success =
    Success::new(20_040, "QUERY_CLUSTERS_SUCCESS", "The clusters are in the payload.");
/// restartReservedCluster.
pub const CLUSTER_RESTARTED: Success =
    Success::new(20_049, "RESTART_CLUSTER_SUCCESS", "The cluster is being restarted.");
/// stopReservedCluster.
pub const CLUSTER_STOPPED: Success =
    Success::new(20_050, "STOP_CLUSTER_SUCCESS", "The cluster is being stopped.");
/// describeReservedCluster.
pub const CLUSTER_READ: Success =
    Success::new(21_010, "QUERY_CLUSTER_SUCCESS", "The cluster is in the payload.");
/// deleteReservedCluster.
pub const CLUSTER_DELETED: Success =
    Success::new(21_020, "DELETE_CLUSTER_SUCCESS", "The cluster is being deleted.");
/// updateReservedCluster.
pub const CLUSTER_UPDATED: Success =
    Success::new(21_030, "UPDATE_CLUSTER_SUCCESS", "The cluster is updated.");

/// getHostsInfo.
pub const HOSTS_READ: Success =
    Success::new(22_017, "QUERY_HOSTS_SUCCESS", "The mappings are in the payload.");
/// addHostsInfo and addHostsFile.
pub const HOSTS_ADDED: Success = Success::new(22_018, "ADD_HOSTS_SUCCESS", "The mapping is added.");
/// updateHostsInfo.
pub const HOSTS_UPDATED: Success = Success::new(22_019, "UPDATE_HOSTS_SUCCESS", "The mapping is updated.");
/// deleteHostsInfo.
pub const HOSTS_DELETED: Success = Success::new(22_020, "DELETE_HOSTS_SUCCESS", "The mapping is deleted.");

/// createPeering; the answer has no envelope, so that only the audit shows this one and those below.
pub const PEERING_CREATED: Success =
    Success::new(22_120, "CREATE_PEERING_SUCCESS", "The peering waits to be accepted.");
/// deletePeering.
pub const PEERING_DELETED: Success =
    Success::new(22_121, "DELETE_PEERING_SUCCESS", "The peering and its routes are deleted.");
/// createRoute.
pub const ROUTE_CREATED: Success = Success::new(22_122, "CREATE_ROUTE_SUCCESS", "The route is created.");
/// deleteRoute.
pub const ROUTE_DELETED: Success = Success::new(22_123, "DELETE_ROUTE_SUCCESS", "The route is deleted.");
/// acceptPeering.
pub const PEERING_ACCEPTED: Success =
    Success::new(22_124, "ACCEPT_PEERING_SUCCESS", "The peering is accepted.");
/// The rejection of a peering.
pub const PEERING_REJECTED: Success =
    Success::new(22_125, "REJECT_PEERING_SUCCESS", "The peering is rejected.");
/// The update of a peering.
pub const PEERING_UPDATED: Success =
    Success::new(22_126, "UPDATE_PEERING_SUCCESS", "The peering is updated.");

/// triggerSavepoint.
pub const SAVEPOINT_TRIGGERED: Success =
    Success::new(17_020, "TRIGGER_SAVEPOINT_SUCCESS", "The savepoint is being written.");
/// importSavepoint.
pub const SAVEPOINT_IMPORTED: Success =
    Success::new(17_021, "IMPORT_SAVEPOINT_SUCCESS", "The savepoint is the job's latest.");
/// exportJobs.
pub const JOBS_EXPORTED: Success =
    Success::new(11_042, "EXPORT_JOBS_SUCCESS", "The archive with the jobs is written.");
/// importJobs.
pub const JOBS_IMPORTED: Success =
    Success::new(11_043, "IMPORT_JOBS_SUCCESS", "The jobs of the archive are imported.");
/// aggregateJobLogs.
pub const LOGS_AGGREGATED: Success =
    Success::new(11_044, "AGGREGATE_JOB_LOGS_SUCCESS", "The archive with the logs is written.");
/// getApigSinks.
pub const APIG_SINKS_READ: Success =
    Success::new(11_099, "QUERY_APIG_SINKS_SUCCESS", "The sinks are in the payload.");

/// Every message id with the operations that answer it.
pub const ALL: &[(&str, Success)] = &[
    ("userRegister", USER_REGISTERED),
    ("authorizeBucket", BUCKETS_AUTHORIZED),
    ("submitSqlJob", JOB_CREATED),
    ("updateSqlJob", JOB_UPDATED),
    ("runJob", JOB_RUN),
    ("batchRunJobs", JOB_RUN),
    ("getJobExecuteGraph", GRAPH_READ),
    ("stopJob", JOB_STOPPED),
    ("batchStopJobs", JOB_STOPPED),
    ("getJobDetail", JOB_READ),
    ("getJobsMetrics", METRICS_READ),
    ("deleteJob", JOB_DELETED),
    ("batchDeleteJobs", JOB_DELETED),
    ("getJobs", JOBS_READ),
    ("overview", OVERVIEW_READ),
    ("getBillingHistory", BILLING_READ),
    ("topUpAccount", ACCOUNT_TOPPED_UP),
    ("settleAccount", ACCOUNT_SETTLED),
    ("createJobTemplate", TEMPLATE_CREATED),
    ("updateJobTemplate", TEMPLATE_UPDATED),
    ("deleteJobTemplate", TEMPLATE_DELETED),
    ("getJobTemplates", TEMPLATES_READ),
    ("getSampleTemplates", SAMPLES_READ),
    ("updateUserQuota", QUOTA_UPDATED),
    ("getUserQuotas", QUOTAS_READ),
    ("getUserQuota", QUOTA_READ),
    ("getAuditLogs", AUDIT_READ),
    ("createAgency", AGENCY_CREATED),
    ("getAgency", AGENCY_READ),
    ("createReservedCluster", CLUSTER_CREATED),
    ("getReservedClusters", CLUSTERS_READ),
    ("describeReservedCluster", CLUSTER_READ),
    ("updateReservedCluster", CLUSTER_UPDATED),
    ("deleteReservedCluster", CLUSTER_DELETED),
    ("stopReservedCluster", CLUSTER_STOPPED),
    ("restartReservedCluster", CLUSTER_RESTARTED),
    ("getClusterJobs", JOBS_READ),
    ("getHostsInfo", HOSTS_READ),
    ("addHostsInfo", HOSTS_ADDED),
    ("addHostsFile", HOSTS_ADDED),
    ("updateHostsInfo", HOSTS_UPDATED),
    ("deleteHostsInfo", HOSTS_DELETED),
    ("exportJobs", JOBS_EXPORTED),
    ("importJobs", JOBS_IMPORTED),
    ("aggregateJobLogs", LOGS_AGGREGATED),
    ("getApigSinks", APIG_SINKS_READ),
    ("submitJarJob", JOB_CREATED),
    ("updateJarJob", JOB_UPDATED),
    ("triggerSavepoint", SAVEPOINT_TRIGGERED),
    ("importSavepoint", SAVEPOINT_IMPORTED),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_numbers_are_no_error_codes() {
        for (operation, success) in ALL {
            assert!(
                weir_base::error::entries().all(|entry| entry.code.0 != success.number),
                "{operation}: {}",
                success.id()
            );
        }
    }
}
