//! Signs deliveries to webhooks, with a key that the service makes for itself and keeps in a file.
//!
//! The certificate is served without authentication; a subscriber that fetched it once can tell messages of this service from others.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use thiserror::Error;
use weir_base::time::Timestamp;

use super::certificate;

/// How long the certificate is good. It is its own authority: it is changed by removing the file.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(20 * 365 * 24 * 3_600);
const KEY_LABEL: &str = "PRIVATE KEY";
const CERTIFICATE_LABEL: &str = "CERTIFICATE";

/// The key cannot be made, read or used.
#[derive(Debug, Error)]
pub enum SignerError {
    /// The file cannot be used.
    #[error("the signing key `{path}` cannot be used: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The library refused.
    #[error("the message could not be signed")]
    Sign,
}

/// A key with its certificate.
pub struct Signer {
    key: KeyPair,
    /// PEM.
    certificate: String,
    name: String,
}

impl Signer {
    /// Opens the file with key and certificate; makes it, for its owner alone, when it is missing.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, SignerError> {
        let fault = |reason: String| SignerError::File { path: path.to_path_buf(), reason };
        if !path.exists() {
            let made = make(now).map_err(|()| fault("the key could not be made".to_string()))?;
            write(path, &made).map_err(|error| fault(error.to_string()))?;
        }
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        let part = |label| read_pem(&text, label).ok_or_else(|| fault(format!("it has no {label}")));
        let key = KeyPair::from_pkcs8(&part(KEY_LABEL)?).map_err(|error| fault(error.to_string()))?;
        let certificate = part(CERTIFICATE_LABEL)?;
        let digest = hex::encode(&Sha256::digest(&certificate)[..16]);
        Ok(Self { key, certificate: pem(CERTIFICATE_LABEL, &certificate), name: format!("SMN_{digest}.pem") })
    }

    /// Returns the certificate as PEM.
    pub(super) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Returns the name of the certificate; another certificate has another one.
    pub(super) fn certificate_name(&self) -> &str {
        &self.name
    }

    /// Signs members of a message, in this order.
    pub(super) fn sign(&self, members: &[(&str, &str)]) -> Result<String, SignerError> {
        let text: String = members.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect();
        sign(&self.key, text.as_bytes())
            .map(|signature| STANDARD.encode(signature))
            .map_err(|()| SignerError::Sign)
    }
}

/// Returns a time as it stands in a message.
pub fn wire_time(at: Timestamp) -> String {
    date(at).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn date(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.0).unwrap_or_default()
}

fn sign(key: &KeyPair, text: &[u8]) -> Result<Vec<u8>, ()> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).map_err(|_| ())?;
    Ok(signature)
}

/// Makes a key and its certificate, as PEM.
fn make(now: Timestamp) -> Result<String, ()> {
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| ())?;
    let pkcs8: Pkcs8V1Der<'_> = key.as_der().map_err(|_| ())?;
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| ())?;
    let life = (date(now), date(now.plus(CERTIFICATE_LIFE)));
    let inner = certificate::to_be_signed("weir notifications", rand::random(), life, public.as_ref());
    let certificate = certificate::signed(&inner, &sign(&key, &inner)?);
    Ok(pem(KEY_LABEL, pkcs8.as_ref()) + &pem(CERTIFICATE_LABEL, &certificate))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file =
        std::fs::File::options().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(temporary, path)
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

fn read_pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("key.pem");
        let first = Signer::open(&path, Timestamp(0)).unwrap();
        let again = Signer::open(&path, Timestamp(1)).unwrap();
        assert_eq!(first.name, again.name);
        assert_eq!(first.sign(&[("a", "b")]).unwrap(), again.sign(&[("a", "b")]).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!first.certificate().contains("PRIVATE"));
        std::fs::write(&path, "no key").unwrap();
        assert!(matches!(Signer::open(&path, Timestamp(1)), Err(SignerError::File { .. })));
    }
}
