//! Agencies of an account and their roles.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_cloud::identity::{Agency, AgencyChange, AssignmentTarget, Identity, NewAgency, SERVICE_DOMAIN};

use super::access::{Known, base_url, query_value};
use super::error::IamError;
use super::wire;

#[derive(Deserialize)]
struct AgencyRequest {
    agency: AgencyPart,
}

#[derive(Deserialize)]
struct AgencyPart {
    name: Option<String>,
    domain_id: Option<String>,
    trust_domain_name: Option<String>,
    trust_domain_id: Option<String>,
    description: Option<String>,
    duration: Option<Value>,
}

impl AgencyPart {
    /// Returns the name of the domain that may act, `None` when none is named. A name wins over an id.
    async fn trust_domain(&self, identity: &Identity) -> Result<Option<String>, IamError> {
        if let Some(name) = &self.trust_domain_name {
            return Ok(Some(name.clone()));
        }
        let Some(id) = &self.trust_domain_id else { return Ok(None) };
        let domains = identity.domains().await?;
        match domains.into_iter().find(|domain| domain.id == *id) {
            Some(domain) => Ok(Some(domain.name)),
            None => Err(IamError::not_found(format!("domain `{id}`"))),
        }
    }

    fn check_duration(&self) -> Result<(), IamError> {
        match &self.duration {
            None => Ok(()),
            Some(duration) if duration == "FOREVER" => Ok(()),
            Some(other) => Err(IamError::value(format!(
                "`duration` is {other}; agencies of this service last until they are deleted: FOREVER"
            ))),
        }
    }
}

/// `POST /v3.0/OS-AGENCY/agencies`.
pub(super) async fn create(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), IamError> {
    let known = Known::from(&identity, request).await?;
    let AgencyRequest { agency: new } = known.read()?;
    let domain_id = new.domain_id.clone().ok_or_else(|| IamError::missing("domain_id"))?;
    known.is_about("", new.name.as_deref().unwrap_or_default());
    known.must_administer(&domain_id)?;
    new.check_duration()?;
    let trust_domain = new.trust_domain(&identity).await?;
    let agency = known
        .change(
            StatusCode::CREATED,
            identity.create_agency(NewAgency {
                domain_id,
                name: new.name.ok_or_else(|| IamError::missing("name"))?,
                trust_domain: trust_domain.ok_or_else(|| IamError::missing("trust_domain_name"))?,
                description: new.description.unwrap_or_default(),
            }),
        )
        .await?;
    Ok((StatusCode::CREATED, Json(json!({ "agency": shown(&identity, &agency).await? }))))
}

/// `GET /v3.0/OS-AGENCY/agencies?domain_id=`.
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let domain_id = query_value(&known.parts, "domain_id").ok_or_else(|| IamError::missing("domain_id"))?;
    known.must_administer(&domain_id)?;
    let name = query_value(&known.parts, "name");
    let trusted = query_value(&known.parts, "trust_domain_id");
    let mut agencies = Vec::new();
    for agency in identity.agencies(&domain_id).await? {
        let agency = shown(&identity, &agency).await?;
        let is = |member: &str, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| agency[member] == wanted.as_str())
        };
        if is("name", &name) && is("trust_domain_id", &trusted) {
            agencies.push(agency);
        }
    }
    Ok(Json(json!({ "agencies": agencies })))
}

/// `GET /v3.0/OS-AGENCY/agencies/{agency}`.
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let (_, agency) = administered(&identity, &id, request).await?;
    Ok(Json(json!({ "agency": shown(&identity, &agency).await? })))
}

/// `PUT /v3.0/OS-AGENCY/agencies/{agency}`: changes whom it trusts, and its description.
pub(super) async fn update(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let (known, agency) = administered(&identity, &id, request).await?;
    let AgencyRequest { agency: sent } = known.read()?;
    sent.check_duration()?;
    let trust_domain = sent.trust_domain(&identity).await?;
    let change = AgencyChange { trust_domain, description: sent.description };
    let agency = known.change(StatusCode::OK, identity.update_agency(&agency.id, &change)).await?;
    Ok(Json(json!({ "agency": shown(&identity, &agency).await? })))
}

