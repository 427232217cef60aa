//! Templates, bucket authorisation and the agency (CS.18xxx, CS.19xxx).

use crate::error::{ErrorCode, ErrorEntry};

/// The template's SQL text is longer than 10,000 bytes.
pub const TEMPLATE_SQL_TOO_LONG: ErrorCode = ErrorCode(18001);
/// The template name is already taken.
pub const TEMPLATE_NAME_EXIST: ErrorCode = ErrorCode(18002);
/// There are already 100 templates.
pub const TEMPLATE_LIMIT_EXCEEDED: ErrorCode = ErrorCode(18003);
/// The template request body is not the JSON expected.
pub const TEMPLATE_BODY_INVALID: ErrorCode = ErrorCode(18004);
/// No template has this id.
pub const TEMPLATE_NOT_EXIST: ErrorCode = ErrorCode(18005);
/// The template name is empty.
pub const TEMPLATE_NAME_EMPTY: ErrorCode = ErrorCode(18006);
/// The template name has characters that are not allowed.
pub const TEMPLATE_NAME_INVALID: ErrorCode = ErrorCode(18007);
/// The template description is longer than 512 bytes.
pub const TEMPLATE_DESC_TOO_LONG: ErrorCode = ErrorCode(18008);
/// The template name is longer than 64 bytes.
pub const TEMPLATE_NAME_TOO_LONG: ErrorCode = ErrorCode(18009);
/// The authorization request body is not the JSON expected.
pub const AUTHORIZE_BODY_INVALID: ErrorCode = ErrorCode(19001);
/// Bucket `{bucket}` could not be authorized.
pub const AUTHORIZE_BUCKET_FAILED: ErrorCode = ErrorCode(19002);
/// No bucket is named `{bucket}`.
pub const BUCKET_NOT_EXIST: ErrorCode = ErrorCode(19003);
/// The request body names no bucket.
pub const BUCKET_NAME_MISSING: ErrorCode = ErrorCode(19004);
/// The request names a bucket that is already authorized.
pub const BUCKET_ALREADY_AUTHORIZED: ErrorCode = ErrorCode(19005);
/// An agency named cloud_stream_agency exists but does not trust the service.
pub const AGENCY_NAME_CONFLICT: ErrorCode = ErrorCode(19006);
/// No agency has been created for the service.
pub const AGENCY_NOT_EXIST: ErrorCode = ErrorCode(19007);
/// The agency could not be created.
pub const CREATE_AGENCY_FAILED: ErrorCode = ErrorCode(19008);
/// The agency could not be given its permissions.
pub const GRANT_AGENCY_ROLE_FAILED: ErrorCode = ErrorCode(19009);
/// The agency lacks a permission the operation needs.
pub const AGENCY_PERMISSION_INSUFFICIENT: ErrorCode = ErrorCode(19010);
/// The account's agency quota is used up.
pub const AGENCY_QUOTA_INSUFFICIENT: ErrorCode = ErrorCode(19011);

