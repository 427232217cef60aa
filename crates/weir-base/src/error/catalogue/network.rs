//! Host mappings, peering, lists, audit and statistics (CS.22xxx to CS.25xxx).

use crate::error::{ErrorCode, ErrorEntry};

/// The IP address or the domain name is not well formed.
pub const IP_OR_HOSTNAME_INVALID: ErrorCode = ErrorCode(22001);
/// The IP address or the domain name is already in use.
pub const IP_OR_HOSTNAME_EXIST: ErrorCode = ErrorCode(22002);
/// No mapping has this id.
pub const HOST_ID_NOT_EXIST: ErrorCode = ErrorCode(22003);
/// The hosts file is not well formed.
pub const HOSTS_FILE_FORMAT_INVALID: ErrorCode = ErrorCode(22004);
/// The hosts file holds no mapping.
pub const HOSTS_FILE_EMPTY: ErrorCode = ErrorCode(22005);
/// The hosts file is larger than 8 MB.
pub const HOSTS_FILE_TOO_LARGE: ErrorCode = ErrorCode(22006);
/// A cluster can have at most 1,000 IP-domain mappings.
pub const HOST_MAPPING_LIMIT_EXCEEDED: ErrorCode = ErrorCode(22007);
/// No VPC has this id.
pub const VPC_NOT_EXIST: ErrorCode = ErrorCode(22101);
/// The peering connection conflicts with an existing one.
pub const PEERING_CONFLICT: ErrorCode = ErrorCode(22102);
/// No peering connection has this id.
pub const PEERING_NOT_EXIST: ErrorCode = ErrorCode(22103);
/// destination is not set.
pub const ROUTE_DESTINATION_MISSING: ErrorCode = ErrorCode(22104);
/// The peering connection is not in ACTIVE.
pub const PEERING_NOT_ACTIVE: ErrorCode = ErrorCode(22105);
/// The route conflicts or its parameters are not valid.
pub const ROUTE_CONFLICT: ErrorCode = ErrorCode(22106);
/// No route has this id.
pub const ROUTE_NOT_EXIST: ErrorCode = ErrorCode(22107);
/// name is missing.
pub const PEERING_NAME_MISSING: ErrorCode = ErrorCode(22108);
/// root_job_id is not valid, so the jobs cannot be listed.
pub const ROOT_JOB_ID_INVALID: ErrorCode = ErrorCode(23003);
/// At most 50 audit records can be queried at once.
pub const AUDIT_LOG_LIMIT_EXCEEDED: ErrorCode = ErrorCode(24001);
/// The resource type is not job, template or cluster.
pub const AUDIT_RESOURCE_TYPE_INVALID: ErrorCode = ErrorCode(24002);
/// There is no tracker.
pub const TRACKER_NOT_EXIST: ErrorCode = ErrorCode(24003);
/// The audit records could not be read.
pub const QUERY_AUDIT_LOG_FAILED: ErrorCode = ErrorCode(24010);
/// The overview could not be computed.
pub const QUERY_OVERVIEW_FAILED: ErrorCode = ErrorCode(25001);
/// The billing history could not be read.
pub const QUERY_BILLING_HISTORY_FAILED: ErrorCode = ErrorCode(25003);

