//! The secret half of an access key.

use std::fmt;

/// The secret half of an access key.
///
/// It is kept in a form from which it can be read again, because verifying an HMAC needs the very
/// secret that the client has: a hash would not do. It never appears in logs: it has no `Display`, and
/// its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(String);

impl SecretKey {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// Returns the secret, to compute with it or to show it once to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_secret() {
        assert_eq!(format!("{:?}", SecretKey::new("abc")), "SecretKey(..)");
    }
}
