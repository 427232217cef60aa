//! The checks of a whole job: streams, their options and columns, and what the INSERTs connect.
//!
//! The queries themselves are checked where they are planned, in `plan`.

mod clocks;
mod columns;
mod connector;
mod flow;
mod format;
mod function;
mod job;
mod late;
mod options;
mod settings;
mod stream;

pub use job::{check, check_all};
pub use settings::{CheckOptions, Cluster};
