//! The file with profiles: where services are, and what proves who the user is there.
//!
//! It holds secrets, so that nobody but its owner may read it: it is written with mode 0600, and refused when others
//! can read it.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_cloud::identity::SecretKey;

use crate::call::Project;
use crate::connect::Credential;
use crate::error::ClientError;

/// A service, and who the user is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Address of the service.
    pub endpoint: String,
    /// Project that commands are about.
    pub project: Project,
    /// What proves who the user is.
    pub credential: StoredCredential,
}

/// What proves who the user is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StoredCredential {
    /// A token.
    Token {
        /// Name of the user.
        user: String,
        /// Until when the token is good.
        expires_at: String,
        /// The token.
        token: String,
    },
    /// An access key.
    AccessKey {
        /// The public half.
        access_key: String,
        /// The secret half.
        secret_key: String,
    },
}

impl Profile {
    /// Returns the credential.
    pub fn credential(&self) -> Credential {
        let project = Some(self.project.clone());
        match &self.credential {
            StoredCredential::Token { token, .. } => {
                Credential::Token { token: SecretKey::new(token), project }
            }
            StoredCredential::AccessKey { access_key, secret_key } => {
                Credential::Key { access: access_key.clone(), secret: SecretKey::new(secret_key), project }
            }
        }
    }
}

/// The file with profiles.
pub struct Profiles {
    path: PathBuf,
    profiles: BTreeMap<String, Profile>,
}

impl Profiles {
    /// Reads the file; one that is not there has no profiles.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let unreadable = |reason: String| {
            ClientError::Given(format!("the profiles in `{}` cannot be read: {reason}", path.display()))
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { path: path.to_path_buf(), profiles: BTreeMap::new() });
            }
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let mode =
            std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.permissions().mode();
        if mode & 0o077 != 0 {
            let name = path.display();
            return Err(unreadable(format!("others can read its secrets; run `chmod 600 {name}`")));
        }
        // The error of the parser quotes the line, which may be that of a secret.
        let profiles = toml::from_str(&text).map_err(|error| unreadable(error.message().to_string()))?;
        Ok(Self { path: path.to_path_buf(), profiles })
    }

    /// Returns a profile.
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.profiles.get(name)
    }

    /// Returns the names of the profiles.
    pub fn names(&self) -> Vec<&str> {
        self.profiles.keys().map(String::as_str).collect()
    }

    /// Keeps a profile in the file.
    pub fn set(&mut self, name: &str, profile: Profile) -> Result<(), ClientError> {
        self.profiles.insert(name.to_string(), profile);
        self.write()
    }

    /// Takes a profile out of the file.
    pub fn remove(&mut self, name: &str) -> Result<(), ClientError> {
        self.profiles.remove(name);
        self.write()
    }

    /// Replaces the file at once, so that a reader never meets half of it.
    fn write(&self) -> Result<(), ClientError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let written = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let text = toml::to_string(&self.profiles).map_err(std::io::Error::other)?;
            // A temporary file has mode 0600 from its first moment.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        };
        written().map_err(|error| {
            ClientError::Given(format!(
                "the profiles cannot be written to `{}`: {error}",
                self.path.display()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str) -> Profile {
        Profile {
            endpoint: "http://127.0.0.1:8780".into(),
            project: Project { id: "p1".into(), name: name.into() },
            credential: StoredCredential::AccessKey { access_key: "ak".into(), secret_key: "sk".into() },
        }
    }

    #[test]
    fn profiles_are_kept_where_only_the_owner_can_read_them() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("weir").join("profiles.toml");
        let mut profiles = Profiles::read(&path).unwrap();
        assert!(profiles.names().is_empty());
        profiles.set("default", profile("a")).unwrap();
        profiles.set("other", profile("b")).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut read = Profiles::read(&path).unwrap();
        assert_eq!(read.names(), ["default", "other"]);
        assert!(read.get("other") == Some(&profile("b")));
        read.remove("other").unwrap();
        assert_eq!(Profiles::read(&path).unwrap().names(), ["default"]);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("profiles.toml");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = Profiles::read(&path).err().unwrap().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_broken_file_is_refused_without_telling_its_secrets() {
        let place = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(place.path(), "[default]\nendpoint = 1\nsecret_key = \"planted\"\n").unwrap();
        let error = Profiles::read(place.path()).err().unwrap().to_string();
        assert!(error.contains("cannot be read") && !error.contains("planted"), "{error}");
    }
}
