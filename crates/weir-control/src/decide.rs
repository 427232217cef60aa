//! What the facts of a job mean and what has to be done next. Values in, values out.
//!
//! A status is never stored: [`status`] computes it from what the user wants, what a runtime last said
//! and how long ago, and the stored end. [`next`] says what the reconciler has to do; it can be asked
//! again after a crash at any point, and gives the step that is missing.

pub(crate) mod savepoints;

use std::time::Duration;

use weir_base::savepoint::{SavepointAsk, SavepointOutcome, SavepointPlace};
use weir_base::time::Timestamp;
use weir_runtime::{Observation, RunState};
use weir_store::{EndKind, Held, Intent, RunFacts, SavepointFacts};

use crate::options::Limits;
use crate::status::{Status, is_move};

/// Why an attempt or a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The runtime refused the job.
    Refused(String),
    /// The job failed; the text comes from the runtime.
    Failed(String),
    /// It did not come up in time.
    StartTimedOut(Duration),
    /// Nothing was heard of its worker.
    WorkerSilent(Duration),
    /// It did not stop in time.
    StopTimedOut(Duration),
    /// It did not stop in time, and has stopped since.
    StoppedLate,
    /// Its worker was told to end by somebody else.
    EndedFromOutside,
    /// The account owes.
    Arrears,
    /// All its sources ended.
    Exhausted,
    /// A user stopped it.
    StoppedBy(String),
    /// A user stopped it with a savepoint.
    StoppedWithSavepoint {
        /// The user.
        by: String,
        /// Where the savepoint is.
        place: SavepointPlace,
    },
    /// Its cluster was stopped.
    ClusterStopped(String),
    /// Its cluster was deleted.
    ClusterDeleted(String),
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(text) | Self::Failed(text) => f.write_str(text),
            Self::StartTimedOut(limit) => write!(
                f,
                "the job did not come up within {} s; look at the load of the machine and at the job log, then run it again",
                limit.as_secs()
            ),
            Self::WorkerSilent(limit) => write!(
                f,
                "the worker of the job gave no sign of life for {} s; look at the job log, then run it again",
                limit.as_secs()
            ),
            Self::StoppedLate => f.write_str("the job did not stop in time, and has stopped since"),
            Self::EndedFromOutside => f.write_str(
                "the worker of the job was told to end (SIGTERM), but not by the service; it is started again from where it stopped",
            ),
            Self::Arrears => f.write_str(
                "the balance of the account is below 0; top it up, and the job goes on from where it stopped",
            ),
            Self::Exhausted => f.write_str("all sources of the job have ended and all their records are read"),
            Self::StoppedBy(user) => write!(f, "the job was stopped by {user}"),
            Self::StoppedWithSavepoint { by, place } => match place.shown() {
                Some(place) => write!(f, "the job was stopped by {by}, with a savepoint at {place}"),
                None => write!(f, "the job was stopped by {by}, with a savepoint in the store of the service"),
            },
            Self::ClusterStopped(name) => write!(f, "its cluster {name} was stopped; restart it, then run the job again"),
            Self::ClusterDeleted(name) => {
                write!(f, "its cluster {name} was deleted; give the job another one, then run it again")
            }
            Self::StopTimedOut(limit) => write!(
                f,
                "the job did not stop within {} s; stop it again, or delete it, which ends its worker",
                limit.as_secs()
            ),
        }
    }
}

/// The parts of a job's definition that decisions depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The run ends.
    End,
    /// The job is restarted (`restart_when_exception`).
    Restart,
}

/// What the reconciler has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing, as yet.
    Wait,
    /// Store the facts, then hand the job to the runtime.
    Start {
        /// The facts to store first.
        facts: RunFacts,
        /// Whether the attempt continues from the newest checkpoint.
        resume: bool,
    },
    /// Ask the runtime to stop the job.
    AskToStop,
    /// Ask the runtime for a savepoint.
    AskForSavepoint(SavepointAsk),
    /// Remove savepoints whose life has ended, then store the facts [`without_leftovers`].
    RemoveSavepoints(Vec<SavepointPlace>),
    /// Store the facts.
    Record(RunFacts),
    /// End what is left of the worker, then store the facts.
    EndWorker(RunFacts),
}