/// The entries of this family, by code.
pub const ENTRIES: &[ErrorEntry] = &[
    ErrorEntry {
        code: TEMPLATE_SQL_TOO_LONG,
        name: "TEMPLATE_SQL_TOO_LONG",
        cause: "The template's SQL text is longer than 10,000 bytes.",
        suggestion: "Shorten the SQL text.",
        trigger: "sql_body of a template is more than 10,000 bytes in UTF-8.",
        operations: "createJobTemplate,updateJobTemplate",
    },
    ErrorEntry {
        code: TEMPLATE_NAME_EXIST,
        name: "TEMPLATE_NAME_EXIST",
        cause: "The template name is already taken.",
        suggestion: "Choose another template name.",
        trigger: "A template create or update carries a name that another template of the project already has.",
        operations: "createJobTemplate,updateJobTemplate",
    },
    ErrorEntry {
        code: TEMPLATE_LIMIT_EXCEEDED,
        name: "TEMPLATE_LIMIT_EXCEEDED",
        cause: "There are already 100 templates.",
        suggestion: "Delete templates that are not needed.",
        trigger: "The project already has 100 user templates when another would be created.",
        operations: "createJobTemplate",
    },
    ErrorEntry {
        code: TEMPLATE_BODY_INVALID,
        name: "TEMPLATE_BODY_INVALID",
        cause: "The template request body is not the JSON expected.",
        suggestion: "Send a body that follows the schema.",
        trigger: "The body of a template create or update cannot be parsed as JSON, or a member has the wrong JSON type.",
        operations: "createJobTemplate,updateJobTemplate",
    },
    ErrorEntry {
        code: TEMPLATE_NOT_EXIST,
        name: "TEMPLATE_NOT_EXIST",
        cause: "No template has this id.",
        suggestion: "Use the id of an existing template.",
        trigger: "The id of a template update or delete, or the template_id of submitSqlJob used because sql_body is blank, names no template of the project.",
        operations: "deleteJobTemplate,submitSqlJob,updateJobTemplate",
    },
    ErrorEntry {
        code: TEMPLATE_NAME_EMPTY,
        name: "TEMPLATE_NAME_EMPTY",
        cause: "The template name is empty.",
        suggestion: "Give the template a name.",
        trigger: "name of a template is absent or null on create, or present but empty or only white space on create or update.",
        operations: "createJobTemplate,updateJobTemplate",
    },
    ErrorEntry {
        code: TEMPLATE_NAME_INVALID,
        name: "TEMPLATE_NAME_INVALID",
        cause: "The template name has characters that are not allowed.",
        suggestion: "Use letters, digits, underscores and hyphens.",
        trigger: "name of a template is 1 to 64 bytes long but does not match ^[A-Za-z0-9_-]+$.",
        operations: "createJobTemplate,updateJobTemplate",
    },
    ErrorEntry {
        code: TEMPLATE_DESC_TOO_LONG,
        name: "TEMPLATE_DESC_TOO_LONG",
        cause: "The template description is longer than 512 bytes.",
        suggestion: "Shorten the description.",
        trigger: "desc of a template is more than 512 bytes in UTF-8.",
        operations: "createJobTemplate,updateJobTemplate",
    },
    ErrorEntry {
        code: TEMPLATE_NAME_TOO_LONG,
        name: "TEMPLATE_NAME_TOO_LONG",
        cause: "The template name is longer than 64 bytes.",
        suggestion: "Shorten the template name.",
        trigger: "name of a template is more than 64 bytes in UTF-8.",
        operations: "createJobTemplate,updateJobTemplate",
    },
    ErrorEntry {
        code: AUTHORIZE_BODY_INVALID,
        name: "AUTHORIZE_BODY_INVALID",
        cause: "The authorization request body is not the JSON expected.",
        suggestion: "Send a JSON array of bucket names, or the agency object.",
        trigger: "The body of authorizeBucket is present but not a JSON array of strings, or that of createAgency is not an object with an array of known roles.",
        operations: "authorizeBucket,createAgency",
    },
    ErrorEntry {
        code: AUTHORIZE_BUCKET_FAILED,
        name: "AUTHORIZE_BUCKET_FAILED",
        cause: "Bucket {bucket} could not be authorized.",
        suggestion: "Contact the operator.",
        trigger: "The bucket exists and is not yet authorized, but the object store refuses or fails to store the access grant.",
        operations: "authorizeBucket",
    },
    ErrorEntry {
        code: BUCKET_NOT_EXIST,
        name: "BUCKET_NOT_EXIST",
        cause: "No bucket is named {bucket}.",
        suggestion: "Use an existing bucket.",
        trigger: "A name in the array is the name of no bucket in the object store.",
        operations: "authorizeBucket",
    },
    ErrorEntry {
        code: BUCKET_NAME_MISSING,
        name: "BUCKET_NAME_MISSING",
        cause: "The request body names no bucket.",
        suggestion: "Send the bucket names as a JSON array.",
        trigger: "The body is empty, is an empty array, or holds a blank name.",
        operations: "authorizeBucket",
    },
    ErrorEntry {
        code: BUCKET_ALREADY_AUTHORIZED,
        name: "BUCKET_ALREADY_AUTHORIZED",
        cause: "The request names a bucket that is already authorized.",
        suggestion: "Leave out buckets that are already authorized.",
        trigger: "At least one name in the array is already in the project's list of authorized buckets.",
        operations: "authorizeBucket",
    },
    ErrorEntry {
        code: AGENCY_NAME_CONFLICT,
        name: "AGENCY_NAME_CONFLICT",
        cause: "An agency named cloud_stream_agency exists but does not trust the service.",
        suggestion: "Change or delete that agency.",
        trigger: "An agency named cloud_stream_agency exists in the account and its delegate is not this service.",
        operations: "createAgency,getAgency,userRegister",
    },
    ErrorEntry {
        code: AGENCY_NOT_EXIST,
        name: "AGENCY_NOT_EXIST",
        cause: "No agency has been created for the service.",
        suggestion: "Create the agency.",
        trigger: "The operation needs delegated access (VPC peering or route; a job with smn_topic or an apig sink; reading the agency) and the account has no agency named cloud_stream_agency.",
        operations: "batchRunJobs,createPeering,createRoute,deletePeering,deleteRoute,getAgency,runJob",
    },
    ErrorEntry {
        code: CREATE_AGENCY_FAILED,
        name: "CREATE_AGENCY_FAILED",
        cause: "The agency could not be created.",
        suggestion: "Contact the operator.",
        trigger: "The identity service fails to create the agency for a reason other than name or quota.",
        operations: "createAgency,userRegister",
    },
    ErrorEntry {
        code: GRANT_AGENCY_ROLE_FAILED,
        name: "GRANT_AGENCY_ROLE_FAILED",
        cause: "The agency could not be given its permissions.",
        suggestion: "Contact the operator.",
        trigger: "The agency has been created, but attaching at least one requested role fails.",
        operations: "createAgency,userRegister",
    },
    ErrorEntry {
        code: AGENCY_PERMISSION_INSUFFICIENT,
        name: "AGENCY_PERMISSION_INSUFFICIENT",
        cause: "The agency lacks a permission the operation needs.",
        suggestion: "Grant the permission to the agency.",
        trigger: "cloud_stream_agency exists and trusts the service but lacks the role the operation needs: vpc_netadm for peering and routes, smn_adm for smn_topic, te_admin for apig sinks.",
        operations: "batchRunJobs,createPeering,createRoute,deletePeering,deleteRoute,runJob",
    },
    ErrorEntry {
        code: AGENCY_QUOTA_INSUFFICIENT,
        name: "AGENCY_QUOTA_INSUFFICIENT",
        cause: "The account's agency quota is used up.",
        suggestion: "Delete agencies that are not needed.",
        trigger: "The account already has its maximum number of agencies (default 10) when the agency would be created.",
        operations: "createAgency,userRegister",
    },
];
