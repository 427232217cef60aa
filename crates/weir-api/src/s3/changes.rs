//! What the audit says of the calls that change a bucket. Objects are data.
//!
//! A bucket is a directory, or is elsewhere, so that no transaction holds it together with its record: that is written right
//! after the change, before the caller has an answer. Of what a crash between the two leaves there is no record.

use axum::http::request::Parts;
use axum::response::Response;
use weir_base::audit::Change;

use crate::audited::Refusal;

/// Longest error whose code is looked for.
const ERROR_BYTES: usize = 64 << 10;

/// What can be set and deleted of a bucket: the parameter of the query and the two events.
const ATTRIBUTES: [(&str, &str, &str); 8] = [
    ("acl", "setBucketAcl", "deleteBucketAcl"),
    ("cors", "setBucketCors", "deleteBucketCors"),
    ("encryption", "setBucketEncryption", "deleteBucketEncryption"),
    ("lifecycle", "setBucketLifecycle", "deleteBucketLifecycle"),
    ("policy", "setBucketPolicy", "deleteBucketPolicy"),
    ("tagging", "setBucketTagging", "deleteBucketTagging"),
    ("versioning", "setBucketVersioning", "deleteBucketVersioning"),
    ("website", "setBucketWebsite", "deleteBucketWebsite"),
];

/// Returns what a request would change, and the name of the bucket.
pub(super) fn change_of(parts: &Parts) -> Option<(Change, &str)> {
    let bucket = parts.uri.path().strip_prefix('/')?;
    let bucket = bucket.strip_suffix('/').unwrap_or(bucket);
    if bucket.is_empty() || bucket.contains('/') {
        return None;
    }
    let parameters = parts.uri.query().unwrap_or_default().split('&');
    let mut names = parameters.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    let attribute = names.find_map(|name| ATTRIBUTES.iter().find(|(known, ..)| *known == name));
    let event = match (parts.method.as_str(), attribute) {
        ("PUT", None) => "createBucket",
        ("DELETE", None) => "deleteBucket",
        ("PUT", Some((_, set, _))) => set,
        ("DELETE", Some((.., delete))) => delete,
        _ => return None,
    };
    Some((Change { service: "OBS", resource_type: "bucket", event }, bucket))
}

/// Adds to an error what the audit says of it: the code and the sentence in its body.
pub(super) async fn with_refusal(response: Response) -> Response {
    if !(response.status().is_client_error() || response.status().is_server_error()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It was made here; one that cannot be read is empty.
    let bytes = axum::body::to_bytes(body, ERROR_BYTES).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_string())
    };
    let code = element("Code").unwrap_or_default();
    parts.extensions.insert(Refusal { code, text: element("Message").unwrap_or_default() });
    Response::from_parts(parts, axum::body::Body::from(bytes))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn what_changes_a_bucket_is_known_by_method_path_and_query() {
        let event = |method: &str, uri: &str| {
            let parts = Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0;
            change_of(&parts).map(|(change, bucket)| (change.event, bucket.to_string()))
        };
        let of = |event| Some((event, "b-1".to_string()));
        assert_eq!(event("PUT", "/b-1"), of("createBucket"));
        assert_eq!(event("PUT", "/b-1/?x=1"), of("createBucket"));
        assert_eq!(event("DELETE", "/b-1"), of("deleteBucket"));
        assert_eq!(event("PUT", "/b-1?policy"), of("setBucketPolicy"));
        assert_eq!(event("DELETE", "/b-1?cors="), of("deleteBucketCors"));
        for (method, uri) in [("GET", "/b-1"), ("PUT", "/b-1/a"), ("PUT", "/"), ("POST", "/b-1?delete")] {
            assert_eq!(event(method, uri), None, "{method} {uri}");
        }
    }
}
