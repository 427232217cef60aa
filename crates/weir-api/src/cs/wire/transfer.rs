//! Bodies of the calls that write archives into buckets and read them there.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use weir_control::ImportedJob;

/// Writes definitions of jobs to an archive.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ExportJobsRequest {
    /// OBS path for the archive: {bucket}\[/{prefix}\].
    #[schema(value_type = String, required = true, min_length = 1, example = "bucket1/exported")]
    pub(crate) obs_dir: Option<String>,
    /// false: all jobs that the caller may read.
    #[schema(value_type = bool, required = true, example = false)]
    pub(crate) is_selected: Option<bool>,
    /// Required when is_selected is true.
    #[schema(value_type = Vec<i64>, required = false, example = json!([1]))]
    pub(crate) job_selected: Option<Vec<Value>>,
}

/// Where the archive is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportJobsPayload {
    /// OBS paths of the archives.
    pub zip_file: Vec<String>,
}

/// Creates jobs from an archive.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ImportJobsRequest {
    /// OBS path of an archive, or of a folder that holds only .zip files.
    #[schema(value_type = String, required = true, min_length = 1, example = "bucket1/exported")]
    pub(crate) zip_file: Option<String>,
    /// Overwrite a job of the same name; it goes back to job_init. Default false.
    #[schema(value_type = bool, required = false, default = false)]
    pub(crate) is_cover: Option<bool>,
}

/// What became of the jobs of an archive.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportJobsPayload {
    /// One entry per job, in the order of the archive.
    pub job_mapping: Vec<JobMapping>,
}

/// What became of a job of an archive.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobMapping {
    /// Id in the archive.
    old_job_id: i64,
    /// Id now; -1 when the job was left out.
    new_job_id: i64,
    /// Why it was left out, that it replaced another one, or which uploaded files it lacks.
    #[schema(required = false)]
    remark: String,
}

impl From<ImportedJob> for JobMapping {
    fn from(job: ImportedJob) -> Self {
        Self { old_job_id: job.old, new_job_id: job.new.map_or(-1, |id| id.0), remark: job.remark }
    }
}

/// Where the logs of a job are.
#[derive(Debug, Serialize, ToSchema)]
pub struct AggregateJobLogsPayload {
    /// OBS path of the archive.
    pub zip_file: String,
}
