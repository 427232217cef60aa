//! Holds the process of a worker to what its job holds of the machine.
//!
//! The service decides at its start by which means ([`Shares`]) and writes into the request of each worker what that one is
//! held to ([`Bounds`]). The worker puts it in force itself: [`confine`] is the first thing it does, while the process has one
//! thread, so that all that it is ever going to be is confined.

mod cgroup;
mod limits;
mod namespace;
mod shares;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_base::clock::{Clock, SystemClock};

pub use self::namespace::Outside;
pub use self::shares::{Confinement, Shares};

use super::folder::{Folder, WorkerRequest};
use crate::{Observation, RunState};

/// Threads for each core, beside those that compute, that wait for files and names.
const WAITING_THREADS_PER_CORE: usize = 4;

/// By which means something is held to a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// A control group of the system, version 2.
    Cgroup,
    /// The number of threads and the limits of a process.
    Limits,
    /// It is not held.
    Nothing,
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Means::Cgroup => "cgroup",
            Means::Limits => "limits",
            Means::Nothing => "nothing",
        })
    }
}

/// What holds workers to their shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// To their cores.
    pub cores: Means,
    /// To their memory.
    pub memory: Means,
}

/// What a job holds of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Share {
    /// Its SPUs, each of which is a core.
    pub(super) spus: usize,
    /// Their memory, in bytes.
    pub(super) memory: u64,
}

/// What a worker is held to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bounds {
    pub(super) share: Share,
    pub(super) in_force: InForce,
    /// Directory of its control group.
    pub(super) cgroup: Option<PathBuf>,
}

/// A process that is confined.
#[derive(Debug)]
pub struct Confined {
    /// Threads that compute.
    pub threads: usize,
    /// Most threads that wait for files and names.
    pub waiting_threads: usize,
    /// What it is held to, for its log.
    pub summary: String,
    /// What of it stayed in the network of the machine, when it is in one of its own.
    pub outside: Option<Outside>,
}

/// Confines this process to the bounds in the request in `folder`. A process that cannot be confined must not run the job:
/// the reason is then in the result that the service reads. To be called before there is a second thread.
pub fn confine(folder: &Path) -> Result<Confined, String> {
    let folder = Folder::at(folder);
    let request =
        folder.read_request().map_err(|e| format!("the request of the worker cannot be read: {e}"))?;
    put_in_force(&request).inspect_err(|reason| {
        let started =
            Observation::starting(request.start.attempt, SystemClock.now(), Some(std::process::id()));
        // Without it the service names the log, where the reason is too.
        let _ = folder.write_result(&Observation { state: RunState::Failed(reason.clone()), ..started });
    })
}

fn put_in_force(request: &WorkerRequest) -> Result<Confined, String> {
    let machine = std::thread::available_parallelism().map_or(1, usize::from);
    // More threads than cores of the machine would only take turns.
    let threads = request.bounds.as_ref().map_or(machine, |bounds| bounds.share.spus.clamp(1, machine));
    let mut summary = "held to no share of the machine".to_string();
    if let Some(bounds) = &request.bounds {
        hold(bounds)?;
        summary = bounds.to_string();
    }
    let mut outside = None;
    if let Some(namespace) = &request.namespace {
        outside = Some(namespace::enter(namespace)?);
        summary = format!("{summary}, in the network namespace {}", namespace.display());
    }
    Ok(Confined { threads, waiting_threads: threads * WAITING_THREADS_PER_CORE, summary, outside })
}

/// Holds this process to its share.
fn hold(bounds: &Bounds) -> Result<(), String> {
    if let Some(cgroup) = &bounds.cgroup {
        cgroup::enter(cgroup)
            .map_err(|e| format!("the worker cannot enter its control group {}: {e}", cgroup.display()))?;
    }
    if bounds.in_force.memory == Means::Limits {
        limits::limit_memory(bounds.share.memory)
            .map_err(|e| format!("the worker cannot be held to its memory: {e}"))?;
    }
    Ok(())
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { share, in_force, .. } = self;
        write!(f, "held to {} (cores by {}, memory by {})", share, in_force.cores, in_force.memory)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} SPU, {}", self.spus, limits::size(self.memory))
    }
}
