//! The call for the addresses of a job's `apig` sinks.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use weir_cloud::gateway::{Encoding, GatewaySink, SinkColumn};
use weir_control::{ApigSinkView, success};

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

impl JobApigSinkEntity {
    fn of(view: &ApigSinkView) -> Self {
        let GatewaySink { app_id, name, .. } = &view.sink;
        Self { app_id: app_id.clone(), sink_name: name.clone(), url: view.url.clone() }
    }
}

/// What a sink gives out.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobMetaDataEntity {
    /// Name of the sink.
    name: String,
    /// Form of its records.
    encode: ApigEncode,
    /// Between the fields of csv.
    delimiter: Option<String>,
    /// Columns.
    attrs: Vec<JobMetaDataAttrEntity>,
}

impl JobMetaDataEntity {
    fn of(view: ApigSinkView) -> Self {
        let GatewaySink { name, form, .. } = view.sink;
        let attribute =
            |column: SinkColumn| JobMetaDataAttrEntity { name: column.name, r#type: column.sql_type };
        Self {
            name,
            encode: match form.encoding {
                Encoding::Csv => ApigEncode::Csv,
                Encoding::Json => ApigEncode::Json,
            },
            delimiter: form.delimiter,
            attrs: form.columns.into_iter().map(attribute).collect(),
        }
    }
}

/// Forms of records.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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
        ("job_id" = i64, Path, minimum = 1, description = "Job id.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<JobApigSinks>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_apig_sinks(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_APIG_SINKS, state, request, |call| async move {
        let id = call.job_id()?;
        let sinks = call.state.control.apig_sinks(&call.caller, id).await?;
        let payload = JobApigSinks {
            sinks: sinks.iter().map(JobApigSinkEntity::of).collect(),
            metadata: sinks.into_iter().map(JobMetaDataEntity::of).collect(),
        };
        Ok(answer::payload(success::APIG_SINKS_READ, payload, call.state.clock.now()))
    })
    .await
}
