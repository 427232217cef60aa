//! Who calls the identity service, and what the caller may see and change.

use axum::extract::Request;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use weir_cloud::identity::{Identity, Project, Scope, Session, User};

use super::error::IamError;
use crate::auth;
use crate::body;

/// The longest body; the longest real one is a login of some hundred bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// A request whose sender is known.
pub(super) struct Known {
    pub session: Session,
    pub parts: Parts,
    pub body: Bytes,
}

impl Known {
    /// Finds out who sent a request.
    pub(super) async fn from(identity: &Identity, request: Request) -> Result<Self, IamError> {
        let (parts, body) = take_body(request).await?;
        let session = auth::session_of(identity, &parts, &body).await?;
        Ok(Self { session, parts, body })
    }

    /// Reads the body.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, IamError> {
        read_json(&self.body)
    }

    /// Whether the caller administers a domain.
    pub(super) fn administers(&self, domain_id: &str) -> bool {
        let scope = match &self.session.scope {
            Scope::Project { domain, .. } | Scope::Domain(domain) => Some(&domain.id),
            Scope::Unscoped => None,
        };
        self.session.has_role("te_admin") && scope.is_some_and(|id| id == domain_id)
    }

    /// Refuses callers that do not administer a domain.
    pub(super) fn must_administer(&self, domain_id: &str) -> Result<(), IamError> {
        if self.administers(domain_id) {
            return Ok(());
        }
        Err(IamError::forbidden(
            "this needs the role `te_admin` of the account; log in with a project or domain scope in which you have it",
        ))
    }

    /// Refuses callers that are neither the user nor an administrator of the user's domain.
    pub(super) async fn must_be_or_administer(
        &self,
        identity: &Identity,
        user_id: &str,
    ) -> Result<(), IamError> {
        if self.session.user_id == user_id {
            return Ok(());
        }
        // Whoever may not see users is not told whether there is this one.
        if !self.session.has_role("te_admin") {
            return Err(IamError::forbidden("only the user and an administrator of the account may do this"));
        }
        self.user_of_account(identity, user_id).await.map(drop)
    }

    /// Returns a project of the account that the caller administers. One of another account is as good as none.
    pub(super) async fn project_of_account(
        &self,
        identity: &Identity,
        id: &str,
    ) -> Result<Project, IamError> {
        self.must_administer(&self.session.user_domain.id)?;
        let project = identity.project(id).await?.filter(|project| self.administers(&project.domain_id));
        project.ok_or_else(|| IamError::not_found(format!("project `{id}`")))
    }

    /// Returns a user of the account that the caller administers. One of another account is as good as none.
    pub(super) async fn user_of_account(&self, identity: &Identity, user_id: &str) -> Result<User, IamError> {
        self.must_administer(&self.session.user_domain.id)?;
        let user = identity.user(user_id).await?.filter(|user| self.administers(&user.domain_id));
        user.ok_or_else(|| IamError::not_found(format!("user `{user_id}`")))
    }
}

/// Takes the whole body of a request.
pub(super) async fn take_body(request: Request) -> Result<(Parts, Bytes), IamError> {
    let (parts, body) = request.into_parts();
    let body = body::read(&parts, body, BODY_LIMIT).await;
    let body = body.map_err(|fault| IamError::body(format!("the body cannot be read: {fault}")))?;
    Ok((parts, body))
}

/// Reads a body as JSON.
pub(super) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, IamError> {
    serde_json::from_slice(body).map_err(|error| IamError::body(format!("the body cannot be read: {error}")))
}

/// Returns the address under which the client reached the service, from the Host header and the scheme
/// that a proxy in front names. Only links are made of it.
pub(super) fn base_url(parts: &Parts) -> String {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = match text("x-forwarded-proto") {
        Some("https") => "https",
        _ => "http",
    };
    let host = text("host").or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}

/// Returns the value of a query parameter, decoded.
pub(super) fn query_value(parts: &Parts, name: &str) -> Option<String> {
    let pairs = parts.uri.query()?.split('&');
    let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(found, _)| *found == name)?.1;
    let value = value.replace('+', " ");
    Some(percent_encoding::percent_decode_str(&value).decode_utf8_lossy().into_owned())
}
