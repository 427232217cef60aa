//! Who calls: from the headers of a request to a [`Caller`].
//!
//! A token in `X-Auth-Token`, or a signature with an access key in any of the four forms that clients
//! use, with the security token of a temporary key in `X-Security-Token`. The arithmetic is in `weir_cloud::identity::signature`; what a failure becomes on the wire is
//! the business of the family of routes.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use thiserror::Error;
use weir_base::audit::Actor;
use weir_base::id::{ProjectId, UserId};
use weir_cloud::identity::signature::{Authorization, SignedRequest};
use weir_cloud::identity::{Identity, ProjectChoice, RequestError, SECURITY_TOKEN, Session, TokenError};

use crate::cs::source_ip;
use crate::outermost::RequestId;
use crate::state::ApiState;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// User.
    pub user_id: String,
    /// The user's name.
    pub user_name: String,
    /// The same for the audit: an agency has with it who acts.
    pub audit_name: String,
    /// The user's domain.
    pub domain_id: String,
    /// The name of the user's domain.
    pub domain_name: String,
    /// The project of the credential; `None` when it has no project scope.
    pub project_id: Option<String>,
    /// The name of that project.
    pub project_name: Option<String>,
    /// Names of the roles in that project.
    pub roles: Vec<String>,
}

impl Caller {
    /// Whether the caller has a role in its project.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|name| name == role)
    }

    /// Whether the credential is good for a project.
    pub fn may_use_project(&self, project: &str) -> bool {
        self.project_id.as_deref() == Some(project)
    }
}

impl Caller {
    /// Returns the caller of a request as the audit of a project tells it.
    pub fn actor(&self, parts: &Parts, project: &str) -> Actor {
        Actor {
            project: ProjectId(project.to_string()),
            user: UserId(self.user_id.clone()),
            user_name: self.audit_name.clone(),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            source_ip: source_ip(parts),
        }
    }
}

impl From<&Session> for Caller {
    fn from(session: &Session) -> Self {
        Self {
            user_id: session.user_id.clone(),
            user_name: session.user_name.clone(),
            audit_name: session.audit_name(),
            domain_id: session.user_domain.id.clone(),
            domain_name: session.user_domain.name.clone(),
            project_id: session.project().map(|project| project.id.clone()),
            project_name: session.project().map(|project| project.name.clone()),
            roles: session.roles.clone(),
        }
    }
}

/// Why a credential that was sent is not good.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidCredential {
    /// The token never was, was revoked, or expired long ago.
    #[error("the token is unknown")]
    UnknownToken,
    /// The token was good once.
    #[error("the token has expired")]
    Expired,
    /// There is no such access key, or it is inactive.
    #[error("the access key is unknown or inactive")]
    UnknownKey,
    /// The access key was good for a while, which is over.
    #[error("the temporary access key has expired")]
    KeyExpired,
    /// The access key is good with its security token only.
    #[error(
        "a temporary access key is good with its own security token only, which goes into `X-Security-Token`"
    )]
    WrongSecurityToken,
    /// The signature does not fit the request.
    #[error("the signature does not fit the request")]
    BadSignature,
    /// The request's date is too far from the present.
    #[error("the date of the request is more than 15 minutes from the time of the service")]
    ClockSkew,
    /// It cannot be read.
    #[error("{0}")]
    Malformed(String),
}

/// Why nobody is known to call.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthFailure {
    /// There is no credential.
    #[error("there is neither a token in `X-Auth-Token` nor a signature in `Authorization`")]
    Missing,
    /// There is one, and it is not good.
    #[error(transparent)]
    Invalid(InvalidCredential),
    /// The accounts cannot be read.
    #[error("the identity service does not answer: {0}")]
    Unavailable(String),
}

/// Refuses a sender that cannot be known, before the body is read: the token must be good, or the access key be there.
/// Whether a signature fits is seen when the body is there, as it is signed too.
pub(crate) async fn check_sender(identity: &Identity, parts: &Parts) -> Result<(), AuthFailure> {
    if let Some(token) = text_header(&parts.headers, "x-auth-token")? {
        return identity.session(token).await.map(drop).map_err(AuthFailure::from);
    }
    let Some(value) = text_header(&parts.headers, "authorization")? else {
        return Err(AuthFailure::Missing);
    };
    let authorization = Authorization::parse(value).map_err(malformed)?;
    let security_token = text_header(&parts.headers, SECURITY_TOKEN)?;
    let known = identity.key_caller(&authorization.access_key, security_token).await;
    known.map(drop).map_err(|error| AuthFailure::from(RequestError::from(error)))
}

