//! The states of a job as users see them, what each allows, and the moves between them.

use weir_base::error::{ErrorCode, codes};

/// The status of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Draft.
    Init,
    /// On its way to the runtime, or waiting for a restart.
    Submitting,
    /// The runtime refused it, or it did not come up.
    SubmitFail,
    /// Running.
    Running,
    /// It failed and is not restarted.
    RunningException,
    /// Its package is on its way to an edge node.
    Downloading,
    /// Deployed to an edge node, not started.
    Idle,
    /// A savepoint is being written.
    Savepointing,
    /// Being stopped.
    Canceling,
    /// Stopped.
    CancelSuccess,
    /// It could not be stopped in time.
    CancelFail,
    /// All its sources ended.
    Finish,
    /// Stopped because the balance is negative.
    ArrearageStopped,
    /// Being restored after a top-up.
    ArrearageRecovering,
}

/// Whether and how a job in a status can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Update {
    Yes,
    /// CS.12003.
    NoItRuns,
    /// CS.12005.
    NotNow,
}

/// One row per status: its name on the wire, whether it holds SPUs, what is allowed in it. Delete is always.
struct Rule {
    status: Status,
    name: &'static str,
    holds_spus: bool,
    run: bool,
    stop: bool,
    update: Update,
}

const fn rule(
    status: Status,
    name: &'static str,
    holds_spus: bool,
    run: bool,
    stop: bool,
    update: Update,
) -> Rule {
    Rule { status, name, holds_spus, run, stop, update }
}

#[rustfmt::skip]
const RULES: [Rule; 14] = [
    //   status                       name                          SPUs   run    stop   update
    rule(Status::Init,                "job_init",                   false, true,  false, Update::Yes),
    rule(Status::Submitting,          "job_submitting",             true,  false, true,  Update::NoItRuns),
    rule(Status::SubmitFail,          "job_submit_fail",            false, true,  false, Update::Yes),
    rule(Status::Running,             "job_running",                true,  false, true,  Update::NoItRuns),
    rule(Status::RunningException,    "job_running_exception",      false, true,  false, Update::Yes),
    rule(Status::Downloading,         "job_downloading",            false, false, true,  Update::NotNow),
    rule(Status::Idle,                "job_idle",                   false, false, true,  Update::NotNow),
    rule(Status::Savepointing,        "job_savepointing",           true,  false, false, Update::NotNow),
    rule(Status::Canceling,           "job_canceling",              true,  false, false, Update::NotNow),
    rule(Status::CancelSuccess,       "job_cancel_success",         false, true,  false, Update::Yes),
    rule(Status::CancelFail,          "job_cancel_fail",            true,  false, true,  Update::Yes),
    rule(Status::Finish,              "job_finish",                 false, true,  false, Update::Yes),
    rule(Status::ArrearageStopped,    "job_arrearage_stopped",      false, true,  false, Update::Yes),
    rule(Status::ArrearageRecovering, "job_arrearage_recovering",   true,  false, false, Update::NotNow),
];

/// The moves that this release makes: from, to, and what causes them; no other is written. Those that need edge nodes
/// come with these.
pub const MOVES: &[(Status, Status, &str)] = &[
    (Status::Init, Status::Submitting, "run"),
    (Status::SubmitFail, Status::Submitting, "run"),
    (Status::RunningException, Status::Submitting, "run"),
    (Status::CancelSuccess, Status::Submitting, "run"),
    (Status::Finish, Status::Submitting, "run"),
    (Status::SubmitFail, Status::Init, "import with `is_cover`"),
    (Status::RunningException, Status::Init, "import with `is_cover`"),
    (Status::CancelSuccess, Status::Init, "import with `is_cover`"),
    (Status::Finish, Status::Init, "import with `is_cover`"),
    (Status::ArrearageStopped, Status::Init, "import with `is_cover`"),
    (Status::CancelFail, Status::Init, "import with `is_cover`"),
    (Status::Submitting, Status::Running, "the runtime reports that the job runs"),
    (Status::Submitting, Status::SubmitFail, "the runtime refuses the job, or it does not come up in time"),
    (Status::Submitting, Status::Finish, "the sources were exhausted before the job was seen running"),
    (Status::Submitting, Status::RunningException, "a restart, or a resumed job, fails"),
    (Status::Submitting, Status::Canceling, "stop, or a negative balance"),
    (Status::Running, Status::Finish, "all sources are bounded and exhausted"),
    (Status::Running, Status::RunningException, "failure"),
    (Status::Running, Status::Submitting, "failure with `restart_when_exception`, or the worker is gone"),
    (Status::Running, Status::Canceling, "stop, or a negative balance"),
    (Status::Running, Status::Savepointing, "a savepoint is asked for"),
    (Status::Savepointing, Status::Running, "the savepoint is written, or could not be"),
    (
        Status::Savepointing,
        Status::Canceling,
        "the savepoint of a stop is written, the cluster is stopped, or a negative balance",
    ),
    (Status::Savepointing, Status::Submitting, "the worker is gone, or could not end with the savepoint"),
    (Status::Savepointing, Status::Finish, "all sources are exhausted before the savepoint is written"),
    (Status::Savepointing, Status::RunningException, "failure"),
    (Status::CancelFail, Status::Canceling, "stop, or a negative balance"),
    (Status::CancelFail, Status::CancelSuccess, "its worker has ended after all"),
    (
        Status::CancelFail,
        Status::ArrearageStopped,
        "its worker has ended after all, after a negative balance",
    ),
    (Status::Canceling, Status::CancelSuccess, "done"),
    (Status::Canceling, Status::CancelFail, "it takes longer than the limit"),
    (Status::Canceling, Status::ArrearageStopped, "done, after a negative balance"),
    (Status::ArrearageStopped, Status::Submitting, "run"),
    (Status::ArrearageStopped, Status::ArrearageRecovering, "top-up"),
    (Status::ArrearageStopped, Status::SubmitFail, "top-up, and there is no room for the job"),
    (Status::ArrearageRecovering, Status::Running, "the runtime reports that the job runs"),
    (Status::ArrearageRecovering, Status::Canceling, "the cluster is stopped or deleted"),
    (
        Status::ArrearageRecovering,
        Status::SubmitFail,
        "the runtime refuses the job, or it does not come up in time",
    ),
    (
        Status::ArrearageRecovering,
        Status::Finish,
        "the sources were exhausted before the job was seen running",
    ),
];

