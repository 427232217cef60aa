//! The dataflow: operators, time, exchange, state, checkpoints.

pub mod error;
pub mod sink;
pub mod source;
