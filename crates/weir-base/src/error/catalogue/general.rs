//! Requests, credentials and accounts (CS.10xxx), and faults of a backend (CS.26xxx).

use crate::error::{ErrorCode, ErrorEntry};

/// The service failed while handling the request.
pub const INTERNAL_ERROR: ErrorCode = ErrorCode(10001);
/// The addressed resource may not be used by this caller.
pub const RESOURCE_FORBIDDEN: ErrorCode = ErrorCode(10002);
/// No supported API matches the request.
pub const API_NOT_SUPPORTED: ErrorCode = ErrorCode(10003);
/// The request body is not the JSON this operation expects.
pub const INVALID_REQUEST_BODY: ErrorCode = ErrorCode(10004);
/// The caller's role does not include this operation.
pub const NO_PERMISSION: ErrorCode = ErrorCode(10005);
/// The project in the path is not the project of the token.
pub const PROJECT_ID_MISMATCH: ErrorCode = ErrorCode(10006);
/// The credential is no longer valid.
pub const IAM_TOKEN_EXPIRED: ErrorCode = ErrorCode(10007);
/// The request carries no credential.
pub const TOKEN_MISSING: ErrorCode = ErrorCode(10008);
/// The account balance is below zero and the account is frozen.
pub const ACCOUNT_FROZEN: ErrorCode = ErrorCode(10009);
/// The token names no user or no project.
pub const TOKEN_SCOPE_INCOMPLETE: ErrorCode = ErrorCode(10010);
/// The account is not entitled to the operation, or its balance cannot cover it.
pub const PERMISSION_OR_BALANCE_INSUFFICIENT: ErrorCode = ErrorCode(10014);
/// The identity service did not answer.
pub const IAM_REQUEST_FAILED: ErrorCode = ErrorCode(10015);
/// The account's real-name verification has not been done.
pub const REAL_NAME_AUTH_REQUIRED: ErrorCode = ErrorCode(10016);
/// A backend of the service failed.
pub const BACKEND_INTERNAL_ERROR: ErrorCode = ErrorCode(26500);

