//! The older signatures of object clients: `OBS {ak}:{signature}`, `AWS {ak}:{signature}`, and the same
//! as query parameters of a link that expires. HMAC-SHA1 over a text made of some headers and the path.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime};
use hmac::{Hmac, Mac};
use percent_encoding::percent_decode_str;
use sha1::Sha1;
use weir_base::time::Timestamp;

use super::{CLOCK_SKEW, SignedRequest, join_headers};
use crate::identity::error::RequestError;
use crate::identity::secret::SecretKey;

/// Which prefix the special headers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `x-obs-`.
    Obs,
    /// `x-amz-`.
    Aws,
}

impl Dialect {
    /// Returns the prefix of the special headers.
    pub fn header_prefix(self) -> &'static str {
        match self {
            Self::Obs => "x-obs-",
            Self::Aws => "x-amz-",
        }
    }
}

/// An older signature, taken from the header or the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectAuthorization {
    /// Prefix of the special headers.
    pub dialect: Dialect,
    /// The public half of the access key.
    pub access_key: String,
    /// The signature in base64.
    pub signature: String,
    /// The end of a link, in seconds since the epoch.
    pub expires: Option<i64>,
}

impl ObjectAuthorization {
    /// Reads an Authorization header; `None` when it is of another kind.
    pub fn from_header(value: &str) -> Option<Result<Self, String>> {
        let (scheme, rest) = value.split_once(' ')?;
        let dialect = match scheme {
            "OBS" => Dialect::Obs,
            "AWS" => Dialect::Aws,
            _ => return None,
        };
        let parsed = match rest.trim().rsplit_once(':') {
            Some((access, signature)) if !access.is_empty() => Ok(Self {
                dialect,
                access_key: access.to_string(),
                signature: signature.to_string(),
                expires: None,
            }),
            _ => Err(format!("the Authorization header must be `{scheme} {{access key}}:{{signature}}`")),
        };
        Some(parsed)
    }

    /// Reads the query of a link; `None` when it has no such signature.
    pub fn from_query(query: &str) -> Option<Result<Self, String>> {
        let pairs = pairs_of(query);
        let value =
            |name: &str| pairs.iter().find(|(found, _)| found == name).and_then(|(_, value)| value.clone());
        let (dialect, access_key) = match (value("AWSAccessKeyId"), value("AccessKeyId")) {
            (Some(access), _) => (Dialect::Aws, access),
            (None, Some(access)) => (Dialect::Obs, access),
            (None, None) => return None,
        };
        let signature = value("Signature")?;
        let expires = value("Expires").and_then(|text| text.parse().ok());
        Some(match expires {
            Some(expires) => Ok(Self { dialect, access_key, signature, expires: Some(expires) }),
            None => Err("`Expires` of the link must be seconds since the epoch".to_string()),
        })
    }
}

/// Checks the date and the signature of a request. The body is not part of it.
pub fn verify(
    authorization: &ObjectAuthorization,
    request: &SignedRequest<'_>,
    secret: &SecretKey,
    now: Timestamp,
) -> Result<(), RequestError> {
    let date_line = check_date(authorization, request, now)?;
    let signature = STANDARD.decode(&authorization.signature).map_err(|_| RequestError::BadSignature)?;
    for text in texts_to_sign(authorization, request, &date_line) {
        let mut mac = <Hmac<Sha1> as Mac>::new_from_slice(secret.expose().as_bytes())
            .expect("HMAC takes keys of every length");
        mac.update(text.as_bytes());
        if mac.verify_slice(&signature).is_ok() {
            return Ok(());
        }
    }
    Err(RequestError::BadSignature)
}

