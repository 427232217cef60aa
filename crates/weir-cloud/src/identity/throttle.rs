//! Slows down guessing: after some wrong passwords for one name, further attempts wait.
//!
//! Names count whether or not there is such a user, so that the answer says nothing about it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use weir_base::time::Timestamp;

/// Wrong passwords for a name within [`WINDOW`] before attempts are refused. A person who mistypes
/// stays below it; a guesser gets 14,400 tries a day.
const FAILURES_ALLOWED: u32 = 10;

/// How long failures count, from the first one.
const WINDOW: Duration = Duration::from_secs(60);

/// Names remembered. Beyond it the oldest window is forgotten.
const NAMES_REMEMBERED: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Timestamp,
    count: u32,
}

#[derive(Debug, Default)]
pub(super) struct Throttle {
    names: Mutex<HashMap<String, Failures>>,
}

impl Throttle {
    /// Counts an attempt as failed until [`Self::forget`] says otherwise, so that attempts at the same time count, too.
    /// Returns how long the name has to wait instead, `None` when it may try now.
    pub(super) fn attempt(&self, name: &str, now: Timestamp) -> Option<Duration> {
        let mut names = self.lock();
        if names.len() >= NAMES_REMEMBERED && !names.contains_key(name) {
            names.retain(|_, failures| now.since(failures.since) < WINDOW);
            if names.len() >= NAMES_REMEMBERED
                && let Some(oldest) =
                    names.iter().min_by_key(|(_, row)| row.since).map(|(key, _)| key.clone())
            {
                names.remove(&oldest);
            }
        }
        let failures = names.entry(name.to_string()).or_insert(Failures { since: now, count: 0 });
        let elapsed = now.since(failures.since);
        if elapsed >= WINDOW {
            *failures = Failures { since: now, count: 0 };
        } else if failures.count >= FAILURES_ALLOWED {
            return Some(WINDOW - elapsed);
        }
        failures.count += 1;
        None
    }

    /// Forgets the failures of a name that has logged in.
    pub(super) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        // Counts are whole at every point where a panic could happen.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_waits_after_too_many_failures_and_not_for_ever() {
        let throttle = Throttle::default();
        for second in 0..i64::from(FAILURES_ALLOWED) {
            assert_eq!(throttle.attempt("a", Timestamp(second * 1_000)), None);
        }
        assert_eq!(throttle.attempt("a", Timestamp(20_000)), Some(Duration::from_secs(40)));
        assert_eq!(throttle.attempt("b", Timestamp(20_000)), None);
        assert_eq!(throttle.attempt("a", Timestamp(60_000)), None);
    }

    #[test]
    fn success_clears_the_count() {
        let throttle = Throttle::default();
        for _ in 0..FAILURES_ALLOWED {
            throttle.attempt("a", Timestamp(0));
        }
        throttle.forget("a");
        assert_eq!(throttle.attempt("a", Timestamp(0)), None);
    }
}
