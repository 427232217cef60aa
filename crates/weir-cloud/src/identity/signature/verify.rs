//! Checks a signature against a request and the secret half of the key.

use std::time::Duration;

use chrono::NaiveDateTime;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use weir_base::time::Timestamp;

use super::authorization::{Authorization, CredentialScope, Form};
use super::{SignedRequest, canonical};
use crate::identity::error::RequestError;
use crate::identity::secret::SecretKey;

/// How far the date of a request may be from the present, in both directions.
pub const CLOCK_SKEW: Duration = Duration::from_secs(15 * 60);

/// Returns the headers that a request must sign. The SDKs that sign in the forms without `sdk_request` leave the host out
/// in Go, though not in Python; all clients of the other forms sign it.
fn needed_headers(form: Form) -> &'static [&'static str] {
    match form {
        Form::Plain | Form::Derived => &["x-sdk-date"],
        Form::Scoped | Form::DerivedScoped => &["host", "x-sdk-date"],
    }
}

/// Checks the date, the body's hash and the signature of a request.
pub fn verify(
    authorization: &Authorization,
    request: &SignedRequest<'_>,
    secret: &SecretKey,
    now: Timestamp,
) -> Result<(), RequestError> {
    let date_time = check_date(authorization, request, now)?;
    for needed in needed_headers(authorization.form) {
        if !authorization.signed_headers.iter().any(|name| name == needed) {
            return Err(RequestError::Malformed(format!("the header `{needed}` must be signed")));
        }
    }
    let signature = hex::decode(&authorization.signature).map_err(|_| RequestError::BadSignature)?;
    let key = signing_key(authorization.form, &authorization.access_key, secret, &authorization.scope);
    for canonical in canonical_requests(authorization, request)? {
        let text = string_to_sign(authorization, &date_time, &canonical);
        // `verify_slice` takes the same time whatever differs.
        if mac_of(&key, text.as_bytes()).verify_slice(&signature).is_ok() {
            return Ok(());
        }
    }
    Err(RequestError::BadSignature)
}

/// Returns the signature of a request in the way of the client library, in hexadecimal characters; the
/// `signature` of `authorization` is not looked at. For tests and for calls to other services.
pub fn sign(
    authorization: &Authorization,
    request: &SignedRequest<'_>,
    secret: &SecretKey,
) -> Result<String, RequestError> {
    let date_time = request.header("x-sdk-date").unwrap_or_default();
    let key = signing_key(authorization.form, &authorization.access_key, secret, &authorization.scope);
    let canonical = canonical_requests(authorization, request)?;
    let first = canonical.first().map(String::as_str).unwrap_or_default();
    let text = string_to_sign(authorization, &date_time, first);
    Ok(hex::encode(mac_of(&key, text.as_bytes()).finalize().into_bytes()))
}

/// Returns the date-time text of the request, when it is near the present and fits the scope.
fn check_date(
    authorization: &Authorization,
    request: &SignedRequest<'_>,
    now: Timestamp,
) -> Result<String, RequestError> {
    let malformed = |text: &str| RequestError::Malformed(text.to_string());
    let text = request.header("x-sdk-date").ok_or_else(|| malformed("the header `X-Sdk-Date` is missing"))?;
    let date = NaiveDateTime::parse_from_str(&text, "%Y%m%dT%H%M%SZ")
        .map_err(|_| malformed("the header `X-Sdk-Date` must look like `20190101T000000Z`"))?;
    let sent = Timestamp(date.and_utc().timestamp_millis());
    if now.since(sent) > CLOCK_SKEW || sent.since(now) > CLOCK_SKEW {
        return Err(RequestError::ClockSkew);
    }
    let is_bound = authorization.form != Form::Plain;
    if is_bound && !text.starts_with(&authorization.scope.date) {
        return Err(malformed("the date of the `Credential` is not that of `X-Sdk-Date`"));
    }
    Ok(text)
}

