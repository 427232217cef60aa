//! The nodes of a plan that a stream has and DataFusion has not, one file each.
//!
//! They are [`LogicalPlan::Extension`](datafusion_expr::LogicalPlan::Extension) nodes with every choice spelled out, so
//! that the dataflow, `explain` and other back ends read the same description.

mod expand;
mod lookup_join;
mod match_recognize;
mod over;
mod stream_join;
mod unnest;

pub use expand::Expand;
pub(crate) use expand::{GROUPING, key_name};
pub use lookup_join::LookupJoin;
pub use match_recognize::{
    Definition, MatchClauses, MatchMeasure, MatchOrder, MatchRecognize, MatchSlot, RowBase, RowPattern,
    SkipTo, SlotValue, slot_schema,
};
pub use over::{Over, OverFrame, OverWindow};
pub use stream_join::{JoinKind, StreamJoin, TimeBounds};
pub use unnest::Unnest;
pub(crate) use unnest::element_types;
