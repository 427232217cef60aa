//! What of the stream service is not offered, refused by name.

use axum::http::StatusCode;

use super::call::Call;
use super::error::DisError;

/// Any call about dump tasks. A client error, as one published client cannot take a server error.
pub(super) async fn refuse(_call: Call) -> Result<StatusCode, DisError> {
    let text =
        "dump tasks are not supported; a Stream SQL job with a `dis` source and an `obs` sink does the same";
    Err(DisError::query(text))
}

/// GET `/streams/{name}/policies`.
pub(super) async fn refuse_policies(_call: Call) -> Result<StatusCode, DisError> {
    Err(DisError::query(
        "policies of streams are not supported; a stream belongs to the users of its project",
    ))
}

/// POST `/file-records`.
pub(super) async fn refuse_files(_call: Call) -> Result<StatusCode, DisError> {
    Err(DisError::query("uploading files to streams is not supported; put records or objects"))
}

/// Any method that a path does not have.
pub(super) async fn refuse_method() -> DisError {
    DisError { status: 405, ..DisError::query("the path has no such method") }
}
