//! Projects and domains.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_base::id::ProjectId;
use weir_cloud::identity::{Identity, NewProject, Project, ProjectChange};

use super::access::{Known, base_url, query_value};
use super::error::IamError;
use super::wire;
use crate::state::ApiState;

/// `GET /v3/projects`: all of the account for an administrator, else those that the caller may use.
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let own_domain = known.session.user_domain.id.clone();
    let projects = if known.administers(&own_domain) {
        identity.projects(&own_domain).await?
    } else {
        identity.projects_of_caller(&known.session).await?
    };
    answer(&known.parts, projects)
}

/// `GET /v3/auth/projects`: those that the caller may use.
pub(super) async fn of_caller(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    answer(&known.parts, identity.projects_of_caller(&known.session).await?)
}

/// `GET /v3/users/{user}/projects`.
pub(super) async fn of_user(
    State(identity): State<Arc<Identity>>,
    Path(user): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    known.must_be_or_administer(&identity, &user).await?;
    answer(&known.parts, identity.projects_of_user(&user).await?)
}

/// `GET /v3/projects/{project}`.
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let mut visible = identity.projects_of_caller(&known.session).await?;
    if known.administers(&known.session.user_domain.id) {
        visible.extend(identity.projects(&known.session.user_domain.id).await?);
    }
    match visible.iter().find(|project| project.id == id) {
        Some(project) => Ok(Json(json!({ "project": wire::project(project, &base_url(&known.parts)) }))),
        None => Err(IamError::not_found(format!("project `{id}`"))),
    }
}

#[derive(Deserialize)]
struct CreateRequest {
    project: NewProjectPart,
}

#[derive(Deserialize)]
struct NewProjectPart {
    name: String,
    domain_id: Option<String>,
    description: Option<String>,
}

/// `POST /v3/projects`.
pub(super) async fn create(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), IamError> {
    let known = Known::from(&identity, request).await?;
    let CreateRequest { project: new } = known.read()?;
    known.is_about("", &new.name);
    let domain_id = new.domain_id.unwrap_or_else(|| known.session.user_domain.id.clone());
    known.must_administer(&domain_id)?;
    let description = new.description.unwrap_or_default();
    let project = known
        .change(
            StatusCode::CREATED,
            identity.create_project(NewProject { name: new.name, domain_id, description }),
        )
        .await?;
    let shown = wire::project(&project, &base_url(&known.parts));
    Ok((StatusCode::CREATED, Json(json!({ "project": shown }))))
}

#[derive(Deserialize)]
struct UpdateRequest {
    project: ProjectPart,
}

#[derive(Deserialize)]
struct ProjectPart {
    name: Option<String>,
    domain_id: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
}

/// `PATCH /v3/projects/{project}`, for administrators of the account.
pub(super) async fn update(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let project = known.project_of_account(&identity, &id).await?;
    known.is_about(&id, &project.name);
    let UpdateRequest { project: change } = known.read()?;
    if change.domain_id.is_some_and(|domain_id| domain_id != project.domain_id) {
        return Err(IamError::value(
            "`project.domain_id` is of another account: a project stays in its account",
        ));
    }
    if change.enabled == Some(false) {
        must_not_be_in(&known, &id)?;
    }
    let ProjectPart { name, description, enabled, .. } = change;
    let project = known
        .change(StatusCode::OK, identity.update_project(&id, ProjectChange { name, description, enabled }))
        .await?;
    Ok(Json(json!({ "project": wire::project(&project, &base_url(&known.parts)) })))
}

/// `DELETE /v3/projects/{project}`: one that holds nothing.
pub(super) async fn delete(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, IamError> {
    let identity = &state.identity;
    let known = Known::from(identity, request).await?;
    let project = known.project_of_account(identity, &id).await?;
    known.is_about(&id, &project.name);
    must_not_be_in(&known, &id)?;
    // They are not where the rest is, nor are the buckets.
    let streams = state.streams.list_streams(&id).await;
    if !streams.map_err(|error| IamError::internal(&error.to_string()))?.is_empty() {
        return Err(IamError::conflict("the project holds streams; delete them first"));
    }
    let gone_buckets = state.control.buckets().gone_of(&ProjectId(id.clone())).await;
    let gone_buckets = gone_buckets.map_err(|error| IamError::internal(&error.to_string()))?;
    known.change(StatusCode::NO_CONTENT, identity.delete_project(&id, &gone_buckets)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses what would make the caller's own credential useless.
fn must_not_be_in(known: &Known, id: &str) -> Result<(), IamError> {
    if known.session.project().is_none_or(|project| project.id != id) {
        return Ok(());
    }
    Err(IamError::forbidden(
        "your credential is for this very project: log in with a scope on the account or on another project",
    ))
}

/// Filters and pages a list of projects by the query.
fn answer(parts: &Parts, projects: Vec<Project>) -> Result<Json<Value>, IamError> {
    let base = base_url(parts);
    let wanted = |name: &str, value: &str| query_value(parts, name).is_none_or(|wanted| wanted == value);
    let is_wanted = |project: &Project| {
        wanted("name", &project.name)
            && wanted("domain_id", &project.domain_id)
            && wanted("parent_id", &project.domain_id)
            && wanted("enabled", if project.enabled { "true" } else { "false" })
            && wanted("is_domain", "false")
    };
    let found: Vec<Value> = projects
        .iter()
        .filter(|project| is_wanted(project))
        .map(|project| wire::project(project, &base))
        .collect();
    let page = number(parts, "page", 1, usize::MAX)?;
    let per_page = number(parts, "per_page", 5_000, 5_000)?;
    let shown: Vec<Value> =
        found.into_iter().skip((page - 1).saturating_mul(per_page)).take(per_page).collect();
    let links = wire::list_links(&base, parts.uri.path());
    Ok(Json(json!({ "projects": shown, "links": links })))
}

fn number(parts: &Parts, name: &str, default: usize, most: usize) -> Result<usize, IamError> {
    let Some(text) = query_value(parts, name) else { return Ok(default) };
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(IamError::value(format!("`{name}` must be a number from 1 to {most}"))),
    }
}
