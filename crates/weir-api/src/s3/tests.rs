//! The endpoint over HTTP, without a socket, with signatures of the older kind.

use std::future::IntoFuture;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use hmac::{Hmac, Mac};
use object_store::ObjectStoreExt;
use sha1::Sha1;
use tower::ServiceExt;
use weir_base::clock::ManualClock;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_cloud::identity::{
    AccessKey, AssignmentTarget, BootstrapOptions, HashingCost, Identity, IdentityOptions, MemoryAccounts,
    NewProject, NewUser,
};
use weir_cloud::objects::{Objects, ObjectsConfig, ObjectsError, S3Config};
use weir_control::Buckets;
use weir_store::{AuditFilter, Store};

use super::server;

const NOW: Timestamp = Timestamp(1_546_300_800_000);

struct World {
    _directory: tempfile::TempDir,
    router: Router,
    objects: Objects,
    store: Store,
    project: ProjectId,
    key: AccessKey,
    reader: AccessKey,
    /// Of somebody who may write in another project, and there alone.
    other: AccessKey,
    /// Of somebody who may write in both projects and has no default one.
    both: AccessKey,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

async fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let objects = Objects::new(ObjectsConfig::Local(directory.path().join("objects")));
    let store = Store::open(&directory.path().join("weir.db")).await.unwrap();
    let options = IdentityOptions { hashing: HashingCost::LOWEST, ..IdentityOptions::default() };
    let clock = Arc::new(ManualClock::new(NOW));
    let identity = Arc::new(Identity::new(Arc::new(MemoryAccounts::default()), clock, options));
    let made = identity
        .bootstrap(BootstrapOptions { password: Some("secret-1".into()), ..BootstrapOptions::default() })
        .await
        .unwrap();
    let new =
        NewProject { name: "other".into(), domain_id: made.domain_id.clone(), description: String::new() };
    let other = identity.create_project(new).await.unwrap().id;
    let mut keys = Vec::new();
    for (name, roles) in [
        ("reader", &[(&made.project_id, "cs_readonly")][..]),
        ("other", &[(&other, "cs_user")][..]),
        ("both", &[(&made.project_id, "cs_user"), (&other, "cs_user")][..]),
    ] {
        let new = NewUser {
            name: name.into(),
            domain_id: made.domain_id.clone(),
            description: String::new(),
            password: "secret-1".into(),
            enabled: true,
            default_project_id: None,
        };
        let user = identity.create_user(new).await.unwrap();
        for (project, role) in roles {
            let target = AssignmentTarget::Project((*project).clone());
            identity.assign_role(&user.id, target, role).await.unwrap();
        }
        keys.push(identity.create_key(&user.id, "").await.unwrap());
    }
    let [reader, other, both] = <[AccessKey; 3]>::try_from(keys).unwrap();
    let buckets = Buckets::new(store.clone(), objects.clone(), identity.clone());
    let router = server::router(&objects, &identity, &buckets).await.unwrap();
    let key = made.access_key.unwrap();
    let project = ProjectId(made.project_id);
    World { _directory: directory, router, objects, store, project, key, reader, other, both }
}

/// A request to be signed.
struct Sent<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

fn sent<'a>(
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
) -> Sent<'a> {
    Sent { method, path, query, headers, body }
}

fn plain<'a>(method: &'a str, path: &'a str) -> Sent<'a> {
    sent(method, path, "", &[], b"")
}

impl World {
    async fn send(&self, method: &str, path: &str, query: &str, body: &[u8]) -> Answer {
        self.send_as("AWS", &self.key, Sent { method, path, query, headers: &[], body }).await
    }

