//! What clients send cannot fill the memory of the service, whoever they are and how many there are of them.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::Path;

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weir_testkit::service::{Client, Service, ServiceOptions};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");
/// What SECURITY.md promises: bodies and archives take no more than this together.
const MOST_BYTES: u64 = 512 << 20;
/// A JAR and a configuration file of 8 MB each.
const FORM_BYTES: usize = 16 << 20;

async fn connect(service: &Service) -> TcpStream {
    let endpoint = service.endpoint().unwrap();
    TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Returns the head of a request to create a JAR job with a form of so many bytes.
fn form_head(client: &Client, token: &str, length: usize) -> String {
    format!(
        "POST /v1.0/{}/jar_job HTTP/1.1\r\nHost: weir\r\nX-Auth-Token: {token}\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n",
        client.project()
    )
}

/// Sends a request and returns the answer, and whether all of it could be sent.
async fn send(service: &Service, head: &str, body: &[u8]) -> (String, bool) {
    let mut stream = connect(service).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let sent = stream.write_all(body).await.is_ok();
    let mut answer = Vec::new();
    // A connection that is closed with input unread is reset.
    let _ = stream.read_to_end(&mut answer).await;
    (String::from_utf8_lossy(&answer).into_owned(), sent)
}

/// Returns a form with a file of nearly all its length.
fn form() -> Vec<u8> {
    let mut form =
        b"--b\r\nContent-Disposition: form-data; name=\"jar\"; filename=\"a.jar\"\r\n\r\n".to_vec();
    form.resize(FORM_BYTES / 2, b'j');
    form.extend(b"\r\n--b\r\nContent-Disposition: form-data; name=\"config\"; filename=\"c\"\r\n\r\n");
    form.resize(FORM_BYTES - 7, b'c');
    form.extend(b"\r\n--b--");
    form
}

/// Returns an archive whose entries all name the same bytes, so that it is small and what is in it is not.
fn bomb(text: &[u8], entries: u16) -> Vec<u8> {
    let mut header = Vec::new();
    for number in [20_u16, 0, 0, 0, 0x21] {
        header.extend(number.to_le_bytes());
    }
    let length = u32::try_from(text.len()).unwrap();
    for number in [crc32fast::hash(text), length, length, 1] {
        header.extend(number.to_le_bytes());
    }
    let mut archive = [b"PK\x03\x04", header.as_slice(), b"j", text].concat();
    let start = u32::try_from(archive.len()).unwrap();
    for _ in 0..entries {
        archive.extend([b"PK\x01\x02\x14\0", header.as_slice(), &[0; 14], b"j"].concat());
    }
    let directory = u32::try_from(archive.len()).unwrap() - start;
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([entries.to_le_bytes(), entries.to_le_bytes()].concat());
    archive.extend([directory.to_le_bytes(), start.to_le_bytes()].concat());
    archive.extend([0; 2]);
    archive
}

/// Asks for imports of archives at the same time; all are refused, for a reason.
async fn import(service: &Service, client: &Client, name: &str, archives: &[Vec<u8>], reason: &str) {
    let folder = service.data().join("objects/bucket").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (number, archive) in archives.iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.zip")), archive).unwrap();
    }
    let body = json!({"zip_file": format!("bucket/{name}")});
    let asked = (0..2).map(|_| client.send(Method::POST, "/v1.0/{project}/jobs/import", Some(&body)));
    for answer in join_all(asked).await {
        let answer: serde_json::Value = answer.unwrap().json().await.unwrap();
        assert_eq!(answer["error_id"], "CS.11041", "{name}: {answer}");
        assert!(answer["error_cause"].as_str().unwrap().contains(reason), "{name}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_send_does_not_fill_the_memory() {
    let service = Service::start(Path::new(WEIR), ServiceOptions::default()).unwrap();
    let client = Client::log_in(&service.endpoint().unwrap(), service.password()).await.unwrap();

    // 1 GB from a sender who is nobody: none of it is read.
    let form = form();
    let head = form_head(&client, "nobody", form.len());
    for (answer, sent) in join_all((0..64).map(|_| send(&service, &head, &form))).await {
        assert!(!sent && (answer.is_empty() || answer.contains("CS.10007")), "{answer}");
    }
    println!("strangers: {} MB", service.peak_memory().unwrap() >> 20);

    // As much from a user: all of it is read, a part at a time.
    let head = form_head(&client, client.token(), form.len());
    for (answer, _) in join_all((0..64).map(|_| send(&service, &head, &form))).await {
        assert!(answer.contains("CS.") && !answer.contains("CS.10004"), "{answer}");
    }
    println!("forms: {} MB", service.peak_memory().unwrap() >> 20);

    // Heads without an end.
    let endless = vec![b'a'; 32 << 20];
    let head = "GET /v1.0/p/jobs HTTP/1.1\r\nHost: weir\r\nX-Huge: ";
    for (answer, sent) in join_all((0..64).map(|_| send(&service, head, &endless))).await {
        assert!(!sent && (answer.is_empty() || answer.starts_with("HTTP/1.1 431")), "{answer}");
    }
    println!("heads: {} MB", service.peak_memory().unwrap() >> 20);

    // Archives of 1 GB: one, and many that have 48 MB each.
    service.command(&["bucket", "create", "bucket"]).unwrap();
    client.authorize_buckets(&["bucket"]).await.unwrap();
    let mut text = json!({"format": 1, "job_id": 1, "job": {"name": "j", "job_type": "flink_sql_job",
        "run_mode": "shared_cluster", "spu_number": 2, "manager_spu": 1, "parallel_number": 1}})
    .to_string();
    let short = bomb(text.as_bytes(), u16::MAX);
    text.push_str(&" ".repeat(1 << 20));
    import(&service, &client, "one", &[bomb(text.as_bytes(), 1_000)], "too long").await;
    let some = bomb(text.as_bytes(), 48);
    import(&service, &client, "many", &vec![some; 20], "too long").await;
    // Very many jobs that are short.
    import(&service, &client, "short", &[short], "more than 10000 jobs").await;
    println!("archives: {} MB", service.peak_memory().unwrap() >> 20);

    // It works on.
    assert!(client.call(Method::GET, "/v1.0/{project}/jobs", None).await.is_ok());
    let peak = service.peak_memory().unwrap();
    assert!(peak <= MOST_BYTES, "{} MB, and {} MB are promised", peak >> 20, MOST_BYTES >> 20);
}
