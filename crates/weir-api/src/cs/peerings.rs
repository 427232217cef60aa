//! Calls about peerings of clusters and their routes. Their answers have no envelope.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use weir_base::error::codes;

use super::answer;
use super::call::perform;
use super::operations::{
    CREATE_PEERING, CREATE_ROUTE, DELETE_PEERING, DELETE_ROUTE, GET_PEERING, GET_PEERINGS, GET_ROUTES,
};
use super::wire::{
    CreatePeeringRequest, CreatePeeringResponse, CreateRouteRequest, CreateRouteResponse,
    GetPeeringsResponse, GetRoutesResponse, Peering, Route,
};
use crate::state::ApiState;

/// Create a VPC peering connection. It waits for the owner of the peer VPC to accept it.
#[utoipa::path(post, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering",
    operation_id = "createPeering", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    request_body = CreatePeeringRequest,
    responses((status = 200, description = "Success.", body = CreatePeeringResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn create_peering(State(state): State<ApiState>, request: Request) -> Response {
    perform(&CREATE_PEERING, state, request, |call| async move {
        let sent = call.json::<CreatePeeringRequest>(codes::INVALID_REQUEST_BODY)?.into();
        let view = call.state.control.create_peering(&call.caller, call.cluster_id()?, &sent).await?;
        Ok(Json(CreatePeeringResponse { peering: Peering::from(view) }).into_response())
    })
    .await
}

/// List VPC peering connections.
#[utoipa::path(get, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering",
    operation_id = "getPeerings", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id.")),
    responses((status = 200, description = "Success.", body = GetPeeringsResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_peerings(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_PEERINGS, state, request, |call| async move {
        let views = call.state.control.list_peerings(&call.caller, call.cluster_id()?).await?;
        let peerings = views.into_iter().map(Peering::from).collect();
        Ok(Json(GetPeeringsResponse { peerings }).into_response())
    })
    .await
}

/// One VPC peering connection.
#[utoipa::path(get, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering/{peering_id}",
    operation_id = "getPeering", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id."),
        ("peering_id" = String, Path, description = "Peering connection id.")),
    responses((status = 200, description = "Success.", body = CreatePeeringResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_peering(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_PEERING, state, request, |call| async move {
        let peering = call.parameter("peering_id");
        let view = call.state.control.peering(&call.caller, call.cluster_id()?, peering).await?;
        Ok(Json(CreatePeeringResponse { peering: Peering::from(view) }).into_response())
    })
    .await
}

/// Delete a VPC peering connection and its routes. Once done, getPeering answers 400 with CS.22103.
#[utoipa::path(delete, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering/{peering_id}",
    operation_id = "deletePeering", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id."),
        ("peering_id" = String, Path, description = "Peering connection id.")),
    responses((status = 204, description = "Success; no body."),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn delete_peering(State(state): State<ApiState>, request: Request) -> Response {
    perform(&DELETE_PEERING, state, request, |call| async move {
        let peering = call.parameter("peering_id");
        call.state.control.delete_peering(&call.caller, call.cluster_id()?, peering).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Create a route to a peer network. Jobs of the cluster may reach its destination from their next start.
#[utoipa::path(post, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering/{peering_id}/route",
    operation_id = "createRoute", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id."),
        ("peering_id" = String, Path, description = "Peering connection id.")),
    request_body = CreateRouteRequest,
    responses((status = 200, description = "Success.", body = CreateRouteResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn create_route(State(state): State<ApiState>, request: Request) -> Response {
    perform(&CREATE_ROUTE, state, request, |call| async move {
        let sent: CreateRouteRequest = call.json(codes::INVALID_REQUEST_BODY)?;
        let (id, peering) = (call.cluster_id()?, call.parameter("peering_id"));
        let control = &call.state.control;
        let (route, cluster) =
            control.create_route(&call.caller, id, peering, sent.destination.as_deref()).await?;
        Ok(Json(CreateRouteResponse { route: Route::of(route, &cluster) }).into_response())
    })
    .await
}

/// List routes.
#[utoipa::path(get, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering/{peering_id}/route",
    operation_id = "getRoutes", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id."),
        ("peering_id" = String, Path, description = "Peering connection id.")),
    responses((status = 200, description = "Success.", body = GetRoutesResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_routes(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_ROUTES, state, request, |call| async move {
        let (id, peering) = (call.cluster_id()?, call.parameter("peering_id"));
        let (routes, cluster) = call.state.control.list_routes(&call.caller, id, peering).await?;
        let routes = routes.into_iter().map(|route| Route::of(route, &cluster)).collect();
        Ok(Json(GetRoutesResponse { routes }).into_response())
    })
    .await
}

/// Delete a route.
#[utoipa::path(delete, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering/{peering_id}/route/{route_id}",
    operation_id = "deleteRoute", tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id."),
        ("peering_id" = String, Path, description = "Peering connection id."),
        ("route_id" = String, Path, description = "Route id.")),
    responses((status = 204, description = "Success; no body."),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn delete_route(State(state): State<ApiState>, request: Request) -> Response {
    perform(&DELETE_ROUTE, state, request, |call| async move {
        let (id, peering) = (call.cluster_id()?, call.parameter("peering_id"));
        call.state.control.delete_route(&call.caller, id, peering, call.parameter("route_id")).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}