/// Returns every canonical request that a known client would have made of this request.
fn canonical_requests(
    authorization: &Authorization,
    request: &SignedRequest<'_>,
) -> Result<Vec<String>, RequestError> {
    let names = &authorization.signed_headers;
    let headers = canonical::headers(request, names).map_err(RequestError::Malformed)?;
    let queries = canonical::queries(request.query);
    let body_hash = checked_body_hash(request)?;
    let mut payloads: Vec<(&str, String)> =
        queries.iter().map(|query| (query.as_str(), body_hash.clone())).collect();
    if authorization.form == Form::Scoped && request.method == "POST" && request.body.is_empty() {
        // One client signs a POST without a body as if its query were the body.
        let raw = request.query.unwrap_or_default();
        let bodies = queries.iter().map(String::as_str).chain([raw]);
        payloads.extend(bodies.map(|query| ("", hex_hash(query.as_bytes()))));
    }
    let mut found = Vec::new();
    for path in canonical::paths(request.path) {
        for headers in &headers {
            for (query, hash) in &payloads {
                found.push(format!(
                    "{}\n{path}\n{query}\n{headers}\n{}\n{hash}",
                    request.method,
                    names.join(";")
                ));
            }
        }
    }
    Ok(found)
}

/// Returns the hash of the body. A hash that the client sends must be the body's own: otherwise the
/// signature would not protect the body.
fn checked_body_hash(request: &SignedRequest<'_>) -> Result<String, RequestError> {
    let hash = hex_hash(request.body);
    match request.header("x-sdk-content-sha256") {
        None => Ok(hash),
        Some(sent) if sent.eq_ignore_ascii_case("UNSIGNED-PAYLOAD") => Err(RequestError::Malformed(
            "an unsigned body (`UNSIGNED-PAYLOAD`) is not accepted; sign the body or use a token".to_string(),
        )),
        Some(sent) if sent.eq_ignore_ascii_case(&hash) => Ok(sent),
        Some(_) => Err(RequestError::BadSignature),
    }
}

fn string_to_sign(authorization: &Authorization, date_time: &str, canonical_request: &str) -> String {
    let algorithm = authorization.form.algorithm();
    let hash = hex_hash(canonical_request.as_bytes());
    let CredentialScope { date, region, service } = &authorization.scope;
    match authorization.form {
        Form::Plain => format!("{algorithm}\n{date_time}\n{hash}"),
        Form::Derived => format!("{algorithm}\n{date_time}\n{date}/{region}/{service}\n{hash}"),
        Form::Scoped | Form::DerivedScoped => {
            format!("{algorithm}\n{date_time}\n{date}/{region}/{service}/sdk_request\n{hash}")
        }
    }
}

fn signing_key(form: Form, access_key: &str, secret: &SecretKey, scope: &CredentialScope) -> Vec<u8> {
    match form {
        Form::Plain => secret.expose().as_bytes().to_vec(),
        Form::Scoped => chain(secret.expose(), scope),
        Form::Derived => derived(access_key, secret, scope).into_bytes(),
        Form::DerivedScoped => chain(&derived(access_key, secret, scope), scope),
    }
}

/// Derives a key by HKDF with one block; written in hexadecimal characters, which is how it is used.
fn derived(access_key: &str, secret: &SecretKey, scope: &CredentialScope) -> String {
    let extracted = hmac_sha256(access_key.as_bytes(), secret.expose().as_bytes());
    let mut information = format!("{}/{}/{}", scope.date, scope.region, scope.service).into_bytes();
    information.push(1);
    hex::encode(hmac_sha256(&extracted, &information))
}

fn chain(secret: &str, scope: &CredentialScope) -> Vec<u8> {
    [&scope.date, &scope.region, &scope.service, "sdk_request"]
        .into_iter()
        .fold(format!("SDK{secret}").into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()))
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    mac_of(key, text).finalize().into_bytes().to_vec()
}

fn mac_of(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(text);
    mac
}

fn hex_hash(text: &[u8]) -> String {
    hex::encode(Sha256::digest(text))
}
