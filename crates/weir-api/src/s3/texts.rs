//! Sentences for errors that the protocol library answers with a code alone: clients show them as unknown otherwise.

use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;

/// Longest error that is looked at; they are made here and far shorter.
const ERROR_BYTES: usize = 64 << 10;

const TEXTS: [(&str, &str); 6] = [
    (
        "InvalidBucketName",
        "the name of a bucket has 3 to 63 lower-case letters, digits, `-` and `.`, begins and ends with a letter or digit, \
         has no two dots in a row and is no IP address",
    ),
    ("KeyTooLongError", "the key has more than 1,024 bytes"),
    ("SignatureDoesNotMatch", "the signature does not fit the request; check the secret key"),
    ("InvalidURI", "the path of the request cannot be read"),
    ("MethodNotAllowed", "there is no such request for an object"),
    ("IncompleteBody", "the body has fewer bytes than the request says"),
];

/// Returns an answer with a sentence in its error, when it has an error without one.
pub(super) async fn with_text(response: Response) -> Response {
    if !(response.status().is_client_error() || response.status().is_server_error()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, ERROR_BYTES).await.unwrap_or_default();
    let Some(text) = std::str::from_utf8(&bytes).ok().and_then(completed) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(text))
}

/// Returns an error with the sentence that it lacks.
fn completed(error: &str) -> Option<String> {
    if error.contains("<Message>") {
        return None;
    }
    let (code, sentence) = TEXTS.iter().find(|(code, _)| error.contains(&format!("<Code>{code}</Code>")))?;
    let code = format!("<Code>{code}</Code>");
    Some(error.replacen(&code, &format!("{code}<Message>{sentence}</Message>"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_without_a_sentence_get_that_of_their_code() {
        let error = "<Error><Code>KeyTooLongError</Code></Error>";
        assert_eq!(
            completed(error).unwrap(),
            "<Error><Code>KeyTooLongError</Code><Message>the key has more than 1,024 bytes</Message></Error>"
        );
        assert_eq!(completed("<Error><Code>KeyTooLongError</Code><Message>m</Message></Error>"), None);
        assert_eq!(completed("<Error><Code>AccessDenied</Code></Error>"), None);
    }
}
