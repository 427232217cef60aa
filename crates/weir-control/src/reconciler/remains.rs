//! What could not be removed: when it is tried again, and when it is given up. Values in, values out.
//!
//! Each thing has its own time, so that a bucket that refuses one holds up no other. The times are not stored: a new service
//! process tries all of it at once.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use weir_base::id::JobId;
use weir_base::savepoint::SavepointPlace;
use weir_base::time::Timestamp;
use weir_runtime::RemoveError;

/// Time before something is tried again: the worker is about to end, or a bucket does not answer, which holds up other jobs each
/// time. Doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(32);
/// The same for a bucket that refuses: somebody has to do something about it.
const LONGEST_PAUSE_OF_REFUSED: Duration = Duration::from_secs(3_600);
/// A bucket that refuses for so long does so for good: long enough for a person to mend what was changed by mistake.
const GIVE_UP_AFTER: Duration = Duration::from_secs(86_400);

/// Something of a job that is to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Remain {
    /// The files of a deleted one, what it staged, and its checkpoints.
    OfJob,
    /// The files of a deleted one that leaves something in buckets.
    Files,
    /// A savepoint.
    Savepoint(SavepointPlace),
}

/// What became of something that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Removed {
    Yes,
    /// It is to be tried again.
    NotYet,
    /// It is to be tried again, and its bucket refuses.
    Refused,
    /// It is left where it is, for the reason.
    GivenUp(String),
}

/// What is to be done about something that could not be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try it again, but not before.
    Again(Duration),
    /// Leave it.
    GiveUp,
}

#[derive(Debug, Clone, Copy)]
struct Trouble {
    failed_at: Timestamp,
    pause: Duration,
    refused_since: Option<Timestamp>,
}

impl Trouble {
    fn is_pausing(&self, longest: Duration, now: Timestamp) -> bool {
        now.since(self.failed_at) < self.pause.min(longest)
    }
}

#[derive(Debug)]
enum State {
    Trouble(Trouble),
    /// Nothing is to be done about it any more: it is gone, or is given up.
    Settled(Removed),
}

/// What could not be removed of jobs, and what was, of those that are not cleared away yet.
#[derive(Debug, Default)]
pub(super) struct Remains(HashMap<JobId, HashMap<Remain, State>>);

impl Remains {
    /// Whether something is not to be tried yet. What somebody waits for is tried more often.
    pub(super) fn is_pausing(&self, job: JobId, what: &Remain, is_waited_for: bool, now: Timestamp) -> bool {
        let Some(trouble) = self.trouble(job, what) else { return false };
        let longest = if is_waited_for { LONGEST_PAUSE } else { LONGEST_PAUSE_OF_REFUSED };
        trouble.is_pausing(longest, now)
    }

    /// Returns what became of something of a deleted job, unless it is to be tried now.
    pub(super) fn known(&self, job: JobId, what: &Remain, now: Timestamp) -> Option<Removed> {
        match self.0.get(&job)?.get(what)? {
            State::Settled(removed) => Some(removed.clone()),
            State::Trouble(trouble) if trouble.is_pausing(LONGEST_PAUSE_OF_REFUSED, now) => {
                let is_refused = trouble.refused_since.is_some();
                Some(if is_refused { Removed::Refused } else { Removed::NotYet })
            }
            State::Trouble(_) => None,
        }
    }

    /// Keeps what became of something of a deleted job, when nothing is to be done about it any more: other things of the job
    /// may take longer, and what is given up must not be forgotten meanwhile.
    pub(super) fn settle(&mut self, job: JobId, what: &Remain, removed: &Removed) {
        if matches!(removed, Removed::Yes | Removed::GivenUp(_)) {
            self.0.entry(job).or_default().insert(what.clone(), State::Settled(removed.clone()));
        }
    }

    /// Notes that all that is given up of a deleted job has been said, so that it is not said again.
    pub(super) fn told(&mut self, job: JobId) {
        for state in self.0.entry(job).or_default().values_mut() {
            if let State::Settled(Removed::GivenUp(reason)) = state {
                reason.clear();
            }
        }
    }

    fn trouble(&self, job: JobId, what: &Remain) -> Option<Trouble> {
        match self.0.get(&job)?.get(what)? {
            State::Trouble(trouble) => Some(*trouble),
            State::Settled(_) => None,
        }
    }

    /// Notes that something could not be removed.
    pub(super) fn failed(
        &mut self,
        job: JobId,
        what: &Remain,
        error: &RemoveError,
        now: Timestamp,
    ) -> Verdict {
        let before = self.trouble(job, what);
        let (refused_since, longest) = match error {
            RemoveError::NotYet(_) => (None, LONGEST_PAUSE),
            RemoveError::Refused(_) => {
                let since = before.and_then(|before| before.refused_since).unwrap_or(now);
                (Some(since), LONGEST_PAUSE_OF_REFUSED)
            }
        };
        let pause = before.map_or(FIRST_PAUSE, |before| longest.min(before.pause * 2));
        let trouble = Trouble { failed_at: now, pause, refused_since };
        self.0.entry(job).or_default().insert(what.clone(), State::Trouble(trouble));
        match refused_since {
            Some(since) if now.since(since) >= GIVE_UP_AFTER => Verdict::GiveUp,
            _ => Verdict::Again(pause),
        }
    }

