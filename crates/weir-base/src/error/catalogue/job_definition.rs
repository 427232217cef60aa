//! Creating and updating jobs (CS.11xxx, CS.12xxx).

use crate::error::{ErrorCode, ErrorEntry};

/// The SQL text is longer than 10,000 bytes.
pub const SQL_BODY_TOO_LONG: ErrorCode = ErrorCode(11001);
/// Snapshots and log dump need an OBS bucket.
pub const OBS_BUCKET_REQUIRED: ErrorCode = ErrorCode(11002);
/// There are already 100 draft jobs.
pub const DRAFT_JOB_LIMIT_EXCEEDED: ErrorCode = ErrorCode(11003);
/// The job name is already taken.
pub const JOB_NAME_EXIST: ErrorCode = ErrorCode(11004);
/// The SQL job could not be created.
pub const SUBMIT_SQL_JOB_FAILED: ErrorCode = ErrorCode(11005);
/// The job name is longer than 57 bytes.
pub const JOB_NAME_TOO_LONG: ErrorCode = ErrorCode(11006);
/// The job name is empty.
pub const JOB_NAME_EMPTY: ErrorCode = ErrorCode(11007);
/// checkpoint_interval is not valid.
pub const CHECKPOINT_INTERVAL_INVALID: ErrorCode = ErrorCode(11008);
/// checkpoint_mode is not valid.
pub const CHECKPOINT_MODE_INVALID: ErrorCode = ErrorCode(11009);
/// No OBS bucket is given for snapshots.
pub const CHECKPOINT_OBS_BUCKET_EMPTY: ErrorCode = ErrorCode(11010);
/// No OBS bucket is given for logs.
pub const LOG_OBS_BUCKET_EMPTY: ErrorCode = ErrorCode(11011);
/// The job's SPU count is outside 1 to 400.
pub const SPU_NUMBER_OUT_OF_RANGE: ErrorCode = ErrorCode(11012);
/// The parallelism is outside 1 to 50.
pub const PARALLEL_NUMBER_OUT_OF_RANGE: ErrorCode = ErrorCode(11013);
/// The job description is longer than 512 bytes.
pub const JOB_DESC_TOO_LONG: ErrorCode = ErrorCode(11014);
/// The job name has characters that are not allowed.
pub const JOB_NAME_INVALID: ErrorCode = ErrorCode(11015);
/// The service has no access to the OBS bucket.
pub const OBS_BUCKET_NOT_AUTHORIZED: ErrorCode = ErrorCode(11016);
/// The uploaded file is not a JAR.
pub const NOT_A_JAR_FILE: ErrorCode = ErrorCode(11017);
/// The main class name is longer than 512 bytes.
pub const MAIN_CLASS_TOO_LONG: ErrorCode = ErrorCode(11018);
/// The main class arguments are longer than 1,024 bytes.
pub const ARGS_TOO_LONG: ErrorCode = ErrorCode(11019);
/// The main class name contains a space.
pub const MAIN_CLASS_HAS_SPACE: ErrorCode = ErrorCode(11020);
/// There is no JAR at `{path}`.
pub const JAR_FILE_NOT_EXIST: ErrorCode = ErrorCode(11021);
/// The parallelism is more than four times the compute SPUs.
pub const PARALLELISM_EXCEEDS_SPU: ErrorCode = ErrorCode(11022);
/// No edge computing group is named.
pub const EDGE_GROUP_REQUIRED: ErrorCode = ErrorCode(11023);
/// Job type and run mode do not fit together.
pub const JOB_TYPE_RUN_MODE_MISMATCH: ErrorCode = ErrorCode(11024);
/// The manager SPU count is not valid.
pub const MANAGER_SPU_INVALID: ErrorCode = ErrorCode(11025);
/// A Spark job needs executor_spu and executor_number.
pub const SPARK_EXECUTOR_PARAM_REQUIRED: ErrorCode = ErrorCode(11026);
/// executor_spu is outside 1 to 4.
pub const EXECUTOR_SPU_OUT_OF_RANGE: ErrorCode = ErrorCode(11027);
/// executor_number is outside 1 to 100.
pub const EXECUTOR_NUMBER_OUT_OF_RANGE: ErrorCode = ErrorCode(11028);
/// Parameter `{name}` is required.
pub const PARAMETER_REQUIRED: ErrorCode = ErrorCode(11029);
/// There is no configuration file at config_url.
pub const CONFIG_FILE_NOT_EXIST: ErrorCode = ErrorCode(11030);
/// The uploaded file is larger than 8 MB.
pub const UPLOAD_FILE_TOO_LARGE: ErrorCode = ErrorCode(11031);
/// No SMN topic `{topic}` was found.
pub const SMN_TOPIC_NOT_EXIST: ErrorCode = ErrorCode(11032);
/// The shared cluster does not run UDFs.
pub const UDF_NOT_SUPPORTED_IN_SHARED_CLUSTER: ErrorCode = ErrorCode(11035);
/// The idle state retention time is out of range.
pub const IDLE_STATE_RETENTION_INVALID: ErrorCode = ErrorCode(11036);
/// The job's logs could not be gathered.
pub const AGGREGATE_JOB_LOG_FAILED: ErrorCode = ErrorCode(11037);
/// Log dump is off for this job.
pub const LOG_DUMP_DISABLED: ErrorCode = ErrorCode(11038);
/// The dirty data policy is not valid.
pub const DIRTY_DATA_STRATEGY_INVALID: ErrorCode = ErrorCode(11039);
/// The job definitions could not be gathered.
pub const AGGREGATE_USER_DATA_FAILED: ErrorCode = ErrorCode(11040);
/// The job archive could not be transferred.
pub const UPLOAD_USER_DATA_FAILED: ErrorCode = ErrorCode(11041);
/// The APIG address of the job could not be obtained.
pub const GET_APIG_ADDRESS_FAILED: ErrorCode = ErrorCode(11098);
/// The job id is not a positive integer.
pub const INVALID_JOB_ID: ErrorCode = ErrorCode(12001);
/// The SQL text could not be updated.
pub const UPDATE_SQL_FAILED: ErrorCode = ErrorCode(12002);
/// A job that is running or being submitted cannot be updated.
pub const RUNNING_JOB_NOT_UPDATABLE: ErrorCode = ErrorCode(12003);
/// No job to update has this id.
pub const JOB_NOT_EXIST: ErrorCode = ErrorCode(12004);
/// This job does not allow an update now.
pub const JOB_NOT_UPDATABLE: ErrorCode = ErrorCode(12005);
/// The new job name is already taken.
pub const UPDATE_JOB_NAME_EXIST: ErrorCode = ErrorCode(12006);

