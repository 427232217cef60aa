//! Jobs as state machines, the reconciler, quotas, the ledger and audit.
//!
//! [`Control`] holds the use-cases, one file per family. They check, write what the user wants together
//! with its audit record, and wake the [`Reconciler`], which drives reality there. What follows from
//! what is decided by pure functions in [`decide`], over the tables in [`status`].

mod agency;
mod alarms;
mod apig;
mod archive;
mod audit;
mod audit_query;
pub mod billing;
mod buckets;
mod caller;
pub mod cluster;
mod control;
mod create;
pub mod decide;
mod edge;
mod fields;
mod flink_list;
mod graph;
mod jar;
mod job_logs;
mod options;
mod overview;
mod paging;
mod phase;
mod query;
mod quota;
mod reconciler;
mod remove;
mod run;
mod samples;
mod savepoint;
mod settings;
mod sql;
pub mod status;
mod stop;
pub mod success;
mod surroundings;
mod template;
#[cfg(test)]
mod testing;
mod transfer;
mod update;
mod variables;

pub use alarms::Alarms;
pub use apig::{ApigSinkView, GatewayReader};
pub use audit::{Subject, write_audit};
pub use audit_query::{AuditError, switch_tracker};
pub use billing::{AccountView, BillingOptions};
pub use buckets::{BucketFault, Buckets};
pub use caller::{Caller, Role};
pub use cluster::{
    ClusterList, ClusterListRequest, ClusterOptions, ClusterStatus, ClusterView, ManagerNode, SentCluster,
};
pub use control::{Control, ControlParts};
pub use fields::{CheckpointInterval, SentFields};
pub use flink_list::{FlinkJobView, FlinkListRequest};
pub use jar::{SentFile, SentJar};
pub use options::{ControlOptions, EdgeGroup, Limits};
pub use overview::{Overview, Totals};
pub use paging::{Order, Page};
pub use query::{JobList, JobView, ListRequest, MetricsView};
pub use quota::QuotaView;
pub use reconciler::{Action, Reconciler};
pub use run::BatchRefusal;
pub use samples::{SAMPLES, Sample};
pub use status::Status;
pub use template::SentTemplate;
pub use transfer::ImportedJob;
pub use variables::{ProjectVariables, VariableError};
