//! One trait "run a job": the embedded worker process.

mod dirty;
mod dirty_as_declared;
mod embedded;
mod execution_graph;
pub mod job_test;
mod launch;
mod runner;
mod savepoint;
mod translate;
mod variables;

pub use embedded::{
    Confined, Confinement, EmbeddedRunner, InForce, Means, Namespaces, OBJECTS_KEY, ObjectsPlace, Outside,
    Shares, WorkerConfig, WorkerLogging, confine, namespace_of, run_worker, worker_logging,
};
pub use launch::{Launch, Launched};
pub use runner::*;
pub use savepoint::{NoSavepoint, find_savepoint};
pub use translate::{TranslateError, dataflow};
pub use variables::{open_variables, variable_owner};
