//! What travels between subtasks: rows, watermarks, barriers and the end.

use arrow::array::RecordBatch;
use weir_base::time::Timestamp;

/// Name of the hidden column that carries, for every row, the event-time watermark that was in force just
/// before the row was read. It lets an operator tell late rows exactly although rows travel in
/// batches, so results depend on the data alone and not on how it was batched.
pub const ROW_WATERMARK: &str = "__weir_watermark";

/// Rows per batch that sources and operators aim at. Below 2,000 the per-batch cost of channels and kernels
/// shows; above 16,000 a batch of a few columns leaves the second-level cache.
pub const TARGET_BATCH_ROWS: usize = 8_192;

/// The two notions of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeDomain {
    /// Time told by the data.
    Event,
    /// Time told by the clock when a record was read.
    Processing,
}

/// One message of a channel.
#[derive(Debug, Clone)]
pub enum Message {
    /// Rows.
    Batch(RecordBatch),
    /// No row with an earlier or equal time follows, except late ones.
    Watermark(TimeDomain, Timestamp),
    /// The sender has nothing to read for now; it no longer holds back event time.
    Idle,
    /// Everything before belongs to the checkpoint of this epoch, everything after does not.
    Barrier(u64),
    /// Nothing follows.
    End,
}
