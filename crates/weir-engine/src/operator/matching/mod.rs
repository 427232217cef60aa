//! Row patterns: `MATCH_RECOGNIZE`.
//!
//! Rows are kept in one [`RowStore`](super::row_store::RowStore); a partition holds the addresses of its rows, in
//! order, and one attempt to match. An attempt begins with one row and is a list of threads, ways through the
//! automaton of the pattern in order of preference. When none is left it has found its match or none, and the next
//! attempt begins at the row that `AFTER MATCH` says, over rows that are still kept. So matches come in the order of
//! their first rows, and a partition needs the rows from the start of its attempt on and nothing else; a snapshot
//! holds just those, the threads are found again from them.
//!
//! | File | What |
//! |---|---|
//! | `pattern`, `program` | patterns, and automata that keep the order of preference |
//! | `path`, `threads` | which row is mapped to which variable; how threads move on and when two are one |
//! | `ways` | attempts whose conditions do not depend on the match, and what they leave for later ones |
//! | `definitions`, `value`, `near`, `answers` | conditions, taken apart and computed for many rows at once |
//! | `partition`, `waiting` | rows of partitions; rows that wait for the watermark |
//! | `machine` | follows the pattern in one partition, asks for conditions, reports matches |
//! | `outcome` | the rows given out |
//! | `operator`, `prepare`, `snapshot` | the operator: chunks of rows and deadlines; its description; its state |

mod answers;
mod definitions;
mod machine;
mod near;
mod operator;
mod outcome;
mod partition;
mod path;
mod pattern;
mod prepare;
mod program;
mod snapshot;
mod spec;
mod threads;
mod under_way;
mod value;
mod waiting;
mod ways;

pub use operator::MatchRecognize;
pub use pattern::Pattern;
pub use spec::{Base, Condition, MatchRows, MatchSpec, Measures, RowOrder, Skip, Slot};
