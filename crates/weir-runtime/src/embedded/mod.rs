//! Jobs as `weir worker` processes on this machine.
//!
//! The service starts one process per job and talks to it over a socket in the job's folder: commands down,
//! observations up. The folder also holds the request, the log and, at the end, the result, so that
//! a service that was restarted finds its workers again.

mod confine;
mod discard;
#[cfg(test)]
mod endpoint;
mod folder;
mod follow;
mod kill;
mod logs;
mod namespaces;
mod processes;
mod protocol;
mod savepoints;
mod serve;
mod socket;
mod watch;
mod worker;

pub use confine::{Confined, Confinement, InForce, Means, Outside, Shares, confine};
pub use folder::{OBJECTS_KEY, ObjectsPlace, WorkerConfig};
pub use namespaces::{Namespaces, namespace_of};
pub use processes::EmbeddedRunner;
pub use worker::{WorkerLogging, run_worker, worker_logging};
