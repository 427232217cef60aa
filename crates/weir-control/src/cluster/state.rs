//! The states of an exclusive cluster, the moves between them, and what has to be done next. Values in, values out.
//!
//! As with jobs a status is never stored: [`status`] computes it from what is wanted and what is known. [`next`] says
//! what the reconciler has to do; it can be asked again after a crash at any point.

use std::time::Duration;

use weir_base::time::Timestamp;
use weir_store::{ClusterBeginning, ClusterFacts, ClusterIntent};

use crate::options::Limits;

/// The status of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClusterStatus {
    /// Its nodes are being made ready.
    Creating,
    /// There was no room for it in time.
    CreateFail,
    /// Its nodes are ready, and it was not started.
    CreateSuccess,
    /// It is being started.
    Starting,
    /// It runs.
    Running,
    /// It is being removed.
    Deleting,
    /// It could not be removed in time; may be tried again.
    DeleteFail,
    /// Its size is being changed; jobs go on.
    Updating,
    /// Its jobs are being stopped.
    Stopping,
    /// It stands still.
    Stopped,
    /// It is to run again.
    Restarting,
    /// It stands still because the balance is negative.
    ArrearageStopped,
    /// It is to run again after a top-up.
    ArrearageRecovering,
}

/// One row per status: code and name on the wire, whether it holds its SPUs, whether the service moves it on.
struct Rule {
    status: ClusterStatus,
    code: i32,
    name: &'static str,
    holds_spus: bool,
    transient: bool,
}

const fn rule(
    status: ClusterStatus,
    code: i32,
    name: &'static str,
    holds_spus: bool,
    transient: bool,
) -> Rule {
    Rule { status, code, name, holds_spus, transient }
}

#[rustfmt::skip]
const RULES: [Rule; 13] = [
    //   status                              code  name                            SPUs   transient
    rule(ClusterStatus::Creating,            1,    "cluster_creating",             true,  true),
    rule(ClusterStatus::CreateFail,          2,    "cluster_create_fail",          false, false),
    rule(ClusterStatus::CreateSuccess,       3,    "cluster_create_success",       true,  true),
    rule(ClusterStatus::Starting,            4,    "cluster_starting",             true,  true),
    rule(ClusterStatus::Running,             5,    "cluster_running",              true,  false),
    rule(ClusterStatus::Deleting,            6,    "cluster_deleting",             true,  true),
    rule(ClusterStatus::DeleteFail,          7,    "cluster_delete_fail",          true,  false),
    rule(ClusterStatus::Updating,            8,    "cluster_updating",             true,  true),
    rule(ClusterStatus::Stopping,            9,    "cluster_stopping",             true,  true),
    rule(ClusterStatus::Stopped,             10,   "cluster_stopped",              false, false),
    rule(ClusterStatus::Restarting,          11,   "cluster_restarting",           true,  true),
    rule(ClusterStatus::ArrearageStopped,    12,   "cluster_arrearage_stopped",    false, false),
    rule(ClusterStatus::ArrearageRecovering, 13,   "cluster_arrearage_recovering", true,  true),
];

/// The moves: from, to, and what causes them. Every cluster that is there can be deleted, unless it is being.
pub const MOVES: &[(ClusterStatus, ClusterStatus, &str)] = &[
    // The two moves are one write. A client that polls takes cluster_create_success for the end of a creation, and
    // would use the cluster before it runs.
    (ClusterStatus::Creating, ClusterStatus::CreateSuccess, "its nodes are ready"),
    (ClusterStatus::CreateSuccess, ClusterStatus::Starting, "at once"),
    (ClusterStatus::Creating, ClusterStatus::CreateFail, "no room for it within the limit"),
    (ClusterStatus::Starting, ClusterStatus::Running, "it is up"),
    (ClusterStatus::Running, ClusterStatus::Updating, "update of the size"),
    (ClusterStatus::Updating, ClusterStatus::Running, "done"),
    (ClusterStatus::Running, ClusterStatus::Stopping, "stop, or a negative balance"),
    (ClusterStatus::Updating, ClusterStatus::Stopping, "a negative balance"),
    (ClusterStatus::Starting, ClusterStatus::Stopping, "a negative balance"),
    (ClusterStatus::Stopping, ClusterStatus::Stopped, "the last job has stopped, after a stop"),
    (
        ClusterStatus::Stopping,
        ClusterStatus::ArrearageStopped,
        "the last job has stopped, after a negative balance",
    ),
    (ClusterStatus::Stopped, ClusterStatus::Restarting, "restart"),
    (ClusterStatus::ArrearageStopped, ClusterStatus::ArrearageRecovering, "restart, or a top-up"),
    (ClusterStatus::Restarting, ClusterStatus::Starting, "there is room for it"),
    (ClusterStatus::ArrearageRecovering, ClusterStatus::Starting, "there is room for it"),
    (ClusterStatus::Restarting, ClusterStatus::Stopped, "no room for it within the limit"),
    (ClusterStatus::ArrearageRecovering, ClusterStatus::ArrearageStopped, "no room for it within the limit"),
    (ClusterStatus::Deleting, ClusterStatus::DeleteFail, "a job of it does not end within the limit"),
];

