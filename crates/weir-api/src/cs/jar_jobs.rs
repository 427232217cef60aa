//! Calls that create and update JAR jobs, from forms.

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa::ToSchema;
use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_control::{SentFile, SentJar, success};

use super::answer;
use super::call::{Call, perform};
use super::multipart::{self, Part};
use super::operations::{SUBMIT_JAR_JOB, UPDATE_JAR_JOB};
use super::wire::{JarJobType, JobStatusInfo, JobUpdateTime};
use crate::state::ApiState;

/// Creates a JAR job. An empty part counts as absent.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct SubmitJarJobForm {
    /// Job name, unique in the project.
    #[schema(min_length = 1, max_length = 57, pattern = "^[A-Za-z0-9_-]+$")]
    name: String,
    /// Description, at most 512 bytes.
    #[schema(max_length = 512)]
    desc: String,
    /// Exclusive cluster.
    #[schema(minimum = 1)]
    cluster_id: i32,
    /// SPUs of the manager unit, 1 to 4; at most total SPUs - 1.
    #[schema(minimum = 1, maximum = 4)]
    manager_spu: i32,
    /// Total SPUs, 1 to 400; Flink only.
    #[schema(required = false, minimum = 1, maximum = 400)]
    spu_number: i32,
    /// Parallelism, 1 to 50; Flink only.
    #[schema(required = false, minimum = 1, maximum = 50)]
    parallel_number: i32,
    /// Executors, 1 to 100; Spark only.
    #[schema(required = false, minimum = 1, maximum = 100)]
    executor_number: i32,
    /// SPUs per executor, 1 to 4; Spark only.
    #[schema(required = false, minimum = 1, maximum = 4)]
    executor_spu: i32,
    /// Dump job logs to obs_bucket; default false.
    #[schema(required = false, default = false)]
    log_enabled: bool,
    /// Authorized OBS bucket; required when log_enabled is true.
    #[schema(required = false)]
    obs_bucket: String,
    /// SMN topic for alarms.
    #[schema(required = false)]
    smn_topic: String,
    /// JAR file, at most 8 MB; takes precedence over jar_url.
    #[schema(required = false, content_media_type = "application/java-archive")]
    jar: String,
    /// OBS path of a JAR, or of a folder with JARs.
    #[schema(required = false)]
    jar_url: String,
    /// Configuration file, at most 8 MB; takes precedence over config_url.
    #[schema(required = false, content_media_type = "application/octet-stream")]
    config: String,
    /// OBS path of a configuration file.
    #[schema(required = false)]
    config_url: String,
    /// Entry class, at most 512 bytes, no white space.
    #[schema(required = false, max_length = 512)]
    main_class: String,
    /// Arguments of the entry class, at most 1,024 bytes.
    #[schema(required = false, max_length = 1024)]
    args: String,
    /// Restart automatically after a failure; default false.
    #[schema(required = false, default = false)]
    restart_when_exception: bool,
    /// key=value pairs separated by commas.
    #[schema(required = false)]
    tags: String,
    /// Enterprise project id.
    #[schema(required = false)]
    sys_enterprise_project_id: String,
    /// Which engine runs it.
    job_type: JarJobType,
}

/// What an update of a JAR job changes: the parts that are sent. An empty part counts as absent, so a text is replaced by
/// another one and not by nothing; the type of the job stays.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct UpdateJarJobForm {
    /// The job.
    #[schema(minimum = 1)]
    job_id: i64,
    /// Job name, unique in the project.
    #[schema(required = false, min_length = 1, max_length = 57, pattern = "^[A-Za-z0-9_-]+$")]
    name: String,
    /// Description, at most 512 bytes.
    #[schema(required = false, max_length = 512)]
    desc: String,
    /// Exclusive cluster.
    #[schema(required = false, minimum = 1)]
    cluster_id: i32,
    /// SPUs of the manager unit; at most total SPUs - 1. The service does without it, as without any other part.
    #[schema(minimum = 1, maximum = 4)]
    manager_spu: i32,
    /// Total SPUs; Flink only.
    #[schema(required = false, minimum = 1, maximum = 400)]
    spu_number: i32,
    /// Parallelism; Flink only.
    #[schema(required = false, minimum = 1, maximum = 50)]
    parallel_number: i32,
    /// Executors; Spark only.
    #[schema(required = false, minimum = 1, maximum = 100)]
    executor_number: i32,
    /// SPUs per executor; Spark only.
    #[schema(required = false, minimum = 1, maximum = 4)]
    executor_spu: i32,
    /// Dump job logs to obs_bucket.
    #[schema(required = false)]
    log_enabled: bool,
    /// Authorized OBS bucket; required when log_enabled is true.
    #[schema(required = false)]
    obs_bucket: String,
    /// SMN topic for alarms.
    #[schema(required = false)]
    smn_topic: String,
    /// JAR file, at most 8 MB; takes precedence over jar_url.
    #[schema(required = false, content_media_type = "application/java-archive")]
    jar: String,
    /// OBS path of a JAR, or of a folder with JARs.
    #[schema(required = false)]
    jar_url: String,
    /// Configuration file, at most 8 MB; takes precedence over config_url.
    #[schema(required = false, content_media_type = "application/octet-stream")]
    config: String,
    /// OBS path of a configuration file.
    #[schema(required = false)]
    config_url: String,
    /// Entry class, at most 512 bytes, no white space.
    #[schema(required = false, max_length = 512)]
    main_class: String,
    /// Arguments of the entry class, at most 1,024 bytes.
    #[schema(required = false, max_length = 1024)]
    args: String,
    /// Restart automatically after a failure.
    #[schema(required = false)]
    restart_when_exception: bool,
    /// key=value pairs separated by commas.
    #[schema(required = false)]
    tags: String,
    /// Enterprise project id.
    #[schema(required = false)]
    sys_enterprise_project_id: String,
}

