//! Roles, and who has them where.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use weir_cloud::identity::{AssignmentTarget, Identity, ROLES};

use super::access::{Known, base_url, query_value};
use super::error::IamError;
use super::wire;

/// `GET /v3/roles`.
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let base = base_url(&known.parts);
    let name = query_value(&known.parts, "name");
    // The roles here are those of the system: an account has none of its own.
    let is_system = query_value(&known.parts, "domain_id").is_none();
    let found = ROLES.iter().filter(|role| is_system && name.as_ref().is_none_or(|name| role.name == name));
    let shown: Vec<Value> = found.map(|role| wire::role(role, &base)).collect();
    let links = wire::list_links(&base, "/v3/roles");
    Ok(Json(json!({ "total_number": shown.len(), "roles": shown, "links": links })))
}

/// `GET /v3/roles/{role}`.
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let role = weir_cloud::identity::role(&id).ok_or_else(|| IamError::not_found(format!("role `{id}`")))?;
    Ok(Json(json!({ "role": wire::role(role, &base_url(&known.parts)) })))
}

type ThreeIds = Path<(String, String, String)>;

/// `PUT /v3/projects/{project}/users/{user}/roles/{role}`; the role by its id or name.
pub(super) async fn assign_in_project(
    State(identity): State<Arc<Identity>>,
    Path((project, user, role)): ThreeIds,
    request: Request,
) -> Result<StatusCode, IamError> {
    assign(&identity, AssignmentTarget::Project(project), &user, &role, request).await
}

/// `PUT /v3/domains/{domain}/users/{user}/roles/{role}`.
pub(super) async fn assign_in_domain(
    State(identity): State<Arc<Identity>>,
    Path((domain, user, role)): ThreeIds,
    request: Request,
) -> Result<StatusCode, IamError> {
    assign(&identity, AssignmentTarget::Domain(domain), &user, &role, request).await
}

/// `DELETE /v3/projects/{project}/users/{user}/roles/{role}`.
pub(super) async fn unassign_in_project(
    State(identity): State<Arc<Identity>>,
    Path((project, user, role)): ThreeIds,
    request: Request,
) -> Result<StatusCode, IamError> {
    unassign(&identity, AssignmentTarget::Project(project), &user, &role, request).await
}

/// `DELETE /v3/domains/{domain}/users/{user}/roles/{role}`.
pub(super) async fn unassign_in_domain(
    State(identity): State<Arc<Identity>>,
    Path((domain, user, role)): ThreeIds,
    request: Request,
) -> Result<StatusCode, IamError> {
    unassign(&identity, AssignmentTarget::Domain(domain), &user, &role, request).await
}

/// `HEAD /v3/projects/{project}/users/{user}/roles/{role}`.
pub(super) async fn check_in_project(
    State(identity): State<Arc<Identity>>,
    Path((project, user, role)): ThreeIds,
    request: Request,
) -> Result<StatusCode, IamError> {
    check(&identity, AssignmentTarget::Project(project), &user, &role, request).await
}

/// `HEAD /v3/domains/{domain}/users/{user}/roles/{role}`.
pub(super) async fn check_in_domain(
    State(identity): State<Arc<Identity>>,
    Path((domain, user, role)): ThreeIds,
    request: Request,
) -> Result<StatusCode, IamError> {
    check(&identity, AssignmentTarget::Domain(domain), &user, &role, request).await
}

/// `GET /v3/projects/{project}/users/{user}/roles`.
pub(super) async fn assigned_in_project(
    State(identity): State<Arc<Identity>>,
    Path((project, user)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    assigned(&identity, AssignmentTarget::Project(project), &user, request).await
}

/// `GET /v3/domains/{domain}/users/{user}/roles`.
pub(super) async fn assigned_in_domain(
    State(identity): State<Arc<Identity>>,
    Path((domain, user)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    assigned(&identity, AssignmentTarget::Domain(domain), &user, request).await
}

async fn assign(
    identity: &Identity,
    target: AssignmentTarget,
    user: &str,
    role: &str,
    request: Request,
) -> Result<StatusCode, IamError> {
    let known = admit(identity, &target, user, request).await?;
    known.change(StatusCode::NO_CONTENT, identity.assign_role(user, target, role)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn unassign(
    identity: &Identity,
    target: AssignmentTarget,
    user: &str,
    role: &str,
    request: Request,
) -> Result<StatusCode, IamError> {
    let known = admit(identity, &target, user, request).await?;
    known.change(StatusCode::NO_CONTENT, identity.unassign_role(user, target, role)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn check(
    identity: &Identity,
    target: AssignmentTarget,
    user: &str,
    role: &str,
    request: Request,
) -> Result<StatusCode, IamError> {
    admit(identity, &target, user, request).await?;
    let roles = identity.assigned_roles(user, &target).await?;
    let wanted = weir_cloud::identity::role(role);
    if wanted.is_some_and(|wanted| roles.contains(&wanted)) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(IamError::not_found("such role of the user"))
}

async fn assigned(
    identity: &Identity,
    target: AssignmentTarget,
    user: &str,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = admit(identity, &target, user, request).await?;
    let base = base_url(&known.parts);
    let roles = identity.assigned_roles(user, &target).await?;
    let shown: Vec<Value> = roles.iter().map(|role| wire::role(role, &base)).collect();
    Ok(Json(json!({ "roles": shown, "links": { "self": format!("{base}{}", known.parts.uri.path()) } })))
}

/// Lets administrators of the target's account through, for users of the same account.
async fn admit(
    identity: &Identity,
    target: &AssignmentTarget,
    user: &str,
    request: Request,
) -> Result<Known, IamError> {
    let known = Known::from(identity, request).await?;
    match target {
        AssignmentTarget::Domain(id) => known.must_administer(id)?,
        AssignmentTarget::Project(id) => known.project_of_account(identity, id).await.map(drop)?,
    }
    known.must_be_or_administer(identity, user).await?;
    Ok(known)
}