/// Finds out who sent a request. The body must be whole: it is part of a signature.
pub async fn authenticate(state: &ApiState, parts: &Parts, body: &[u8]) -> Result<Caller, AuthFailure> {
    let session = session_of(&state.identity, parts, body).await?;
    Ok(Caller::from(&session))
}

/// Finds out what the credential of a request says.
pub(crate) async fn session_of(
    identity: &Identity,
    parts: &Parts,
    body: &[u8],
) -> Result<Session, AuthFailure> {
    if let Some(token) = text_header(&parts.headers, "x-auth-token")? {
        let session = identity.session(token).await.map_err(AuthFailure::from)?;
        return Ok(Session::clone(&session));
    }
    let Some(value) = text_header(&parts.headers, "authorization")? else {
        return Err(AuthFailure::Missing);
    };
    let authorization = Authorization::parse(value).map_err(malformed)?;
    let headers = signed_headers(&parts.headers);
    let request = SignedRequest {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &headers,
        body,
    };
    let choice = project_choice(parts)?;
    identity.verify_request(&authorization, &request, &choice).await.map_err(AuthFailure::from)
}

/// Returns all headers as text, in the order of arrival; names are in lower case already.
pub(crate) fn signed_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

/// Chooses the project of a signed request: the one of `X-Project-Id`, else the one in a path of the
/// stream service, whose clients send no such header, else the key owner's default.
fn project_choice(parts: &Parts) -> Result<ProjectChoice, AuthFailure> {
    if let Some(project) = text_header(&parts.headers, "x-project-id")? {
        return Ok(ProjectChoice::Named(project.to_string()));
    }
    let mut segments = parts.uri.path().split('/').skip(1);
    let is_project = |text: &&str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let named = match segments.next() {
        Some("v2" | "v3") => segments.next().filter(is_project),
        _ => None,
    };
    Ok(named.map_or(ProjectChoice::Default, |project| ProjectChoice::Named(project.to_string())))
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, AuthFailure> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| malformed(format!("the header `{name}` is not plain text")))?;
    Ok(Some(text.trim()).filter(|text| !text.is_empty()))
}

fn malformed(reason: String) -> AuthFailure {
    AuthFailure::Invalid(InvalidCredential::Malformed(reason))
}

impl From<TokenError> for AuthFailure {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unknown => Self::Invalid(InvalidCredential::UnknownToken),
            TokenError::Expired => Self::Invalid(InvalidCredential::Expired),
            TokenError::Unavailable(reason) => Self::Unavailable(reason),
        }
    }
}

impl From<RequestError> for AuthFailure {
    fn from(error: RequestError) -> Self {
        Self::Invalid(match error {
            RequestError::UnknownKey => InvalidCredential::UnknownKey,
            RequestError::KeyExpired => InvalidCredential::KeyExpired,
            RequestError::WrongSecurityToken => InvalidCredential::WrongSecurityToken,
            RequestError::BadSignature => InvalidCredential::BadSignature,
            RequestError::ClockSkew => InvalidCredential::ClockSkew,
            RequestError::Malformed(reason) => InvalidCredential::Malformed(reason),
            RequestError::Unavailable(reason) => return Self::Unavailable(reason),
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(path: &str, header: Option<(&str, &str)>) -> Parts {
        let mut request = Request::builder().uri(path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_project_comes_from_the_header_then_from_a_stream_path_then_from_the_owner() {
        let project = "0123456789abcdef0123456789abcdef";
        let named = |text: &str| ProjectChoice::Named(text.to_string());
        let path = format!("/v2/{project}/streams");
        assert_eq!(project_choice(&parts(&path, Some(("x-project-id", "p1")))), Ok(named("p1")));
        assert_eq!(project_choice(&parts(&path, None)), Ok(named(project)));
        assert_eq!(project_choice(&parts(&format!("/v3/{project}/streams/a"), None)), Ok(named(project)));
        assert_eq!(project_choice(&parts("/v3/projects", None)), Ok(ProjectChoice::Default));
        assert_eq!(
            project_choice(&parts(&format!("/v1.0/{project}/jobs"), None)),
            Ok(ProjectChoice::Default)
        );
    }
}
