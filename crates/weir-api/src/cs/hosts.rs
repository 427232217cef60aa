//! Calls about the names that a cluster maps to addresses.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use weir_base::error::codes;
use weir_base::time::Timestamp;
use weir_control::cluster::read_hosts_file;
use weir_control::success;

use super::answer;
use super::call::perform;
use super::multipart;
use super::operations::{
    ADD_HOSTS_FILE, ADD_HOSTS_INFO, DELETE_HOSTS_INFO, GET_HOSTS_INFO, UPDATE_HOSTS_INFO,
};
use super::wire::{
    AddHostsInfoRequest, AddHostsInfoResponse, AddHostsInfoResponsePayload, ClusterHostsInfo,
    DeleteHostsInfoRequest, DeleteHostsInfoResponse, Order as WireOrder, UpdateHostsInfoRequest,
    UpdateHostsInfoResponse,
};
use crate::state::ApiState;

/// Records in a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: i64 = 10;

/// The field of a form with a hosts file.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct HostsFileForm {
    /// File of lines: ip hostname \[hostname ...\]; at most 8 MB.
    #[schema(content_media_type = "text/plain")]
    hosts_file: String,
}

/// List IP-domain mappings.
#[utoipa::path(get, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/hosts", operation_id = "getHostsInfo",
    tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id."),
        ("query_string" = Option<String>, Query, description = "Part of an IP address or host name."),
        ("cursor" = Option<i64>, Query, minimum = 1, description = "Last mapping id of the page at hand. Absent: first page."),
        ("next" = Option<bool>, Query,
            description = "true (default): the page after the cursor in the chosen order; false: the page before it."),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 100, description = "Records per page, 1 to 100; default 10."),
        ("order" = Option<WireOrder>, Query, description = "Order by id; default desc.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<ClusterHostsInfo>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_hosts_info(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_HOSTS_INFO, state, request, |call| async move {
        let part = call.query.text("query_string").filter(|part| !part.is_empty());
        let page = call.query.page(DEFAULT_LIMIT)?;
        let list = call.state.control.list_hosts(&call.caller, call.cluster_id()?, part, page).await?;
        Ok(answer::payload(success::HOSTS_READ, ClusterHostsInfo::from(list), call.state.clock.now()))
    })
    .await
}

/// Add IP-domain mappings, all or none. One envelope per mapping, in the order of the request.
#[utoipa::path(post, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/hosts", operation_id = "addHostsInfo",
    tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    request_body = AddHostsInfoRequest,
    responses((status = 200, description = "Success.", body = Vec<AddHostsInfoResponse>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn add_hosts_info(State(state): State<ApiState>, request: Request) -> Response {
    perform(&ADD_HOSTS_INFO, state, request, |call| async move {
        let sent = call.json::<AddHostsInfoRequest>(codes::INVALID_REQUEST_BODY)?.mappings();
        if sent.is_empty() {
            return Err(codes::INVALID_REQUEST_BODY.error().because("hosts_info has no mapping."));
        }
        let ids = call.state.control.add_hosts(&call.caller, call.cluster_id()?, &sent).await?;
        Ok(added(&ids, call.state.clock.now()))
    })
    .await
}

/// Add IP-domain mappings from a hosts file, all or none. One envelope per mapping, in the order of the file.
#[utoipa::path(post, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/hosts_file",
    operation_id = "addHostsFile", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    request_body(content = HostsFileForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "Success.", body = Vec<AddHostsInfoResponse>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn add_hosts_file(State(state): State<ApiState>, request: Request) -> Response {
    perform(&ADD_HOSTS_FILE, state, request, |call| async move {
        let parts = multipart::parts(&call.body, &call.boundary)?;
        let file = parts.iter().find(|part| part.name == "hosts_file").map(|part| part.contents);
        let sent = read_hosts_file(file.unwrap_or_default())?;
        let ids = call.state.control.add_hosts(&call.caller, call.cluster_id()?, &sent).await?;
        Ok(added(&ids, call.state.clock.now()))
    })
    .await
}

/// Update an IP-domain mapping.
#[utoipa::path(patch, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/hosts/{host_id}",
    operation_id = "updateHostsInfo", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id."),
        ("host_id" = i64, Path, minimum = 1, description = "Mapping id.")),
    request_body = UpdateHostsInfoRequest,
    responses((status = 200, description = "Success.", body = UpdateHostsInfoResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn update_hosts_info(State(state): State<ApiState>, request: Request) -> Response {
    perform(&UPDATE_HOSTS_INFO, state, request, |call| async move {
        let sent = call.json::<UpdateHostsInfoRequest>(codes::INVALID_REQUEST_BODY)?.mapping()?;
        let host = call.parameter("host_id").parse().ok();
        call.state.control.update_host(&call.caller, call.cluster_id()?, host, &sent).await?;
        Ok(answer::done(success::HOSTS_UPDATED, call.state.clock.now()))
    })
    .await
}

/// Delete IP-domain mappings, all or none. One envelope per mapping.
#[utoipa::path(delete, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/hosts",
    operation_id = "deleteHostsInfo", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    request_body = DeleteHostsInfoRequest,
    responses((status = 200, description = "Success.", body = Vec<DeleteHostsInfoResponse>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn delete_hosts_info(State(state): State<ApiState>, request: Request) -> Response {
    perform(&DELETE_HOSTS_INFO, state, request, |call| async move {
        let ids = call.json::<DeleteHostsInfoRequest>(codes::INVALID_REQUEST_BODY)?.ids();
        if ids.is_empty() {
            return Err(codes::INVALID_REQUEST_BODY.error().because("hosts_id names no mapping."));
        }
        call.state.control.delete_hosts(&call.caller, call.cluster_id()?, &ids).await?;
        let now = call.state.clock.now();
        let envelopes =
            ids.iter().map(|_| answer::GlobalResponse::of(success::HOSTS_DELETED, now)).collect::<Vec<_>>();
        Ok(Json(envelopes).into_response())
    })
    .await
}

fn added(ids: &[i64], now: Timestamp) -> Response {
    #[derive(Serialize)]
    struct Added {
        #[serde(flatten)]
        envelope: answer::GlobalResponse,
        payload: AddHostsInfoResponsePayload,
    }
    let added = |id: &i64| Added {
        envelope: answer::GlobalResponse::of(success::HOSTS_ADDED, now),
        payload: AddHostsInfoResponsePayload { host_id: *id },
    };
    Json(ids.iter().map(added).collect::<Vec<_>>()).into_response()
}
