//! HTTP: routes, wire types, OpenAPI, error rendering.
//!
//! [`router`] joins the families of routes: [`cs`] (jobs), [`iam`] (tokens and projects), [`dis`]
//! (streams), [`smn`] (notifications), `cts` (the trace list of the audit), `vpc` (peerings), `gateway` (what sinks show), `ief` (edge groups) and what operators look at.
//! [`s3`] is served on a port of its own.

mod audited;
pub mod auth;
mod body;
pub mod cs;
mod cts;
pub mod dis;
pub mod error_reference;
mod gateway;
pub mod iam;
mod ief;
mod json;
mod json_fault;
pub mod listen;
pub mod metrics;
pub mod openapi;
mod openapi_beside;
mod openapi_limits;
mod openapi_page;
mod operate;
mod outermost;
pub mod s3;
pub mod smn;
pub mod state;
mod unknown;
mod vpc;

pub use operate::metrics_router;
pub use state::{ApiState, router};