/// Returns the line of the text that holds the date: the end of a link, nothing when the special date
/// header is there, else the Date header.
fn check_date(
    authorization: &ObjectAuthorization,
    request: &SignedRequest<'_>,
    now: Timestamp,
) -> Result<String, RequestError> {
    if let Some(expires) = authorization.expires {
        if now.0 > expires.saturating_mul(1_000) {
            return Err(RequestError::Malformed("the link has expired".to_string()));
        }
        return Ok(expires.to_string());
    }
    let special = request.header(&format!("{}date", authorization.dialect.header_prefix()));
    let plain = request.header("date").unwrap_or_default();
    let text = special.as_deref().unwrap_or(&plain);
    let sent = read_date(text).ok_or_else(|| {
        RequestError::Malformed(
            "the `Date` header must look like `Tue, 01 Jan 2019 00:00:00 GMT`".to_string(),
        )
    })?;
    if now.since(sent) > CLOCK_SKEW || sent.since(now) > CLOCK_SKEW {
        return Err(RequestError::ClockSkew);
    }
    Ok(if special.is_some() { String::new() } else { plain })
}

fn read_date(text: &str) -> Option<Timestamp> {
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(Timestamp(date.timestamp_millis()));
    }
    let date = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok()?;
    Some(Timestamp(date.and_utc().timestamp_millis()))
}

/// Returns the forms of the signed text. The special parameters of a link, such as the security token of a temporary key, are
/// signed by clients of OBS as a part of the resource, by those of AWS as the headers that they stand for.
fn texts_to_sign(
    authorization: &ObjectAuthorization,
    request: &SignedRequest<'_>,
    date_line: &str,
) -> Vec<String> {
    let (dialect, is_link) = (authorization.dialect, authorization.expires.is_some());
    let is_special = |name: &str| is_link && name.to_ascii_lowercase().starts_with(dialect.header_prefix());
    let all = pairs_of(request.query.unwrap_or_default());
    let is_signed = |name: &str| is_special(name) || is_sub_resource(name);
    let plain = resources(request.path, &sub_resources(&all, is_signed));
    let mut texts: Vec<String> =
        plain.iter().map(|resource| string_to_sign(dialect, request, date_line, resource)).collect();
    if dialect == Dialect::Aws && all.iter().any(|(name, _)| is_special(name)) {
        let mut headers = request.headers.to_vec();
        let special = all.iter().filter(|(name, _)| is_special(name));
        headers.extend(
            special.map(|(name, value)| (name.to_ascii_lowercase(), value.clone().unwrap_or_default())),
        );
        let request = SignedRequest { headers: &headers, ..*request };
        let resources = resources(request.path, &sub_resources(&all, is_sub_resource));
        texts.extend(resources.iter().map(|resource| string_to_sign(dialect, &request, date_line, resource)));
    }
    texts
}

fn string_to_sign(dialect: Dialect, request: &SignedRequest<'_>, date_line: &str, resource: &str) -> String {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let mut text =
        format!("{}\n{}\n{}\n{date_line}\n", request.method, header("content-md5"), header("content-type"));
    let prefix = dialect.header_prefix();
    let mut names: Vec<&str> = request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let value = join_headers(request.headers, name).unwrap_or_default();
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(resource);
    text
}

/// Returns the forms of the signed resource. A bucket is signed with a final `/` by clients that put it
/// into the host name, without by the others, and the path on the wire may have it or not.
fn resources(path: &str, sub_resources: &str) -> Vec<String> {
    let mut paths = vec![path.to_string()];
    let is_bucket = path.len() > 1 && !path.trim_matches('/').contains('/');
    if is_bucket {
        let bare = path.trim_end_matches('/');
        paths.extend([bare.to_string(), format!("{bare}/")]);
    }
    paths.dedup();
    paths.into_iter().map(|path| path + sub_resources).collect()
}

