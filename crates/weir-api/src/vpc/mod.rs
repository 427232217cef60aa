//! The part of the VPC API v2.0 that the owner of a named network needs: the peerings that clusters ask for, and their
//! routes.
//!
//! The project is that of the credential. Peerings and routes are made over the CS API, from the side of a cluster.

mod error;
mod peerings;
mod routes;

use axum::Router;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, put};
use bytes::Bytes;
use weir_base::id::{ProjectId, UserId};
use weir_control::{Caller, Role};

pub(crate) use self::error::VpcError;
use crate::auth;
use crate::body;
use crate::cs::query::Query;
use crate::cs::source_ip;
use crate::outermost::RequestId;
use crate::state::ApiState;

/// Roles that manage networks beside the administrators of the service.
const NETWORK_ROLES: [&str; 2] = ["vpc_adm", "vpc_netadm"];
/// Most records of a page, and how many there are when the caller does not say.
const MOST_RECORDS: usize = 2_000;

/// Longest body; a name and a description stay far below.
const BODY_BYTES: usize = 64 << 10;

/// The routes.
pub fn router() -> Router<ApiState> {
    Router::new()
        .route("/v2.0/vpc/peerings", get(peerings::list))
        .route("/v2.0/vpc/peerings/{id}", get(peerings::show).put(peerings::update).delete(peerings::delete))
        .route("/v2.0/vpc/peerings/{id}/accept", put(peerings::accept))
        .route("/v2.0/vpc/peerings/{id}/reject", put(peerings::reject))
        .route("/v2.0/vpc/routes", get(routes::list))
        .route("/v2.0/vpc/routes/{id}", get(routes::show))
}

/// Finds out who calls, and with which body.
async fn caller(state: &ApiState, request: Request) -> Result<(Caller, Parts, Bytes), VpcError> {
    let (parts, body) = request.into_parts();
    let body = body::read(&parts, body, BODY_BYTES).await;
    let body = body.map_err(|fault| VpcError::body(format!("The body cannot be read: {fault}")))?;
    let known = auth::authenticate(state, &parts, &body).await?;
    let Some(project) = known.project_id.clone().filter(|_| !known.user_id.is_empty()) else {
        return Err(VpcError::no_project());
    };
    let mut role = Role::strongest(known.roles.iter().map(String::as_str));
    if NETWORK_ROLES.iter().any(|role| known.has_role(role)) {
        role = Role::Administrator;
    }
    let caller = Caller {
        user: UserId(known.user_id),
        user_name: known.user_name,
        audit_name: known.audit_name,
        project: ProjectId(project),
        role,
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        source_ip: source_ip(&parts),
    };
    Ok((caller, parts, body))
}

/// Finds out who reads, and with which query.
async fn reader(state: &ApiState, request: Request) -> Result<(Caller, Query), VpcError> {
    let (caller, parts, _) = caller(state, request).await?;
    check_role(&caller, Role::Reader)?;
    Ok((caller, Query::parse(parts.uri.query().unwrap_or_default())))
}

fn check_role(caller: &Caller, needed: Role) -> Result<(), VpcError> {
    if caller.role < needed { Err(VpcError::forbidden()) } else { Ok(()) }
}

/// Carries out a call that changes a peering, and writes the audit record when a known caller is refused; `refusal` gives
/// errors the form that the call answers with.
async fn change<F>(
    state: &ApiState,
    (event, peering): (&str, &str),
    refusal: fn(VpcError) -> VpcError,
    request: Request,
    work: impl FnOnce(Caller, Bytes) -> F,
) -> Result<Response, VpcError>
where
    F: Future<Output = Result<Response, VpcError>>,
{
    let (caller, _, body) = caller(state, request).await.map_err(refusal)?;
    let result = match check_role(&caller, Role::Administrator) {
        Ok(()) => work(caller.clone(), body).await,
        Err(error) => Err(error),
    }
    .map_err(refusal);
    if let Err(error) = &result {
        let told = (error.status(), error.cause());
        state.control.record_offered_failure(&caller, event, peering, told).await;
    }
    result
}

/// Cuts the page after `marker` out of records in the order of their ids. Returns whether there are more.
fn page<T>(
    mut records: Vec<T>,
    id: impl Fn(&T) -> &str,
    marker: Option<&str>,
    limit: Option<&str>,
) -> Result<(Vec<T>, bool), VpcError> {
    let limit = match limit {
        None => MOST_RECORDS,
        Some(text) => text.parse().ok().filter(|limit| *limit <= MOST_RECORDS).ok_or_else(|| {
            VpcError::invalid(format!("`limit` is `{text}`; it must be a number from 0 to {MOST_RECORDS}"))
        })?,
    };
    if let Some(marker) = marker {
        records.retain(|record| id(record) > marker);
    }
    let more = records.len() > limit;
    records.truncate(limit);
    Ok((records, more))
}
