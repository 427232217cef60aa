//! Calls about job templates.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::{CsError, codes};
use weir_base::id::TemplateId;
use weir_control::{Page, SAMPLES, SentTemplate, success};

use super::answer;
use super::call::{Call, perform};
use super::operations::{
    CREATE_JOB_TEMPLATE, DELETE_JOB_TEMPLATE, GET_JOB_TEMPLATES, GET_SAMPLE_TEMPLATES, UPDATE_JOB_TEMPLATE,
};
use super::wire::{
    CreateJobTemplateRequest, JobTemplate, JobTemplateCreated, JobTemplateDeleted,
    JobTemplateListResponsePayload, Order as WireOrder, SampleTemplateList, UpdateJobTemplateRequest, count,
};
use crate::state::ApiState;

/// Templates in a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: i64 = 10;

/// Create a template.
#[utoipa::path(post, path = "/v1.0/{project_id}/job_template", operation_id = "createJobTemplate", tag = "template",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = CreateJobTemplateRequest,
    responses((status = 200, description = "Success.", body = answer::Envelope<JobTemplateCreated>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn create_job_template(State(state): State<ApiState>, request: Request) -> Response {
    perform(&CREATE_JOB_TEMPLATE, state, request, |call| async move {
        let sent = SentTemplate::from(call.json::<CreateJobTemplateRequest>(codes::TEMPLATE_BODY_INVALID)?);
        call.is_about("", sent.name.as_deref().unwrap_or_default());
        let created = call.state.control.create_template(&call.caller, sent).await?;
        let created = JobTemplateCreated::from(created);
        Ok(answer::payload(success::TEMPLATE_CREATED, created, call.state.clock.now()))
    })
    .await
}

/// Update a template.
#[utoipa::path(patch, path = "/v1.0/{project_id}/job_template", operation_id = "updateJobTemplate", tag = "template",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = UpdateJobTemplateRequest,
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn update_job_template(State(state): State<ApiState>, request: Request) -> Response {
    perform(&UPDATE_JOB_TEMPLATE, state, request, |call| async move {
        let body: UpdateJobTemplateRequest = call.json(codes::TEMPLATE_BODY_INVALID)?;
        let id = body.id.ok_or_else(|| codes::TEMPLATE_BODY_INVALID.error().because("`id` is missing."))?;
        let sent = SentTemplate::from(body);
        call.is_about(id, sent.name.as_deref().unwrap_or_default());
        call.state.control.update_template(&call.caller, TemplateId(id), sent).await?;
        Ok(answer::done(success::TEMPLATE_UPDATED, call.state.clock.now()))
    })
    .await
}

/// List templates.
#[utoipa::path(get, path = "/v1.0/{project_id}/job_templates", operation_id = "getJobTemplates", tag = "template",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cursor" = Option<i64>, Query, minimum = 1, description = "Last template id of the page at hand. Absent: first page."),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 100, description = "Records per page, 1 to 100; default 10."),
        ("order" = Option<WireOrder>, Query, description = "Order by id; default desc.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<JobTemplateListResponsePayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_job_templates(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_JOB_TEMPLATES, state, request, |call| async move {
        // There is no `next` among its parameters.
        let page = Page { after_cursor: true, ..call.query.page(DEFAULT_LIMIT)? };
        let (total, templates) = call.state.control.list_templates(&call.caller, page).await?;
        let templates = templates.into_iter().map(JobTemplate::from).collect();
        let payload = JobTemplateListResponsePayload { total: count(total), templates };
        Ok(answer::payload(success::TEMPLATES_READ, payload, call.state.clock.now()))
    })
    .await
}

/// List the samples that the service brings along: the same for everybody, all on one page.
#[utoipa::path(get, path = "/v1.0/{project_id}/sample_templates", operation_id = "getSampleTemplates",
    tag = "template",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<SampleTemplateList>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_sample_templates(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_SAMPLE_TEMPLATES, state, request, |call| async move {
        let templates = SAMPLES.iter().map(Into::into).collect();
        let payload = SampleTemplateList { total: count(SAMPLES.len()), templates };
        Ok(answer::payload(success::SAMPLES_READ, payload, call.state.clock.now()))
    })
    .await
}

/// Delete a template, even one that jobs were made from.
#[utoipa::path(delete, path = "/v1.0/{project_id}/job_template/{template_id}", operation_id = "deleteJobTemplate",
    tag = "template",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("template_id" = i64, Path, minimum = 1, description = "Template id.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<JobTemplateDeleted>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn delete_job_template(State(state): State<ApiState>, request: Request) -> Response {
    perform(&DELETE_JOB_TEMPLATE, state, request, |call| async move {
        let id = template_id(&call)?;
        call.is_about(id, "");
        call.state.control.delete_template(&call.caller, id).await?;
        let deleted = JobTemplateDeleted { template_id: id.0, is_success: true };
        Ok(answer::payload(success::TEMPLATE_DELETED, deleted, call.state.clock.now()))
    })
    .await
}

fn template_id(call: &Call) -> Result<TemplateId, CsError> {
    let text = call.parameter("template_id");
    match text.parse::<i64>() {
        Ok(id) if id >= 1 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(TemplateId(id)),
        _ => Err(codes::API_NOT_SUPPORTED
            .error()
            .because(format!("`{text}` in the path is no template id: a number of at least 1."))),
    }
}