/// Whether a job may go from one status to another, or stay.
pub fn is_move(from: Status, to: Status) -> bool {
    from == to || MOVES.iter().any(|(a, b, _)| (*a, *b) == (from, to))
}

impl Status {
    /// Every status, in the order of the table.
    pub fn all() -> impl Iterator<Item = Status> {
        RULES.iter().map(|rule| rule.status)
    }

    /// Whether the entry into it is an alarm.
    pub fn is_alarming(self) -> bool {
        matches!(self, Self::RunningException | Self::SubmitFail | Self::ArrearageStopped)
    }

    fn rule(self) -> &'static Rule {
        RULES
            .iter()
            .find(|rule| rule.status == self)
            .expect("every status has its row; a unit test checks it")
    }

    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        self.rule().name
    }

    /// Returns the status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        RULES.iter().find(|rule| rule.name == name).map(|rule| rule.status)
    }

    /// Whether the job holds its SPUs.
    pub fn holds_spus(self) -> bool {
        self.rule().holds_spus
    }

    /// Whether the job can be run.
    pub fn can_run(self) -> bool {
        self.rule().run
    }

    /// Whether the job can be stopped.
    pub fn can_stop(self) -> bool {
        self.rule().stop
    }

    /// Whether the job is stopped when its cluster is: one that holds SPUs and is not being stopped already.
    pub fn stops_with_cluster(self) -> bool {
        self.holds_spus() && self != Self::Canceling
    }

    /// Returns the code with which an update is refused, or `None` when it is allowed.
    pub fn update_refusal(self) -> Option<ErrorCode> {
        match self.rule().update {
            Update::Yes => None,
            Update::NoItRuns => Some(codes::RUNNING_JOB_NOT_UPDATABLE),
            Update::NotNow => Some(codes::JOB_NOT_UPDATABLE),
        }
    }

    /// Whether the service itself moves the job on; every such status has a deadline or an event that ends it.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Submitting | Self::Canceling | Self::Savepointing | Self::ArrearageRecovering)
    }

    /// Whether something went wrong.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::SubmitFail | Self::RunningException | Self::CancelFail)
    }

    /// Whether the reason belongs to the status and is shown.
    pub fn has_reason(self) -> bool {
        let is_stop =
            matches!(self, Self::Canceling | Self::CancelSuccess | Self::Finish | Self::ArrearageStopped);
        self.is_failure() || is_stop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_one_row_and_a_name_of_its_own() {
        let all: Vec<_> = Status::all().collect();
        assert_eq!(all.len(), 14);
        for status in all {
            assert_eq!(Status::parse(status.name()), Some(status));
        }
    }

    #[test]
    fn run_and_stop_are_moves_of_the_table_wherever_they_are_allowed() {
        let elsewhere = [Status::Downloading, Status::Idle];
        for status in Status::all().filter(|status| !elsewhere.contains(status)) {
            let moves_to = |to| MOVES.iter().any(|(a, b, _)| *a == status && *b == to);
            if status.can_run() {
                assert!(moves_to(Status::Submitting), "{}", status.name());
            }
            // The stop of a job that writes a savepoint was asked for before.
            let stops = moves_to(Status::Canceling) && status != Status::Savepointing;
            let stops = stops && status != Status::ArrearageRecovering;
            assert_eq!(status.can_stop(), stops, "{}", status.name());
        }
    }

    #[test]
    fn whatever_holds_spus_of_a_cluster_can_be_stopped_with_it() {
        for status in Status::all().filter(|status| status.holds_spus()) {
            assert!(is_move(status, Status::Canceling), "{}", status.name());
        }
        assert!(Status::ArrearageRecovering.stops_with_cluster());
    }

    #[test]
    fn what_is_not_in_the_table_is_no_move() {
        assert!(is_move(Status::Running, Status::Running));
        assert!(is_move(Status::Running, Status::Savepointing));
        assert!(!is_move(Status::Finish, Status::Running));
        assert!(!is_move(Status::Canceling, Status::Submitting));
    }

    #[test]
    fn no_status_allows_both_run_and_stop() {
        assert!(Status::all().all(|status| !(status.can_run() && status.can_stop())));
    }

    #[test]
    fn a_status_that_holds_spus_cannot_be_run_again() {
        assert!(Status::all().all(|status| !(status.holds_spus() && status.can_run())));
    }
}
