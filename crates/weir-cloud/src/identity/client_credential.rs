//! The other side of authentication: how a client proves who it is.

use chrono::DateTime;
use reqwest::Url;
use weir_base::time::Timestamp;

use super::error::RequestError;
use super::secret::SecretKey;
use super::signature::{self, Authorization, CredentialScope, Form, SignedRequest};

/// How a client proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredential {
    /// A token.
    Token(SecretKey),
    /// An access key.
    Key {
        /// The public half.
        access: String,
        /// The secret half.
        secret: SecretKey,
    },
}

/// A request that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Method in upper case.
    pub method: &'a str,
    /// Address with its query.
    pub url: &'a Url,
    /// Id of the project that the request is about.
    pub project: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

impl ClientCredential {
    /// Returns the headers that a request needs. The HTTP client must write `Host` by itself, with the port unless it
    /// is that of the scheme.
    pub fn headers(
        &self,
        request: &Outgoing<'_>,
        now: Timestamp,
    ) -> Result<Vec<(String, String)>, RequestError> {
        match self {
            Self::Token(token) => Ok(vec![("x-auth-token".to_string(), token.expose().to_string())]),
            Self::Key { access, secret } => sign(access, secret, request, now),
        }
    }
}

/// Signs in the plain form, which every gateway knows and which needs no region.
fn sign(
    access: &str,
    secret: &SecretKey,
    request: &Outgoing<'_>,
    now: Timestamp,
) -> Result<Vec<(String, String)>, RequestError> {
    let url = request.url;
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_string(),
    };
    let date = DateTime::from_timestamp_millis(now.0).unwrap_or_default();
    let mut headers = vec![("host".to_string(), host)];
    headers.extend(request.project.map(|project| ("x-project-id".to_string(), project.to_string())));
    headers.push(("x-sdk-date".to_string(), date.format("%Y%m%dT%H%M%SZ").to_string()));
    let authorization = Authorization {
        form: Form::Plain,
        access_key: access.to_string(),
        scope: CredentialScope::default(),
        signed_headers: headers.iter().map(|(name, _)| name.clone()).collect(),
        signature: String::new(),
    };
    let signed = SignedRequest {
        method: request.method,
        path: url.path(),
        query: url.query(),
        headers: &headers,
        body: request.body,
    };
    let signature = signature::sign(&authorization, &signed, secret)?;
    let names = authorization.signed_headers.join(";");
    headers.push((
        "authorization".to_string(),
        format!("SDK-HMAC-SHA256 Access={access}, SignedHeaders={names}, Signature={signature}"),
    ));
    // The HTTP client writes it by itself, in the same form.
    headers.remove(0);
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_what_the_service_verifies() {
        let secret = SecretKey::new("SKEXAMPLE");
        let key = ClientCredential::Key { access: "AKEXAMPLE".to_string(), secret: secret.clone() };
        let url = Url::parse("http://cs.example.com:8780/v1.0/p1/jobs?name=a%20b&limit=5").unwrap();
        let now = Timestamp(1_546_300_800_000);
        for project in [Some("p1"), None] {
            let outgoing = Outgoing { method: "POST", url: &url, project, body: b"{}" };
            let mut headers = key.headers(&outgoing, now).unwrap();
            let (_, value) = headers.iter().find(|(name, _)| name == "authorization").unwrap().clone();
            assert_eq!(headers.iter().any(|(name, _)| name == "x-project-id"), project.is_some());
            headers.push(("host".to_string(), "cs.example.com:8780".to_string()));
            let authorization = Authorization::parse(&value).unwrap();
            let mut request = SignedRequest {
                method: "POST",
                path: url.path(),
                query: url.query(),
                headers: &headers,
                body: b"{}",
            };
            assert_eq!(signature::verify(&authorization, &request, &secret, now), Ok(()));
            request.body = b"[]";
            let refused = signature::verify(&authorization, &request, &secret, now);
            assert_eq!(refused, Err(RequestError::BadSignature));
        }
    }
}