    async fn send_as(&self, scheme: &str, key: &AccessKey, sent: Sent<'_>) -> Answer {
        let Sent { method, path, query, headers, body } = sent;
        let date =
            DateTime::from_timestamp_millis(NOW.0).unwrap().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let special: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let signed: Vec<&str> = query
            .split('&')
            .filter(|pair| {
                pair.starts_with("upload") || pair.starts_with("part") || ["delete", "policy"].contains(pair)
            })
            .collect();
        let sub_resources = if signed.is_empty() { String::new() } else { format!("?{}", signed.join("&")) };
        let text = format!("{method}\n\n\n{date}\n{special}{path}{sub_resources}");
        let mut mac = Hmac::<Sha1>::new_from_slice(key.secret.expose().as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let uri = if query.is_empty() { path.to_string() } else { format!("{path}?{query}") };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "127.0.0.1:9000")
            .header("date", date)
            .header("content-length", body.len())
            .header("authorization", format!("{scheme} {}:{signature}", key.access));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(Body::from(body.to_vec())).unwrap()).await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

#[tokio::test]
async fn an_object_is_the_same_for_jobs_and_for_clients() {
    let world = world().await;
    assert_eq!(world.send("PUT", "/b-1", "", b"").await.status, StatusCode::OK);
    assert_eq!(world.send("PUT", "/b-1/a/b%20c.txt", "", b"text").await.status, StatusCode::OK);
    assert_eq!(world.objects.get("b-1", "a/b c.txt").await.unwrap(), "text");
    world.objects.put("b-1", "out/1", "rows".into()).await.unwrap();
    let answer = world.send("GET", "/b-1/out/1", "", b"").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "rows"));
    let list = world.send("GET", "/b-1", "delimiter=/", b"").await;
    assert!(list.text.contains("<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"), "{}", list.text);
    assert_eq!(world.send("DELETE", "/b-1", "", b"").await.status, StatusCode::CONFLICT);
    for key in ["a/b%20c.txt", "out/1", "out/1"] {
        let answer = world.send("DELETE", &format!("/b-1/{key}"), "", b"").await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{key}");
    }
    assert_eq!(world.send("DELETE", "/b-1", "", b"").await.status, StatusCode::NO_CONTENT);
    let gone = world.send("GET", "/b-1/out/1", "", b"").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.text.contains("<Code>NoSuchBucket</Code>"), "{}", gone.text);
}

#[tokio::test]
async fn what_is_done_with_buckets_is_on_record_and_objects_are_not() {
    let world = world().await;
    for (method, path, query) in [
        ("PUT", "/b-1", ""),
        ("PUT", "/b-1", ""),
        ("PUT", "/b-1/a", ""),
        ("GET", "/b-1", ""),
        ("DELETE", "/b-1", ""),
        ("DELETE", "/b-1/a", ""),
    ] {
        world.send(method, path, query, b"").await;
    }
    assert_eq!(
        world.send_as("AWS", &world.reader, plain("DELETE", "/b-1")).await.status,
        StatusCode::FORBIDDEN
    );
    assert!(world.send("PUT", "/b-1", "policy", b"{}").await.status.is_server_error());
    let stranger = AccessKey { access: "X".repeat(20), ..world.reader.clone() };
    world.send_as("AWS", &stranger, plain("DELETE", "/b-1")).await;
    world.send("DELETE", "/b-1", "", b"").await;
    let found = world.store.audit_records(&world.project, &AuditFilter::default(), 0, 20).await.unwrap();
    let records: Vec<_> = found.into_iter().map(|stored| stored.record).collect();
    let told: Vec<_> = records
        .iter()
        .rev()
        .map(|record| {
            assert_eq!((record.service.as_str(), record.resource_type.as_str()), ("OBS", "bucket"));
            assert_eq!(record.resource_name, "b-1");
            assert!(!record.request_id.is_empty() && !record.user.0.is_empty());
            let code = record.op_result.split("::").next().unwrap_or_default();
            (record.event_name.as_str(), record.status, code)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("createBucket", 200, "done"),
            ("createBucket", 409, "BucketAlreadyOwnedByYou"),
            ("deleteBucket", 409, "BucketNotEmpty"),
            ("deleteBucket", 403, "AccessDenied"),
            ("setBucketPolicy", 501, "NotImplemented"),
            ("deleteBucket", 204, "done"),
        ]
    );
    assert_eq!((records[2].user_name.as_str(), records[2].event_rating.as_str()), ("reader", "warning"));
}

#[tokio::test]
async fn the_obs_dialect_is_understood_and_answered() {
    let world = world().await;
    world.send("PUT", "/b-1", "", b"").await;
    let headers = [("x-obs-meta-k", "v")];
    let put = Sent { method: "PUT", path: "/b-1/a", query: "", headers: &headers, body: b"x" };
    assert_eq!(world.send_as("OBS", &world.key, put).await.status, StatusCode::OK);
    let head = Sent { method: "HEAD", path: "/b-1/a", query: "", headers: &[], body: b"" };
    let answer = world.send_as("OBS", &world.key, head).await;
    assert_eq!(answer.headers["x-obs-meta-k"], "v");
    assert_eq!(world.send("HEAD", "/b-1/a", "", b"").await.headers["x-amz-meta-k"], "v");
    // A job that replaces the object leaves no metadata of the old one.
    world.objects.put("b-1", "a", "other".into()).await.unwrap();
    assert!(world.send("HEAD", "/b-1/a", "", b"").await.headers.get("x-amz-meta-k").is_none());
}