impl ClusterStatus {
    /// Every status, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        RULES.iter().map(|rule| rule.status)
    }

    fn rule(self) -> &'static Rule {
        RULES
            .iter()
            .find(|rule| rule.status == self)
            .expect("every status has its row; a unit test checks it")
    }

    /// Returns the number on the wire.
    pub fn code(self) -> i32 {
        self.rule().code
    }

    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        self.rule().name
    }

    /// Returns the status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        RULES.iter().find(|rule| rule.name == name).map(|rule| rule.status)
    }

    /// Whether the SPUs of the cluster are kept free for its jobs.
    pub fn holds_spus(self) -> bool {
        self.rule().holds_spus
    }

    /// Whether it has its manager node, which a cluster that stands still keeps.
    pub fn holds_manager_node(self) -> bool {
        self != Self::CreateFail
    }

    /// Whether the service itself moves the cluster on; every such status has a deadline or ends in the next round.
    pub fn is_transient(self) -> bool {
        self.rule().transient
    }

    /// Whether it can be made to run again.
    pub fn can_restart(self) -> bool {
        matches!(self, Self::Stopped | Self::ArrearageStopped)
    }
}

/// Why a cluster is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterFailure {
    /// There was no room to create or restart it.
    NoRoom(Duration),
    /// A job of it did not end.
    JobsLeft(Duration),
}

impl std::fmt::Display for ClusterFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRoom(limit) => write!(
                f,
                "the nodes for exclusive clusters had too few free SPUs for {} s; ask the operator for more, or use a smaller cluster",
                limit.as_secs()
            ),
            Self::JobsLeft(limit) => write!(
                f,
                "a job of the cluster did not end within {} s; look at the job list of the cluster, then delete it again",
                limit.as_secs()
            ),
        }
    }
}

/// What the reconciler sees around a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Whether the SPUs of all clusters that hold some are there.
    pub has_room: bool,
    /// Whether a job of the cluster holds SPUs.
    pub has_jobs: bool,
}

/// What the reconciler has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterStep {
    /// Nothing, as yet.
    Wait,
    /// Store the facts.
    Record(ClusterFacts),
    /// End the workers of its jobs.
    EndJobs,
    /// Note that it is gone.
    End,
}

/// Computes the status of a cluster.
pub fn status(facts: &ClusterFacts) -> ClusterStatus {
    match facts.intent {
        ClusterIntent::Delete if facts.failed => ClusterStatus::DeleteFail,
        ClusterIntent::Delete => ClusterStatus::Deleting,
        ClusterIntent::Stop if facts.halted_at.is_some() => ClusterStatus::Stopped,
        ClusterIntent::Freeze if facts.halted_at.is_some() => ClusterStatus::ArrearageStopped,
        ClusterIntent::Stop | ClusterIntent::Freeze => ClusterStatus::Stopping,
        ClusterIntent::Run if facts.failed => ClusterStatus::CreateFail,
        ClusterIntent::Run => status_of_run(facts),
    }
}

fn status_of_run(facts: &ClusterFacts) -> ClusterStatus {
    if facts.starting_at.is_none() {
        return match facts.beginning {
            ClusterBeginning::Create if facts.provisioned_at.is_none() => ClusterStatus::Creating,
            ClusterBeginning::Create => ClusterStatus::CreateSuccess,
            ClusterBeginning::Restart => ClusterStatus::Restarting,
            ClusterBeginning::Recover => ClusterStatus::ArrearageRecovering,
        };
    }
    match (facts.running_since, facts.updating_since) {
        (None, _) => ClusterStatus::Starting,
        (Some(_), Some(_)) => ClusterStatus::Updating,
        (Some(_), None) => ClusterStatus::Running,
    }
}

/// Returns the facts of a new cluster.
pub fn created(now: Timestamp) -> ClusterFacts {
    ClusterFacts {
        intent: ClusterIntent::Run,
        intent_at: now,
        beginning: ClusterBeginning::Create,
        provisioned_at: None,
        starting_at: None,
        running_since: None,
        updating_since: None,
        halted_at: None,
        failed: false,
        reason: String::new(),
    }
}