/// The entries of this family, by code.
pub const ENTRIES: &[ErrorEntry] = &[
    ErrorEntry {
        code: INTERNAL_ERROR,
        name: "INTERNAL_ERROR",
        cause: "The service failed while handling the request.",
        suggestion: "Retry later; if it persists, give the operator the request time.",
        trigger: "The request handler itself fails unexpectedly (panic, unserialisable result, local I/O error) before or after the backend call, and no more specific code applies.",
        operations: "all",
    },
    ErrorEntry {
        code: RESOURCE_FORBIDDEN,
        name: "RESOURCE_FORBIDDEN",
        cause: "The addressed resource may not be used by this caller.",
        suggestion: "Use a resource you own, or ask an administrator.",
        trigger: "The caller's role allows the operation, but the addressed job or template belongs to another user of the same project and the caller is not an administrator.",
        operations: "aggregateJobLogs,batchDeleteJobs,batchRunJobs,batchStopJobs,deleteJob,deleteJobTemplate,getApigSinks,getJobDetail,getJobExecuteGraph,importSavepoint,runJob,stopJob,submitJarJob,submitSqlJob,triggerSavepoint,updateJarJob,updateJobTemplate,updateSqlJob",
    },
    ErrorEntry {
        code: API_NOT_SUPPORTED,
        name: "API_NOT_SUPPORTED",
        cause: "No supported API matches the request.",
        suggestion: "Check method, path, query parameters and content type against the contract.",
        trigger: "The method, path and content type match no operation, or a path or query parameter is of the wrong type, out of range or outside its enum and has no code of its own.",
        operations: "all",
    },
    ErrorEntry {
        code: INVALID_REQUEST_BODY,
        name: "INVALID_REQUEST_BODY",
        cause: "The request body is not the JSON this operation expects.",
        suggestion: "Send a body that follows the operation's schema.",
        trigger: "The body of a JSON operation outside the template, authorization and cluster create/update groups cannot be parsed as JSON, or a member has another JSON type than declared, or a value outside its enum that has no code of its own.",
        operations: "addHostsInfo,batchDeleteJobs,batchRunJobs,batchStopJobs,createPeering,createRoute,deleteHostsInfo,exportJobs,getJobsMetrics,importJobs,importSavepoint,reportEdgeJobStatus,submitSqlJob,topUpAccount,triggerSavepoint,updateHostsInfo,updateSqlJob,updateUserQuota",
    },
    ErrorEntry {
        code: NO_PERMISSION,
        name: "NO_PERMISSION",
        cause: "The caller's role does not include this operation.",
        suggestion: "Obtain a role that includes the operation.",
        trigger: "The credential is valid and scoped to the project, but none of the caller's roles grants the requested operation (for example a user without cs_adm calls createReservedCluster).",
        operations: "all",
    },
    ErrorEntry {
        code: PROJECT_ID_MISMATCH,
        name: "PROJECT_ID_MISMATCH",
        cause: "The project in the path is not the project of the token.",
        suggestion: "Get a token scoped to the project in the path.",
        trigger: "The {project_id} path segment differs from the project id the credential is scoped to (for AK/SK: from X-Project-Id, or the key owner's default project when that header is absent).",
        operations: "all",
    },
    ErrorEntry {
        code: IAM_TOKEN_EXPIRED,
        name: "IAM_TOKEN_EXPIRED",
        cause: "The credential is no longer valid.",
        suggestion: "Sign in again and repeat the call.",
        trigger: "The token is past its expiry, revoked or unknown to the identity service; or the AK is unknown, the signature does not verify, or X-Sdk-Date is more than 15 minutes from server time.",
        operations: "all",
    },
    ErrorEntry {
        code: TOKEN_MISSING,
        name: "TOKEN_MISSING",
        cause: "The request carries no credential.",
        suggestion: "Send X-Auth-Token, or sign the request with AK/SK.",
        trigger: "The request has neither a non-empty X-Auth-Token header nor an Authorization header that starts with SDK-HMAC-SHA256.",
        operations: "all",
    },
    ErrorEntry {
        code: ACCOUNT_FROZEN,
        name: "ACCOUNT_FROZEN",
        cause: "The account balance is below zero and the account is frozen.",
        suggestion: "Add to the account balance.",
        trigger: "The ledger balance of the account is less than 0 when an operation that creates or starts a billable resource is called.",
        operations: "batchRunJobs,createReservedCluster,restartReservedCluster,runJob,submitJarJob,submitSqlJob,updateReservedCluster",
    },
    ErrorEntry {
        code: TOKEN_SCOPE_INCOMPLETE,
        name: "TOKEN_SCOPE_INCOMPLETE",
        cause: "The token names no user or no project.",
        suggestion: "Request a token with a project scope; otherwise contact the operator.",
        trigger: "The token is valid and unexpired but has no user id or no project id (for example a domain-scoped token).",
        operations: "all",
    },
    ErrorEntry {
        code: PERMISSION_OR_BALANCE_INSUFFICIENT,
        name: "PERMISSION_OR_BALANCE_INSUFFICIENT",
        cause: "The account is not entitled to the operation, or its balance cannot cover it.",
        suggestion: "Grant the account the entitlement or top it up.",
        trigger: "The balance is 0 or more, but the account is marked restricted, or the balance is less than one hour's price of the SPUs the operation would start.",
        operations: "batchRunJobs,createReservedCluster,restartReservedCluster,runJob,updateReservedCluster",
    },
    ErrorEntry {
        code: IAM_REQUEST_FAILED,
        name: "IAM_REQUEST_FAILED",
        cause: "The identity service did not answer.",
        suggestion: "Retry later.",
        trigger: "The call to the identity service to check the credential times out or fails with a server-side error.",
        operations: "all",
    },
    ErrorEntry {
        code: REAL_NAME_AUTH_REQUIRED,
        name: "REAL_NAME_AUTH_REQUIRED",
        cause: "The account's real-name verification has not been done.",
        suggestion: "Complete the real-name verification of the account.",
        trigger: "The account's real_name_verified flag is false in the identity service when a job or cluster is created.",
        operations: "createReservedCluster,submitJarJob,submitSqlJob",
    },
    ErrorEntry {
        code: BACKEND_INTERNAL_ERROR,
        name: "BACKEND_INTERNAL_ERROR",
        cause: "A backend of the service failed.",
        suggestion: "Retry later or contact the operator.",
        trigger: "After authentication and validation, the metadata store, the scheduler or the execution engine is unreachable or answers with a fault, and no operation-specific code covers it.",
        operations: "all",
    },
];
