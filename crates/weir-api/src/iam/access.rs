//! Who calls the identity service, and what the caller may see and change.

use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use weir_base::audit::AuditRecord;
use weir_cloud::identity::{AdministerError, Identity, Project, Scope, Session, User, recorded};

use super::error::IamError;
use crate::audited::Audit;
use crate::auth::{self, Caller};
use crate::body;

/// The longest body; the longest real one is a login of some hundred bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// A request whose sender is known.
pub(super) struct Known {
    pub session: Session,
    pub parts: Parts,
    pub body: Bytes,
    audit: Option<Audit>,
}

impl Known {
    /// Finds out who sent a request.
    pub(super) async fn from(identity: &Identity, request: Request) -> Result<Self, IamError> {
        let (parts, body) = take_body(request).await?;
        let session = auth::session_of(identity, &parts, &body).await?;
        let audit = Audit::of(&parts);
        if let Some(audit) = &audit
            && let Some(project) = project_of_audit(identity, &session).await?
        {
            audit.identify(Caller::from(&session).actor(&parts, &project));
            let (id, name) = subject_of(&parts);
            audit.about(id, name);
        }
        Ok(Self { session, parts, body, audit })
    }

    /// Says for the audit what the call is about, or would make.
    pub(super) fn is_about(&self, id: &str, name: &str) {
        if let Some(audit) = &self.audit {
            audit.about(id, name);
        }
    }

    /// Does the work of a call that changes something and is answered with a status. The audit record is written with
    /// the change; where there was nothing to change, the layer around the routes writes it.
    pub(super) async fn change<T>(
        &self,
        status: StatusCode,
        work: impl Future<Output = Result<T, AdministerError>>,
    ) -> Result<T, AdministerError> {
        let Some((audit, record)) = self.audit.as_ref().and_then(|audit| Some((audit, audit.record()?)))
        else {
            return work.await;
        };
        let record = AuditRecord { status: status.as_u16(), ..record };
        let (result, is_written) = recorded(record, work).await;
        if is_written {
            audit.take();
        }
        result
    }

    /// Reads the body.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, IamError> {
        read_json(&self.body)
    }

    /// Whether the caller administers a domain: it has the role in the whole domain, not in some of its projects. An agency
    /// never does: who is trusted with a project of an account must not make itself users, roles and keys in it that
    /// outlast the trust.
    pub(super) fn administers(&self, domain_id: &str) -> bool {
        let scope = match &self.session.scope {
            Scope::Project { domain, .. } | Scope::Domain(domain) => Some(&domain.id),
            Scope::Unscoped => None,
        };
        self.session.assumed_by.is_none()
            && self.session.account_roles.iter().any(|role| role == "te_admin")
            && scope.is_some_and(|id| id == domain_id)
    }

    /// Refuses callers that do not administer a domain.
    pub(super) fn must_administer(&self, domain_id: &str) -> Result<(), IamError> {
        if self.administers(domain_id) {
            return Ok(());
        }
        Err(IamError::forbidden(
            "this needs the role `te_admin` in the account, not only in a project of it; log in with a scope on the account or on \
             one of its projects",
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
        if !self.administers(&self.session.user_domain.id) {
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

/// Returns what the audit says that a path is about: the id of it, and the role that it is given or loses.
fn subject_of(parts: &Parts) -> (&str, &str) {
    let pattern = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let path = parts.uri.path();
    let value = |name: &str| parameter(pattern, path, name);
    let id = ["access", "agency", "group", "user", "project"].into_iter().find_map(value);
    (id.unwrap_or_default(), value("role").unwrap_or_default())
}

/// Returns the part of a path that stands where its pattern has a parameter.
fn parameter<'a>(pattern: &str, path: &'a str, name: &str) -> Option<&'a str> {
    let is_it =
        |segment: &str| segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) == Some(name);
    let (_, value) = pattern.split('/').zip(path.split('/')).find(|(segment, _)| is_it(segment))?;
    Some(value)
}

/// Returns the project whose audit shows a call: that of the credential, else the user's default one, else the first of
/// the account.
async fn project_of_audit(identity: &Identity, session: &Session) -> Result<Option<String>, IamError> {
    if let Some(project) = session.project() {
        return Ok(Some(project.id.clone()));
    }
    let user = identity.user(&session.user_id).await?;
    if let Some(project) = user.and_then(|user| user.default_project_id) {
        return Ok(Some(project));
    }
    let projects = identity.projects(&session.user_domain.id).await?;
    Ok(projects.into_iter().next().map(|project| project.id))
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
    crate::json::from_slice(body)
        .map_err(|reason| IamError::body(format!("the body cannot be read: {reason}")))
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
