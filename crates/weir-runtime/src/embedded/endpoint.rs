//! An object endpoint for tests, which says what it is told to.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The beginning of a method and path, and the status and the body that answer it.
pub(super) type Answer<'a> = (&'a str, &'a str, &'a str);

/// Answers one call with the status and the body of the first answer whose method, and path, it begins with. Returns the call.
pub(super) async fn answer(mut stream: TcpStream, answers: &[Answer<'_>]) -> Option<String> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    let is_whole = |request: &[u8]| {
        let text = String::from_utf8_lossy(request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        body.len() >= length.unwrap_or(0)
    };
    while !is_whole(&request) {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => request.extend_from_slice(&chunk[..count]),
        }
    }
    let (_, status, body) = answers.iter().find(|(begin, ..)| request.starts_with(begin.as_bytes())).unwrap();
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    Some(String::from_utf8_lossy(&request).into_owned())
}
