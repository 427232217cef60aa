//! Sealing: secrets that have to be read again later, encrypted at rest.
//!
//! AES-256-GCM with a key in a file of its own, so that a copy of the metadata alone tells nothing. Each secret is bound
//! to what it belongs to: a sealed text that is moved to another place does not open there. Whoever can read the file
//! with the key can read the secrets.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

const KEY_BYTES: usize = 32;

/// A secret cannot be sealed or opened.
#[derive(Debug, Error)]
pub enum SealingError {
    /// The file with the key cannot be used.
    #[error("the key file `{path}` cannot be used: {reason}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another key, another place, or damage.
    #[error("`{of}` was sealed with another key than that in `{path}`, or is damaged; set it anew")]
    Unreadable {
        /// What it belongs to.
        of: String,
        /// The file.
        path: PathBuf,
    },
}

/// Seals and opens secrets with the key in a file. The key is read when it is needed and made at the first sealing.
#[derive(Debug, Clone)]
pub struct Sealer {
    path: PathBuf,
}

impl Sealer {
    /// Makes a sealer that keeps its key in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Returns the file with the key.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Seals a secret that belongs to `of`. The result is text.
    pub fn seal(&self, of: &str, secret: &str) -> Result<String, SealingError> {
        if !self.path.exists() {
            self.make_key().map_err(|error| self.key_error(&error.to_string()))?;
        }
        let mut sealed = secret.as_bytes().to_vec();
        let nonce = self
            .key()?
            .seal_in_place_append_tag(Aad::from(of), &mut sealed)
            .map_err(|_| self.key_error("it cannot encrypt"))?;
        let mut whole = nonce.as_ref().to_vec();
        whole.append(&mut sealed);
        Ok(STANDARD.encode(whole))
    }

    /// Opens a secret that was sealed for `of`.
    pub fn open(&self, of: &str, sealed: &str) -> Result<String, SealingError> {
        let key = self.key()?;
        let opened = STANDARD.decode(sealed).ok().and_then(|mut whole| {
            let (nonce, sealed) = whole.split_at_mut_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let opened = key.open_in_place(nonce, Aad::from(of), sealed).ok()?;
            String::from_utf8(opened.to_vec()).ok()
        });
        opened.ok_or_else(|| SealingError::Unreadable { of: of.to_string(), path: self.path.clone() })
    }

    fn key(&self) -> Result<RandomizedNonceKey, SealingError> {
        let text = std::fs::read_to_string(&self.path).map_err(|error| self.key_error(&error.to_string()))?;
        let bytes = hex::decode(text.trim()).ok().filter(|bytes| bytes.len() == KEY_BYTES);
        let bytes = bytes.ok_or_else(|| self.key_error("it does not hold 64 hexadecimal digits"))?;
        RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| self.key_error("its key is refused"))
    }

    /// Makes the file, for its owner alone. When another process is faster, its key stays.
    fn make_key(&self) -> io::Result<()> {
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let temporary = directory.join(format!(".sealing-{}", uuid::Uuid::new_v4().simple()));
        let made =
            self.write_key(&temporary).and_then(|()| match std::fs::hard_link(&temporary, &self.path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            });
        let _ = std::fs::remove_file(&temporary);
        made?;
        File::open(directory)?.sync_all()
    }

    fn write_key(&self, path: &Path) -> io::Result<()> {
        let key: [u8; KEY_BYTES] = rand::random();
        let mut file = File::options().create_new(true).write(true).mode(0o600).open(path)?;
        // The mask of the process may only take rights away; this makes sure that none were given.
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        writeln!(file, "{}", hex::encode(key))?;
        file.sync_all()
    }

    fn key_error(&self, reason: &str) -> SealingError {
        SealingError::Key { path: self.path.clone(), reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_where_it_was_sealed_and_nowhere_else() {
        let place = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(place.path().join("sealing.key"));
        for secret in ["hunter2", "", "ü\"'\\{{x}}\n"] {
            let sealed = sealer.seal("p/a", secret).unwrap();
            assert_ne!(sealed, sealer.seal("p/a", secret).unwrap(), "equal secrets do not look equal");
            assert_eq!(sealer.open("p/a", &sealed).unwrap(), secret);
            assert!(sealer.open("p/b", &sealed).unwrap_err().to_string().contains("`p/b`"));
        }
    }

    #[test]
    fn the_key_is_for_its_owner_alone_and_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sealing.key");
        let sealed = Sealer::new(&path).seal("a", "x").unwrap();
        let key = std::fs::read_to_string(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        Sealer::new(&path).make_key().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), key, "who comes second leaves it");
        assert_eq!(Sealer::new(&path).open("a", &sealed).unwrap(), "x");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn damage_and_a_lost_key_are_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sealing.key");
        let sealer = Sealer::new(&path);
        let sealed = sealer.seal("a", "x").unwrap();
        for damaged in ["", "!", "AAAA", &sealed[..sealed.len() - 4], &sealed.replacen(&sealed[..1], "/", 1)]
        {
            assert!(matches!(sealer.open("a", damaged), Err(SealingError::Unreadable { .. })), "{damaged}");
        }
        std::fs::write(&path, "00").unwrap();
        assert!(sealer.open("a", &sealed).unwrap_err().to_string().contains("64 hexadecimal"));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(sealer.open("a", &sealed), Err(SealingError::Key { .. })));
    }
}
