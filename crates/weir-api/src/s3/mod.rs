//! The S3 endpoint over the local directory of objects, on a port of its own.
//!
//! The protocol is that of the crate `s3s`; this module gives it buckets and objects ([`Endpoint`]), access
//! keys, and the older signatures of OBS clients ([`legacy`]), which `s3s` does not know in all forms. A
//! bucket is a folder and a key the path below it, the same files that jobs read and write. What a file
//! cannot hold (content type, user metadata) and what is not an object yet are kept beside the
//! buckets, in folders that no bucket can be named like.

mod access;
mod attributes;
mod buckets;
mod changes;
mod conditional;
mod digest;
mod endpoint;
mod fault;
mod legacy;
mod listing;
mod multipart;
mod objects;
mod operations;
mod server;
mod texts;
mod write;

#[cfg(test)]
mod tests;

pub use server::serve;
