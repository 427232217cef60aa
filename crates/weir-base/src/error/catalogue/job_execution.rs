//! Running, stopping, deleting and reading jobs (CS.13xxx to CS.17xxx).

use crate::error::{ErrorCode, ErrorEntry};

/// The user's SPU quota is not enough.
pub const USER_QUOTA_INSUFFICIENT: ErrorCode = ErrorCode(13001);
/// The cluster has too few free SPUs.
pub const SPU_INSUFFICIENT: ErrorCode = ErrorCode(13002);
/// Snapshot or logging is on but no OBS bucket is chosen.
pub const RUN_OBS_BUCKET_EMPTY: ErrorCode = ErrorCode(13003);
/// The service has no access to the job's OBS bucket.
pub const RUN_OBS_BUCKET_NOT_AUTHORIZED: ErrorCode = ErrorCode(13004);
/// The SQL text has a syntax error.
pub const SQL_SYNTAX_ERROR: ErrorCode = ErrorCode(13005);
/// The job is running or may not be run now.
pub const JOB_NOT_RUNNABLE: ErrorCode = ErrorCode(13006);
/// No job to run has this id.
pub const RUN_JOB_NOT_EXIST: ErrorCode = ErrorCode(13007);
/// The exclusive cluster chosen for the job is not running.
pub const CLUSTER_NOT_RUNNING: ErrorCode = ErrorCode(13008);
/// JAR jobs cannot run in the shared cluster.
pub const USER_DEFINED_JOB_NOT_IN_SHARED_CLUSTER: ErrorCode = ErrorCode(13009);
/// The job failed while being started.
pub const JOB_RUN_EXCEPTION: ErrorCode = ErrorCode(13010);
/// The user may not use the cluster.
pub const CLUSTER_NOT_PERMITTED: ErrorCode = ErrorCode(13011);
/// The JAR job type is not valid.
pub const JAR_JOB_TYPE_INVALID: ErrorCode = ErrorCode(13012);
/// The JAR of the job is gone.
pub const RUN_JAR_FILE_NOT_EXIST: ErrorCode = ErrorCode(13013);
/// A job that reads or writes Kafka cannot run in the shared cluster.
pub const KAFKA_NOT_IN_SHARED_CLUSTER: ErrorCode = ErrorCode(13014);
/// The type of a source or sink stream is not known.
pub const STREAM_TYPE_INVALID: ErrorCode = ErrorCode(13015);
/// A job with `{type}` as source or sink cannot run in the shared cluster.
pub const STREAM_TYPE_NOT_IN_SHARED_CLUSTER: ErrorCode = ErrorCode(13016);
/// The job has no savepoint.
pub const SAVEPOINT_NOT_EXIST: ErrorCode = ErrorCode(13017);
/// The jar_url path holds no JAR.
pub const NO_JAR_IN_JAR_URL: ErrorCode = ErrorCode(13018);
/// main_class is needed because the jar_url path holds several JARs.
pub const MAIN_CLASS_REQUIRED: ErrorCode = ErrorCode(13019);
/// The job has no execution graph yet.
pub const EXECUTE_GRAPH_NOT_EXIST: ErrorCode = ErrorCode(14001);
/// No job to stop has this id.
pub const STOP_JOB_NOT_EXIST: ErrorCode = ErrorCode(15001);
/// The job cannot be stopped in its present status.
pub const JOB_NOT_STOPPABLE: ErrorCode = ErrorCode(15002);
/// No job to delete has this id.
pub const DELETE_JOB_NOT_EXIST: ErrorCode = ErrorCode(16001);
/// No job has this id.
pub const QUERY_JOB_NOT_EXIST: ErrorCode = ErrorCode(17001);

