//! What tests of the whole product share: the golden-job runner, a service in a process of its own, an HTTP client.
//!
//! Everything here drives the built `weir` binary from outside, as a user would; nothing links the engine. A failure
//! says how to run the same thing again.

pub mod golden;
pub mod kill;
pub mod seed;
pub mod service;
