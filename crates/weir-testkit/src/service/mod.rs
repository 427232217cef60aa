//! A `weir serve` in a process of its own, and a client that talks to it over HTTP.

mod client;
mod process;
mod streams;

pub use client::{Client, JobView};
pub use process::{Service, ServiceOptions};
pub use streams::StreamReader;
