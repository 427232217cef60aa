//! What travels between subtasks: rows, watermarks, barriers and the end.

use arrow::array::RecordBatch;
use weir_base::time::Timestamp;

/// Name of the hidden column that carries, for every row, the event-time watermark that was in force just
/// before the row was read. It lets an operator tell late rows exactly although rows travel in
/// batches, so results depend on the data alone and not on how it was batched.
pub const ROW_WATERMARK: &str = "__weir_watermark";

/// Name of the hidden column that carries, for every row of a changelog, its [`RowKind`] as an Int8. A batch
/// without this column only adds rows. It follows the visible columns, before [`ROW_WATERMARK`].
pub const ROW_KIND: &str = "__weir_kind";

/// What a row of a changelog does to the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum RowKind {
    /// Adds a row.
    Insert = 0,
    /// Withdraws the former value of a row; its new value follows.
    UpdateBefore = 1,
    /// Adds the new value of a row.
    UpdateAfter = 2,
    /// Withdraws a row for good.
    Delete = 3,
}

impl RowKind {
    /// Returns whether the row is added and not withdrawn.
    pub fn is_added(self) -> bool {
        matches!(self, Self::Insert | Self::UpdateAfter)
    }

    /// Reads the value of the hidden column.
    pub fn from_value(value: i8) -> Option<Self> {
        Some(match value {
            0 => Self::Insert,
            1 => Self::UpdateBefore,
            2 => Self::UpdateAfter,
            3 => Self::Delete,
            _ => return None,
        })
    }

    /// Returns the sign that people and files see: `+I`, `-U`, `+U` or `-D`.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Insert => "+I",
            Self::UpdateBefore => "-U",
            Self::UpdateAfter => "+U",
            Self::Delete => "-D",
        }
    }
}

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
