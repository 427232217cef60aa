//! Groups of users, their members and roles.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_cloud::identity::{AssignmentTarget, Group, GroupChange, Identity, NewGroup, User};

use super::access::{Known, base_url, query_value};
use super::error::IamError;
use super::wire;

#[derive(Deserialize)]
struct GroupRequest {
    group: GroupPart,
}

#[derive(Deserialize)]
struct GroupPart {
    name: Option<String>,
    domain_id: Option<String>,
    description: Option<String>,
}

/// `GET /v3/groups`: all of the account, for administrators.
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let domain_id = query_value(&known.parts, "domain_id");
    let domain_id = domain_id.unwrap_or_else(|| known.session.user_domain.id.clone());
    known.must_administer(&domain_id)?;
    let name = query_value(&known.parts, "name");
    let mut groups = identity.groups(&domain_id).await?;
    groups.retain(|group| name.as_ref().is_none_or(|name| group.name == *name));
    Ok(answer(&known, &groups))
}

/// `GET /v3/users/{user}/groups`.
pub(super) async fn of_user(
    State(identity): State<Arc<Identity>>,
    Path(user): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    known.must_be_or_administer(&identity, &user).await?;
    Ok(answer(&known, &identity.groups_of(&user).await?))
}

fn answer(known: &Known, groups: &[Group]) -> Json<Value> {
    let base = base_url(&known.parts);
    let shown: Vec<Value> = groups.iter().map(|group| wire::group(group, &base)).collect();
    let links = wire::list_links(&base, known.parts.uri.path());
    Json(json!({ "groups": shown, "links": links }))
}

/// `POST /v3/groups`.
pub(super) async fn create(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), IamError> {
    let known = Known::from(&identity, request).await?;
    let GroupRequest { group: new } = known.read()?;
    let domain_id = new.domain_id.unwrap_or_else(|| known.session.user_domain.id.clone());
    let name = new.name.ok_or_else(|| IamError::missing("group.name"))?;
    known.is_about("", &name);
    known.must_administer(&domain_id)?;
    let description = new.description.unwrap_or_default();
    let group = known
        .change(StatusCode::CREATED, identity.create_group(NewGroup { name, domain_id, description }))
        .await?;
    Ok((StatusCode::CREATED, Json(json!({ "group": wire::group(&group, &base_url(&known.parts)) }))))
}

/// `GET /v3/groups/{group}`.
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let (known, group) = administered(&identity, &id, request).await?;
    Ok(Json(json!({ "group": wire::group(&group, &base_url(&known.parts)) })))
}

/// `PATCH /v3/groups/{group}`.
pub(super) async fn update(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let (known, group) = administered(&identity, &id, request).await?;
    let GroupRequest { group: sent } = known.read()?;
    if sent.domain_id.is_some_and(|domain_id| domain_id != group.domain_id) {
        return Err(IamError::value("`group.domain_id` is of another account: a group stays in its account"));
    }
    let change = GroupChange { name: sent.name, description: sent.description };
    let group = known.change(StatusCode::OK, identity.update_group(&group.id, &change)).await?;
    Ok(Json(json!({ "group": wire::group(&group, &base_url(&known.parts)) })))
}

