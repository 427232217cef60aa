//! Calls about exclusive clusters.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::{CsError, codes};
use weir_control::{ClusterListRequest, ClusterStatus, Page, SentCluster, success};

use super::answer;
use super::call::perform;
use super::operations::{
    CREATE_RESERVED_CLUSTER, DELETE_RESERVED_CLUSTER, DESCRIBE_RESERVED_CLUSTER, GET_RESERVED_CLUSTERS,
    RESTART_RESERVED_CLUSTER, STOP_RESERVED_CLUSTER, UPDATE_RESERVED_CLUSTER,
};
use super::query::Query;
use super::wire::{
    ClusterInfo, ClusterStatusName, CreateClusterResponsePayload, NewReservedClusterRequest,
    Order as WireOrder, QueryClustersResponsePayload, RestartReservedClusterResponse,
    StopReservedClusterResponse, UpdateClusterRequest,
};
use crate::state::ApiState;

/// Records in a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: i64 = 10;

/// Create an exclusive cluster. Asynchronous; poll describeReservedCluster.
#[utoipa::path(post, path = "/v1.0/{project_id}/reserved_cluster", operation_id = "createReservedCluster",
    tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = NewReservedClusterRequest,
    responses((status = 200, description = "Success.", body = answer::Envelope<CreateClusterResponsePayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn create_reserved_cluster(State(state): State<ApiState>, request: Request) -> Response {
    perform(&CREATE_RESERVED_CLUSTER, state, request, |call| async move {
        let sent = SentCluster::from(call.json::<NewReservedClusterRequest>(codes::CLUSTER_BODY_INVALID)?);
        call.is_about("", sent.name.as_deref().unwrap_or_default());
        let id = call.state.control.create_cluster(&call.caller, sent).await?;
        let payload = CreateClusterResponsePayload { cluster_id: id.0 };
        Ok(answer::payload(success::CLUSTER_CREATED, payload, call.state.clock.now()))
    })
    .await
}

/// List exclusive clusters.
#[utoipa::path(get, path = "/v1.0/{project_id}/reserved_clusters", operation_id = "getReservedClusters",
    tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("name" = Option<String>, Query, description = "Part of the cluster name, case-sensitive."),
        ("status" = Option<ClusterStatusName>, Query, description = "Only clusters in this status."),
        ("cursor" = Option<i64>, Query, minimum = 1, description = "Last cluster id of the page at hand. Absent: first page."),
        ("next" = Option<bool>, Query,
            description = "true (default): the page after the cursor in the chosen order; false: the page before it."),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 100, description = "Records per page, 1 to 100; default 10."),
        ("order" = Option<WireOrder>, Query, description = "Order by id; default desc.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<QueryClustersResponsePayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_reserved_clusters(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_RESERVED_CLUSTERS, state, request, |call| async move {
        let (request, page) = listing(&call.query)?;
        let list = call.state.control.list_clusters(&call.caller, &request, page).await?;
        let region = &call.state.control.options().region;
        let payload = QueryClustersResponsePayload {
            total: i32::try_from(list.total).unwrap_or(i32::MAX),
            clusters: list.clusters.into_iter().map(|view| ClusterInfo::of(view, region)).collect(),
        };
        Ok(answer::payload(success::CLUSTERS_READ, payload, call.state.clock.now()))
    })
    .await
}

/// Reads the parameters in the order of the description.
fn listing(query: &Query) -> Result<(ClusterListRequest, Page), CsError> {
    let name = query.text("name").filter(|name| !name.is_empty()).map(str::to_string);
    let status = query.choice("status", ClusterStatus::parse, "a cluster status such as cluster_running")?;
    query.check_limit(codes::CLUSTER_LIST_LIMIT_INVALID)?;
    Ok((ClusterListRequest { name, status }, query.page(DEFAULT_LIMIT)?))
}

/// One exclusive cluster.
#[utoipa::path(get, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}",
    operation_id = "describeReservedCluster", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<ClusterInfo>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn describe_reserved_cluster(State(state): State<ApiState>, request: Request) -> Response {
    perform(&DESCRIBE_RESERVED_CLUSTER, state, request, |call| async move {
        let view = call.state.control.cluster(&call.caller, call.cluster_id()?).await?;
        let info = ClusterInfo::of(view, &call.state.control.options().region);
        Ok(answer::payload(success::CLUSTER_READ, info, call.state.clock.now()))
    })
    .await
}

/// Update an exclusive cluster.
#[utoipa::path(patch, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}",
    operation_id = "updateReservedCluster", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    request_body = UpdateClusterRequest,
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn update_reserved_cluster(State(state): State<ApiState>, request: Request) -> Response {
    perform(&UPDATE_RESERVED_CLUSTER, state, request, |call| async move {
        let sent = SentCluster::from(call.json::<UpdateClusterRequest>(codes::CLUSTER_BODY_INVALID)?);
        let id = call.cluster_id()?;
        call.state.control.update_cluster(&call.caller, id, sent).await?;
        Ok(answer::done(success::CLUSTER_UPDATED, call.state.clock.now()))
    })
    .await
}

/// Delete an exclusive cluster; its running jobs are stopped at once. Once it has finished, describeReservedCluster
/// answers 400 with CS.20005.
#[utoipa::path(delete, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}",
    operation_id = "deleteReservedCluster", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn delete_reserved_cluster(State(state): State<ApiState>, request: Request) -> Response {
    perform(&DELETE_RESERVED_CLUSTER, state, request, |call| async move {
        call.state.control.delete_cluster(&call.caller, call.cluster_id()?).await?;
        Ok(answer::done(success::CLUSTER_DELETED, call.state.clock.now()))
    })
    .await
}

/// Stop an exclusive cluster and the jobs in it. A body is ignored.
#[utoipa::path(post, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/stop",
    operation_id = "stopReservedCluster", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    responses((status = 200, description = "Success.", body = StopReservedClusterResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn stop_reserved_cluster(State(state): State<ApiState>, request: Request) -> Response {
    perform(&STOP_RESERVED_CLUSTER, state, request, |call| async move {
        call.state.control.stop_cluster(&call.caller, call.cluster_id()?).await?;
        Ok(answer::done(success::CLUSTER_STOPPED, call.state.clock.now()))
    })
    .await
}

/// Restart a stopped exclusive cluster. Its jobs are not started. A body is ignored.
#[utoipa::path(post, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/restart",
    operation_id = "restartReservedCluster", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    responses((status = 200, description = "Success.", body = RestartReservedClusterResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn restart_reserved_cluster(State(state): State<ApiState>, request: Request) -> Response {
    perform(&RESTART_RESERVED_CLUSTER, state, request, |call| async move {
        call.state.control.restart_cluster(&call.caller, call.cluster_id()?).await?;
        Ok(answer::done(success::CLUSTER_RESTARTED, call.state.clock.now()))
    })
    .await
}
