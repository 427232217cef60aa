//! Projects and domains.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_cloud::identity::{Identity, NewProject, Project};

use super::access::{Known, base_url, query_value};
use super::error::IamError;
use super::wire;

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
        identity.projects_of_user(&known.session.user_id).await?
    };
    answer(&known.parts, projects)
}

/// `GET /v3/auth/projects`: those that the caller may use.
pub(super) async fn of_caller(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    answer(&known.parts, identity.projects_of_user(&known.session.user_id).await?)
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
    let mut visible = identity.projects_of_user(&known.session.user_id).await?;
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
    let domain_id = new.domain_id.unwrap_or_else(|| known.session.user_domain.id.clone());
    known.must_administer(&domain_id)?;
    let description = new.description.unwrap_or_default();
    let project = identity.create_project(NewProject { name: new.name, domain_id, description }).await?;
    let shown = wire::project(&project, &base_url(&known.parts));
    Ok((StatusCode::CREATED, Json(json!({ "project": shown }))))
}

/// `GET /v3/auth/domains`: the caller's own.
pub(super) async fn domains(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let base = base_url(&known.parts);
    Ok(Json(json!({
        "domains": [wire::domain(&known.session.user_domain, &base)],
        "links": { "self": format!("{base}/v3/auth/domains"), "previous": null, "next": null },
    })))
}

/// Filters and pages a list of projects by the query.
fn answer(parts: &Parts, projects: Vec<Project>) -> Result<Json<Value>, IamError> {
    let base = base_url(parts);
    let wanted = |name: &str, value: &str| query_value(parts, name).is_none_or(|wanted| wanted == value);
    let is_wanted = |project: &Project| {
        wanted("name", &project.name)
            && wanted("domain_id", &project.domain_id)
            && wanted("parent_id", &project.domain_id)
            && wanted("enabled", "true")
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
    let links = json!({ "self": format!("{base}{}", parts.uri.path()), "previous": null, "next": null });
    Ok(Json(json!({ "projects": shown, "links": links })))
}

fn number(parts: &Parts, name: &str, default: usize, most: usize) -> Result<usize, IamError> {
    let Some(text) = query_value(parts, name) else { return Ok(default) };
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(IamError::value(format!("`{name}` must be a number from 1 to {most}"))),
    }
}