/// Query parameters that are part of the signed resource, in lower case.
const SUB_RESOURCES: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "append",
    "backtosource",
    "bucketstatus",
    "cors",
    "customdomain",
    "delete",
    "deletebucket",
    "directcoldaccess",
    "dispolicy",
    "encryption",
    "fileinterface",
    "inventory",
    "length",
    "lifecycle",
    "location",
    "logging",
    "metadata",
    "metrics",
    "modify",
    "name",
    "notification",
    "object-lock",
    "obsalias",
    "obsbucketalias",
    "obscompresspolicy",
    "partnumber",
    "policy",
    "policystatus",
    "position",
    "publicaccessblock",
    "quota",
    "rename",
    "replication",
    "requestpayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "select",
    "select-type",
    "storageclass",
    "storageinfo",
    "storagepolicy",
    "tagging",
    "torrent",
    "truncate",
    "uploadid",
    "uploads",
    "versionid",
    "versioning",
    "versions",
    "website",
];

fn is_sub_resource(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("x-obs-") || SUB_RESOURCES.contains(&name.as_str())
}

fn sub_resources(query: &[(String, Option<String>)], is_signed: impl Fn(&str) -> bool) -> String {
    let mut signed: Vec<_> = query.iter().filter(|(name, _)| is_signed(name)).collect();
    signed.sort();
    let texts: Vec<String> = signed
        .into_iter()
        .map(|(name, value)| match value {
            Some(value) if !value.is_empty() => format!("{name}={value}"),
            _ => name.clone(),
        })
        .collect();
    if texts.is_empty() { String::new() } else { format!("?{}", texts.join("&")) }
}

