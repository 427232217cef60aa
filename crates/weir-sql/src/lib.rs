//! Stream SQL text to a checked plan. No async.

mod job;
mod message;

pub use job::*;
pub use message::{CheckError, Message, Position};
