//! Jobs as state machines, the reconciler, quotas and audit.
//!
//! [`Control`] holds the use-cases, one file per family. They check, write what the user wants together
//! with its audit record, and wake the [`Reconciler`], which drives reality there. What follows from
//! what is decided by pure functions in [`decide`], over the tables in [`status`].

mod alarms;
mod audit;
mod caller;
mod control;
mod create;
pub mod decide;
mod fields;
mod graph;
mod options;
mod paging;
mod query;
mod reconciler;
mod remove;
mod run;
mod settings;
mod sql;
pub mod status;
mod stop;
pub mod success;
mod surroundings;
mod update;
mod variables;

pub use alarms::Alarms;
pub use audit::Subject;
pub use caller::{Caller, Role};
pub use control::{Control, ControlParts};
pub use fields::{CheckpointInterval, SentFields};
pub use options::{ControlOptions, Limits};
pub use paging::{Order, Page};
pub use query::{JobList, JobView, ListRequest, MetricsView};
pub use reconciler::{Action, Reconciler};
pub use status::Status;
pub use variables::{ProjectVariables, VariableError};
