//! Exclusive clusters and quotas (CS.20xxx, CS.21xxx).

use crate::error::{ErrorCode, ErrorEntry};

/// The cluster could not be created.
pub const CREATE_CLUSTER_FAILED: ErrorCode = ErrorCode(20001);
/// The cluster request body is not the JSON expected.
pub const CLUSTER_BODY_INVALID: ErrorCode = ErrorCode(20002);
/// A cluster can have at most 400 SPUs.
pub const CLUSTER_SPU_LIMIT_EXCEEDED: ErrorCode = ErrorCode(20003);
/// All clusters together can have `{available}` SPUs more.
pub const TOTAL_CLUSTER_SPU_EXCEEDED: ErrorCode = ErrorCode(20004);
/// No cluster has this id.
pub const CLUSTER_NOT_EXIST: ErrorCode = ErrorCode(20005);
/// The cluster name is already taken.
pub const CLUSTER_NAME_EXIST: ErrorCode = ErrorCode(20006);
/// The cluster already uses `{used}` SPUs, more than the new maximum.
pub const CLUSTER_SPU_USED_EXCEEDS_QUOTA: ErrorCode = ErrorCode(20007);
/// The cluster name is empty.
pub const CLUSTER_NAME_EMPTY: ErrorCode = ErrorCode(20008);
/// The cluster name is longer than 100 bytes.
pub const CLUSTER_NAME_TOO_LONG: ErrorCode = ErrorCode(20009);
/// The cluster description is longer than 512 bytes.
pub const CLUSTER_DESC_TOO_LONG: ErrorCode = ErrorCode(20010);
/// The cluster name has characters that are not allowed.
pub const CLUSTER_NAME_INVALID: ErrorCode = ErrorCode(20011);
/// The SPU quota is not greater than 0.
pub const SPU_QUOTA_NOT_POSITIVE: ErrorCode = ErrorCode(20012);
/// The SPU quota is above 1,000.
pub const SPU_QUOTA_TOO_LARGE: ErrorCode = ErrorCode(20013);
/// There are not enough resources at present.
pub const CLUSTER_RESOURCE_INSUFFICIENT: ErrorCode = ErrorCode(20014);
/// A cluster that is not running cannot be modified.
pub const CLUSTER_NOT_MODIFIABLE: ErrorCode = ErrorCode(20015);
/// The cluster in arrears could not be stopped.
pub const ARREARS_STOP_CLUSTER_FAILED: ErrorCode = ErrorCode(20016);
/// The frozen cluster could not be restored.
pub const RESTORE_FROZEN_CLUSTER_FAILED: ErrorCode = ErrorCode(20017);
/// Billing mode or status of the cluster does not allow a restart.
pub const CLUSTER_NOT_RESTARTABLE: ErrorCode = ErrorCode(20021);
/// The cluster's network settings are not correct.
pub const CLUSTER_NETWORK_INVALID: ErrorCode = ErrorCode(20022);
/// manager_node_spu is not valid.
pub const MANAGER_NODE_SPU_INVALID: ErrorCode = ErrorCode(20023);
/// Manager nodes of that size are sold out.
pub const MANAGER_NODE_SOLD_OUT: ErrorCode = ErrorCode(20024);
/// Compute nodes of the needed size are sold out.
pub const COMPUTE_NODE_SOLD_OUT: ErrorCode = ErrorCode(20025);
/// The operation needs a running cluster.
pub const CLUSTER_STATUS_NOT_RUNNING: ErrorCode = ErrorCode(20026);
/// A yearly/monthly cluster cannot be deleted by hand.
pub const PERIOD_CLUSTER_NOT_DELETABLE: ErrorCode = ErrorCode(20027);
/// A yearly/monthly cluster cannot be stopped by hand.
pub const PERIOD_CLUSTER_NOT_STOPPABLE: ErrorCode = ErrorCode(20028);
/// The maximum quota of a yearly/monthly cluster cannot be modified.
pub const PERIOD_CLUSTER_QUOTA_NOT_MODIFIABLE: ErrorCode = ErrorCode(20029);
/// The cluster's data could not be read.
pub const QUERY_CLUSTER_FAILED: ErrorCode = ErrorCode(21001);
/// The cluster could not be deleted.
pub const DELETE_CLUSTER_FAILED: ErrorCode = ErrorCode(21011);
/// limit is not valid, so the clusters cannot be listed.
pub const CLUSTER_LIST_LIMIT_INVALID: ErrorCode = ErrorCode(21031);
/// The user already uses `{used}` SPUs, more than the new quota.
pub const USER_SPU_USED_EXCEEDS_QUOTA: ErrorCode = ErrorCode(21091);
/// No user has this id.
pub const USER_NOT_EXIST: ErrorCode = ErrorCode(21092);
/// limit is not valid, so the user quotas cannot be listed.
pub const USER_QUOTA_LIST_LIMIT_INVALID: ErrorCode = ErrorCode(21095);
/// The SPU quota could not be updated.
pub const UPDATE_SPU_QUOTA_FAILED: ErrorCode = ErrorCode(21999);