/// Computes the status of a job.
pub fn status(facts: &RunFacts, seen_at: Option<Timestamp>, now: Timestamp, limits: &Limits) -> Status {
    match (facts.intent, facts.end) {
        (Intent::Draft, _) => Status::Init,
        (_, Some(EndKind::SubmitFailed)) => Status::SubmitFail,
        (_, Some(EndKind::Failed)) => Status::RunningException,
        (_, Some(EndKind::Finished)) => Status::Finish,
        (_, Some(EndKind::Cancelled)) => Status::CancelSuccess,
        (_, Some(EndKind::CancelFailed)) => Status::CancelFail,
        (_, Some(EndKind::Frozen)) => Status::ArrearageStopped,
        (Intent::Stop | Intent::Freeze, None) => Status::Canceling,
        (Intent::Run | Intent::Recover, None) => match (facts.running_since, seen_at) {
            // An old sighting proves nothing: the job is being taken up again.
            (Some(_), Some(seen)) if now.since(seen) <= limits.silence => match facts.savepoint.ask {
                Some(_) => Status::Savepointing,
                None => Status::Running,
            },
            _ if facts.intent == Intent::Recover && !facts.reached_running => Status::ArrearageRecovering,
            _ => Status::Submitting,
        },
    }
}

/// Returns the statuses between which a change of facts would move a job although no move leads from one to the other.
pub fn illegal_move(
    before: &RunFacts,
    after: &RunFacts,
    now: Timestamp,
    limits: &Limits,
) -> Option<(Status, Status)> {
    // As if its worker had just been seen: how long it has been silent is no part of what is written.
    let (from, to) = (status(before, Some(now), now, limits), status(after, Some(now), now, limits));
    (!is_move(from, to)).then_some((from, to))
}

/// Returns the facts after the user's run: a fresh run, from the savepoint of the job with `resume`.
pub fn run(facts: &RunFacts, held: Held, resume: bool, now: Timestamp) -> RunFacts {
    RunFacts {
        intent: Intent::Run,
        intent_at: now,
        attempt: facts.attempt,
        start_time: facts.start_time,
        stopped_at: facts.stopped_at,
        savepoint: savepoints::of_run(&facts.savepoint, resume),
        held: Some(held),
        ..RunFacts::default()
    }
}

/// Returns the facts after the wish of a user for a savepoint.
pub fn savepoint(facts: &RunFacts, ask: SavepointAsk, by: &str) -> RunFacts {
    let savepoint = SavepointFacts {
        ask: Some(ask),
        asked_by: by.to_string(),
        failure: String::new(),
        ..facts.savepoint.clone()
    };
    RunFacts { savepoint, ..facts.clone() }
}

/// Returns the facts after a stop.
pub fn stop(facts: &RunFacts, cause: &StopReason, now: Timestamp) -> RunFacts {
    RunFacts {
        intent: Intent::Stop,
        intent_at: now,
        frozen_at: None,
        end: None,
        retry_at: None,
        reason: cause.to_string(),
        savepoint: savepoints::without_ask(&facts.savepoint, String::new()),
        ..facts.clone()
    }
}

/// Returns the facts after the balance of the account has become negative. The run is interrupted, not ended.
pub fn freeze(facts: &RunFacts, now: Timestamp) -> RunFacts {
    RunFacts {
        intent: Intent::Freeze,
        frozen_at: Some(now),
        end: None,
        retry_at: None,
        reason: StopReason::Arrears.to_string(),
        savepoint: savepoints::without_ask(&facts.savepoint, String::new()),
        ..facts.clone()
    }
}

