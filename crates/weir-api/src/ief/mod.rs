//! The part of the edge service's API that shows edge groups. They come from the configuration of the operator and are
//! read here, not changed; all projects share them.

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use weir_control::{EdgeGroup, Role};

use crate::auth::{self, AuthFailure};
use crate::cs::query::Query;
use crate::state::ApiState;

/// Groups in an answer, and how many there are when the caller does not say.
const MOST_GROUPS: i64 = 1_000;

/// The routes.
pub fn router() -> Router<ApiState> {
    Router::new()
        .route("/v2/{project_id}/edgemgr/groups", get(list))
        .route("/v2/{project_id}/edgemgr/groups/{group_id}", get(show))
}

/// A list of groups.
#[derive(Serialize)]
struct GroupList {
    /// Groups that match, whatever the page.
    count: usize,
    edge_groups: Vec<Group>,
}

/// A group. No node is bound to it, so that it has no cores and no memory.
#[derive(Serialize)]
struct Group {
    id: String,
    name: String,
    description: String,
    project_id: String,
    cpu: u32,
    memory: u32,
    gpu_num: u32,
    nodes: Vec<String>,
    tags: Vec<String>,
}

impl Group {
    fn of(group: &EdgeGroup, project: &str) -> Self {
        Self {
            id: group.id.clone(),
            name: group.name.clone(),
            description: String::new(),
            project_id: project.to_string(),
            cpu: 0,
            memory: 0,
            gpu_num: 0,
            nodes: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// `GET /v2/{project_id}/edgemgr/groups`.
async fn list(
    State(state): State<ApiState>,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<GroupList>, IefError> {
    authorize(&state, request, &project).await?;
    let query = Query::parse(&query.unwrap_or_default());
    let wrong = |error: weir_base::error::CsError| IefError::query(error.cause());
    let limit = query.number("limit", MOST_GROUPS).map_err(wrong)?.unwrap_or(MOST_GROUPS);
    let offset = query.between("offset", 0, i64::MAX).map_err(wrong)?.unwrap_or(0);
    let mut groups: Vec<&EdgeGroup> = state.control.edge_groups().iter().collect();
    match query.text("sort") {
        // The order of the configuration is that of their making.
        None | Some("" | "created_at:asc" | "updated_at:asc") => {}
        Some("created_at:desc" | "updated_at:desc") => groups.reverse(),
        Some("name:asc") => groups.sort_by(|a, b| a.name.cmp(&b.name)),
        Some("name:desc") => groups.sort_by(|a, b| b.name.cmp(&a.name)),
        Some(other) => {
            return Err(IefError::query(format!("`sort` is `{other}`; it must be such as created_at:desc")));
        }
    }
    if let Some(part) = query.text("name") {
        groups.retain(|group| group.name.contains(part));
    }
    let page = groups
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(0));
    let edge_groups = page.map(|group| Group::of(group, &project)).collect();
    Ok(Json(GroupList { count: groups.len(), edge_groups }))
}

/// `GET /v2/{project_id}/edgemgr/groups/{group_id}`.
async fn show(
    State(state): State<ApiState>,
    Path((project, id)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Group>, IefError> {
    authorize(&state, request, &project).await?;
    let group = state.control.edge_groups().iter().find(|group| group.id == id);
    let missing = || IefError {
        status: StatusCode::NOT_FOUND,
        code: "IEF.0404",
        message: format!("there is no edge group `{id}`"),
    };
    group.map(|group| Json(Group::of(group, &project))).ok_or_else(missing)
}

async fn authorize(state: &ApiState, request: Request, project: &str) -> Result<(), IefError> {
    let (parts, _) = request.into_parts();
    let known = auth::authenticate(state, &parts, b"").await?;
    let forbidden =
        |message: &str| IefError { status: StatusCode::FORBIDDEN, code: "IEF.0403", message: message.into() };
    if !known.may_use_project(project) {
        return Err(forbidden("the credential is not good for the project in the path"));
    }
    if Role::strongest(known.roles.iter().map(String::as_str)) < Role::Reader {
        return Err(forbidden("this needs a role of the service in the project"));
    }
    Ok(())
}

/// A refusal.
pub(crate) struct IefError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl IefError {
    /// There is no such path, or no such method of it.
    pub(crate) fn unknown(status: StatusCode, reason: &str) -> Self {
        Self { status, code: "IEF.0404", message: reason.to_string() }
    }

    fn query(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "IEF.0400", message: message.into() }
    }
}

impl From<AuthFailure> for IefError {
    fn from(failure: AuthFailure) -> Self {
        let (status, code) = match failure {
            AuthFailure::Missing | AuthFailure::Invalid(_) => (StatusCode::UNAUTHORIZED, "IEF.0401"),
            AuthFailure::Unavailable(_) => (StatusCode::INTERNAL_SERVER_ERROR, "IEF.0500"),
        };
        Self { status, code, message: failure.to_string() }
    }
}

impl IntoResponse for IefError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error_code": self.code, "error_msg": self.message }))).into_response()
    }
}
