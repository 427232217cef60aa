//! The Data Ingestion Service, version 2: streams, records, cursors, apps and checkpoints.
//!
//! Paths are taken with and without a slash at the end, as published clients send both. Every handler
//! takes a [`call::Call`]: the request, admitted and with its body read.

mod apps;
mod call;
mod changes;
mod checkpoints;
mod cursors;
mod describe;
mod dump;
mod error;
mod host;
mod metrics;
mod protobuf;
mod records;
mod routes;
mod streams;
mod tags;

#[cfg(test)]
mod tests;

pub(crate) use changes::CHANGES;
pub(crate) use error::DisError;
pub use routes::router;
