//! The call for the addresses of a job's `apig` sinks.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use weir_control::success;

use super::answer;
use super::call::perform;
use super::operations::GET_APIG_SINKS;
use crate::state::ApiState;

/// The sinks of a job that are read over a gateway.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobApigSinks {
    /// One entry per sink.
    sinks: Vec<JobApigSinkEntity>,
    /// Their columns.
    metadata: Vec<JobMetaDataEntity>,
}

/// Where a sink can be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobApigSinkEntity {
    /// Application id of the sink's definition.
    app_id: String,
    /// Name.
    sink_name: String,
    /// Address.
    #[schema(format = "uri")]
    url: String,
}

/// What a sink gives out.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobMetaDataEntity {
    /// Name of the sink.
    name: String,
    /// Form of its records.
    #[schema(value_type = ApigEncode)]
    encode: String,
    /// Between the fields of csv.
    delimiter: Option<String>,
    /// Columns.
    attrs: Vec<JobMetaDataAttrEntity>,
}

/// Forms of records.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ApigEncode {
    /// Fields between delimiters.
    Csv,
    /// Objects.
    Json,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobMetaDataAttrEntity {
    /// Name.
    name: String,
    /// SQL type in upper case.
    r#type: String,
}

/// APIG addresses of a job's sinks.
#[utoipa::path(get, path = "/v1.0/{project_id}/job/{job_id}/apig_sinks", operation_id = "getApigSinks", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("job_id" = i64, Path, description = "Job id.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<JobApigSinks>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_apig_sinks(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_APIG_SINKS, state, request, |call| async move {
        let id = call.job_id()?;
        call.state.control.apig_sinks(&call.caller, id).await?;
        let none = JobApigSinks { sinks: Vec::new(), metadata: Vec::new() };
        Ok(answer::payload(success::APIG_SINKS_READ, none, call.state.clock.now()))
    })
    .await
}
