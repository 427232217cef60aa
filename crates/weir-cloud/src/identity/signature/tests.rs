//! Vectors that were made with the clients' own signers, and the traps around them.

use super::*;
use crate::identity::{RequestError, SecretKey};
use weir_base::time::Timestamp;

/// 2019-01-01 00:00:00 UTC.
const NOW: Timestamp = Timestamp(1_546_300_800_000);
const DATE: &str = "20190101T000000Z";
const PLAIN: &str = "SDK-HMAC-SHA256 Access=AKEXAMPLE";
const WITH_PROJECT: &str = "content-type;host;x-project-id;x-sdk-date";
const PLAIN_SIGNATURE: &str = "c6c59a7d3709b094fbe44469826a9daa28809b82a311e42f2b797031ee91cfb7";

struct Sent {
    method: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    fn get(path: &'static str, query: &'static str, host: &str) -> Self {
        Self { method: "GET", path, query: Some(query), headers: headers(host), body: Vec::new() }
    }

    fn check(&self, start: &str, signed: &str, signature: &str) -> Result<(), RequestError> {
        self.check_at(start, signed, signature, NOW)
    }

    fn check_at(
        &self,
        start: &str,
        signed: &str,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let text = format!("{start}, SignedHeaders={signed}, Signature={signature}");
        let authorization = Authorization::parse(&text).unwrap();
        verify(&authorization, &self.request(), &SecretKey::new("SKEXAMPLE"), now)
    }

    fn sign(&self, start: &str, signed: &str) -> String {
        let text = format!("{start}, SignedHeaders={signed}, Signature=");
        let authorization = Authorization::parse(&text).unwrap();
        sign(&authorization, &self.request(), &SecretKey::new("SKEXAMPLE")).unwrap()
    }