#[tokio::test]
async fn parts_are_invisible_until_the_upload_is_complete() {
    let world = world().await;
    world.send("PUT", "/b-1", "", b"").await;
    let begun = world.send("POST", "/b-1/big", "uploads", b"").await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    let id = between(&begun.text, "<UploadId>", "</UploadId>").to_string();
    let mut named = String::new();
    for (number, part) in [(2, "world"), (1, "hello ")] {
        let query = format!("partNumber={number}&uploadId={id}");
        let answer = world.send("PUT", "/b-1/big", &query, part.as_bytes()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let tag = answer.headers["etag"].to_str().unwrap();
        named = format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>{named}");
    }
    assert_eq!(world.send("GET", "/b-1/big", "", b"").await.status, StatusCode::NOT_FOUND);
    assert!(!world.send("GET", "/b-1", "", b"").await.text.contains("<Contents>"));
    assert!(world.send("GET", "/b-1", "uploads", b"").await.text.contains(&id));
    let query = format!("uploadId={id}");
    let wrong = named.replace("<ETag>", "<ETag>x");
    let body = format!("<CompleteMultipartUpload>{wrong}</CompleteMultipartUpload>");
    let refused = world.send("POST", "/b-1/big", &query, body.as_bytes()).await;
    assert!(refused.text.contains("InvalidPart"), "{}", refused.text);
    let body = format!("<CompleteMultipartUpload>{named}</CompleteMultipartUpload>");
    let done = world.send("POST", "/b-1/big", &query, body.as_bytes()).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert_eq!(world.send("GET", "/b-1/big", "", b"").await.text, "hello world");
    let again = world.send("POST", "/b-1/big", &query, body.as_bytes()).await;
    assert!(again.text.contains("NoSuchUpload"), "{}", again.text);
}

#[tokio::test]
async fn ranges_are_read_and_checked() {
    let world = world().await;
    world.send("PUT", "/b-1", "", b"").await;
    world.send("PUT", "/b-1/a", "", b"0123456789").await;
    for (range, text, shown) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
    ] {
        let headers = [("range", range)];
        let request = Sent { method: "GET", path: "/b-1/a", query: "", headers: &[], body: b"" };
        let answer = with_unsigned_headers(&world, request, &headers).await;
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
        assert_eq!((answer.text.as_str(), answer.headers["content-range"].to_str().unwrap()), (text, shown));
    }
    let request = Sent { method: "GET", path: "/b-1/a", query: "", headers: &[], body: b"" };
    let answer = with_unsigned_headers(&world, request, &[("range", "bytes=10-")]).await;
    assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE);
}