/// The entries of this family, by code.
pub const ENTRIES: &[ErrorEntry] = &[
    ErrorEntry {
        code: USER_QUOTA_INSUFFICIENT,
        name: "USER_QUOTA_INSUFFICIENT",
        cause: "The user's SPU quota is not enough.",
        suggestion: "Ask the administrator for more quota.",
        trigger: "The user's spu_used plus the job's SPUs is greater than the user's spu_quota.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: SPU_INSUFFICIENT,
        name: "SPU_INSUFFICIENT",
        cause: "The cluster has too few free SPUs.",
        suggestion: "Ask the administrator to raise the cluster quota.",
        trigger: "The user quota suffices, but the job's SPUs exceed maximum_spu_quota - spu_used of the exclusive cluster, or the free SPUs of the shared cluster.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: RUN_OBS_BUCKET_EMPTY,
        name: "RUN_OBS_BUCKET_EMPTY",
        cause: "Snapshot or logging is on but no OBS bucket is chosen.",
        suggestion: "Choose a bucket or turn snapshot and logging off.",
        trigger: "The stored job has checkpoint_enabled or log_enabled true and a blank obs_bucket at run time (for example after an import).",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: RUN_OBS_BUCKET_NOT_AUTHORIZED,
        name: "RUN_OBS_BUCKET_NOT_AUTHORIZED",
        cause: "The service has no access to the job's OBS bucket.",
        suggestion: "Authorize the bucket, or turn snapshot and logging off.",
        trigger: "The stored job has checkpoint_enabled or log_enabled true and its obs_bucket is no longer authorized at run time.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: SQL_SYNTAX_ERROR,
        name: "SQL_SYNTAX_ERROR",
        cause: "The SQL text has a syntax error.",
        suggestion: "Correct the statement named in the error details.",
        trigger: "The stored sql_body fails to parse or to validate; error_json_opt carries line, column and message.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: JOB_NOT_RUNNABLE,
        name: "JOB_NOT_RUNNABLE",
        cause: "The job is running or may not be run now.",
        suggestion: "Look at the job's status.",
        trigger: "The job is in a status other than job_init, job_submit_fail, job_running_exception, job_cancel_success, job_finish or job_arrearage_stopped; or is an edge sub-job.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: RUN_JOB_NOT_EXIST,
        name: "RUN_JOB_NOT_EXIST",
        cause: "No job to run has this id.",
        suggestion: "Use a job id from the job list.",
        trigger: "runJob or batchRunJobs names a positive job id that no job of the project has.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: CLUSTER_NOT_RUNNING,
        name: "CLUSTER_NOT_RUNNING",
        cause: "The exclusive cluster chosen for the job is not running.",
        suggestion: "Use a cluster that is running.",
        trigger: "The job's exclusive cluster exists in a status other than cluster_running.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: USER_DEFINED_JOB_NOT_IN_SHARED_CLUSTER,
        name: "USER_DEFINED_JOB_NOT_IN_SHARED_CLUSTER",
        cause: "JAR jobs cannot run in the shared cluster.",
        suggestion: "Choose an exclusive cluster.",
        trigger: "The job is a JAR job and its stored run_mode is shared_cluster or it has no cluster_id.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: JOB_RUN_EXCEPTION,
        name: "JOB_RUN_EXCEPTION",
        cause: "The job failed while being started.",
        suggestion: "Look at the job logs.",
        trigger: "All run checks pass, but the execution engine rejects the job or it fails during the synchronous part of submission.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: CLUSTER_NOT_PERMITTED,
        name: "CLUSTER_NOT_PERMITTED",
        cause: "The user may not use the cluster.",
        suggestion: "Choose a cluster you may use.",
        trigger: "cluster_id names an existing cluster that is not among the clusters assigned to the user, and the user is not an administrator.",
        operations: "batchRunJobs,runJob,submitJarJob,submitSqlJob,updateJarJob,updateSqlJob",
    },
    ErrorEntry {
        code: JAR_JOB_TYPE_INVALID,
        name: "JAR_JOB_TYPE_INVALID",
        cause: "The JAR job type is not valid.",
        suggestion: "Use flink_jar_job or spark_streaming_jar_job.",
        trigger: "job_type of submitJarJob is neither flink_jar_job nor spark_streaming_jar_job.",
        operations: "submitJarJob",
    },
    ErrorEntry {
        code: RUN_JAR_FILE_NOT_EXIST,
        name: "RUN_JAR_FILE_NOT_EXIST",
        cause: "The JAR of the job is gone.",
        suggestion: "Upload a valid JAR.",
        trigger: "At run time the stored JAR of a JAR job, or its udf_jar_url object, is no longer there.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: KAFKA_NOT_IN_SHARED_CLUSTER,
        name: "KAFKA_NOT_IN_SHARED_CLUSTER",
        cause: "A job that reads or writes Kafka cannot run in the shared cluster.",
        suggestion: "Choose an exclusive cluster.",
        trigger: "run_mode is shared_cluster and a source or sink stream of the job has type kafka.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: STREAM_TYPE_INVALID,
        name: "STREAM_TYPE_INVALID",
        cause: "The type of a source or sink stream is not known.",
        suggestion: "Use a supported stream type.",
        trigger: "The SQL text parses but a source or sink stream's type option is absent or not a known connector for that role.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: STREAM_TYPE_NOT_IN_SHARED_CLUSTER,
        name: "STREAM_TYPE_NOT_IN_SHARED_CLUSTER",
        cause: "A job with {type} as source or sink cannot run in the shared cluster.",
        suggestion: "Choose an exclusive cluster.",
        trigger: "run_mode is shared_cluster and a source or sink stream of the job has a type other than kafka that is marked exclusive-only.",
        operations: "batchRunJobs,runJob",
    },
    ErrorEntry {
        code: SAVEPOINT_NOT_EXIST,
        name: "SAVEPOINT_NOT_EXIST",
        cause: "The job has no savepoint.",
        suggestion: "Create one when stopping the job.",
        trigger: "resumeSavePoint is true and the job has no stored or imported savepoint, or importSavepoint names an OBS path that holds none.",
        operations: "batchRunJobs,importSavepoint,runJob",
    },
    ErrorEntry {
        code: NO_JAR_IN_JAR_URL,
        name: "NO_JAR_IN_JAR_URL",
        cause: "The jar_url path holds no JAR.",
        suggestion: "Put at least one valid JAR under the path.",
        trigger: "jar_url is an OBS prefix that exists and has no object ending in .jar under it.",
        operations: "batchRunJobs,runJob,submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: MAIN_CLASS_REQUIRED,
        name: "MAIN_CLASS_REQUIRED",
        cause: "main_class is needed because the jar_url path holds several JARs.",
        suggestion: "Set main_class.",
        trigger: "jar_url is an OBS prefix with two or more .jar objects under it and main_class is blank.",
        operations: "batchRunJobs,runJob,submitJarJob,updateJarJob",
    },
    ErrorEntry {
        code: EXECUTE_GRAPH_NOT_EXIST,
        name: "EXECUTE_GRAPH_NOT_EXIST",
        cause: "The job has no execution graph yet.",
        suggestion: "Retry later.",
        trigger: "The job exists but has never reached job_running, so no graph has been stored.",
        operations: "getJobExecuteGraph",
    },
    ErrorEntry {
        code: STOP_JOB_NOT_EXIST,
        name: "STOP_JOB_NOT_EXIST",
        cause: "No job to stop has this id.",
        suggestion: "Use a job id from the job list.",
        trigger: "stopJob or batchStopJobs names a positive job id that no job of the project has.",
        operations: "batchStopJobs,stopJob",
    },
    ErrorEntry {
        code: JOB_NOT_STOPPABLE,
        name: "JOB_NOT_STOPPABLE",
        cause: "The job cannot be stopped in its present status.",
        suggestion: "See which statuses allow a stop.",
        trigger: "A stop is asked for a job in a status other than job_running, job_submitting, job_idle, job_downloading or job_cancel_fail; or triggerSavepoint for a job not in job_running.",
        operations: "batchStopJobs,stopJob,triggerSavepoint",
    },
    ErrorEntry {
        code: DELETE_JOB_NOT_EXIST,
        name: "DELETE_JOB_NOT_EXIST",
        cause: "No job to delete has this id.",
        suggestion: "Use a job id from the job list.",
        trigger: "deleteJob or batchDeleteJobs names a positive job id that no job of the project has.",
        operations: "batchDeleteJobs,deleteJob",
    },
    ErrorEntry {
        code: QUERY_JOB_NOT_EXIST,
        name: "QUERY_JOB_NOT_EXIST",
        cause: "No job has this id.",
        suggestion: "Use a job id from the job list.",
        trigger: "An operation that reads a job, or acts on its logs or savepoints, names a positive job id that no job of the project has.",
        operations: "aggregateJobLogs,getApigSinks,getJobDetail,getJobExecuteGraph,getJobsMetrics,importSavepoint,triggerSavepoint",
    },
];
