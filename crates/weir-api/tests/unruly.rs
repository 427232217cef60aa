//! Clients that are slow, verbose or endless get an answer or lose their connection, and take little meanwhile.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::time::Duration;

use axum::Router;
use common::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weir_api::listen::{self, ListenLimits};

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.base_url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Reads until the service closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is closed with input unread is reset.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// What is described of the services beside CS is there.
#[tokio::test]
async fn every_described_operation_has_its_route() {
    let world = World::start(|_| {}).await;
    for (path, item) in weir_api::openapi::document()["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let filled = common::fill_path(path, &world.project, &|_| "1".to_string());
            let answer = world.request_of(method, &filled, "unknown").send().await.unwrap();
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            let is_there = !text.contains("there is no such path") && !text.contains("no such method");
            assert!(
                is_there && status != 405 && !(status == 404 && text.is_empty()),
                "{method} {path}: {status} {text}"
            );
        }
    }
}

/// A path or a method that is not there is refused in the words of the service that it belongs to.
#[tokio::test]
async fn unknown_paths_and_methods_are_refused_by_their_service() {
    let world = World::start(|_| {}).await;
    let project = &world.project;
    for (method, path, status, member, code) in [
        ("GET", "/v1.0/p/nothing".to_string(), 400, "/error_id", "CS.10003"),
        ("PUT", format!("/v1.0/{project}/jobs"), 400, "/error_id", "CS.10003"),
        ("PATCH", "/healthz".to_string(), 400, "/error_id", "CS.10003"),
        ("GET", "/v3/regions".to_string(), 404, "/error/title", "Not Found"),
        ("GET", "/v3.0/OS-CREDENTIAL/nothing".to_string(), 404, "/error_code", "IAM.0004"),
        ("PATCH", "/v3/users".to_string(), 405, "/error/title", "Method Not Allowed"),
        ("GET", format!("/v2/{project}/notifications/nothing"), 404, "/code", "SMN.0009"),
        ("PATCH", format!("/v2/{project}/notifications/topics"), 405, "/code", "SMN.0009"),
        ("POST", "/v2.0/vpc/peerings".to_string(), 405, "/code", "VPC.0002"),
        ("POST", "/v2.0/vpc/routes".to_string(), 405, "/NeutronError/type", "HTTPMethodNotAllowed"),
        ("GET", "/v2.0/vpc/subnets".to_string(), 404, "/NeutronError/type", "HTTPNotFound"),
        ("GET", format!("/v2/{project}/nothing"), 404, "/errorCode", "DIS.4200"),
        ("PATCH", format!("/v2/{project}/streams"), 405, "/error_code", "DIS.4200"),
        ("GET", format!("/v2/{project}/edgemgr/nodes"), 404, "/error_code", "IEF.0404"),
        ("POST", format!("/v2/{project}/edgemgr/groups"), 405, "/error_code", "IEF.0404"),
        ("POST", format!("/v3/{project}/traces"), 405, "/error_code", "CTS.0300"),
        ("POST", "/gateway/1/t1".to_string(), 404, "/error_code", "APIG.0101"),
    ] {
        let answer = world.request_of(method, &path, "admin").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body.pointer(member).unwrap_or(&body), code, "{method} {path}");
    }
}

#[tokio::test]
async fn a_head_that_does_not_end_loses_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = ListenLimits { head_time: Duration::from_millis(200), ..ListenLimits::default() };
    let router = Router::new();
    tokio::spawn(async move { listen::serve(listener, router, limits, std::future::pending()).await });
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /v1.0/p/jobs HTTP/1.1\r\nHost: weir\r\nX-Auth-Tok").await.unwrap();
    // Both end, without what they waited for.
    for stream in [&mut silent, &mut slow] {
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test]
async fn a_huge_head_is_refused_before_its_end() {
    let world = World::start(|_| {}).await;
    let mut stream = connect(&world).await;
    stream.write_all(b"GET /v1.0/p/jobs HTTP/1.1\r\nHost: weir\r\nX-Huge: ").await.unwrap();
    let letters = [b'a'; 8 << 10];
    // Without an end: only a service that stops reading ends this loop.
    while stream.write_all(&letters).await.is_ok() {}
    let answer = rest(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");

    let mut many = connect(&world).await;
    many.write_all(b"GET /v1.0/p/jobs HTTP/1.1\r\nHost: weir\r\n").await.unwrap();
    for number in 0..1_000 {
        if many.write_all(format!("X-{number}: a\r\n").as_bytes()).await.is_err() {
            break;
        }
    }
    let _ = many.write_all(b"\r\n").await;
    let answer = rest(&mut many).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_body_without_an_end_is_refused_at_its_limit() {
    let world = World::start(|_| {}).await;
    let token = world.tokens["ann"].clone();
    for (path, kind) in [
        ("sql_job", "application/json"),
        ("jar_job", "multipart/form-data; boundary=x"),
        ("job_template", "application/json"),
    ] {
        let mut stream = connect(&world).await;
        let head = format!(
            "POST /v1.0/{}/{path} HTTP/1.1\r\nHost: weir\r\nX-Auth-Token: {token}\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n",
            world.project
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut chunk = b"10000\r\n".to_vec();
        chunk.extend(vec![b'a'; 0x10000]);
        chunk.extend(b"\r\n");
        let mut sent = 0;
        while stream.write_all(&chunk).await.is_ok() {
            sent += 0x10000;
            assert!(sent < 64 << 20, "{path}: the service reads without end");
        }
        let answer = rest(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn json_without_a_bottom_is_refused() {
    let world = World::start(|_| {}).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let request = world.request_of("post", &format!("/v1.0/{}/sql_job", world.project), "ann");
    let answer = request.header("Content-Type", "application/json").body(deep).send().await.unwrap();
    assert_eq!(answer.status(), 400);
}