/// Returns the facts after a top-up: the run goes on from its newest checkpoint, with the definition of now. When nothing
/// counts that was accepted before, as with another text, it is a run of its own, and checkpoints of before are not its.
pub fn recover(facts: &RunFacts, held: Held, now: Timestamp) -> RunFacts {
    let intent_at = if facts.accepted { facts.intent_at } else { now };
    RunFacts { held: Some(held), intent_at, ..taken_up(facts) }
}

fn taken_up(facts: &RunFacts) -> RunFacts {
    RunFacts {
        intent: Intent::Recover,
        frozen_at: None,
        submitted_at: None,
        reached_running: false,
        failures: 0,
        end: None,
        reason: String::new(),
        ..facts.clone()
    }
}

/// Returns the facts of a job that cannot go on after a top-up.
pub fn not_recovered(facts: &RunFacts, reason: &str, now: Timestamp) -> RunFacts {
    end_run(&taken_up(facts), EndKind::SubmitFailed, reason, now)
}

/// Returns the facts of a job that an imported one replaces: a draft again.
pub fn covered(facts: &RunFacts) -> RunFacts {
    let savepoint = savepoints::of_replaced(&facts.savepoint);
    RunFacts { attempt: facts.attempt, savepoint, ..RunFacts::default() }
}

/// Returns the facts after leftovers were removed.
pub fn without_leftovers(facts: &RunFacts, gone: &[SavepointPlace]) -> RunFacts {
    RunFacts { savepoint: savepoints::without_leftovers(&facts.savepoint, gone), ..facts.clone() }
}

/// Returns the facts after the runtime has taken over the job.
pub fn accepted(facts: &RunFacts) -> RunFacts {
    RunFacts { accepted: true, ..facts.clone() }
}

/// Returns the facts after the runtime has refused the job.
pub fn refused(facts: &RunFacts, text: &str, on: OnFailure, now: Timestamp, limits: &Limits) -> RunFacts {
    let reason = StopReason::Refused(text.to_string());
    // A job that has run before was acceptable then: the refusal may pass.
    if facts.reached_running {
        failed(facts, &reason, on, now, limits)
    } else {
        end_run(facts, EndKind::SubmitFailed, &reason.to_string(), now)
    }
}

/// Decides what has to be done for a job that is not deleted.
pub fn next(
    facts: &RunFacts,
    observation: Option<&Observation>,
    on: OnFailure,
    now: Timestamp,
    limits: &Limits,
) -> Step {
    let has_worker = is_alive(observation);
    // What belongs to an earlier attempt says nothing about this one.
    let observation =
        observation.filter(|seen| facts.submitted_at.is_some() && seen.attempt == facts.attempt);
    match (facts.intent, facts.end) {
        // Its worker may end after all.
        (Intent::Stop | Intent::Freeze, Some(EndKind::CancelFailed)) if !is_alive(observation) => {
            Step::Record(stopped(facts, observation, &StopReason::StoppedLate.to_string(), now))
        }
        // Before the next run of the job writes at the same place: here, and not in a call beside a run.
        (Intent::Draft, _) | (_, Some(_)) if !has_worker && !facts.savepoint.leftovers.is_empty() => {
            Step::RemoveSavepoints(facts.savepoint.leftovers.clone())
        }
        (Intent::Draft, _) | (_, Some(_)) => Step::Wait,
        (Intent::Run | Intent::Recover, None) => next_of_run(facts, observation, on, now, limits),
        (Intent::Stop | Intent::Freeze, None) => next_of_stop(facts, observation, now, limits),
    }
}

