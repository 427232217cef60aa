//! Domains, which are accounts: everybody sees their own.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use serde_json::{Value, json};
use weir_cloud::identity::Identity;

use super::access::{Known, base_url, query_value};
use super::error::IamError;
use super::wire;

/// `GET /v3/auth/domains` and `GET /v3/domains`.
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let base = base_url(&known.parts);
    let own = &known.session.user_domain;
    let wanted =
        |name: &str, value: &str| query_value(&known.parts, name).is_none_or(|wanted| wanted == value);
    let shown = (wanted("name", &own.name) && wanted("enabled", "true")).then(|| wire::domain(own, &base));
    let links = wire::list_links(&base, known.parts.uri.path());
    Ok(Json(json!({ "domains": Vec::from_iter(shown), "links": links })))
}

/// `GET /v3/domains/{domain}`.
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let own = &known.session.user_domain;
    if own.id != id {
        return Err(IamError::not_found(format!("domain `{id}`")));
    }
    Ok(Json(json!({ "domain": wire::domain(own, &base_url(&known.parts)) })))
}