/// The entries of this family, by code.
pub const ENTRIES: &[ErrorEntry] = &[
    ErrorEntry {
        code: CREATE_CLUSTER_FAILED,
        name: "CREATE_CLUSTER_FAILED",
        cause: "The cluster could not be created.",
        suggestion: "Retry later or contact the operator.",
        trigger: "A create request passes every check but the cluster record or its provisioning task cannot be created.",
        operations: "createReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_BODY_INVALID,
        name: "CLUSTER_BODY_INVALID",
        cause: "The cluster request body is not the JSON expected.",
        suggestion: "Send a body that follows the schema.",
        trigger: "The body of a cluster create or update cannot be parsed as JSON, or a member has the wrong JSON type.",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_SPU_LIMIT_EXCEEDED,
        name: "CLUSTER_SPU_LIMIT_EXCEEDED",
        cause: "A cluster can have at most 400 SPUs.",
        suggestion: "Use 400 SPUs or fewer.",
        trigger: "maximum_spu_quota of a cluster is above 400.",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: TOTAL_CLUSTER_SPU_EXCEEDED,
        name: "TOTAL_CLUSTER_SPU_EXCEEDED",
        cause: "All clusters together can have {available} SPUs more.",
        suggestion: "Use {available} SPUs or fewer.",
        trigger: "maximum_spu_quota is within 1 to 400 but more than what is left of the project's total cluster SPU quota; {available} is what is left.",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_NOT_EXIST,
        name: "CLUSTER_NOT_EXIST",
        cause: "No cluster has this id.",
        suggestion: "Use the id of an existing cluster.",
        trigger: "cluster_id in path, query, form, body or stored job (or an element of clusters in updateUserQuota) names no cluster of the project; also returned by describeReservedCluster once a deletion has finished.",
        operations: "addHostsFile,addHostsInfo,batchRunJobs,createPeering,createRoute,deleteHostsInfo,deletePeering,deleteReservedCluster,deleteRoute,describeReservedCluster,getClusterJobs,getHostsInfo,getJobs,getPeering,getPeerings,getRoutes,restartReservedCluster,runJob,stopReservedCluster,submitJarJob,submitSqlJob,updateHostsInfo,updateJarJob,updateReservedCluster,updateSqlJob,updateUserQuota",
    },
    ErrorEntry {
        code: CLUSTER_NAME_EXIST,
        name: "CLUSTER_NAME_EXIST",
        cause: "The cluster name is already taken.",
        suggestion: "Choose another cluster name.",
        trigger: "name equals that of another, not deleted, cluster of the project.",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_SPU_USED_EXCEEDS_QUOTA,
        name: "CLUSTER_SPU_USED_EXCEEDS_QUOTA",
        cause: "The cluster already uses {used} SPUs, more than the new maximum.",
        suggestion: "Use a maximum of at least {used}.",
        trigger: "maximum_spu_quota of an update is below the cluster's spu_used.",
        operations: "updateReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_NAME_EMPTY,
        name: "CLUSTER_NAME_EMPTY",
        cause: "The cluster name is empty.",
        suggestion: "Give the cluster a name.",
        trigger: "name of a cluster is absent or null on create, or present but empty or only white space on create or update.",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_NAME_TOO_LONG,
        name: "CLUSTER_NAME_TOO_LONG",
        cause: "The cluster name is longer than 100 bytes.",
        suggestion: "Shorten the cluster name.",
        trigger: "name of a cluster is more than 100 bytes in UTF-8.",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_DESC_TOO_LONG,
        name: "CLUSTER_DESC_TOO_LONG",
        cause: "The cluster description is longer than 512 bytes.",
        suggestion: "Shorten the description.",
        trigger: "desc of a cluster is more than 512 bytes in UTF-8.",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_NAME_INVALID,
        name: "CLUSTER_NAME_INVALID",
        cause: "The cluster name has characters that are not allowed.",
        suggestion: "Use letters, digits, underscores and hyphens.",
        trigger: "name of a cluster is 1 to 100 bytes long but does not match ^[A-Za-z0-9_-]+$.",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: SPU_QUOTA_NOT_POSITIVE,
        name: "SPU_QUOTA_NOT_POSITIVE",
        cause: "The SPU quota is not greater than 0.",
        suggestion: "Use a quota greater than 0.",
        trigger: "maximum_spu_quota of a cluster, or spu_quota of a user, is 0 or negative.",
        operations: "createReservedCluster,updateReservedCluster,updateUserQuota",
    },
    ErrorEntry {
        code: SPU_QUOTA_TOO_LARGE,
        name: "SPU_QUOTA_TOO_LARGE",
        cause: "The SPU quota is above 1,000.",
        suggestion: "Use 1,000 or less.",
        trigger: "spu_quota of a user is above 1,000.",
        operations: "updateUserQuota",
    },
    ErrorEntry {
        code: CLUSTER_RESOURCE_INSUFFICIENT,
        name: "CLUSTER_RESOURCE_INSUFFICIENT",
        cause: "There are not enough resources at present.",
        suggestion: "Capacity is being prepared; retry later.",
        trigger: "Quotas suffice and no specification is sold out, but the node pool's free capacity is below the SPUs asked for.",
        operations: "createReservedCluster,restartReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_NOT_MODIFIABLE,
        name: "CLUSTER_NOT_MODIFIABLE",
        cause: "A cluster that is not running cannot be modified.",
        suggestion: "Modify the cluster while it is running.",
        trigger: "updateReservedCluster is called on a cluster in a status other than cluster_running.",
        operations: "updateReservedCluster",
    },
    ErrorEntry {
        code: ARREARS_STOP_CLUSTER_FAILED,
        name: "ARREARS_STOP_CLUSTER_FAILED",
        cause: "The cluster in arrears could not be stopped.",
        suggestion: "Check in the service backend whether it has stopped.",
        trigger: "A metering cycle finds the balance below 0 and at least one running pay-per-use cluster of the account cannot be stopped.",
        operations: "settleAccount",
    },
    ErrorEntry {
        code: RESTORE_FROZEN_CLUSTER_FAILED,
        name: "RESTORE_FROZEN_CLUSTER_FAILED",
        cause: "The frozen cluster could not be restored.",
        suggestion: "Restore the cluster by hand.",
        trigger: "A top-up brings the balance to 0 or more and at least one cluster in cluster_arrearage_stopped that is set to restore automatically cannot be started.",
        operations: "topUpAccount",
    },
    ErrorEntry {
        code: CLUSTER_NOT_RESTARTABLE,
        name: "CLUSTER_NOT_RESTARTABLE",
        cause: "Billing mode or status of the cluster does not allow a restart.",
        suggestion: "Restart only pay-per-use clusters that are stopped or stopped for arrears.",
        trigger: "restartReservedCluster is called on a yearly/monthly cluster, or on one in a status other than cluster_stopped or cluster_arrearage_stopped.",
        operations: "restartReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_NETWORK_INVALID,
        name: "CLUSTER_NETWORK_INVALID",
        cause: "The cluster's network settings are not correct.",
        suggestion: "Correct the network settings.",
        trigger: "vpc_cidr or subnet_cidr is not an IPv4 network in CIDR form, the subnet is not inside the VPC network, or subnet_gateway is not a host address of the subnet.",
        operations: "createReservedCluster",
    },
    ErrorEntry {
        code: MANAGER_NODE_SPU_INVALID,
        name: "MANAGER_NODE_SPU_INVALID",
        cause: "manager_node_spu is not valid.",
        suggestion: "Use a supported manager_node_spu.",
        trigger: "manager_node_spu is present and is not a string holding one of the configured manager node sizes (default 2, 4, 8, 16).",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: MANAGER_NODE_SOLD_OUT,
        name: "MANAGER_NODE_SOLD_OUT",
        cause: "Manager nodes of that size are sold out.",
        suggestion: "Use another manager_node_spu.",
        trigger: "manager_node_spu is a configured size whose stock of manager nodes is 0.",
        operations: "createReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: COMPUTE_NODE_SOLD_OUT,
        name: "COMPUTE_NODE_SOLD_OUT",
        cause: "Compute nodes of the needed size are sold out.",
        suggestion: "Contact the operator.",
        trigger: "The compute node specification the cluster needs is marked sold out in the stock table.",
        operations: "createReservedCluster,restartReservedCluster,updateReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_STATUS_NOT_RUNNING,
        name: "CLUSTER_STATUS_NOT_RUNNING",
        cause: "The operation needs a running cluster.",
        suggestion: "Check the cluster.",
        trigger: "A stop, hosts, peering or route operation that changes state is called on a cluster in a status other than cluster_running.",
        operations: "addHostsFile,addHostsInfo,createPeering,createRoute,deleteHostsInfo,deletePeering,deleteRoute,stopReservedCluster,updateHostsInfo",
    },
    ErrorEntry {
        code: PERIOD_CLUSTER_NOT_DELETABLE,
        name: "PERIOD_CLUSTER_NOT_DELETABLE",
        cause: "A yearly/monthly cluster cannot be deleted by hand.",
        suggestion: "Cancel the subscription.",
        trigger: "deleteReservedCluster is called on a cluster whose billing mode is yearly/monthly.",
        operations: "deleteReservedCluster",
    },
    ErrorEntry {
        code: PERIOD_CLUSTER_NOT_STOPPABLE,
        name: "PERIOD_CLUSTER_NOT_STOPPABLE",
        cause: "A yearly/monthly cluster cannot be stopped by hand.",
        suggestion: "Cancel the subscription.",
        trigger: "stopReservedCluster is called on a cluster whose billing mode is yearly/monthly.",
        operations: "stopReservedCluster",
    },
    ErrorEntry {
        code: PERIOD_CLUSTER_QUOTA_NOT_MODIFIABLE,
        name: "PERIOD_CLUSTER_QUOTA_NOT_MODIFIABLE",
        cause: "The maximum quota of a yearly/monthly cluster cannot be modified.",
        suggestion: "Apply for a change of quota.",
        trigger: "An update of a yearly/monthly cluster carries a maximum_spu_quota different from the present one.",
        operations: "updateReservedCluster",
    },
    ErrorEntry {
        code: QUERY_CLUSTER_FAILED,
        name: "QUERY_CLUSTER_FAILED",
        cause: "The cluster's data could not be read.",
        suggestion: "Retry later or contact the operator.",
        trigger: "The cluster record is found but its live status or SPU usage cannot be read from the cluster backend.",
        operations: "describeReservedCluster,getReservedClusters",
    },
    ErrorEntry {
        code: DELETE_CLUSTER_FAILED,
        name: "DELETE_CLUSTER_FAILED",
        cause: "The cluster could not be deleted.",
        suggestion: "Contact the operator.",
        trigger: "The deletion of an existing pay-per-use cluster cannot be started (its teardown task is refused, or the cluster is already in cluster_deleting).",
        operations: "deleteReservedCluster",
    },
    ErrorEntry {
        code: CLUSTER_LIST_LIMIT_INVALID,
        name: "CLUSTER_LIST_LIMIT_INVALID",
        cause: "limit is not valid, so the clusters cannot be listed.",
        suggestion: "Use a limit greater than 0.",
        trigger: "limit of getReservedClusters is not an integer or is below 1.",
        operations: "getReservedClusters",
    },
    ErrorEntry {
        code: USER_SPU_USED_EXCEEDS_QUOTA,
        name: "USER_SPU_USED_EXCEEDS_QUOTA",
        cause: "The user already uses {used} SPUs, more than the new quota.",
        suggestion: "Use a quota of at least {used}.",
        trigger: "spu_quota is within 1 to 1,000 but below the user's spu_used.",
        operations: "updateUserQuota",
    },
    ErrorEntry {
        code: USER_NOT_EXIST,
        name: "USER_NOT_EXIST",
        cause: "No user has this id.",
        suggestion: "Use a valid user id.",
        trigger: "user_id names no user of the account.",
        operations: "getUserQuota,updateUserQuota",
    },
    ErrorEntry {
        code: USER_QUOTA_LIST_LIMIT_INVALID,
        name: "USER_QUOTA_LIST_LIMIT_INVALID",
        cause: "limit is not valid, so the user quotas cannot be listed.",
        suggestion: "Use a limit greater than 0.",
        trigger: "limit of getUserQuotas is not an integer or is below 1.",
        operations: "getUserQuotas",
    },
    ErrorEntry {
        code: UPDATE_SPU_QUOTA_FAILED,
        name: "UPDATE_SPU_QUOTA_FAILED",
        cause: "The SPU quota could not be updated.",
        suggestion: "Check the cause of the failure.",
        trigger: "A quota update passes every check but cannot be written.",
        operations: "updateUserQuota",
    },
];