fn next_of_run(
    facts: &RunFacts,
    observation: Option<&Observation>,
    on: OnFailure,
    now: Timestamp,
    limits: &Limits,
) -> Step {
    if facts.retry_at.is_some_and(|due| now < due) {
        return Step::Wait;
    }
    let Some(seen) = observation else { return start(facts, now) };
    match &seen.state {
        RunState::Starting if now.since(facts.submitted_at.unwrap_or(now)) > limits.start => {
            let reason = StopReason::StartTimedOut(limits.start);
            Step::EndWorker(failed(facts, &reason, on, now, limits))
        }
        RunState::Starting if !facts.accepted => Step::Record(accepted(facts)),
        RunState::Starting => Step::Wait,
        RunState::Running if now.since(seen.at) > limits.silence => {
            let reason = StopReason::WorkerSilent(limits.silence);
            Step::EndWorker(failed(facts, &reason, on, now, limits))
        }
        RunState::Running => match facts.running_since {
            None => Step::Record(running(facts, seen.running_since.unwrap_or(seen.at))),
            Some(since) if facts.failures > 0 && now.since(since) >= limits.restart_reset => {
                Step::Record(RunFacts { failures: 0, reason: String::new(), ..facts.clone() })
            }
            Some(_) => next_of_savepoint(facts, seen, now, limits),
        },
        RunState::Finished if facts.savepoint.spent.is_some() => Step::Record(without_spent(facts)),
        RunState::Finished if facts.savepoint.unfinished.is_some() => Step::Record(without_unfinished(facts)),
        // A bucket that does not answer holds up the end of the job a little and not for ever.
        RunState::Finished
            if now.since(seen.at) <= limits.silence && !facts.savepoint.leftovers.is_empty() =>
        {
            Step::RemoveSavepoints(facts.savepoint.leftovers.clone())
        }
        RunState::Finished => Step::Record(finished(facts, seen)),
        // It ended with the savepoint that it was asked for.
        RunState::Stopped if has_ended_with_savepoint(facts, seen) => {
            Step::Record(written(facts, facts.savepoint.ask.as_ref(), now))
        }
        // It ended, but without the savepoint, and goes on from its last checkpoint.
        RunState::Stopped if savepoint_failure(facts, seen).is_some() => {
            let failure = savepoint_failure(facts, seen).unwrap_or_default();
            start(&accepted(&without_ask(facts, failure)), now)
        }
        // It ended for a savepoint that nobody waits for any more, as it took too long, and goes on from its last checkpoint.
        RunState::Stopped if seen.savepoint.is_some() => start(&accepted(facts), now),
        // It was suspended with the service, and goes on with it. It has run, so that its checkpoint counts even
        // if the service ended before it could note that the job was accepted.
        RunState::Stopped if seen.adopted => start(&accepted(facts), now),
        // Something else ends it, and may do so again and again. It is no fault of the job, which is started
        // again whatever its setting, but not at once.
        RunState::Stopped => {
            let reason = StopReason::EndedFromOutside;
            Step::Record(failed(&accepted(facts), &reason, OnFailure::Restart, now, limits))
        }
        RunState::Failed(text) => match seen.running_since.filter(|_| facts.running_since.is_none()) {
            // Its last word says that it ran, though it was not seen running: first that, so that it is no failure to come up.
            Some(since) => Step::Record(running(facts, since)),
            None => Step::Record(failed(facts, &StopReason::Failed(text.clone()), on, now, limits)),
        },
    }
}