/// The entries of this family, by code.
pub const ENTRIES: &[ErrorEntry] = &[
    ErrorEntry {
        code: SQL_BODY_TOO_LONG,
        name: "SQL_BODY_TOO_LONG",
        cause: "The SQL text is longer than 10,000 bytes.",
        suggestion: "Shorten the SQL text.",
        trigger: "The effective sql_body (after a template has been applied) is more than 10,000 bytes in UTF-8.",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: OBS_BUCKET_REQUIRED,
        name: "OBS_BUCKET_REQUIRED",
        cause: "Snapshots and log dump need an OBS bucket.",
        suggestion: "Set obs_bucket.",
        trigger: "checkpoint_enabled and log_enabled are both true and obs_bucket is absent, null or blank.",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: DRAFT_JOB_LIMIT_EXCEEDED,
        name: "DRAFT_JOB_LIMIT_EXCEEDED",
        cause: "There are already 100 draft jobs.",
        suggestion: "Delete draft jobs that are not needed.",
        trigger: "The project already has 100 jobs in job_init when a job would be created.",
        operations: "importJobs,submitJarJob,submitSqlJob",
    },
    ErrorEntry {
        code: JOB_NAME_EXIST,
        name: "JOB_NAME_EXIST",
        cause: "The job name is already taken.",
        suggestion: "Choose another job name.",
        trigger: "A create request carries a name that another job of the project already has.",
        operations: "submitJarJob,submitSqlJob",
    },
    ErrorEntry {
        code: SUBMIT_SQL_JOB_FAILED,
        name: "SUBMIT_SQL_JOB_FAILED",
        cause: "The SQL job could not be created.",
        suggestion: "Contact the operator.",
        trigger: "A SQL job request passes every check but the job record cannot be written.",
        operations: "submitSqlJob",
    },
    ErrorEntry {
        code: JOB_NAME_TOO_LONG,
        name: "JOB_NAME_TOO_LONG",
        cause: "The job name is longer than 57 bytes.",
        suggestion: "Shorten the job name.",
        trigger: "name of a job is more than 57 bytes in UTF-8.",
        operations: "submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: JOB_NAME_EMPTY,
        name: "JOB_NAME_EMPTY",
        cause: "The job name is empty.",
        suggestion: "Give the job a name.",
        trigger: "name of a job is absent or null on create, or present but empty or only white space on create or update.",
        operations: "submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: CHECKPOINT_INTERVAL_INVALID,
        name: "CHECKPOINT_INTERVAL_INVALID",
        cause: "checkpoint_interval is not valid.",
        suggestion: "With snapshots on, give checkpoint_interval in seconds.",
        trigger: "checkpoint_enabled is true and checkpoint_interval is present but null, below 1 or above 999999.",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: CHECKPOINT_MODE_INVALID,
        name: "CHECKPOINT_MODE_INVALID",
        cause: "checkpoint_mode is not valid.",
        suggestion: "With snapshots on, set checkpoint_mode to exactly_once or at_least_once.",
        trigger: "checkpoint_enabled is true and checkpoint_mode is absent, null or neither exactly_once nor at_least_once.",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: CHECKPOINT_OBS_BUCKET_EMPTY,
        name: "CHECKPOINT_OBS_BUCKET_EMPTY",
        cause: "No OBS bucket is given for snapshots.",
        suggestion: "With snapshots on, set obs_bucket.",
        trigger: "checkpoint_enabled is true, log_enabled is false and obs_bucket is absent, null or blank.",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: LOG_OBS_BUCKET_EMPTY,
        name: "LOG_OBS_BUCKET_EMPTY",
        cause: "No OBS bucket is given for logs.",
        suggestion: "With log dump on, set obs_bucket.",
        trigger: "log_enabled is true, checkpoint_enabled is false (always so for JAR jobs) and obs_bucket is absent, null or blank.",
        operations: "submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: SPU_NUMBER_OUT_OF_RANGE,
        name: "SPU_NUMBER_OUT_OF_RANGE",
        cause: "The job's SPU count is outside 1 to 400.",
        suggestion: "Use 1 to 400 SPUs.",
        trigger: "spu_number is below 1 or above 400; for Spark jobs executor_spu x executor_number + manager_spu is above 400.",
        operations: "submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: PARALLEL_NUMBER_OUT_OF_RANGE,
        name: "PARALLEL_NUMBER_OUT_OF_RANGE",
        cause: "The parallelism is outside 1 to 50.",
        suggestion: "Use a parallelism of 1 to 50.",
        trigger: "parallel_number is below 1 or above 50.",
        operations: "submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: JOB_DESC_TOO_LONG,
        name: "JOB_DESC_TOO_LONG",
        cause: "The job description is longer than 512 bytes.",
        suggestion: "Shorten the description.",
        trigger: "desc of a job is more than 512 bytes in UTF-8.",
        operations: "submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: JOB_NAME_INVALID,
        name: "JOB_NAME_INVALID",
        cause: "The job name has characters that are not allowed.",
        suggestion: "Use letters, digits, underscores and hyphens.",
        trigger: "name of a job is 1 to 57 bytes long but does not match ^[A-Za-z0-9_-]+$.",
        operations: "submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: OBS_BUCKET_NOT_AUTHORIZED,
        name: "OBS_BUCKET_NOT_AUTHORIZED",
        cause: "The service has no access to the OBS bucket.",
        suggestion: "Authorize the bucket for the service.",
        trigger: "A create or update, or an export, import or savepoint request, names a bucket that is not in the project's list of authorized buckets.",
        operations: "exportJobs,importJobs,importSavepoint,submitJarJob,submitSqlJob,triggerSavepoint,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: NOT_A_JAR_FILE,
        name: "NOT_A_JAR_FILE",
        cause: "The uploaded file is not a JAR.",
        suggestion: "Send a JAR.",
        trigger: "The jar part's file name does not end in .jar, or its content is not a readable ZIP archive.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: MAIN_CLASS_TOO_LONG,
        name: "MAIN_CLASS_TOO_LONG",
        cause: "The main class name is longer than 512 bytes.",
        suggestion: "Shorten the main class name.",
        trigger: "main_class is more than 512 bytes in UTF-8.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: ARGS_TOO_LONG,
        name: "ARGS_TOO_LONG",
        cause: "The main class arguments are longer than 1,024 bytes.",
        suggestion: "Shorten the arguments.",
        trigger: "args is more than 1,024 bytes in UTF-8.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: MAIN_CLASS_HAS_SPACE,
        name: "MAIN_CLASS_HAS_SPACE",
        cause: "The main class name contains a space.",
        suggestion: "Remove spaces from the main class name.",
        trigger: "main_class is at most 512 bytes and contains a white-space character.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: JAR_FILE_NOT_EXIST,
        name: "JAR_FILE_NOT_EXIST",
        cause: "There is no JAR at {path}.",
        suggestion: "Choose a JAR that exists.",
        trigger: "On create or update, no object and no prefix exists in OBS at jar_url (JAR jobs) or at udf_jar_url (SQL jobs).",
        operations: "submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: PARALLELISM_EXCEEDS_SPU,
        name: "PARALLELISM_EXCEEDS_SPU",
        cause: "The parallelism is more than four times the compute SPUs.",
        suggestion: "Lower the parallelism or raise the SPUs.",
        trigger: "parallel_number is within 1 to 50 but greater than 4 x compute SPUs, where compute SPUs = max(1, spu_number - manager SPUs).",
        operations: "submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: EDGE_GROUP_REQUIRED,
        name: "EDGE_GROUP_REQUIRED",
        cause: "No edge computing group is named.",
        suggestion: "Set edge_group_ids.",
        trigger: "run_mode is edge_node and edge_group_ids is absent, null or blank, or names no known edge group.",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: JOB_TYPE_RUN_MODE_MISMATCH,
        name: "JOB_TYPE_RUN_MODE_MISMATCH",
        cause: "Job type and run mode do not fit together.",
        suggestion: "Use the run mode that fits the job type.",
        trigger: "job_type is flink_sql_edge_job with a run_mode other than edge_node, or flink_sql_job with run_mode edge_node.",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: MANAGER_SPU_INVALID,
        name: "MANAGER_SPU_INVALID",
        cause: "The manager SPU count is not valid.",
        suggestion: "Use 1 to 4 manager SPUs, fewer than the total.",
        trigger: "manager_spu is below 1, above 4, or above total SPUs minus 1.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: SPARK_EXECUTOR_PARAM_REQUIRED,
        name: "SPARK_EXECUTOR_PARAM_REQUIRED",
        cause: "A Spark job needs executor_spu and executor_number.",
        suggestion: "Set both; total = executor_spu x executor_number + manager_spu.",
        trigger: "job_type is spark_streaming_jar_job and executor_spu or executor_number is absent.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: EXECUTOR_SPU_OUT_OF_RANGE,
        name: "EXECUTOR_SPU_OUT_OF_RANGE",
        cause: "executor_spu is outside 1 to 4.",
        suggestion: "Use 1 to 4.",
        trigger: "executor_spu is present and below 1 or above 4.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: EXECUTOR_NUMBER_OUT_OF_RANGE,
        name: "EXECUTOR_NUMBER_OUT_OF_RANGE",
        cause: "executor_number is outside 1 to 100.",
        suggestion: "Use 1 to 100.",
        trigger: "executor_number is present and below 1 or above 100.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: PARAMETER_REQUIRED,
        name: "PARAMETER_REQUIRED",
        cause: "Parameter {name} is required.",
        suggestion: "Set the parameter.",
        trigger: "A required parameter with no code of its own is absent: run_mode; cluster_id in exclusive mode or for a JAR job; desc, job_type, manager_spu for a JAR job; spu_number or parallel_number for flink_jar_job; both jar and jar_url; sql_body and template_id both absent; a required member of an export, import or savepoint body.",
        operations: "exportJobs,importJobs,importSavepoint,submitJarJob,submitSqlJob,triggerSavepoint,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: CONFIG_FILE_NOT_EXIST,
        name: "CONFIG_FILE_NOT_EXIST",
        cause: "There is no configuration file at config_url.",
        suggestion: "Choose a configuration file that exists.",
        trigger: "No config part is sent and no object exists in OBS at config_url.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: UPLOAD_FILE_TOO_LARGE,
        name: "UPLOAD_FILE_TOO_LARGE",
        cause: "The uploaded file is larger than 8 MB.",
        suggestion: "Put the file in OBS, or upload at most 8 MB.",
        trigger: "The jar or config part is more than 8,388,608 bytes.",
        operations: "submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: SMN_TOPIC_NOT_EXIST,
        name: "SMN_TOPIC_NOT_EXIST",
        cause: "No SMN topic {topic} was found.",
        suggestion: "Choose a topic that exists.",
        trigger: "smn_topic of the request, or at run time of the stored job, is not blank and names no topic (by name or URN) of the project.",
        operations: "batchRunJobs,runJob,submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: UDF_NOT_SUPPORTED_IN_SHARED_CLUSTER,
        name: "UDF_NOT_SUPPORTED_IN_SHARED_CLUSTER",
        cause: "The shared cluster does not run UDFs.",
        suggestion: "Use an exclusive cluster.",
        trigger: "udf_jar_url is not blank and run_mode is shared_cluster.",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: IDLE_STATE_RETENTION_INVALID,
        name: "IDLE_STATE_RETENTION_INVALID",
        cause: "The idle state retention time is out of range.",
        suggestion: "Use a value in the allowed range.",
        trigger: "idle_state_retention is none of: absent, 0 (use the default), 1 to 60, 3600 (the default clients send).",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: AGGREGATE_JOB_LOG_FAILED,
        name: "AGGREGATE_JOB_LOG_FAILED",
        cause: "The job's logs could not be gathered.",
        suggestion: "Retry later.",
        trigger: "Log dump is enabled for the job but its log archive cannot be built or cannot be written to the bucket.",
        operations: "aggregateJobLogs",
    },
    ErrorEntry {
        code: LOG_DUMP_DISABLED,
        name: "LOG_DUMP_DISABLED",
        cause: "Log dump is off for this job.",
        suggestion: "Turn log dump on when editing the job.",
        trigger: "The logs of a job whose log_enabled is false are requested.",
        operations: "aggregateJobLogs",
    },
    ErrorEntry {
        code: DIRTY_DATA_STRATEGY_INVALID,
        name: "DIRTY_DATA_STRATEGY_INVALID",
        cause: "The dirty data policy is not valid.",
        suggestion: "Use 0, 1 or 2:{directory}.",
        trigger: "dirty_data_strategy is not blank and is neither 0, nor 1, nor 2: followed by a non-empty OBS directory.",
        operations: "submitSqlJob,updateSqlJob",
    },
    ErrorEntry {
        code: AGGREGATE_USER_DATA_FAILED,
        name: "AGGREGATE_USER_DATA_FAILED",
        cause: "The job definitions could not be gathered.",
        suggestion: "Retry later.",
        trigger: "An id in job_selected names no job of the project on export, or an archive entry is not a valid job definition on import.",
        operations: "exportJobs,importJobs",
    },
    ErrorEntry {
        code: UPLOAD_USER_DATA_FAILED,
        name: "UPLOAD_USER_DATA_FAILED",
        cause: "The job archive could not be transferred.",
        suggestion: "Retry later.",
        trigger: "The export archive cannot be written to obs_dir, or the import archive cannot be read from zip_file.",
        operations: "exportJobs,importJobs",
    },
    ErrorEntry {
        code: GET_APIG_ADDRESS_FAILED,
        name: "GET_APIG_ADDRESS_FAILED",
        cause: "The APIG address of the job could not be obtained.",
        suggestion: "Retry later.",
        trigger: "The job has at least one apig sink whose gateway address has not been registered (the job has never been running, or registration failed).",
        operations: "getApigSinks",
    },
    ErrorEntry {
        code: INVALID_JOB_ID,
        name: "INVALID_JOB_ID",
        cause: "The job id is not a positive integer.",
        suggestion: "Use a job id from the job list.",
        trigger: "job_id in path, form or body is absent, not an integer, or below 1.",
        operations: "aggregateJobLogs,batchDeleteJobs,batchRunJobs,batchStopJobs,deleteJob,getApigSinks,getJobDetail,getJobExecuteGraph,getJobsMetrics,importSavepoint,runJob,stopJob,triggerSavepoint,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: UPDATE_SQL_FAILED,
        name: "UPDATE_SQL_FAILED",
        cause: "The SQL text could not be updated.",
        suggestion: "Check the system and retry.",
        trigger: "An update of a SQL job passes every check but the changed record cannot be written.",
        operations: "updateSqlJob",
    },
    ErrorEntry {
        code: RUNNING_JOB_NOT_UPDATABLE,
        name: "RUNNING_JOB_NOT_UPDATABLE",
        cause: "A job that is running or being submitted cannot be updated.",
        suggestion: "Wait until the job has ended.",
        trigger: "updateSqlJob, updateJarJob or importSavepoint addresses a job in job_running or job_submitting.",
        operations: "importSavepoint,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: JOB_NOT_EXIST,
        name: "JOB_NOT_EXIST",
        cause: "No job to update has this id.",
        suggestion: "Check the id, or create a job.",
        trigger: "updateSqlJob or updateJarJob names a positive job id that no job of the project has.",
        operations: "updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: JOB_NOT_UPDATABLE,
        name: "JOB_NOT_UPDATABLE",
        cause: "This job does not allow an update now.",
        suggestion: "Look at the job's status and type.",
        trigger: "The job to update is in job_canceling, job_savepointing, job_downloading, job_idle or job_arrearage_recovering; or is an edge sub-job; or is of a type the called operation does not handle.",
        operations: "updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: UPDATE_JOB_NAME_EXIST,
        name: "UPDATE_JOB_NAME_EXIST",
        cause: "The new job name is already taken.",
        suggestion: "Choose another job name.",
        trigger: "An update carries a name that a different job of the project already has.",
        operations: "updateJarJob,updateSqlJob",
    },
];
