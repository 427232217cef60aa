//! Metadata in SQLite or PostgreSQL.
//!
//! Statements are those that both databases know, with `$1` for parameters, BIGINT for numbers and flags, and TEXT for the rest.
//!
//! One file per subject: [`jobs`] (records, intents, reports), [`surroundings`] (registered users and
//! authorized buckets), `buckets` (whose they are), [`quotas`], [`templates`], `variables` (of projects, sealed), `notifications` (topics and
//! messages on their way), `alarms` (messages about jobs), [`usage`], [`ledger`] and [`charges`] (what ran and what it cost), [`audit`] (who changed what), `trackers` (who may read that). [`Store::open`] brings the
//! schema up to date.

pub mod accounts;
mod agencies;
mod alarms;
pub mod audit;
mod buckets;
pub mod charges;
pub mod cluster_record;
pub mod clusters;
mod error;
mod groups;
pub mod hosts;
mod job_files;
mod job_list;
pub mod job_record;
pub mod jobs;
pub mod ledger;
pub mod networks;
mod notifications;
pub mod quotas;
mod schema;
mod store;
pub mod surroundings;
pub mod templates;
mod temporary_keys;
mod trackers;
pub mod usage;
mod variables;

pub use accounts::StoredAccounts;
pub use alarms::AlarmRecord;
pub use audit::{AuditFilter, AuditRecord, StoredAudit};
pub use charges::{BilledLine, BillingFilter, UseCharge};
pub use cluster_record::{
    BillingMode, ClusterBeginning, ClusterDefinition, ClusterFacts, ClusterIntent, ClusterRecord, NewCluster,
};
pub use error::StoreError;
pub use hosts::HostMapping;
pub use job_list::{JobFilter, JobRange, JobState};
pub use job_record::{
    EndKind, Held, Intent, JobDefinition, JobFile, JobRecord, NewJob, Report, RunFacts, RunPhase,
    SavepointFacts,
};
pub use ledger::{Book, EntryKind, NewEntry, Posting, PostingSubject, UsageMark};
pub use networks::{NetworkRecord, PeeringRecord, PeeringState, RouteRecord};
pub use notifications::StoredNotifications;
pub use quotas::QuotaChange;
pub use store::Store;
pub use surroundings::RegisterError;
pub use templates::{TemplateDefinition, TemplateRecord};
pub use usage::{Metered, NewUsage, UsageChange, UsageRecord};
pub use variables::VariableRecord;
