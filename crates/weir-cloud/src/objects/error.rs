//! What can go wrong with buckets and objects.

use thiserror::Error;

/// A fault of the object service.
#[derive(Debug, Error)]
pub enum ObjectsError {
    /// No bucket has the name.
    #[error("there is no bucket `{0}`; create it with `weir bucket create {0}`")]
    NoBucket(String),
    /// The name cannot be one of a bucket.
    #[error(
        "`{0}` is not a bucket name: 3 to 63 lower-case letters, digits, `-` and `.`, beginning and ending \
         with a letter or digit, no two dots in a row, and not an IP address"
    )]
    InvalidName(String),
    /// A bucket has the name already.
    #[error("there is a bucket `{0}` already")]
    BucketExists(String),
    /// The bucket still holds objects.
    #[error("the bucket `{0}` is not empty; remove its objects first")]
    NotEmpty(String),
    /// A key cannot be stored here.
    #[error("the key `{key}` cannot be stored: {reason}")]
    InvalidKey {
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// The S3 endpoint refused or failed.
    #[error("the object endpoint answered {status} to {what}: {message}")]
    Endpoint {
        /// HTTP status.
        status: u16,
        /// The operation.
        what: String,
        /// Its own words.
        message: String,
    },
    /// The S3 endpoint was not reached.
    #[error("the object endpoint cannot be reached: {0}")]
    Unreachable(String),
    /// The store failed.
    #[error("object store: {0}")]
    Store(#[from] object_store::Error),
    /// The local directory failed.
    #[error("object store: {0}")]
    Io(#[from] std::io::Error),
}