/// The entries of this family, by code.
pub const ENTRIES: &[ErrorEntry] = &[
    ErrorEntry {
        code: IP_OR_HOSTNAME_INVALID,
        name: "IP_OR_HOSTNAME_INVALID",
        cause: "The IP address or the domain name is not well formed.",
        suggestion: "Correct the IP address and the domain name.",
        trigger: "ip is not an IPv4 address, or hostname is not a valid host name, in a JSON mapping.",
        operations: "addHostsInfo,updateHostsInfo",
    },
    ErrorEntry {
        code: IP_OR_HOSTNAME_EXIST,
        name: "IP_OR_HOSTNAME_EXIST",
        cause: "The IP address or the domain name is already in use.",
        suggestion: "Use a unique domain name, and values that no cluster node has.",
        trigger: "hostname is already mapped in the cluster (or occurs twice in the request), or ip or hostname equals that of a node of the cluster.",
        operations: "addHostsFile,addHostsInfo,updateHostsInfo",
    },
    ErrorEntry {
        code: HOST_ID_NOT_EXIST,
        name: "HOST_ID_NOT_EXIST",
        cause: "No mapping has this id.",
        suggestion: "Use an existing mapping id.",
        trigger: "host_id, or an element of hosts_id, names no mapping of the cluster.",
        operations: "deleteHostsInfo,updateHostsInfo",
    },
    ErrorEntry {
        code: HOSTS_FILE_FORMAT_INVALID,
        name: "HOSTS_FILE_FORMAT_INVALID",
        cause: "The hosts file is not well formed.",
        suggestion: "Write each line as: ip hostname [hostname ...].",
        trigger: "A line of the file that is neither blank nor a # comment is not an IPv4 address followed by one or more host names, separated by white space.",
        operations: "addHostsFile",
    },
    ErrorEntry {
        code: HOSTS_FILE_EMPTY,
        name: "HOSTS_FILE_EMPTY",
        cause: "The hosts file holds no mapping.",
        suggestion: "Send a correct file.",
        trigger: "The hosts_file part is absent, has no bytes, or has only blank and comment lines.",
        operations: "addHostsFile",
    },
    ErrorEntry {
        code: HOSTS_FILE_TOO_LARGE,
        name: "HOSTS_FILE_TOO_LARGE",
        cause: "The hosts file is larger than 8 MB.",
        suggestion: "Send a file of at most 8 MB.",
        trigger: "The hosts_file part is more than 8,388,608 bytes.",
        operations: "addHostsFile",
    },
    ErrorEntry {
        code: HOST_MAPPING_LIMIT_EXCEEDED,
        name: "HOST_MAPPING_LIMIT_EXCEEDED",
        cause: "A cluster can have at most 1,000 IP-domain mappings.",
        suggestion: "Delete mappings that are not needed.",
        trigger: "The cluster's mappings plus those of the request are more than 1,000.",
        operations: "addHostsFile,addHostsInfo",
    },
    ErrorEntry {
        code: VPC_NOT_EXIST,
        name: "VPC_NOT_EXIST",
        cause: "No VPC has this id.",
        suggestion: "Use a correct VPC id.",
        trigger: "vpc_id is absent, or names no VPC of accept_tenant_id (or, without it, of the caller's project).",
        operations: "createPeering",
    },
    ErrorEntry {
        code: PEERING_CONFLICT,
        name: "PEERING_CONFLICT",
        cause: "The peering connection conflicts with an existing one.",
        suggestion: "Use valid parameters.",
        trigger: "The cluster already has a peering with that VPC, the VPC is the cluster's own, or the two networks overlap.",
        operations: "createPeering",
    },
    ErrorEntry {
        code: PEERING_NOT_EXIST,
        name: "PEERING_NOT_EXIST",
        cause: "No peering connection has this id.",
        suggestion: "Use a valid peering connection id.",
        trigger: "peering_id names no peering connection of the cluster; also returned by getPeering once a deletion has finished.",
        operations: "acceptPeering,createRoute,deletePeering,deleteRoute,getPeering,getRoutes",
    },
    ErrorEntry {
        code: ROUTE_DESTINATION_MISSING,
        name: "ROUTE_DESTINATION_MISSING",
        cause: "destination is not set.",
        suggestion: "Set destination.",
        trigger: "destination is absent, null or blank.",
        operations: "createRoute",
    },
    ErrorEntry {
        code: PEERING_NOT_ACTIVE,
        name: "PEERING_NOT_ACTIVE",
        cause: "The peering connection is not in ACTIVE.",
        suggestion: "If it awaits acceptance, accept it and retry.",
        trigger: "createRoute names an existing peering whose status is not ACTIVE.",
        operations: "createRoute",
    },
    ErrorEntry {
        code: ROUTE_CONFLICT,
        name: "ROUTE_CONFLICT",
        cause: "The route conflicts or its parameters are not valid.",
        suggestion: "Use valid parameters.",
        trigger: "destination is not an IPv4 network in CIDR form, equals that of an existing route of the cluster's VPC, or overlaps the cluster's subnet.",
        operations: "createRoute",
    },
    ErrorEntry {
        code: ROUTE_NOT_EXIST,
        name: "ROUTE_NOT_EXIST",
        cause: "No route has this id.",
        suggestion: "Use a correct route id.",
        trigger: "route_id names no route of the peering connection.",
        operations: "deleteRoute",
    },
    ErrorEntry {
        code: PEERING_NAME_MISSING,
        name: "PEERING_NAME_MISSING",
        cause: "name is missing.",
        suggestion: "Set name.",
        trigger: "name of createPeering is absent, null or blank.",
        operations: "createPeering",
    },
    ErrorEntry {
        code: ROOT_JOB_ID_INVALID,
        name: "ROOT_JOB_ID_INVALID",
        cause: "root_job_id is not valid, so the jobs cannot be listed.",
        suggestion: "Use a root_job_id greater than 0.",
        trigger: "root_job_id is present and not an integer, or below 1.",
        operations: "getFlinkJobs,getJobs",
    },
    ErrorEntry {
        code: AUDIT_LOG_LIMIT_EXCEEDED,
        name: "AUDIT_LOG_LIMIT_EXCEEDED",
        cause: "At most 50 audit records can be queried at once.",
        suggestion: "Ask for 50 records or fewer.",
        trigger: "limit of getAuditLogs is above 50.",
        operations: "getAuditLogs",
    },
    ErrorEntry {
        code: AUDIT_RESOURCE_TYPE_INVALID,
        name: "AUDIT_RESOURCE_TYPE_INVALID",
        cause: "The resource type is not job, template or cluster.",
        suggestion: "Use one of the three types.",
        trigger: "resource_type is absent or is none of job, template, cluster.",
        operations: "getAuditLogs",
    },
    ErrorEntry {
        code: TRACKER_NOT_EXIST,
        name: "TRACKER_NOT_EXIST",
        cause: "There is no tracker.",
        suggestion: "Enable the audit service.",
        trigger: "The project has no enabled tracker in the audit service.",
        operations: "getAuditLogs",
    },
    ErrorEntry {
        code: QUERY_AUDIT_LOG_FAILED,
        name: "QUERY_AUDIT_LOG_FAILED",
        cause: "The audit records could not be read.",
        suggestion: "Retry later or contact the operator.",
        trigger: "A tracker is enabled but reading the audit store fails.",
        operations: "getAuditLogs",
    },
    ErrorEntry {
        code: QUERY_OVERVIEW_FAILED,
        name: "QUERY_OVERVIEW_FAILED",
        cause: "The overview could not be computed.",
        suggestion: "Retry later.",
        trigger: "Reading the job, cluster or ledger totals for the overview fails.",
        operations: "overview",
    },
    ErrorEntry {
        code: QUERY_BILLING_HISTORY_FAILED,
        name: "QUERY_BILLING_HISTORY_FAILED",
        cause: "The billing history could not be read.",
        suggestion: "Retry later.",
        trigger: "Reading the ledger entries for the asked period fails.",
        operations: "getBillingHistory",
    },
];
