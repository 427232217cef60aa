//! What the handlers need of the service: the store, the time, and who may call.

use std::sync::Arc;

use axum::http::request::Parts;
use weir_cloud::streams::LocalStreams;

use super::error::DisError;
use crate::audited::Audit;
use crate::auth::{self, AuthFailure, InvalidCredential};
use crate::state::ApiState;

/// Who may use the stream service.
const ROLES: [&str; 2] = ["te_admin", "dis_adm"];

/// The service around the handlers.
pub(super) trait Host: Clone + Send + Sync + 'static {
    /// Returns the store.
    fn streams(&self) -> &Arc<LocalStreams>;

    /// Returns the present instant, milliseconds since the epoch.
    fn now_ms(&self) -> i64;

    /// Refuses a sender that cannot be known, before the body is read.
    fn check_sender(&self, parts: &Parts) -> impl Future<Output = Result<(), DisError>> + Send;

    /// Lets a request through whose sender is known and may use the project.
    fn admit(
        &self,
        parts: &Parts,
        body: &[u8],
        project: &str,
    ) -> impl Future<Output = Result<(), DisError>> + Send;
}

impl Host for ApiState {
    fn streams(&self) -> &Arc<LocalStreams> {
        &self.streams
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().0
    }

    async fn check_sender(&self, parts: &Parts) -> Result<(), DisError> {
        auth::check_sender(&self.identity, parts).await.map_err(|failure| refusal(&failure))
    }

    async fn admit(&self, parts: &Parts, body: &[u8], project: &str) -> Result<(), DisError> {
        let caller = auth::authenticate(self, parts, body).await.map_err(|failure| refusal(&failure))?;
        if !caller.may_use_project(project) {
            return Err(DisError::forbidden(format!("you have no right in project `{project}`")));
        }
        if let Some(audit) = Audit::of(parts) {
            audit.identify(caller.actor(parts, project));
        }
        if !ROLES.iter().any(|role| caller.has_role(role)) {
            let roles = ROLES.map(|role| format!("`{role}`")).join(" or ");
            return Err(DisError::forbidden(format!("the stream service needs role {roles}")));
        }
        Ok(())
    }
}

/// Tells in the service's own words why a caller is not known. Faults of a signature have a status of
/// their own; for those of a token it is 401, upon which OpenStack clients get a new one.
fn refusal(failure: &AuthFailure) -> DisError {
    let text = failure.to_string();
    match failure {
        AuthFailure::Missing => DisError { status: 401, ..DisError::forbidden(text) },
        AuthFailure::Invalid(credential) => match credential {
            InvalidCredential::UnknownToken | InvalidCredential::Expired => {
                DisError { status: 401, ..DisError::forbidden(text) }
            }
            InvalidCredential::BadSignature => DisError::signature(4100, text),
            InvalidCredential::Malformed(_) => DisError::signature(4101, text),
            InvalidCredential::ClockSkew => DisError::signature(4102, text),
            InvalidCredential::UnknownKey
            | InvalidCredential::KeyExpired
            | InvalidCredential::WrongSecurityToken => DisError::signature(4103, text),
        },
        AuthFailure::Unavailable(_) => {
            tracing::error!(failure = %text, "a stream request could not be authenticated");
            let message = "the identity service does not answer; the log of the server tells why";
            DisError { status: 500, ..DisError::new(5000, message) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_tokens_and_of_signatures_have_their_own_status() {
        let invalid = |credential| refusal(&AuthFailure::Invalid(credential));
        assert_eq!(refusal(&AuthFailure::Missing).status, 401);
        assert_eq!(invalid(InvalidCredential::Expired).status, 401);
        let skew = invalid(InvalidCredential::ClockSkew);
        assert_eq!((skew.status, skew.code), (441, 4102));
        let malformed = invalid(InvalidCredential::Malformed("no signed headers".into()));
        assert_eq!((malformed.status, malformed.message.as_str()), (441, "no signed headers"));
        assert_eq!(refusal(&AuthFailure::Unavailable("x".into())).status, 500);
    }
}
