//! Stream SQL text to a checked plan. No async.

pub mod changelog;
mod check;
pub mod flink;
mod format;
mod job;
mod message;
pub mod nodes;
mod plan;
mod render;
mod suggest;
pub mod syntax;
pub mod text;
mod warning;

pub use check::{CheckOptions, Cluster, check, check_all};
pub use format::{format, is_same_job};
pub use job::*;
pub use message::{CheckError, CheckErrors, Message, Position};
pub use plan::physical as physical_expr;
pub use render::{render, render_warning};
pub use syntax::{parse, variable_names};
pub use warning::{Warning, WarningKind};
