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
