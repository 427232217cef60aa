//! The dataflow: operators, time, exchange, state, checkpoints.

mod channel;
pub mod checkpoint;
mod coordinator;
pub mod dirty;
pub mod error;
pub mod graph;
pub mod job;
pub mod lookup;
mod message;
pub mod metrics;
pub mod operator;
mod plan_tasks;
pub mod sink;
pub mod source;
mod split;
mod state;
mod task;
mod time_column;
pub mod values;
pub mod watermark;

pub use message::{ROW_KIND, ROW_WATERMARK, RowKind, TARGET_BATCH_ROWS, TimeDomain};
pub use split::SplitState;
pub use time_column::TimeColumn;