/// Decides what has to be done about the savepoints of a job that runs.
fn next_of_savepoint(facts: &RunFacts, seen: &Observation, now: Timestamp, limits: &Limits) -> Step {
    // Noted before anything is removed: a job that was stopped meanwhile keeps it, and may start from it again.
    if facts.savepoint.spent.is_some() {
        return Step::Record(without_spent(facts));
    }
    let is_late = |ask: &SavepointAsk| now.since(ask.at) > limits.savepoint;
    // Not while the worker may be writing it: until it has said what became of it, or has surely given up, by its own limit.
    if let Some(ask) = &facts.savepoint.unfinished
        && (answer_to(ask, seen).is_some() || now.since(ask.at) > limits.savepoint + limits.silence)
    {
        return Step::Record(without_unfinished(facts));
    }
    let ask = facts.savepoint.ask.as_ref();
    // Before the next one is written at the same place, and not before one elsewhere: its bucket may answer no more.
    let is_due = |place: &&SavepointPlace| ask.is_none_or(|ask| !is_late(ask) && ask.place == **place);
    let due: Vec<_> = facts.savepoint.leftovers.iter().filter(is_due).cloned().collect();
    if !due.is_empty() {
        return Step::RemoveSavepoints(due);
    }
    let Some(ask) = ask else { return Step::Wait };
    let is_unfinished = facts.savepoint.unfinished.as_ref().is_some_and(|other| other.place == ask.place);
    match outcome(facts, seen) {
        Some(outcome) => match &outcome.failure {
            // A job that ends with it says so in its state.
            None if ask.stop => Step::Wait,
            None => Step::Record(written(facts, Some(ask), now)),
            Some(failure) => Step::Record(without_ask(facts, failure)),
        },
        None if is_late(ask) => {
            let seconds = limits.savepoint.as_secs();
            let failure = match is_unfinished || facts.savepoint.leftovers.contains(&ask.place) {
                true => format!(
                    "what an earlier one has left at the same place could not be removed within {seconds} s; look at its bucket"
                ),
                false => format!("it took longer than {seconds} s"),
            };
            Step::Record(without_ask(facts, &failure))
        }
        None if is_unfinished => Step::Wait,
        None => Step::AskForSavepoint(ask.clone()),
    }
}

fn without_spent(facts: &RunFacts) -> RunFacts {
    RunFacts { savepoint: savepoints::without_spent(&facts.savepoint), ..facts.clone() }
}

fn without_unfinished(facts: &RunFacts) -> RunFacts {
    RunFacts { savepoint: savepoints::without_unfinished(&facts.savepoint), ..facts.clone() }
}

/// Returns what became of the savepoint that is being asked for.
fn outcome<'a>(facts: &RunFacts, seen: &'a Observation) -> Option<&'a SavepointOutcome> {
    answer_to(facts.savepoint.ask.as_ref()?, seen)
}

fn answer_to<'a>(ask: &SavepointAsk, seen: &'a Observation) -> Option<&'a SavepointOutcome> {
    seen.savepoint.as_ref().filter(|outcome| outcome.at == ask.at)
}

fn has_ended_with_savepoint(facts: &RunFacts, seen: &Observation) -> bool {
    outcome(facts, seen).is_some_and(|outcome| outcome.failure.is_none())
}

fn savepoint_failure<'a>(facts: &RunFacts, seen: &'a Observation) -> Option<&'a str> {
    outcome(facts, seen)?.failure.as_deref()
}

/// The savepoint is there; a job that was to stop with it is being stopped.
fn written(facts: &RunFacts, ask: Option<&SavepointAsk>, now: Timestamp) -> RunFacts {
    let facts = RunFacts { savepoint: savepoints::written(&facts.savepoint, ask), ..facts.clone() };
    match ask.filter(|ask| ask.stop) {
        Some(ask) => {
            let by = facts.savepoint.asked_by.clone();
            stop(&facts, &StopReason::StoppedWithSavepoint { by, place: ask.place.clone() }, now)
        }
        None => facts,
    }
}

/// The job goes on without the savepoint that it was asked for.
fn without_ask(facts: &RunFacts, failure: &str) -> RunFacts {
    let failure = match facts.savepoint.ask {
        Some(_) => format!("the savepoint could not be written: {failure}"),
        None => facts.savepoint.failure.clone(),
    };
    RunFacts { savepoint: savepoints::without_ask(&facts.savepoint, failure), ..facts.clone() }
}

const WORKER_ENDED: &str = "the worker of the job ended meanwhile";

fn next_of_stop(
    facts: &RunFacts,
    observation: Option<&Observation>,
    now: Timestamp,
    limits: &Limits,
) -> Step {
    if !is_alive(observation) {
        return Step::Record(stopped(facts, observation, &facts.reason, now));
    }
    if now.since(facts.frozen_at.unwrap_or(facts.intent_at)) > limits.cancel {
        let reason = StopReason::StopTimedOut(limits.cancel);
        return Step::Record(RunFacts {
            end: Some(EndKind::CancelFailed),
            reason: reason.to_string(),
            ..facts.clone()
        });
    }
    Step::AskToStop
}

