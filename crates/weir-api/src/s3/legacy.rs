//! The older signatures: `AWS ak:signature`, `OBS ak:signature`, and links that carry them.
//!
//! They are checked here. A request that passes goes on without its signature and with its [`Sender`], and
//! headers of the OBS dialect are translated to those that `s3s` knows, and back in the answer.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use s3s::{S3Error, S3Result, s3_error};
use weir_cloud::identity::signature::SignedRequest;
use weir_cloud::identity::signature::object::{self, Dialect, ObjectAuthorization};
use weir_cloud::identity::{Identity, RequestError};

use super::access::{Sender, refusal, security_token};
use crate::auth::signed_headers;

const SIGNATURE_PARAMETERS: [&str; 6] =
    ["AWSAccessKeyId", "AccessKeyId", "Signature", "Expires", "x-amz-security-token", "x-obs-security-token"];

/// Checks a request that has an older signature; others pass untouched with `None`.
pub(super) async fn admit(identity: &Identity, parts: &mut Parts) -> S3Result<Option<Dialect>> {
    let Some(authorization) = authorization_of(parts)? else { return Ok(None) };
    let secret = identity.key_secret(&authorization.access_key).await.map_err(refusal)?;
    let headers = signed_headers(&parts.headers);
    let request = SignedRequest {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &headers,
        body: &[],
    };
    object::verify(&authorization, &request, &secret, identity.now()).map_err(failure)?;
    let security_token = security_token(&parts.headers, &parts.uri);
    let caller = identity.key_caller(&authorization.access_key, security_token.as_deref()).await;
    let caller = caller.map_err(refusal)?;
    parts.extensions.insert(Sender(caller));
    parts.headers.remove(header::AUTHORIZATION);
    if authorization.expires.is_some() {
        parts.uri = without_signature(&parts.uri)?;
    }
    if authorization.dialect == Dialect::Obs {
        rename(&mut parts.headers, "x-obs-", "x-amz-");
    }
    Ok(Some(authorization.dialect))
}

/// Gives the headers of an answer the names of the client's dialect.
pub(super) fn translate_answer(dialect: Dialect, headers: &mut HeaderMap) {
    if dialect == Dialect::Obs {
        rename(headers, "x-amz-", "x-obs-");
    }
}

fn authorization_of(parts: &Parts) -> S3Result<Option<ObjectAuthorization>> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let found = match header {
        Some(value) => ObjectAuthorization::from_header(value),
        None => parts.uri.query().and_then(ObjectAuthorization::from_query),
    };
    found.transpose().map_err(|reason| s3_error!(InvalidArgument, "{reason}"))
}

fn failure(error: RequestError) -> S3Error {
    match &error {
        RequestError::UnknownKey => s3_error!(InvalidAccessKeyId, "{error}"),
        RequestError::KeyExpired => s3_error!(ExpiredToken, "{error}"),
        RequestError::WrongSecurityToken => s3_error!(InvalidToken, "{error}"),
        RequestError::BadSignature => s3_error!(SignatureDoesNotMatch, "{error}"),
        RequestError::ClockSkew => s3_error!(RequestTimeTooSkewed, "{error}"),
        RequestError::Malformed(_) => s3_error!(AccessDenied, "{error}"),
        RequestError::Unavailable(_) => s3_error!(ServiceUnavailable, "{error}"),
    }
}

fn without_signature(uri: &Uri) -> S3Result<Uri> {
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !SIGNATURE_PARAMETERS.contains(&name)
    };
    let kept: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(is_kept).collect();
    let text =
        if kept.is_empty() { uri.path().to_string() } else { format!("{}?{}", uri.path(), kept.join("&")) };
    text.parse().map_err(|_| s3_error!(InvalidURI))
}

fn rename(headers: &mut HeaderMap, from: &str, to: &str) {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with(from)).cloned().collect();
    for name in names {
        let Ok(renamed) = name.as_str().replacen(from, to, 1).parse::<HeaderName>() else { continue };
        if let Some(value) = headers.remove(&name) {
            headers.insert(renamed, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_loses_its_signature_and_nothing_else() {
        let uri: Uri = "/b/k?uploadId=1&AccessKeyId=a&Expires=5&Signature=s%3D&partNumber=2".parse().unwrap();
        assert_eq!(without_signature(&uri).unwrap().to_string(), "/b/k?uploadId=1&partNumber=2");
        let uri: Uri = "/b/k?AWSAccessKeyId=a&Expires=5&Signature=s".parse().unwrap();
        assert_eq!(without_signature(&uri).unwrap().to_string(), "/b/k");
    }

    #[test]
    fn headers_change_their_dialect() {
        let mut headers = HeaderMap::new();
        headers.insert("x-obs-meta-k", "v".parse().unwrap());
        headers.insert("content-type", "text/plain".parse().unwrap());
        rename(&mut headers, "x-obs-", "x-amz-");
        assert_eq!(headers["x-amz-meta-k"], "v");
        assert_eq!(headers.len(), 2);
    }
}