/// `DELETE /v3.0/OS-AGENCY/agencies/{agency}`.
pub(super) async fn delete(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, agency) = administered(&identity, &id, request).await?;
    known.change(StatusCode::NO_CONTENT, identity.delete_agency(&agency.domain_id, &agency.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v3.0/OS-AGENCY/{projects or domains}/{target}/agencies/{agency}/roles`.
pub(super) async fn roles(
    State(identity): State<Arc<Identity>>,
    Path((kind, target, id)): Path<(String, String, String)>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let (known, agency) = administered(&identity, &id, request).await?;
    let base = base_url(&known.parts);
    let roles = identity.roles_of_agency(&agency, &target_of(&kind, target)?).await?;
    let roles: Vec<Value> = roles.into_iter().map(|role| wire::role(role, &base)).collect();
    Ok(Json(json!({ "roles": roles })))
}

type RolePath = Path<(String, String, String, String)>;

/// `PUT /v3.0/OS-AGENCY/{projects or domains}/{target}/agencies/{agency}/roles/{role}`.
pub(super) async fn grant(
    State(identity): State<Arc<Identity>>,
    Path((kind, target, id, role)): RolePath,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, agency) = administered(&identity, &id, request).await?;
    known
        .change(StatusCode::NO_CONTENT, identity.grant_to_agency(&agency, target_of(&kind, target)?, &role))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `HEAD` of the same path.
pub(super) async fn check(
    State(identity): State<Arc<Identity>>,
    Path((kind, target, id, role)): RolePath,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (_, agency) = administered(&identity, &id, request).await?;
    let roles = identity.roles_of_agency(&agency, &target_of(&kind, target)?).await?;
    if roles.iter().any(|granted| granted.name == role || granted.id() == role) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(IamError::not_found("such role of the agency"))
}

/// `DELETE` of the same path.
pub(super) async fn take(
    State(identity): State<Arc<Identity>>,
    Path((kind, target, id, role)): RolePath,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, agency) = administered(&identity, &id, request).await?;
    known
        .change(StatusCode::NO_CONTENT, identity.take_from_agency(&agency, target_of(&kind, target)?, &role))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /v3.0/OS-INHERIT/domains/{domain}/agencies/{agency}/roles/{role}/inherited_to_projects`.
pub(super) async fn grant_everywhere(
    State(identity): State<Arc<Identity>>,
    Path((domain, id, role)): Path<(String, String, String)>,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, agency) = administered(&identity, &id, request).await?;
    known
        .change(
            StatusCode::NO_CONTENT,
            identity.grant_to_agency(&agency, AssignmentTarget::Domain(domain), &role),
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `HEAD` of the same path.
pub(super) async fn check_everywhere(
    state: State<Arc<Identity>>,
    Path((domain, id, role)): Path<(String, String, String)>,
    request: Request,
) -> Result<StatusCode, IamError> {
    check(state, Path(("domains".to_string(), domain, id, role)), request).await
}

/// `DELETE` of the same path.
pub(super) async fn take_everywhere(
    state: State<Arc<Identity>>,
    Path((domain, id, role)): Path<(String, String, String)>,
    request: Request,
) -> Result<StatusCode, IamError> {
    take(state, Path(("domains".to_string(), domain, id, role)), request).await
}

/// `GET /v3.0/OS-INHERIT/domains/{domain}/agencies/{agency}/roles/inherited_to_projects`. A role on a domain holds in all
/// its projects, so that these are the roles on the domain.
pub(super) async fn roles_everywhere(
    state: State<Arc<Identity>>,
    Path((domain, id)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    roles(state, Path(("domains".to_string(), domain, id)), request).await
}

/// Finds an agency of the caller's account, which the caller must administer.
async fn administered(identity: &Identity, id: &str, request: Request) -> Result<(Known, Agency), IamError> {
    let known = Known::from(identity, request).await?;
    let domain_id = known.session.user_domain.id.clone();
    known.must_administer(&domain_id)?;
    let agency = identity.agency(&domain_id, id).await?;
    Ok((known, agency))
}

fn target_of(kind: &str, id: String) -> Result<AssignmentTarget, IamError> {
    match kind {
        "projects" => Ok(AssignmentTarget::Project(id)),
        "domains" => Ok(AssignmentTarget::Domain(id)),
        other => Err(IamError::not_found(format!("path `{other}`; there are `projects` and `domains`"))),
    }
}

async fn shown(identity: &Identity, agency: &Agency) -> Result<Value, IamError> {
    let domains = identity.domains().await?;
    let trusted = domains.into_iter().find(|domain| domain.name == agency.trust_domain);
    // The service itself is no domain of anybody; its name is its id.
    let trust_domain_id = match trusted {
        Some(domain) => Some(domain.id),
        None => (agency.trust_domain == SERVICE_DOMAIN).then(|| SERVICE_DOMAIN.to_string()),
    };
    Ok(json!({
        "id": agency.id,
        "name": agency.name,
        "domain_id": agency.domain_id,
        "trust_domain_id": trust_domain_id,
        "trust_domain_name": agency.trust_domain,
        "description": agency.description,
        "duration": "FOREVER",
        "expire_time": null,
        "create_time": wire::time(agency.created_at),
    }))
}