/// Create a Flink or Spark JAR job (status job_init).
#[utoipa::path(post, path = "/v1.0/{project_id}/jar_job", operation_id = "submitJarJob", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body(content = SubmitJarJobForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "Success.", body = answer::Envelope<JobStatusInfo>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn submit_jar_job(State(state): State<ApiState>, request: Request) -> Response {
    perform(&SUBMIT_JAR_JOB, state, request, |call| async move {
        let sent = Form::of(&call)?.sent()?;
        call.is_about("", sent.name.as_deref().unwrap_or_default());
        let control = &call.state.control;
        let id = control.create_jar_job(&call.caller, sent).await?;
        let (status, status_desc) = control.status(&call.caller, id).await?;
        let info = JobStatusInfo { job_id: id.0, status_name: status.name().to_string(), status_desc };
        Ok(answer::payload(success::JOB_CREATED, info, call.state.clock.now()))
    })
    .await
}

/// Update a JAR job. Only what is sent changes.
#[utoipa::path(patch, path = "/v1.0/{project_id}/jar_job", operation_id = "updateJarJob", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body(content = UpdateJarJobForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "Success.", body = answer::Envelope<JobUpdateTime>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn update_jar_job(State(state): State<ApiState>, request: Request) -> Response {
    perform(&UPDATE_JAR_JOB, state, request, |call| async move {
        let form = Form::of(&call)?;
        let id = form.text("job_id")?.and_then(|text| text.parse::<i64>().ok()).filter(|id| *id >= 1);
        let id = JobId(id.ok_or_else(|| codes::INVALID_JOB_ID.error())?);
        let sent = SentJar { job_type: None, ..form.sent()? };
        call.is_about(id, sent.name.as_deref().unwrap_or_default());
        let updated = call.state.control.update_jar_job(&call.caller, id, sent).await?;
        let time = JobUpdateTime { update_time: updated.0 };
        Ok(answer::payload(success::JOB_UPDATED, time, call.state.clock.now()))
    })
    .await
}

/// The parts of a form.
struct Form<'a>(Vec<Part<'a>>);

impl<'a> Form<'a> {
    fn of(call: &'a Call) -> Result<Self, CsError> {
        Ok(Self(multipart::parts(&call.body, &call.boundary)?))
    }

    fn part(&self, name: &str) -> Option<&Part<'a>> {
        self.0.iter().find(|part| part.name == name && !part.contents.is_empty())
    }

    fn text(&self, name: &str) -> Result<Option<String>, CsError> {
        let Some(part) = self.part(name) else { return Ok(None) };
        let text = std::str::from_utf8(part.contents).map_err(|_| wrong(name, "text"))?;
        Ok(Some(text.trim().to_string()).filter(|text| !text.is_empty()))
    }

    fn number(&self, name: &str) -> Result<Option<i64>, CsError> {
        let text = self.text(name)?;
        text.map(|text| text.parse::<i32>().map(i64::from).map_err(|_| wrong(name, "a whole number")))
            .transpose()
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, CsError> {
        match self.text(name)?.map(|text| text.to_ascii_lowercase()).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(wrong(name, "true or false")),
        }
    }

    fn file(&self, name: &str) -> Option<SentFile> {
        let part = self.part(name)?;
        Some(SentFile { name: part.file_name.clone().unwrap_or_default(), contents: part.contents.to_vec() })
    }

    fn sent(&self) -> Result<SentJar, CsError> {
        // A name that is there and blank is another error than one that is not there.
        let name = self.0.iter().find(|part| part.name == "name");
        let name = name.map(|part| String::from_utf8_lossy(part.contents).into_owned());
        Ok(SentJar {
            name,
            desc: self.text("desc")?,
            cluster_id: self.number("cluster_id")?,
            manager_spu: self.number("manager_spu")?,
            spu_number: self.number("spu_number")?,
            parallel_number: self.number("parallel_number")?,
            executor_number: self.number("executor_number")?,
            executor_spu: self.number("executor_spu")?,
            log_enabled: self.flag("log_enabled")?,
            obs_bucket: self.text("obs_bucket")?,
            smn_topic: self.text("smn_topic")?,
            jar: self.file("jar"),
            jar_url: self.text("jar_url")?,
            config: self.file("config"),
            config_url: self.text("config_url")?,
            main_class: self.text("main_class")?,
            args: self.text("args")?,
            restart_when_exception: self.flag("restart_when_exception")?,
            tags: self.text("tags")?,
            sys_enterprise_project_id: self.text("sys_enterprise_project_id")?,
            job_type: self.text("job_type")?,
        })
    }
}

fn wrong(name: &str, expected: &str) -> CsError {
    codes::API_NOT_SUPPORTED.error().because(format!("The part {name} of the form is not {expected}."))
}
