//! What the service does to hold workers to their shares: finds out by which means, and gives each worker its bounds.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::str::FromStr;
use std::time::Duration;

use weir_base::id::JobId;

use super::cgroup::{self, Groups};
use super::{Bounds, InForce, Means, Share, limits};

/// The signal of a process that aborts: SIGABRT.
const ABORT: i32 = 6;

/// The exit code of a program that panics.
const PANIC: i32 = 101;

/// Times that a group is asked to go; the system lists a process that has ended a moment longer.
const REMOVALS: u32 = 20;

/// Pause between two of them.
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

/// By which means workers are to be held to the shares of their jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// By control groups as far as the host has them, else by limits of the process.
    Auto,
    /// By control groups, or the service does not start.
    Cgroup,
    /// By limits of the process.
    Limits,
    /// Not at all.
    Off,
}

impl FromStr for Confinement {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "auto" => Ok(Confinement::Auto),
            "cgroup" => Ok(Confinement::Cgroup),
            "limits" => Ok(Confinement::Limits),
            "off" => Ok(Confinement::Off),
            _ => Err(()),
        }
    }
}

/// Gives workers the shares of their jobs.
#[derive(Debug)]
pub struct Shares {
    spu_memory: u64,
    in_force: InForce,
    groups: Option<Groups>,
}

impl Shares {
    /// Finds out what this host has. `data` is the data directory of the service, and an SPU has `spu_memory` bytes.
    pub fn new(confinement: Confinement, spu_memory: u64, data: &Path) -> Result<Self, String> {
        let groups = match confinement {
            Confinement::Auto | Confinement::Cgroup => Groups::of_this_process(data),
            Confinement::Limits | Confinement::Off => {
                return Ok(Self::without_groups(confinement, spu_memory));
            }
        };
        let lacking = match &groups {
            Ok(groups) => groups.lacking.clone(),
            Err(reason) => Some(reason.clone()),
        };
        if let Some(reason) = &lacking {
            if confinement == Confinement::Cgroup {
                return Err(reason.clone());
            }
            tracing::info!(reason, "control groups do not hold all of the share of a worker");
        }
        let Ok(groups) = groups else { return Ok(Self::without_groups(confinement, spu_memory)) };
        let means = |by_groups| if by_groups { Means::Cgroup } else { Means::Limits };
        let in_force = InForce { cores: means(groups.cpu), memory: means(groups.memory) };
        Ok(Self { spu_memory, in_force, groups: Some(groups) })
    }

    fn without_groups(confinement: Confinement, spu_memory: u64) -> Self {
        let means = if confinement == Confinement::Off { Means::Nothing } else { Means::Limits };
        Self { spu_memory, in_force: InForce { cores: means, memory: means }, groups: None }
    }

    /// Returns what holds workers.
    pub fn in_force(&self) -> InForce {
        self.in_force
    }

    /// Returns what the worker of a job with `spus` SPUs is held to, and makes its control group.
    pub(in super::super) fn give(&self, job: JobId, spus: usize) -> io::Result<Option<Bounds>> {
        if self.in_force.cores == Means::Nothing {
            return Ok(None);
        }
        let memory = self.spu_memory.saturating_mul(spus as u64);
        let share = Share { spus, memory };
        let cgroup = self.groups.as_ref().map(|groups| groups.make(job, share)).transpose()?;
        Ok(Some(Bounds { share, in_force: self.in_force, cgroup }))
    }

    /// Removes what workers that are gone have left. `lives` tells whether a job has a worker.
    pub(in super::super) fn sweep(&self, lives: impl Fn(JobId) -> bool) {
        if let Some(groups) = &self.groups {
            groups.sweep(lives);
        }
    }

    /// Removes what this service has made, unless a worker goes on. `lives` tells whether a job has one.
    pub(in super::super) fn close(&self, lives: impl Fn(JobId) -> bool) {
        if let Some(groups) = &self.groups {
            groups.close(lives);
        }
    }
}

impl Bounds {
    /// Returns the variable of the environment that a worker with these bounds is started with.
    pub(in super::super) fn environment(&self) -> Option<(&'static str, String)> {
        (self.in_force.memory == Means::Limits).then(|| limits::environment(self.share.memory))
    }

    /// Returns why a worker that has ended without a result did so, if that was for want of memory. `log` is its log;
    /// its status is not known to a service that did not start it.
    pub(in super::super) fn want_of_memory(&self, status: Option<ExitStatus>, log: &Path) -> Option<String> {
        let gave_up =
            status.is_none_or(|status| status.signal() == Some(ABORT) || status.code() == Some(PANIC));
        let wanted = match (self.in_force.memory, &self.cgroup) {
            (Means::Cgroup, Some(cgroup)) => cgroup::ran_out_of_memory(cgroup),
            (Means::Limits, _) => gave_up && limits::was_refused_memory(log, &self.to_string()),
            _ => false,
        };
        wanted.then(|| {
            format!(
                "the worker needed more than the {} of its share ({} SPU) and was ended; give the job more SPUs \
                 (spu_number), or let it keep less state",
                limits::size(self.share.memory),
                self.share.spus,
            )
        })
    }

    /// Removes the control group of a worker that has ended.
    pub(in super::super) async fn take_back(&self) {
        let Some(cgroup) = &self.cgroup else { return };
        for _ in 1..REMOVALS {
            if cgroup::remove(cgroup).is_ok() {
                return;
            }
            tokio::time::sleep(REMOVAL_PAUSE).await;
        }
        if let Err(error) = cgroup::remove(cgroup) {
            tracing::warn!(cgroup = %cgroup.display(), %error, "the control group of a worker could not be removed; the next start of the service tries again");
        }
    }
}
