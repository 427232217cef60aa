//! Joins of two streams by equal keys: within time bounds, and without.
//!
//! Both keep the rows of their inputs per key and look up whole batches: pairs of rows are collected as indices, the
//! joined rows are gathered at once, the rest of the condition is evaluated on them, and what is left is given out.

mod interval;
mod interval_batch;
mod interval_rows;
mod joined;
mod kept;
mod schedule;
mod spec;
mod unbounded;
mod unbounded_batch;
mod unbounded_snapshot;

pub use interval::{IntervalJoin, IntervalJoinSpec};
pub use spec::{JoinInput, JoinSpec};
pub use unbounded::{StreamJoin, StreamJoinSpec};
