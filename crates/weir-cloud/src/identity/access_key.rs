//! Making, listing, switching and removing access keys.

use super::Identity;
use super::error::AdministerError;
use super::record::{AccessKey, KeyChange, KeyStatus};
use super::secret::SecretKey;

/// Access keys that a user may have, as in the original service.
const KEYS_PER_USER: usize = 2;

/// Lengths of the two halves, as in the original service.
pub(super) const ACCESS_LENGTH: usize = 20;
pub(super) const SECRET_LENGTH: usize = 40;

pub(super) const ACCESS_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
pub(super) const SECRET_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Identity {
    /// Makes an access key for a user; this is the only time that its secret half is returned to people.
    pub async fn create_key(&self, user_id: &str, description: &str) -> Result<AccessKey, AdministerError> {
        if self.user(user_id).await?.is_none() {
            return Err(AdministerError::NotFound(format!("user `{user_id}`")));
        }
        if self.repository.keys(user_id).await?.len() >= KEYS_PER_USER {
            return Err(AdministerError::TooManyKeys);
        }
        let key = AccessKey {
            access: random_text(ACCESS_LETTERS, ACCESS_LENGTH),
            secret: SecretKey::new(random_text(SECRET_LETTERS, SECRET_LENGTH)),
            user_id: user_id.to_string(),
            description: description.to_string(),
            status: KeyStatus::Active,
            created_at: self.clock.now(),
            last_used_at: None,
        };
        self.changing(self.repository.insert_key(&key)).await?;
        Ok(key)
    }

    /// Returns an access key.
    pub async fn key(&self, access: &str) -> Result<Option<AccessKey>, AdministerError> {
        Ok(self.repository.key(access).await?)
    }

    /// Returns the access keys of a user, the oldest first.
    pub async fn keys(&self, user_id: &str) -> Result<Vec<AccessKey>, AdministerError> {
        Ok(self.repository.keys(user_id).await?)
    }

    /// Changes an access key. Returns it as it is then.
    pub async fn update_key(&self, access: &str, change: &KeyChange) -> Result<AccessKey, AdministerError> {
        match self.changing(self.repository.update_key(access, change)).await? {
            true => self.repository.key(access).await?.ok_or_else(|| unknown(access)),
            false => Err(unknown(access)),
        }
    }

    /// Removes an access key and the temporary ones made from it.
    pub async fn delete_key(&self, access: &str) -> Result<(), AdministerError> {
        let was_there = self.changing(self.repository.delete_key(access)).await?;
        if was_there { Ok(()) } else { Err(unknown(access)) }
    }
}

fn unknown(access: &str) -> AdministerError {
    AdministerError::NotFound(format!("access key `{access}`"))
}

pub(super) fn random_text(letters: &[u8], length: usize) -> String {
    (0..length).map(|_| char::from(letters[rand::random_range(0..letters.len())])).collect()
}