/// Whether a worker is there.
pub(crate) fn is_alive(observation: Option<&Observation>) -> bool {
    observation.is_some_and(|seen| matches!(seen.state, RunState::Starting | RunState::Running))
}

/// The worker of a job that was to stop is gone.
fn stopped(facts: &RunFacts, seen: Option<&Observation>, reason: &str, now: Timestamp) -> RunFacts {
    let facts = match written_late(facts, seen) {
        Some(ask) => RunFacts { savepoint: savepoints::written_late(&facts.savepoint, ask), ..facts.clone() },
        None => facts.clone(),
    };
    match facts.frozen_at {
        Some(_) => end_run(&facts, EndKind::Frozen, &StopReason::Arrears.to_string(), now),
        None => end_run(&facts, EndKind::Cancelled, reason, now),
    }
}

/// Returns the savepoint that a worker has written although nobody waited for it any more.
fn written_late<'a>(facts: &'a RunFacts, seen: Option<&Observation>) -> Option<&'a SavepointAsk> {
    let ask = facts.savepoint.unfinished.as_ref()?;
    let outcome = answer_to(ask, seen?)?;
    outcome.failure.is_none().then_some(ask)
}

fn start(facts: &RunFacts, now: Timestamp) -> Step {
    Step::Start {
        facts: RunFacts {
            attempt: facts.attempt + 1,
            submitted_at: Some(now),
            running_since: None,
            retry_at: None,
            // The runtime starts no worker beside another one.
            ..without_unfinished(&without_ask(facts, WORKER_ENDED))
        },
        resume: facts.accepted,
    }
}

fn running(facts: &RunFacts, at: Timestamp) -> RunFacts {
    RunFacts {
        accepted: true,
        reached_running: true,
        running_since: Some(at),
        start_time: at,
        ..facts.clone()
    }
}

/// A short job can end before it was seen running.
fn finished(facts: &RunFacts, seen: &Observation) -> RunFacts {
    let at = seen.at;
    let began = facts.running_since.or(seen.running_since).or(facts.submitted_at).unwrap_or(at);
    end_run(&running(facts, began), EndKind::Finished, &StopReason::Exhausted.to_string(), at)
}

fn end_run(facts: &RunFacts, end: EndKind, reason: &str, at: Timestamp) -> RunFacts {
    RunFacts {
        end: Some(end),
        reason: reason.to_string(),
        stopped_at: facts.running_since.map(|_| at).or(facts.stopped_at),
        running_since: None,
        retry_at: None,
        ..without_ask(facts, WORKER_ENDED)
    }
}

/// A restart with its delay, or the end of the run.
fn failed(facts: &RunFacts, reason: &StopReason, on: OnFailure, now: Timestamp, limits: &Limits) -> RunFacts {
    let ran = facts.running_since.map(|since| now.since(since));
    let failures = if ran.is_some_and(|ran| ran >= limits.restart_reset) { 1 } else { facts.failures + 1 };
    // A job that never came up is probably wrong: it is not tried for ever.
    let hopeful = facts.reached_running || failures < limits.start_attempts;
    if on == OnFailure::Restart && hopeful {
        return RunFacts {
            submitted_at: None,
            running_since: None,
            stopped_at: facts.running_since.map(|_| now).or(facts.stopped_at),
            failures,
            retry_at: Some(now.plus(restart_delay(failures, limits))),
            reason: reason.to_string(),
            ..without_ask(facts, WORKER_ENDED)
        };
    }
    let end = if facts.reached_running { EndKind::Failed } else { EndKind::SubmitFailed };
    end_run(facts, end, &reason.to_string(), now)
}

/// Returns the delay after so many failures in a row: doubling up to the longest.
fn restart_delay(failures: u32, limits: &Limits) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    limits.restart_first.saturating_mul(1 << doublings).min(limits.restart_longest)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
