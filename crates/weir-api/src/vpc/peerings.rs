//! Peerings from the side of the network that a cluster asks for.

use std::convert::identity;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::json;
use weir_base::time::Timestamp;
use weir_control::cluster::{NAME_CHARACTERS, PeeringView, SERVICE_PROJECT};

use super::error::VpcError;
use super::{change, page, reader};
use crate::cs::wire::AcceptPeeringResponse;
use crate::state::ApiState;

/// Longest description of a peering.
const DESCRIPTION_CHARACTERS: usize = 255;

#[derive(Serialize)]
struct Side {
    vpc_id: String,
    tenant_id: String,
}

#[derive(Serialize)]
struct Peering {
    id: String,
    name: String,
    status: &'static str,
    description: String,
    request_vpc_info: Side,
    accept_vpc_info: Side,
    created_at: String,
    updated_at: String,
}

impl From<PeeringView> for Peering {
    fn from(view: PeeringView) -> Self {
        let record = view.record;
        Self {
            id: record.id,
            name: record.name,
            status: view.status.name(),
            description: record.description,
            request_vpc_info: Side { vpc_id: record.cluster_vpc_id, tenant_id: SERVICE_PROJECT.to_string() },
            accept_vpc_info: Side { vpc_id: record.vpc_id, tenant_id: record.tenant.0 },
            created_at: time(record.created_at),
            updated_at: time(record.updated_at),
        }
    }
}

/// Shows a time as the VPC service does.
fn time(at: Timestamp) -> String {
    let at = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Lists peerings.
pub(super) async fn list(State(state): State<ApiState>, request: Request) -> Response {
    answer(&state, listed(&state, request).await)
}

async fn listed(state: &ApiState, request: Request) -> Result<Response, VpcError> {
    let (caller, query) = reader(state, request).await?;
    let views = state.control.peerings_of_project(&caller.project).await?;
    let is = |name: &str, value: &str| query.text(name).is_none_or(|wanted| wanted == value);
    let one_of =
        |name: &str, values: [&str; 2]| query.text(name).is_none_or(|wanted| values.contains(&wanted));
    let peerings: Vec<Peering> = views
        .into_iter()
        .map(Peering::from)
        .filter(|peering| {
            let (asking, accepting) = (&peering.request_vpc_info, &peering.accept_vpc_info);
            is("id", &peering.id)
                && is("name", &peering.name)
                && is("status", peering.status)
                && one_of("tenant_id", [&asking.tenant_id, &accepting.tenant_id])
                && one_of("vpc_id", [&asking.vpc_id, &accepting.vpc_id])
        })
        .collect();
    let (peerings, more) = page(peerings, |peering| &peering.id, query.text("marker"), query.text("limit"))?;
    let mut body = json!({ "peerings": peerings });
    if let Some(last) = peerings.last().filter(|_| more) {
        let limit = query.text("limit").unwrap_or_default();
        let href = format!("/v2.0/vpc/peerings?limit={limit}&marker={}", last.id);
        body["peerings_links"] = json!([{ "rel": "next", "href": href }]);
    }
    Ok(Json(body).into_response())
}

/// Shows a peering.
pub(super) async fn show(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    answer(&state, shown(&state, &id, request).await)
}

async fn shown(state: &ApiState, id: &str, request: Request) -> Result<Response, VpcError> {
    let (caller, _) = reader(state, request).await?;
    let views = state.control.peerings_of_project(&caller.project).await?;
    let found = views.into_iter().find(|view| view.record.id == id);
    let peering = Peering::from(found.ok_or_else(|| VpcError::not_found("peering", id))?);
    Ok(Json(json!({ "peering": peering })).into_response())
}

/// A change of a peering; what is absent stays.
#[derive(Deserialize)]
struct Update {
    peering: PeeringUpdate,
}

#[derive(Deserialize)]
struct PeeringUpdate {
    name: Option<String>,
    description: Option<String>,
}

/// Changes name and description of a peering.
pub(super) async fn update(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (control, peering) = (&state.control, &id);
    let updated = change(&state, ("updatePeering", peering), identity, request, |caller, body| async move {
        let (name, description) = read_update(&body)?;
        let view = control.describe_peering(&caller, peering, name, description).await?;
        Ok(Json(json!({ "peering": Peering::from(view) })).into_response())
    });
    answer(&state, updated.await)
}

/// Reads name and description out of a change.
fn read_update(body: &[u8]) -> Result<(Option<String>, Option<String>), VpcError> {
    let sent: Update = crate::json::from_slice(body)
        .map_err(|error| VpcError::body(format!("It cannot be read: {error}")))?;
    let PeeringUpdate { name, description } = sent.peering;
    if name.as_ref().is_some_and(|name| !(1..=NAME_CHARACTERS).contains(&name.chars().count())) {
        return Err(VpcError::body(format!("`name` must have 1 to {NAME_CHARACTERS} characters")));
    }
    if description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_CHARACTERS) {
        let reason = format!("`description` has more than {DESCRIPTION_CHARACTERS} characters");
        return Err(VpcError::body(reason));
    }
    Ok((name, description))
}

/// Deletes a peering and the routes over it.
pub(super) async fn delete(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (control, peering) = (&state.control, &id);
    let deleted = change(&state, ("deletePeering", peering), identity, request, |caller, _| async move {
        control.withdraw_peering(&caller, peering).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    });
    answer(&state, deleted.await)
}

/// Accepts a peering.
pub(super) async fn accept(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (control, peering) = (&state.control, &id);
    let accepted =
        change(&state, ("acceptPeering", peering), VpcError::of_cs_call, request, |caller, _| async move {
            let view = control.accept_peering(&caller, peering).await?;
            Ok(Json(AcceptPeeringResponse::from(view)).into_response())
        });
    answer(&state, accepted.await)
}

/// Rejects a peering.
pub(super) async fn reject(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (control, peering) = (&state.control, &id);
    let rejected = change(&state, ("rejectPeering", peering), identity, request, |caller, _| async move {
        let view = control.reject_peering(&caller, peering).await?;
        Ok(Json(Peering::from(view)).into_response())
    });
    answer(&state, rejected.await)
}

pub(super) fn answer(state: &ApiState, result: Result<Response, VpcError>) -> Response {
    result.unwrap_or_else(|error| error.answer(state.clock.now()))
}
