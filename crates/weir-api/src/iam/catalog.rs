//! The catalog: what else is served, and where. It lists only what this service really serves.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde_json::{Value, json};
use uuid::Uuid;
use weir_cloud::identity::{Identity, Session};

use super::access::{Known, base_url};
use super::error::IamError;

/// `GET /v3/auth/catalog`.
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let base = base_url(&known.parts);
    let catalog = of(&identity, &known.session, &base);
    Ok(Json(json!({ "catalog": catalog, "links": { "self": format!("{base}/v3/auth/catalog") } })))
}

/// Returns the catalog of a session. Without a project it holds no services of projects.
pub(super) fn of(identity: &Identity, session: &Session, base: &str) -> Value {
    let mut entries = vec![("identity", "iam", format!("{base}/v3"))];
    if let Some(project) = session.project() {
        entries.push(("cs", "cs", format!("{base}/v1.0/{}", project.id)));
        // Clients disagree on the type of the stream service.
        entries.push(("dis", "dis", format!("{base}/v2/{}", project.id)));
        entries.push(("disv2", "disv2", format!("{base}/v2/{}", project.id)));
        // Clients of this one append the project by themselves.
        entries.push(("smn", "smn", format!("{base}/v2/")));
    }
    if let Some(port) = identity.object_port() {
        entries.push(("object", "obs", with_port(base, port)));
    }
    let region = identity.region();
    entries.into_iter().map(|(kind, name, url)| entry(kind, name, &url, region)).collect()
}

fn entry(kind: &str, name: &str, url: &str, region: &str) -> Value {
    json!({
        "type": kind,
        "name": name,
        "id": stable_id(&format!("service/{kind}")),
        "endpoints": [{
            "id": stable_id(&format!("endpoint/{region}/{kind}")),
            "interface": "public",
            "region": region,
            "region_id": region,
            "url": url,
        }],
    })
}

/// Returns an id that is the same at each start.
fn stable_id(of: &str) -> String {
    let hash = of.bytes().fold(0xcbf2_9ce4_8422_2325_6c62_272e_07bb_0142_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    Uuid::from_u128(hash).simple().to_string()
}

/// Returns an address with another port.
fn with_port(base: &str, port: u16) -> String {
    let (scheme, authority) = base.split_once("://").unwrap_or(("http", base));
    let host = match authority.rsplit_once(':') {
        Some((host, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            host
        }
        _ => authority,
    };
    format!("{scheme}://{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_endpoint_is_on_the_host_that_the_client_used() {
        assert_eq!(with_port("http://127.0.0.1:8780", 9000), "http://127.0.0.1:9000");
        assert_eq!(with_port("https://weir.example", 9000), "https://weir.example:9000");
        assert_eq!(with_port("http://[::1]:8780", 9000), "http://[::1]:9000");
    }
}