fn pairs_of(query: &str) -> Vec<(String, Option<String>)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => (decode(name), Some(decode(value))),
            None => (decode(pair), None),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_546_300_800_000);
    const DATE: &str = "Tue, 01 Jan 2019 00:00:00 GMT";

    fn check(
        scheme: &str,
        request: (&str, &str, Option<&str>),
        headers: &[(&str, &str)],
        signature: &str,
    ) -> Result<(), RequestError> {
        let mut sent = vec![("date".to_string(), DATE.to_string())];
        sent.extend(headers.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())));
        let (method, path, query) = request;
        let request = SignedRequest { method, path, query, headers: &sent, body: &[] };
        let header = format!("{scheme} AKEXAMPLE:{signature}");
        let authorization = ObjectAuthorization::from_header(&header).unwrap().unwrap();
        verify(&authorization, &request, &SecretKey::new("SKEXAMPLE"), NOW)
    }

    #[test]
    fn the_vectors_of_the_published_client_are_accepted() {
        let put = ("PUT", "/bkt/a/b%20c.txt", None);
        let text = ("content-type", "text/plain");
        let list = ("GET", "/bkt", Some("prefix=a%2F"));
        let append = ("POST", "/bkt/k", Some("append&position=5"));
        for (scheme, request, headers, signature) in [
            ("OBS", put, vec![text, ("x-obs-meta-k", "v")], "HEgpEZbDkwVGv72IesvacAaciow="),
            ("AWS", put, vec![text, ("x-amz-meta-k", "v")], "/y1oSR+mzTfCEjskw4d89F65TCI="),
            ("OBS", list, vec![], "K/EcDOqRfOtOGU4U0zGotJMrf5E="),
            ("OBS", list, vec![], "vDpcWQAdhWwCe75RJIKMGrdndK4="),
            ("OBS", append, vec![], "eQj9S8vBKGz3XA4VuvEpDjKzlJw="),
        ] {
            assert_eq!(check(scheme, request, &headers, signature), Ok(()), "{request:?}");
            let other = ("DELETE", request.1, request.2);
            assert_eq!(check(scheme, other, &headers, signature), Err(RequestError::BadSignature));
        }
    }

    #[test]
    fn a_special_header_that_was_not_signed_is_noticed() {
        let put = ("PUT", "/bkt/a/b%20c.txt", None);
        let headers = [("content-type", "text/plain"), ("x-obs-meta-k", "v"), ("x-obs-acl", "public-read")];
        assert_eq!(
            check("OBS", put, &headers, "HEgpEZbDkwVGv72IesvacAaciow="),
            Err(RequestError::BadSignature)
        );
    }

    #[test]
    fn a_request_of_another_time_is_refused() {
        let headers = vec![("date".to_string(), DATE.to_string())];
        let request =
            SignedRequest { method: "GET", path: "/bkt", query: None, headers: &headers, body: &[] };
        let authorization = ObjectAuthorization::from_header("OBS AK:AAAA").unwrap().unwrap();
        let verify_at = |now| verify(&authorization, &request, &SecretKey::new("SK"), Timestamp(now));
        assert_eq!(verify_at(NOW.0 + 900_001), Err(RequestError::ClockSkew));
        assert_eq!(verify_at(NOW.0), Err(RequestError::BadSignature));
    }

    /// The signatures are those of the published clients of AWS (in the headers) and of OBS (in the resource), with the token
    /// `TOKEN/EXAMPLE+1=`.
    #[test]
    fn a_link_of_a_temporary_key_has_its_security_token_signed() {
        const AWS: &str =
            "AWSAccessKeyId=AKEXAMPLE&Expires=1546301400&x-amz-security-token=TOKEN%2FEXAMPLE%2B1%3D";
        const OBS: &str =
            "AccessKeyId=AKEXAMPLE&Expires=1546301400&x-obs-security-token=TOKEN%2FEXAMPLE%2B1%3D";
        let verified = |method, query: &str, signature: &str| {
            let query = format!("{query}&Signature={}", signature.replace('+', "%2B").replace('=', "%3D"));
            let authorization = ObjectAuthorization::from_query(&query).unwrap().unwrap();
            let path = "/bkt/k.txt";
            let request = SignedRequest { method, path, query: Some(&query), headers: &[], body: &[] };
            verify(&authorization, &request, &SecretKey::new("SKEXAMPLE"), NOW)
        };
        let of_version = format!("versionId=3&{AWS}");
        for (method, query, signature) in [
            ("GET", AWS, "dYEuKSQ552bH6MRg04D/hpKmbZY="),
            ("PUT", AWS, "6vRtnw+/O7y0ER4KLznzZ0vRSCU="),
            ("GET", of_version.as_str(), "Y5SvpcpqQ0IOmHb0Sw45+6Tdfi4="),
            ("GET", AWS, "1bP74l4Jp7w+WuZZCsn/9JSdrVc="),
            ("PUT", AWS, "RaCR4Ow5AJxMsGczXusOr3bPYx4="),
            ("GET", OBS, "2m3G0o7F6pIZtBroSQgyiMGQcoA="),
        ] {
            assert_eq!(verified(method, query, signature), Ok(()), "{method} {query}");
            let other = query.replace("EXAMPLE%2B1", "EXAMPLE%2B2");
            assert_eq!(verified(method, &other, signature), Err(RequestError::BadSignature), "another token");
        }
        // A signature without the token is none of the link.
        assert_eq!(verified("GET", AWS, "bNh8uE+B2D1qabY03HmZzBcru80="), Err(RequestError::BadSignature));
    }

    #[test]
    fn a_link_is_good_until_its_end() {
        let query = "AWSAccessKeyId=AK&Expires=1546300800&Signature=AAAA";
        let authorization = ObjectAuthorization::from_query(query).unwrap().unwrap();
        let request =
            SignedRequest { method: "GET", path: "/bkt/k", query: Some(query), headers: &[], body: &[] };
        let verify_at = |now| verify(&authorization, &request, &SecretKey::new("SK"), Timestamp(now));
        assert!(matches!(verify_at(NOW.0 + 1_000), Err(RequestError::Malformed(_))));
        assert_eq!(verify_at(NOW.0), Err(RequestError::BadSignature));
        assert_eq!(ObjectAuthorization::from_query("AccessKeyId=AK&Signature=x").unwrap().ok(), None);
        assert_eq!(ObjectAuthorization::from_query("prefix=a"), None);
    }
}
