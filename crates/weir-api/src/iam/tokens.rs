//! Tokens: issue, look at, revoke.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use weir_cloud::identity::{Identity, Scope, Session, TokenError};

use super::access::{Known, base_url, read_json, take_body};
use super::error::IamError;
use super::{catalog, wire};
use crate::auth::{self, AuthFailure};

const SUBJECT: &str = "x-subject-token";

/// `POST /v3/auth/tokens`. The token of an agency goes to the caller whose credential comes along.
pub(super) async fn create(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Response, IamError> {
    let (parts, body) = take_body(request).await?;
    let issued = match read_json::<wire::TokenRequest>(&body)?.into_token_wish()? {
        wire::TokenWish::LogIn(login) => identity.log_in(login).await?,
        wire::TokenWish::Assume(request) => {
            let caller = auth::session_of(&identity, &parts, &body).await?;
            identity.assume_role(&caller, request).await?
        }
    };
    tracing::info!(user = issued.session.user_name, audit_id = issued.session.audit_id, "token issued");
    let mut response = shown(&identity, &parts, &issued.session, &issued.token);
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// `GET /v3/auth/tokens`.
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Response, IamError> {
    let (parts, session, token) = subject(&identity, request).await?;
    Ok(shown(&identity, &parts, &session, &token))
}

/// `HEAD /v3/auth/tokens`.
pub(super) async fn check(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Response, IamError> {
    let (_, _, token) = subject(&identity, request).await?;
    Ok(with_subject(StatusCode::OK.into_response(), &token))
}

/// `DELETE /v3/auth/tokens`.
pub(super) async fn revoke(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (_, session, token) = subject(&identity, request).await?;
    // A task of its own: a caller who hangs up must not stop it half way.
    let revoking = tokio::spawn(async move { identity.revoke(&token).await });
    let revoked = revoking.await.map_err(|error| IamError::internal(&error.to_string()))?;
    match revoked {
        Ok(()) => {
            tracing::info!(user = session.user_name, audit_id = session.audit_id, "token revoked");
            Ok(StatusCode::NO_CONTENT)
        }
        Err(TokenError::Unavailable(reason)) => Err(AuthFailure::Unavailable(reason).into()),
        Err(TokenError::Unknown | TokenError::Expired) => Err(IamError::not_found("such token")),
    }
}

/// Returns the token that a request is about. Users may look at their own tokens, administrators at
/// those of their account.
async fn subject(identity: &Identity, request: Request) -> Result<(Parts, Session, String), IamError> {
    let known = Known::from(identity, request).await?;
    let header = known.parts.headers.get(SUBJECT).and_then(|value| value.to_str().ok());
    let token = header.ok_or_else(|| IamError::missing("X-Subject-Token"))?.to_string();
    let session = match identity.session(&token).await {
        Ok(session) => session,
        Err(TokenError::Unavailable(reason)) => return Err(AuthFailure::Unavailable(reason).into()),
        Err(TokenError::Unknown | TokenError::Expired) => return Err(IamError::not_found("such token")),
    };
    if known.session.user_id != session.user_id && !known.administers(&session.user_domain.id) {
        return Err(IamError::forbidden("the token belongs to another user"));
    }
    Ok((known.parts, Session::clone(&session), token))
}

fn shown(identity: &Identity, parts: &Parts, session: &Session, token: &str) -> Response {
    let names = parts.uri.query().unwrap_or_default().split('&');
    let is_wanted = !names.filter_map(|pair| pair.split('=').next()).any(|name| name == "nocatalog");
    let has_scope = session.scope != Scope::Unscoped;
    let catalog = (is_wanted && has_scope).then(|| catalog::of(identity, session, &base_url(parts)));
    with_subject(Json(wire::token(session, catalog)).into_response(), token)
}

fn with_subject(mut response: Response, token: &str) -> Response {
    if let Ok(mut value) = HeaderValue::from_str(token) {
        value.set_sensitive(true);
        response.headers_mut().insert(SUBJECT, value);
    }
    response
}
