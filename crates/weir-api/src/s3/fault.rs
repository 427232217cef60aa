//! Errors of the store as errors of the protocol.

use s3s::{S3Error, s3_error};
use weir_cloud::objects::ObjectsError;
use weir_control::BucketFault;

/// The error for a bucket that cannot be opened, made or removed.
pub(super) fn of_bucket(error: ObjectsError) -> S3Error {
    match error {
        ObjectsError::NoBucket(name) => s3_error!(NoSuchBucket, "there is no bucket `{name}`"),
        error @ ObjectsError::InvalidName(_) => s3_error!(InvalidBucketName, "{error}"),
        error @ ObjectsError::BucketExists(_) => s3_error!(BucketAlreadyOwnedByYou, "{error}"),
        error @ ObjectsError::NotEmpty(_) => s3_error!(BucketNotEmpty, "{error}"),
        error @ ObjectsError::InvalidKey { .. } => s3_error!(InvalidArgument, "{error}"),
        ObjectsError::Store(error) => of_store(error),
        error => internal(&error.to_string()),
    }
}

/// The error for a bucket that belongs to somebody else, or of which it is not known to whom.
pub(super) fn of_ownership(error: BucketFault) -> S3Error {
    match error {
        BucketFault::Objects(error) => of_bucket(error),
        error @ BucketFault::Foreign(_) => s3_error!(BucketAlreadyExists, "{error}"),
        BucketFault::Store(error) => internal(&error.to_string()),
    }
}

/// The error for an object that cannot be read or written.
pub(super) fn of_store(error: object_store::Error) -> S3Error {
    match &error {
        object_store::Error::NotFound { .. } => no_key(),
        object_store::Error::Precondition { .. } => s3_error!(PreconditionFailed, "the condition is not met"),
        object_store::Error::NotModified { .. } => s3_error!(NotModified),
        object_store::Error::InvalidPath { source } => {
            s3_error!(InvalidArgument, "the key cannot be stored: {source}")
        }
        _ => of_cause(&error),
    }
}

/// The error for an object that is not there.
pub(super) fn no_key() -> S3Error {
    s3_error!(NoSuchKey, "there is no such object")
}

/// The error for a key that is a folder, or has an object where it needs one.
pub(super) fn key_is_folder() -> S3Error {
    s3_error!(
        InvalidArgument,
        "in a local directory a key cannot also be the beginning of another key followed by `/`"
    )
}

/// Looks for the reason of the file system: some are faults of the request.
fn of_cause(error: &object_store::Error) -> S3Error {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(found) = cause {
        if let Some(io) = found.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::NotADirectory | std::io::ErrorKind::IsADirectory => {
                    return key_is_folder();
                }
                std::io::ErrorKind::InvalidFilename => {
                    return s3_error!(
                        KeyTooLongError,
                        "a part of the key between two `/` is too long for a file name"
                    );
                }
                _ => {}
            }
        }
        cause = found.source();
    }
    internal(&error.to_string())
}

/// The error for a fault of ours; the reason goes to the log.
pub(super) fn internal(reason: &str) -> S3Error {
    tracing::error!(reason, "an object operation failed");
    s3_error!(InternalError, "the object store failed")
}

/// Refuses what is asked for and cannot be done, instead of ignoring it.
pub(super) fn refuse_if(asked: &[(&str, bool)]) -> Result<(), S3Error> {
    match asked.iter().find(|(_, is_asked)| *is_asked) {
        Some((what, _)) => Err(s3_error!(NotImplemented, "{what} is not supported by this endpoint")),
        None => Ok(()),
    }
}
