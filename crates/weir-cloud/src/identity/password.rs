//! Passwords as argon2id hashes.
//!
//! Hashing takes tens of milliseconds and megabytes on purpose, so that it runs on a blocking thread,
//! a few at a time: logging in cannot starve the service of memory or of its async threads.

use std::fmt;
use std::sync::{Arc, OnceLock};

use argon2::password_hash::{
    PasswordHash as PhcHash, PasswordHasher as _, PasswordVerifier as _, SaltString,
};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hashes computed at the same time.
const CONCURRENT_HASHES: usize = 2;

/// Length of generated passwords; with 56 letters and digits it is about 116 bits.
const GENERATED_LENGTH: usize = 20;

/// Letters and digits without those that look alike.
const READABLE: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/// The hash of a password in the PHC text form, salt and cost included.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a stored hash.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashingCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl HashingCost {
    /// The smallest cost that argon2 takes, for tests.
    pub const LOWEST: Self = Self { memory_kib: 8, passes: 1 };
}

impl Default for HashingCost {
    /// The OWASP recommendation for argon2id: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

/// The right to compute hashes, one after the other; a few are given at a time.
pub(super) struct Turn(
    #[expect(dead_code, reason = "the turn ends when it is dropped")] OwnedSemaphorePermit,
);

/// Hashes and checks passwords.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    cost: HashingCost,
    permits: Arc<Semaphore>,
    /// Checked when there is no user, so that an unknown name takes as long as a wrong password.
    /// Made when it is first needed: it costs as much as a login, and starting shall be quick.
    decoy: Arc<OnceLock<PasswordHash>>,
}

impl Hasher {
    pub(super) fn new(cost: HashingCost) -> Self {
        Self { cost, permits: Arc::new(Semaphore::new(CONCURRENT_HASHES)), decoy: Arc::default() }
    }

    /// Hashes a password.
    pub(super) async fn hash(&self, password: &str) -> Result<PasswordHash, String> {
        let (cost, password) = (self.cost, password.to_string());
        let _turn = self.turn().await?;
        run(move || hash_now(cost, &password)).await?
    }

    /// Waits for its turn to compute a hash.
    pub(super) async fn turn(&self) -> Result<Turn, String> {
        let permits = Arc::clone(&self.permits);
        Ok(Turn(permits.acquire_owned().await.map_err(|error| error.to_string())?))
    }

    /// Says whether a password fits a hash; `None` spends the same time and says no.
    pub(super) async fn verify(
        &self,
        _turn: &Turn,
        password: &str,
        hash: Option<&PasswordHash>,
    ) -> Result<bool, String> {
        let (real, password, cost) = (hash.cloned(), password.to_string(), self.cost);
        let decoy = Arc::clone(&self.decoy);
        run(move || match real {
            Some(hash) => verify_now(&password, &hash),
            None => {
                let decoy = decoy
                    .get_or_init(|| hash_now(cost, &generate()).unwrap_or_else(|_| PasswordHash::new("")));
                let _ = verify_now(&password, decoy);
                false
            }
        })
        .await
    }
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
}

fn argon2id(cost: HashingCost) -> Result<Argon2<'static>, String> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|error| error.to_string())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(cost: HashingCost, password: &str) -> Result<PasswordHash, String> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(|error| error.to_string())?;
    let hash =
        argon2id(cost)?.hash_password(password.as_bytes(), &salt).map_err(|error| error.to_string())?;
    Ok(PasswordHash(hash.to_string()))
}

fn verify_now(password: &str, hash: &PasswordHash) -> bool {
    // The cost is that of the stored hash, which `verify_password` reads from its text.
    PhcHash::new(&hash.0)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Returns a random password that can be read aloud.
pub(super) fn generate() -> String {
    (0..GENERATED_LENGTH).map(|_| char::from(READABLE[rand::random_range(0..READABLE.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let hasher = Hasher::new(HashingCost::LOWEST);
        let hash = hasher.hash("secret").await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        let turn = hasher.turn().await.unwrap();
        assert!(hasher.verify(&turn, "secret", Some(&hash)).await.unwrap());
        assert!(!hasher.verify(&turn, "Secret", Some(&hash)).await.unwrap());
        assert!(!hasher.verify(&turn, "secret", None).await.unwrap());
    }

    #[tokio::test]
    async fn equal_passwords_have_different_hashes() {
        let hasher = Hasher::new(HashingCost::LOWEST);
        assert_ne!(hasher.hash("secret").await.unwrap(), hasher.hash("secret").await.unwrap());
    }

    #[test]
    fn an_unreadable_hash_fits_nothing() {
        assert!(!verify_now("secret", &PasswordHash::new("plain")));
    }

    #[test]
    fn a_hash_is_not_shown() {
        assert_eq!(format!("{:?}", PasswordHash::new("$argon2id$x")), "PasswordHash(..)");
    }
}
