//! The routes of clusters over peerings with networks of a project.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use weir_base::id::ProjectId;
use weir_control::cluster::SERVICE_PROJECT;

use super::error::VpcError;
use super::peerings::answer;
use super::{page, reader};
use crate::state::ApiState;

/// Lists routes.
pub(super) async fn list(State(state): State<ApiState>, request: Request) -> Response {
    answer(&state, listed(&state, request).await)
}

async fn listed(state: &ApiState, request: Request) -> Result<Response, VpcError> {
    let (caller, query) = reader(state, request).await?;
    let mut routes = routes_of(state, &caller.project).await?;
    routes.retain(|route| {
        ["id", "vpc_id", "tenant_id", "destination", "type"]
            .iter()
            .all(|name| query.text(name).is_none_or(|wanted| route[*name] == wanted))
    });
    let (routes, more) = page(routes, id_of, query.text("marker"), query.text("limit"))?;
    let mut body = json!({ "routes": routes });
    if let Some(last) = routes.last().filter(|_| more) {
        let limit = query.text("limit").unwrap_or_default();
        let href = format!("/v2.0/vpc/routes?limit={limit}&marker={}", id_of(last));
        body["routes_links"] = json!([{ "rel": "next", "href": href }]);
    }
    Ok(Json(body).into_response())
}

fn id_of(route: &Value) -> &str {
    route["id"].as_str().unwrap_or_default()
}

/// Shows a route.
pub(super) async fn show(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let shown = async {
        let (caller, _) = reader(&state, request).await?;
        let routes = routes_of(&state, &caller.project).await?;
        let found = routes.into_iter().find(|route| route["id"] == id.as_str());
        let route = found.ok_or_else(|| VpcError::not_found("route", &id))?;
        Ok::<_, VpcError>(Json(json!({ "route": route })).into_response())
    };
    answer(&state, shown.await)
}

async fn routes_of(state: &ApiState, project: &ProjectId) -> Result<Vec<Value>, VpcError> {
    let routes = state.control.routes_of_project(project).await?;
    let shown = |(route, vpc_id): (weir_store::RouteRecord, String)| {
        json!({
            "id": route.id,
            "type": "peering",
            "nexthop": route.peering_id,
            "destination": route.destination,
            "vpc_id": vpc_id,
            "tenant_id": SERVICE_PROJECT,
        })
    };
    Ok(routes.into_iter().map(shown).collect())
}