    /// Notes that something is gone, or is left for good.
    pub(super) fn forget(&mut self, job: JobId, what: &Remain) {
        if let Some(troubles) = self.0.get_mut(&job) {
            troubles.remove(what);
        }
    }

    /// Forgets everything of other jobs.
    pub(super) fn keep_only(&mut self, jobs: &HashSet<JobId>) {
        self.0.retain(|id, _| jobs.contains(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: JobId = JobId(7);
    const T0: Timestamp = Timestamp(1_000_000);

    fn after(seconds: u64) -> Timestamp {
        T0.plus(Duration::from_secs(seconds))
    }

    fn savepoint(bucket: &str) -> Remain {
        Remain::Savepoint(SavepointPlace::of_job(JOB, Some(bucket.to_string())))
    }

    /// Returns when something is tried that fails each time, and when it is given up.
    fn tries(error: &RemoveError, is_waited_for: bool, end: u64) -> (Vec<u64>, Option<u64>) {
        let (mut remains, mut tried) = (Remains::default(), Vec::new());
        for second in 0..end {
            if remains.is_pausing(JOB, &Remain::OfJob, is_waited_for, after(second)) {
                continue;
            }
            tried.push(second);
            if remains.failed(JOB, &Remain::OfJob, error, after(second)) == Verdict::GiveUp {
                return (tried, Some(second));
            }
        }
        (tried, None)
    }

    #[test]
    fn what_does_not_answer_is_tried_less_and_less_often_and_never_given_up() {
        let silent = RemoveError::NotYet("its bucket does not answer".to_string());
        let (tried, given_up) = tries(&silent, false, 200_000);
        assert_eq!(tried[..8], [0, 1, 3, 7, 15, 31, 63, 95]);
        assert_eq!(given_up, None);
    }

    #[test]
    fn what_is_refused_for_a_day_is_given_up_after_a_few_tries() {
        let refused = RemoveError::Refused("403 Forbidden".to_string());
        let (tried, given_up) = tries(&refused, false, 200_000);
        assert_eq!(tried[..8], [0, 1, 3, 7, 15, 31, 63, 127]);
        assert!(given_up.is_some_and(|at| (86_400..90_000).contains(&at)), "{given_up:?}");
        assert!(tried.len() < 50, "{tried:?}");
        let (tried, _) = tries(&refused, true, 128);
        assert_eq!(tried, [0, 1, 3, 7, 15, 31, 63, 95, 127], "somebody waits for it");
    }

    #[test]
    fn what_answers_in_between_is_not_given_up() {
        let mut remains = Remains::default();
        let refused = RemoveError::Refused("403 Forbidden".to_string());
        remains.failed(JOB, &Remain::OfJob, &refused, after(0));
        remains.failed(JOB, &Remain::OfJob, &RemoveError::NotYet("silence".to_string()), after(86_000));
        let verdict = remains.failed(JOB, &Remain::OfJob, &refused, after(87_000));
        assert!(matches!(verdict, Verdict::Again(_)), "{verdict:?}");
    }

    #[test]
    fn what_is_given_up_is_known_until_it_is_told() {
        let mut remains = Remains::default();
        assert_eq!(remains.known(JOB, &Remain::OfJob, T0), None);
        remains.failed(JOB, &Remain::OfJob, &RemoveError::Refused("403 Forbidden".to_string()), T0);
        assert_eq!(remains.known(JOB, &Remain::OfJob, T0), Some(Removed::Refused));
        assert_eq!(remains.known(JOB, &Remain::OfJob, after(1)), None, "it is to be tried");
        let left = Removed::GivenUp("403 Forbidden".to_string());
        remains.settle(JOB, &Remain::OfJob, &left);
        remains.settle(JOB, &savepoint("b1"), &Removed::Yes);
        remains.settle(JOB, &savepoint("b2"), &Removed::NotYet);
        for seconds in [1, 100_000] {
            assert_eq!(remains.known(JOB, &Remain::OfJob, after(seconds)), Some(left.clone()));
            assert_eq!(remains.known(JOB, &savepoint("b1"), after(seconds)), Some(Removed::Yes));
            assert_eq!(remains.known(JOB, &savepoint("b2"), after(seconds)), None);
        }
        remains.told(JOB);
        assert_eq!(
            remains.known(JOB, &Remain::OfJob, T0),
            Some(Removed::GivenUp(String::new())),
            "its files still have to go"
        );
    }

    #[test]
    fn one_thing_does_not_wait_because_another_failed() {
        let mut remains = Remains::default();
        let refused = RemoveError::Refused("403 Forbidden".to_string());
        remains.failed(JOB, &savepoint("b1"), &refused, T0);
        assert!(remains.is_pausing(JOB, &savepoint("b1"), false, T0));
        for what in [savepoint("b2"), Remain::OfJob] {
            assert!(!remains.is_pausing(JOB, &what, false, T0), "{what:?}");
        }
        assert!(!remains.is_pausing(JobId(8), &savepoint("b1"), false, T0));
        remains.forget(JOB, &savepoint("b1"));
        assert!(!remains.is_pausing(JOB, &savepoint("b1"), false, T0));
    }
}
