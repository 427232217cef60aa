//! What tests of the whole product share: the golden-job runner, a service in a process of its own, an HTTP client,
//! and servers of others.
//!
//! Everything here drives the built `weir` binary or another server from outside; nothing links the engine. A failure
//! says how to run the same thing again.

pub mod golden;
pub mod kill;
pub mod names;
pub mod peer;
pub mod seed;
pub mod servers;
pub mod service;
