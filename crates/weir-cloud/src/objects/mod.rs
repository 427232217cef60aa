//! Buckets and objects, in a local directory or behind an S3 endpoint.
//!
//! [`Objects`] finds buckets; what is in them is reached through the `ObjectStore` that it opens. In the
//! local form a bucket is a folder and a key the path below it, so that ordinary tools see the same files.

mod error;
mod local;
mod name;
mod remote;
mod service;

#[cfg(test)]
mod tests;

pub use error::ObjectsError;
pub use name::is_bucket_name;
pub use service::{Bucket, Objects, ObjectsConfig, S3Config};