    fn request(&self) -> SignedRequest<'_> {
        SignedRequest {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

fn headers(host: &str) -> Vec<(String, String)> {
    [("host", host), ("content-type", "application/json"), ("x-project-id", "p1"), ("x-sdk-date", DATE)]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .to_vec()
}

fn streams() -> Sent {
    Sent::get("/v2/p1/streams", "limit=5", "dis.example.com")
}

#[test]
fn all_four_forms_of_the_stream_clients_are_accepted() {
    let scope = "AKEXAMPLE/20190101/cn-north-1/dis";
    let slash = Sent { path: "/v2/p1/streams/", ..streams() };
    for (sent, start, signed, signature) in [
        (streams(), PLAIN.to_string(), WITH_PROJECT, PLAIN_SIGNATURE),
        (
            streams(),
            format!("V11-HMAC-SHA256 Credential={scope}"),
            WITH_PROJECT,
            "2921aa3d8096053ff290772db181b68c3f3b4ac72b1137f02c6eee68ab3df165",
        ),
        (
            Sent { path: "/v2/p1/streams/", ..streams() },
            format!("SDK-HMAC-SHA256 Credential={scope}/sdk_request"),
            "host;x-sdk-date",
            "31335655ac84d1682ca409c17b8f9adafb28c60da979db2f268e378ff247e7c1",
        ),
        (
            slash,
            format!("V11-HMAC-SHA256 Credential={scope}/sdk_request"),
            "host;x-sdk-date",
            "3d610ea5c2aea18ab0e4680bd10be3121222b92dc51691733e42268e138ff060",
        ),
    ] {
        assert_eq!(sent.check(&start, signed, signature), Ok(()), "{start}");
        let zeros = "0".repeat(64);
        assert_eq!(sent.check(&start, signed, &zeros), Err(RequestError::BadSignature), "{start}");
    }
}

const LIBRARY: &str = "SDK-HMAC-SHA256 Credential=AKEXAMPLE/20190101/cn-north-1/CS/sdk_request";
const LIBRARY_HEADERS: &str = "host;x-project-id;x-sdk-date";

#[test]
fn the_library_that_encodes_the_query_twice_is_accepted() {
    let sent = Sent::get("/v1.0/p1/jobs", "limit=5&name=a%20b", "cs.example.com");
    let signature = "2cc40634a1a48f32cd12cf3758475e15df60081b9a3610cd45ff6f029354d344";
    assert_eq!(sent.check(LIBRARY, LIBRARY_HEADERS, signature), Ok(()));
}

#[test]
fn the_body_is_part_of_the_signature() {
    let signature = "8708edbb5d8df91025b1bf9bfea466f5751a6119338299da06d165319653e983";
    let mut sent = Sent {
        method: "POST",
        path: "/v1.0/p1/sql_job",
        query: None,
        headers: headers("cs.example.com"),
        body: br#"{"name":"j"}"#.to_vec(),
    };
    assert_eq!(sent.check(LIBRARY, LIBRARY_HEADERS, signature), Ok(()));
    sent.body = br#"{"name":"k"}"#.to_vec();
    assert_eq!(sent.check(LIBRARY, LIBRARY_HEADERS, signature), Err(RequestError::BadSignature));
}

#[test]
fn a_port_that_was_not_signed_does_no_harm() {
    let sent = Sent::get("/v2/p1/streams", "limit=5", "dis.example.com:8780");
    assert_eq!(sent.check(PLAIN, WITH_PROJECT, PLAIN_SIGNATURE), Ok(()));
}

#[test]
fn another_value_of_a_signed_part_is_refused() {
    let check = |sent: Sent| sent.check(PLAIN, WITH_PROJECT, PLAIN_SIGNATURE);
    assert_eq!(check(Sent { query: Some("limit=6"), ..streams() }), Err(RequestError::BadSignature));
    assert_eq!(check(Sent { path: "/v2/p2/streams", ..streams() }), Err(RequestError::BadSignature));
    assert_eq!(check(Sent { method: "DELETE", ..streams() }), Err(RequestError::BadSignature));
    let sent = Sent::get("/v2/p1/streams", "limit=5", "other.example.com");
    assert_eq!(check(sent), Err(RequestError::BadSignature));
}

#[test]
fn fifteen_minutes_are_near_enough_and_more_are_not() {
    let at =
        |offset: i64| streams().check_at(PLAIN, WITH_PROJECT, PLAIN_SIGNATURE, Timestamp(NOW.0 + offset));
    assert_eq!(at(900_000), Ok(()));
    assert_eq!(at(-900_000), Ok(()));
    assert_eq!(at(900_001), Err(RequestError::ClockSkew));
    assert_eq!(at(-900_001), Err(RequestError::ClockSkew));
}

#[test]
fn an_empty_query_value_may_be_signed_with_or_without_its_equals_sign() {
    let with = streams_with("limit=5&name=");
    let without = streams_with("limit=5&name");
    let signature = with.sign(PLAIN, WITH_PROJECT);
    assert_eq!(with.check(PLAIN, WITH_PROJECT, &signature), Ok(()));
    assert_eq!(without.check(PLAIN, WITH_PROJECT, &signature), Ok(()));
}

fn streams_with(query: &'static str) -> Sent {
    Sent { query: Some(query), ..streams() }
}

#[test]
fn a_post_without_a_body_may_sign_its_query_as_the_body() {
    let start = "SDK-HMAC-SHA256 Credential=AKEXAMPLE/20190101///sdk_request";
    let signed_as = Sent { method: "POST", query: None, body: b"limit=5&name=a%20b".to_vec(), ..streams() };
    let signature = signed_as.sign(start, "host;x-sdk-date");
    let sent = Sent { method: "POST", ..streams_with("name=a%20b&limit=5") };
    assert_eq!(sent.check(start, "host;x-sdk-date", &signature), Ok(()));
}

#[test]
fn a_hash_that_is_not_the_bodys_and_an_unsigned_body_are_refused() {
    let with_hash = |value: &str| {
        let mut sent = streams();
        sent.headers.push(("x-sdk-content-sha256".to_string(), value.to_string()));
        let text = format!("{PLAIN}, SignedHeaders={WITH_PROJECT}, Signature=00");
        let authorization = Authorization::parse(&text).unwrap();
        verify(&authorization, &sent.request(), &SecretKey::new("SKEXAMPLE"), NOW)
    };
    assert!(matches!(with_hash("UNSIGNED-PAYLOAD"), Err(RequestError::Malformed(_))));
    assert_eq!(with_hash(&"0".repeat(64)), Err(RequestError::BadSignature));
}

#[test]
fn the_date_must_be_signed_and_in_the_forms_with_a_chain_the_host_too() {
    let refused = |start: &str, signed: &str| {
        matches!(streams().check(start, signed, "00"), Err(RequestError::Malformed(_)))
    };
    let scoped = "SDK-HMAC-SHA256 Credential=AKEXAMPLE/20190101/cn-north-1/dis/sdk_request";
    assert!(refused(scoped, "x-sdk-date"));
    assert!(refused(scoped, "host"));
    assert!(refused(PLAIN, "host"));
    assert!(refused(PLAIN, "host;x-sdk-date;x-missing"));
}

#[test]
fn the_go_sdk_signs_no_host() {
    let signature = "6ff00dc762ae753ef900a590d2aa5a3492e4ce9017b813a33bbe29085a56f810";
    assert_eq!(streams().check(PLAIN, "x-project-id;x-sdk-date", signature), Ok(()));
    assert_eq!(
        streams_with("limit=6").check(PLAIN, "x-project-id;x-sdk-date", signature),
        Err(RequestError::BadSignature)
    );
}

#[test]
fn a_scope_of_another_day_is_refused() {
    let start = "SDK-HMAC-SHA256 Credential=AKEXAMPLE/20181231/cn-north-1/dis/sdk_request";
    assert!(matches!(streams().check(start, "host;x-sdk-date", "00"), Err(RequestError::Malformed(_))));
}