/// `DELETE /v3/groups/{group}`.
pub(super) async fn delete(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, group) = administered(&identity, &id, request).await?;
    known.change(StatusCode::NO_CONTENT, identity.delete_group(&group.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v3/groups/{group}/users`.
pub(super) async fn members(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let (known, group) = administered(&identity, &id, request).await?;
    let base = base_url(&known.parts);
    let members = identity.members(&group.id).await?;
    let shown: Vec<Value> = members.iter().map(|user| wire::user(user, &base)).collect();
    let links = wire::list_links(&base, known.parts.uri.path());
    Ok(Json(json!({ "users": shown, "links": links })))
}

type Member = Path<(String, String)>;

/// `PUT /v3/groups/{group}/users/{user}`.
pub(super) async fn add(
    State(identity): State<Arc<Identity>>,
    Path((id, user)): Member,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, group, user) = member(&identity, &id, &user, request).await?;
    known.change(StatusCode::NO_CONTENT, identity.add_member(&group, &user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `HEAD` of the same path.
pub(super) async fn check(
    State(identity): State<Arc<Identity>>,
    Path((id, user)): Member,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (_, group, user) = member(&identity, &id, &user, request).await?;
    match identity.groups_of(&user.id).await?.contains(&group) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(IamError::not_found("such member of the group")),
    }
}

/// `DELETE` of the same path.
pub(super) async fn remove(
    State(identity): State<Arc<Identity>>,
    Path((id, user)): Member,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, group, user) = member(&identity, &id, &user, request).await?;
    known.change(StatusCode::NO_CONTENT, identity.remove_member(&group, &user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The parts of a path: `project` or `domain`, `group`, and perhaps `role`.
type RolePath = Path<HashMap<String, String>>;

/// `GET /v3/projects/{project}/groups/{group}/roles`, and the same under `domains/{domain}`.
pub(super) async fn roles(
    State(identity): State<Arc<Identity>>,
    Path(path): RolePath,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let (known, group, target) = placed(&identity, &path, request).await?;
    let base = base_url(&known.parts);
    let roles = identity.roles_of_group(&group, &target).await?;
    let shown: Vec<Value> = roles.into_iter().map(|role| wire::role(role, &base)).collect();
    Ok(Json(json!({ "roles": shown, "links": { "self": format!("{base}{}", known.parts.uri.path()) } })))
}

/// `PUT /v3/projects/{project}/groups/{group}/roles/{role}`, and the same under `domains/{domain}`.
pub(super) async fn assign(
    State(identity): State<Arc<Identity>>,
    Path(path): RolePath,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, group, target) = placed(&identity, &path, request).await?;
    known
        .change(StatusCode::NO_CONTENT, identity.assign_to_group(&group, target, part(&path, "role")))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `HEAD` of the same path.
pub(super) async fn check_role(
    State(identity): State<Arc<Identity>>,
    Path(path): RolePath,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (_, group, target) = placed(&identity, &path, request).await?;
    let roles = identity.roles_of_group(&group, &target).await?;
    let wanted = weir_cloud::identity::role(part(&path, "role"));
    match wanted.is_some_and(|wanted| roles.contains(&wanted)) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(IamError::not_found("such role of the group")),
    }
}

/// `DELETE` of the same path.
pub(super) async fn unassign(
    State(identity): State<Arc<Identity>>,
    Path(path): RolePath,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, group, target) = placed(&identity, &path, request).await?;
    known
        .change(StatusCode::NO_CONTENT, identity.unassign_from_group(&group, target, part(&path, "role")))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn part<'a>(path: &'a HashMap<String, String>, name: &str) -> &'a str {
    path.get(name).map(String::as_str).unwrap_or_default()
}

async fn placed(
    identity: &Identity,
    path: &HashMap<String, String>,
    request: Request,
) -> Result<(Known, Group, AssignmentTarget), IamError> {
    let (known, group) = administered(identity, part(path, "group"), request).await?;
    let target = match path.get("project") {
        Some(project) => {
            known.project_of_account(identity, project).await?;
            AssignmentTarget::Project(project.clone())
        }
        None => AssignmentTarget::Domain(part(path, "domain").to_string()),
    };
    Ok((known, group, target))
}

async fn member(
    identity: &Identity,
    id: &str,
    user: &str,
    request: Request,
) -> Result<(Known, Group, User), IamError> {
    let (known, group) = administered(identity, id, request).await?;
    let user = known.user_of_account(identity, user).await?;
    Ok((known, group, user))
}

/// Finds a group of the account that the caller administers. One of another account is as good as none.
async fn administered(identity: &Identity, id: &str, request: Request) -> Result<(Known, Group), IamError> {
    let known = Known::from(identity, request).await?;
    known.must_administer(&known.session.user_domain.id)?;
    let group = identity.group(id).await?.filter(|group| known.administers(&group.domain_id));
    let group = group.ok_or_else(|| IamError::not_found(format!("group `{id}`")))?;
    Ok((known, group))
}
