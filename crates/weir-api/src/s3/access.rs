//! Who may do what: access keys of the embedded identity, and the roles of their owners.
//!
//! Buckets belong to the installation and not to a project: whoever may write, may write everywhere.

use std::sync::Arc;

use axum::http::Method;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};
use weir_cloud::identity::{Identity, KeyError};

/// Roles that may do everything.
const WRITERS: [&str; 4] = ["te_admin", "cs_adm", "cs_user", "obs_adm"];

/// The role that may read.
const READER: &str = "cs_readonly";

/// Says that the older signature of a request was checked already, and what its sender may do.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub roles: Vec<String>,
}

/// Finds the secret half of an access key.
pub(super) struct Keys(pub Arc<Identity>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let caller = self.0.key_caller(access_key).await.map_err(refusal)?;
        Ok(SecretKey::from(caller.key.secret.expose()))
    }
}

/// Decides by the roles of the sender.
pub(super) struct Access(pub Arc<Identity>);

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let is_reading = matches!(*context.method(), Method::GET | Method::HEAD);
        if let Some(verified) = context.extensions_mut().get::<Verified>() {
            return decide(&verified.roles, is_reading);
        }
        let Some(credentials) = context.credentials() else {
            return Err(s3_error!(AccessDenied, "a signature with an access key is required"));
        };
        let caller = self.0.key_caller(&credentials.access_key).await.map_err(refusal)?;
        decide(&caller.roles, is_reading)
    }
}

fn decide(roles: &[String], is_reading: bool) -> S3Result<()> {
    let may = |role: &String| WRITERS.contains(&role.as_str()) || (is_reading && role == READER);
    if roles.iter().any(may) {
        return Ok(());
    }
    Err(s3_error!(AccessDenied, "the owner of the access key has no role that allows this"))
}

/// The answer to a key that is not good.
pub(super) fn refusal(error: KeyError) -> s3s::S3Error {
    match error {
        KeyError::Unknown | KeyError::Inactive => s3_error!(InvalidAccessKeyId, "{error}"),
        KeyError::Unavailable(_) => s3_error!(ServiceUnavailable, "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_read_and_writers_do_both() {
        let roles = |name: &str| vec![name.to_string()];
        assert!(decide(&roles("cs_user"), false).is_ok());
        assert!(decide(&roles("cs_readonly"), true).is_ok());
        assert!(decide(&roles("cs_readonly"), false).is_err());
        assert!(decide(&roles("dis_adm"), true).is_err());
        assert!(decide(&[], true).is_err());
    }
}