/// Returns the facts after a change of the size.
pub fn resized(facts: &ClusterFacts, now: Timestamp) -> ClusterFacts {
    ClusterFacts { updating_since: Some(now), ..facts.clone() }
}

/// Returns the facts after the user's stop.
pub fn stopped(facts: &ClusterFacts, now: Timestamp) -> ClusterFacts {
    towards(facts, ClusterIntent::Stop, now)
}

/// Returns the facts after the balance has become negative.
pub fn frozen(facts: &ClusterFacts, now: Timestamp) -> ClusterFacts {
    towards(facts, ClusterIntent::Freeze, now)
}

/// Returns the facts after the user's delete.
pub fn deleted(facts: &ClusterFacts, now: Timestamp) -> ClusterFacts {
    towards(facts, ClusterIntent::Delete, now)
}

/// Returns the facts after a restart, by the user or by a top-up.
pub fn restarted(facts: &ClusterFacts, now: Timestamp) -> ClusterFacts {
    let beginning = match facts.intent {
        ClusterIntent::Freeze => ClusterBeginning::Recover,
        _ => ClusterBeginning::Restart,
    };
    ClusterFacts {
        beginning,
        starting_at: None,
        running_since: None,
        updating_since: None,
        ..towards(facts, ClusterIntent::Run, now)
    }
}

fn towards(facts: &ClusterFacts, intent: ClusterIntent, now: Timestamp) -> ClusterFacts {
    ClusterFacts {
        intent,
        intent_at: now,
        halted_at: None,
        failed: false,
        reason: String::new(),
        ..facts.clone()
    }
}

/// Decides what has to be done for a cluster.
pub fn next(facts: &ClusterFacts, seen: Seen, now: Timestamp, limits: &Limits) -> ClusterStep {
    let waited = now.since(facts.intent_at);
    match status(facts) {
        ClusterStatus::CreateFail
        | ClusterStatus::Running
        | ClusterStatus::DeleteFail
        | ClusterStatus::Stopped
        | ClusterStatus::ArrearageStopped => ClusterStep::Wait,
        ClusterStatus::Creating | ClusterStatus::CreateSuccess => {
            if seen.has_room {
                return ClusterStep::Record(ClusterFacts {
                    provisioned_at: facts.provisioned_at.or(Some(now)),
                    starting_at: Some(now),
                    ..facts.clone()
                });
            }
            late(waited, limits.cluster_begin, |limit| ClusterFacts {
                failed: true,
                reason: ClusterFailure::NoRoom(limit).to_string(),
                ..facts.clone()
            })
        }
        ClusterStatus::Restarting | ClusterStatus::ArrearageRecovering => {
            if seen.has_room {
                return ClusterStep::Record(ClusterFacts { starting_at: Some(now), ..facts.clone() });
            }
            late(waited, limits.cluster_begin, |limit| ClusterFacts {
                intent: match facts.beginning {
                    ClusterBeginning::Recover => ClusterIntent::Freeze,
                    _ => ClusterIntent::Stop,
                },
                halted_at: Some(now),
                reason: ClusterFailure::NoRoom(limit).to_string(),
                ..facts.clone()
            })
        }
        ClusterStatus::Starting => {
            ClusterStep::Record(ClusterFacts { running_since: Some(now), ..facts.clone() })
        }
        ClusterStatus::Updating => {
            ClusterStep::Record(ClusterFacts { updating_since: None, ..facts.clone() })
        }
        ClusterStatus::Stopping if !seen.has_jobs => ClusterStep::Record(ClusterFacts {
            running_since: None,
            updating_since: None,
            halted_at: Some(now),
            ..facts.clone()
        }),
        ClusterStatus::Stopping if waited > limits.cluster_stop => ClusterStep::EndJobs,
        ClusterStatus::Stopping => ClusterStep::Wait,
        ClusterStatus::Deleting if !seen.has_jobs => ClusterStep::End,
        ClusterStatus::Deleting if waited > limits.cluster_delete => ClusterStep::Record(ClusterFacts {
            failed: true,
            reason: ClusterFailure::JobsLeft(limits.cluster_delete).to_string(),
            ..facts.clone()
        }),
        ClusterStatus::Deleting => ClusterStep::EndJobs,
    }
}

/// Waits, or gives up when that took too long.
fn late(waited: Duration, limit: Duration, failed: impl FnOnce(Duration) -> ClusterFacts) -> ClusterStep {
    if waited > limit { ClusterStep::Record(failed(limit)) } else { ClusterStep::Wait }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
