//! Access keys for a while: three texts that go together, made from a credential or through an agency.
//!
//! They can do what the credential could, in all its projects, and end with it, with a password change and with the
//! disabling of the user. A key made from a temporary one ends with what that was made from.

use std::time::Duration;

use super::Identity;
use super::access_key::{ACCESS_LENGTH, ACCESS_LETTERS, SECRET_LENGTH, SECRET_LETTERS, random_text};
use super::error::LoginError;
use super::log_in::DomainSelector;
use super::record::{Origin, TemporaryKey};
use super::secret::SecretKey;
use super::service::hash_of;
use super::session::{Facts, Session};

/// Length of security tokens; with letters and digits it is about 570 bits.
const TOKEN_LENGTH: usize = 96;

/// A new temporary key.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    /// What is stored.
    pub key: TemporaryKey,
    /// The text that goes with each request, shown once and stored nowhere.
    pub security_token: SecretKey,
}

impl Identity {
    /// Makes a key that may do what a session may.
    pub async fn issue_key(&self, session: &Session, life: Duration) -> Result<IssuedKey, LoginError> {
        let (user_id, agency_id) = session.bearer();
        let facts = self.facts_of(&user_id, agency_id.as_deref()).await?.ok_or(LoginError::InvalidToken)?;
        let project = session.project().map(|project| project.id.clone());
        let project = project.or_else(|| facts.default_project_id.clone());
        self.keep_key(&facts, project, session, life).await
    }

    /// Makes a key that may do what an agency may, for a caller who may act through it.
    pub async fn issue_key_of_agency(
        &self,
        caller: &Session,
        agency: &str,
        domain: &DomainSelector,
        life: Duration,
    ) -> Result<IssuedKey, LoginError> {
        let facts = self.agency_of(caller, agency, domain).await?;
        self.keep_key(&facts, None, caller, life).await
    }

    async fn keep_key(
        &self,
        facts: &Facts,
        default_project_id: Option<String>,
        caller: &Session,
        life: Duration,
    ) -> Result<IssuedKey, LoginError> {
        let security_token = random_text(SECRET_LETTERS, TOKEN_LENGTH);
        let (user_id, agency_id) = facts.bearer();
        let key = TemporaryKey {
            access: random_text(ACCESS_LETTERS, ACCESS_LENGTH),
            secret: SecretKey::new(random_text(SECRET_LETTERS, SECRET_LENGTH)),
            token_hash: hash_of(&security_token),
            user_id,
            agency_id,
            origin: caller.origin.clone(),
            default_project_id,
            created_at: self.clock.now(),
            expires_at: caller.bound(self.clock.now().plus(life)),
        };
        self.purge().await?;
        let is_kept = self.repository.insert_temporary_key(&key).await?;
        // Asked after the key is stored: a revocation either finds the key or is seen here.
        if !is_kept || !self.is_in_force(&key.origin).await? {
            if let Origin::RemoteToken(token) = &key.origin {
                self.repository.delete_temporary_keys_of_remote(token).await?;
            }
            return Err(LoginError::InvalidToken);
        }
        Ok(IssuedKey { key, security_token: SecretKey::new(security_token) })
    }
}