/// Sends a request with headers that the older signatures do not cover.
async fn with_unsigned_headers(world: &World, sent: Sent<'_>, headers: &[(&str, &str)]) -> Answer {
    let date = "Tue, 01 Jan 2019 00:00:00 GMT";
    let text = format!("{}\n\n\n{date}\n{}", sent.method, sent.path);
    let mut mac = Hmac::<Sha1>::new_from_slice(world.key.secret.expose().as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let mut request = Request::builder()
        .method(sent.method)
        .uri(sent.path)
        .header("host", "127.0.0.1:9000")
        .header("date", date)
        .header("authorization", format!("AWS {}:{signature}", world.key.access));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.answer(request.body(Body::from(sent.body.to_vec())).unwrap()).await
}

#[tokio::test]
async fn readers_cannot_write_and_strangers_can_do_nothing() {
    let world = world().await;
    world.send("PUT", "/b-1", "", b"").await;
    world.send("PUT", "/b-1/a", "", b"x").await;
    let request = |method| Sent { method, path: "/b-1/a", query: "", headers: &[], body: b"" };
    assert_eq!(world.send_as("AWS", &world.reader, request("GET")).await.status, StatusCode::OK);
    assert_eq!(world.send_as("AWS", &world.reader, request("PUT")).await.status, StatusCode::FORBIDDEN);
    let mut stranger = world.key.clone();
    stranger.access = "AKNONE".into();
    let unknown = world.send_as("AWS", &stranger, request("GET")).await;
    assert!(unknown.text.contains("InvalidAccessKeyId"), "{}", unknown.text);
    let mut forger = world.key.clone();
    forger.secret = world.reader.secret.clone();
    let forged = world.send_as("AWS", &forger, request("GET")).await;
    assert!(forged.text.contains("SignatureDoesNotMatch</Code><Message>"), "{}", forged.text);
    let long = world.send("PUT", &format!("/b-1/{}", "k".repeat(1_025)), "", b"").await;
    assert!(long.text.contains("KeyTooLongError</Code><Message>"), "{}", long.text);
    let unsigned = Request::builder().uri("/b-1/a").header("host", "h").body(Body::empty()).unwrap();
    assert_eq!(world.answer(unsigned).await.status, StatusCode::FORBIDDEN);
    let form = "--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na\r\n--x\r\n\
                Content-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--x--\r\n";
    let posted = Request::builder()
        .method("POST")
        .uri("/b-1")
        .header("host", "h")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from(form))
        .unwrap();
    assert_eq!(world.answer(posted).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_bucket_belongs_to_the_project_of_whoever_made_it() {
    let world = world().await;
    world.send("PUT", "/ours", "", b"").await;
    world.send("PUT", "/ours/a", "", b"secret").await;
    let begun = world.send("POST", "/ours/big", "uploads", b"").await;
    let id = between(&begun.text, "<UploadId>", "</UploadId>").to_string();
    assert_eq!(world.send_as("AWS", &world.other, plain("PUT", "/theirs")).await.status, StatusCode::OK);
    assert_eq!(world.send_as("AWS", &world.other, plain("PUT", "/theirs/a")).await.status, StatusCode::OK);

    let list = world.send_as("AWS", &world.other, plain("GET", "/")).await.text;
    assert!(list.contains("<Name>theirs</Name>") && !list.contains("ours"), "{list}");
    // The administrator has a role in both projects, by the domain.
    let list = world.send("GET", "/", "", b"").await.text;
    assert!(list.contains("<Name>theirs</Name>") && list.contains("<Name>ours</Name>"), "{list}");

    let part = format!("partNumber=1&uploadId={id}");
    let upload = format!("uploadId={id}");
    let from_ours = [("x-amz-copy-source", "/ours/a")];
    let delete = b"<Delete><Object><Key>a</Key></Object></Delete>";
    for request in [
        plain("GET", "/ours"),
        plain("HEAD", "/ours"),
        plain("DELETE", "/ours"),
        plain("GET", "/ours/a"),
        plain("HEAD", "/ours/a"),
        plain("PUT", "/ours/a"),
        plain("DELETE", "/ours/a"),
        sent("GET", "/ours", "uploads", &[], b""),
        sent("POST", "/ours", "delete", &[], delete),
        sent("POST", "/ours/b", "uploads", &[], b""),
        sent("PUT", "/ours/big", &part, &[], b"x"),
        sent("GET", "/ours/big", &upload, &[], b""),
        sent("DELETE", "/ours/big", &upload, &[], b""),
        sent("PUT", "/theirs/b", "", &from_ours, b""),
        sent("PUT", "/ours/b", "", &[("x-amz-copy-source", "/theirs/a")], b""),
    ] {
        let (what, is_head) = (format!("{} {}", request.method, request.path), request.method == "HEAD");
        let answer = world.send_as("AWS", &world.other, request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}: {}", answer.text);
        assert!(is_head || answer.text.contains("<Code>AccessDenied</Code>"), "{what}: {}", answer.text);
    }
    let begun = world.send_as("AWS", &world.other, sent("POST", "/theirs/c", "uploads", &[], b"")).await;
    let theirs = format!("partNumber=1&uploadId={}", between(&begun.text, "<UploadId>", "</UploadId>"));
    let copied = world.send_as("AWS", &world.other, sent("PUT", "/theirs/c", &theirs, &from_ours, b"")).await;
    assert_eq!(copied.status, StatusCode::FORBIDDEN, "{}", copied.text);
    // Not even by way of an upload that was begun elsewhere.
    let moved = world.send_as("AWS", &world.other, sent("PUT", "/theirs/big", &part, &[], b"x")).await;
    assert_eq!(moved.status, StatusCode::NOT_FOUND, "{}", moved.text);
    assert_eq!(world.send("GET", "/ours/a", "", b"").await.text, "secret");
    assert_eq!(world.send_as("AWS", &world.both, plain("GET", "/ours/a")).await.text, "secret");
}

#[tokio::test]
async fn a_name_is_taken_and_stays_with_its_project() {
    let world = world().await;
    let make = |path| Sent { method: "PUT", path, query: "", headers: &[], body: b"" };
    world.send("PUT", "/ours", "", b"").await;
    let again = world.send("PUT", "/ours", "", b"").await;
    assert!(again.text.contains("<Code>BucketAlreadyOwnedByYou</Code>"), "{}", again.text);
    let taken = world.send_as("AWS", &world.other, make("/ours")).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(taken.text.contains("<Code>BucketAlreadyExists</Code>"), "{}", taken.text);
    // A job that still writes there must not reach what another project makes.
    assert_eq!(world.send("DELETE", "/ours", "", b"").await.status, StatusCode::NO_CONTENT);
    let taken = world.send_as("AWS", &world.other, make("/ours")).await;
    assert!(taken.text.contains("<Code>BucketAlreadyExists</Code>"), "{}", taken.text);
    assert_eq!(world.send("PUT", "/ours", "", b"").await.status, StatusCode::OK);
    // Nobody's: from before there were owners.
    world.objects.create_bucket("old").await.unwrap();
    assert_eq!(world.send("GET", "/old", "", b"").await.status, StatusCode::FORBIDDEN);
    assert!(world.send("PUT", "/old", "", b"").await.text.contains("<Code>BucketAlreadyExists</Code>"));
    let unclear = world.send_as("AWS", &world.both, make("/new")).await;
    assert_eq!(unclear.status, StatusCode::BAD_REQUEST, "{}", unclear.text);
    let reader = world.send_as("AWS", &world.reader, make("/new")).await;
    assert_eq!(reader.status, StatusCode::FORBIDDEN, "{}", reader.text);
}

#[tokio::test]
async fn a_refusal_of_a_body_that_was_not_sent_ends_the_connection() {
    let world = world().await;
    assert_eq!(world.send("PUT", "/bk1", "", b"").await.status, StatusCode::OK);
    for (bucket, asks, ends) in [("/gone/a", true, true), ("/gone/a", false, false), ("/bk1/a", true, false)]
    {
        let headers: &[_] = if asks { &[("expect", "100-continue")] } else { &[] };
        let answer = with_unsigned_headers(&world, sent("PUT", bucket, "", &[], b"text"), headers).await;
        assert_eq!(
            answer.headers.get("connection").is_some_and(|value| value == "close"),
            ends,
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn keys_that_no_file_can_have_are_refused() {
    let world = world().await;
    world.send("PUT", "/b-1", "", b"").await;
    for key in ["a//b", "folder/", "x/%2E%2E/y"] {
        let answer = world.send("PUT", &format!("/b-1/{key}"), "", b"").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{key}: {}", answer.text);
    }
    world.send("PUT", "/b-1/a", "", b"x").await;
    let below = world.send("PUT", "/b-1/a/b", "", b"x").await;
    assert_eq!(below.status, StatusCode::BAD_REQUEST, "{}", below.text);
    for name in ["/B-1", "/.uploads", "/.attributes"] {
        assert_eq!(world.send("GET", name, "", b"").await.status, StatusCode::BAD_REQUEST, "{name}");
    }
}

#[tokio::test]
async fn the_remote_form_of_objects_works_against_this_endpoint() {
    let world = world().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, world.router.clone()).into_future());
    let config = |secret: &str| S3Config {
        endpoint: endpoint.clone(),
        region: "local".into(),
        access_key: world.key.access.clone(),
        secret_key: secret.into(),
        runtime: None,
    };
    let remote = Objects::new(ObjectsConfig::S3(config(world.key.secret.expose())));
    assert!(matches!(remote.bucket("b-1").await, Err(ObjectsError::NoBucket(_))));
    remote.create_bucket("b-1").await.unwrap();
    assert!(matches!(remote.create_bucket("b-1").await, Err(ObjectsError::BucketExists(_))));
    remote.put("b-1", "a/b c", "text".into()).await.unwrap();
    assert_eq!(remote.get("b-1", "a/b c").await.unwrap(), "text");
    assert_eq!(world.objects.get("b-1", "a/b c").await.unwrap(), "text");
    let names: Vec<String> = remote.list_buckets().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["b-1"]);
    assert!(matches!(remote.delete_bucket("b-1").await, Err(ObjectsError::NotEmpty(_))));
    let store = remote.bucket("b-1").await.unwrap();
    store.delete(&"a/b c".into()).await.unwrap();
    remote.delete_bucket("b-1").await.unwrap();
    assert!(matches!(remote.delete_bucket("b-1").await, Err(ObjectsError::NoBucket(_))));
    let stranger = Objects::new(ObjectsConfig::S3(config("wrong")));
    assert!(matches!(stranger.list_buckets().await, Err(ObjectsError::Endpoint { status: 403, .. })));
    server.abort();
}
