//! Whose turn it is to be checked before it goes on after arrears.
//!
//! The checks of a round have one time for all of them, because the reconciler waits for it and buckets, topics and accounts
//! elsewhere may not answer. The projects take turns, and of the jobs of a project the one comes first that has had no turn,
//! or has waited longest since: jobs that cannot be checked hold up the others for one round at most, and jobs of others hardly at all.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use weir_base::id::{JobId, ProjectId};
use weir_store::JobRecord;

/// Jobs that are checked at the same time.
const CHECKS_AT_ONCE: usize = 8;

/// When jobs last had their turn.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    count: u64,
    last: HashMap<JobId, u64>,
}

impl Turns {
    /// Checks jobs, those first that have waited longest, until `limit` is ready. Returns what the checks gave that came to an end.
    pub(crate) async fn round<'j, T, F>(
        &self,
        jobs: Vec<&'j JobRecord>,
        limit: impl Future<Output = ()>,
        check: impl Fn(&'j JobRecord) -> F,
    ) -> Vec<T>
    where
        F: Future<Output = Option<T>>,
    {
        let count = jobs.len();
        let turn = |job: &'j JobRecord| {
            let check = check(job);
            async move {
                // Nothing of it runs before it is its turn.
                self.take(job.id);
                check.await
            }
        };
        let turns: Vec<_> = self.in_order(jobs).into_iter().map(turn).collect();
        let mut turns = futures::stream::iter(turns).buffer_unordered(CHECKS_AT_ONCE);
        let mut limit = std::pin::pin!(limit);
        let (mut checked, mut ended) = (Vec::new(), 0);
        loop {
            tokio::select! {
                biased;
                next = turns.next() => match next {
                    Some(result) => {
                        ended += 1;
                        checked.extend(result);
                    }
                    None => return checked,
                },
                () = &mut limit => {
                    let left = count - ended;
                    tracing::warn!(left, "jobs in arrears could not be checked in time, will go on with the next ones");
                    return checked;
                }
            }
        }
    }

    /// Forgets the turns of all other jobs.
    pub(crate) fn keep_only(&self, jobs: &[JobRecord]) {
        self.taken().last.retain(|id, _| jobs.iter().any(|job| job.id == *id));
    }

    fn take(&self, job: JobId) {
        let mut taken = self.taken();
        taken.count += 1;
        let count = taken.count;
        taken.last.insert(job, count);
    }

    fn in_order<'j>(&self, jobs: Vec<&'j JobRecord>) -> Vec<&'j JobRecord> {
        let taken = self.taken();
        let mut waited: Vec<_> =
            jobs.into_iter().map(|job| (taken.last.get(&job.id).copied().unwrap_or(0), job)).collect();
        waited.sort_by_key(|(last, job)| (*last, job.id));
        let mut of_project: HashMap<&ProjectId, usize> = HashMap::new();
        let mut ranked: Vec<_> = waited
            .into_iter()
            .map(|(last, job)| {
                let rank = of_project.entry(&job.project).or_default();
                *rank += 1;
                (*rank, last, job)
            })
            .collect();
        // By project before all else: however many jobs a project has, each other one has a place among the first.
        ranked.sort_by_key(|(rank, last, job)| (*rank, *last, job.id));
        ranked.into_iter().map(|(.., job)| job).collect()
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use weir_base::id::UserId;
    use weir_base::time::Timestamp;
    use weir_store::{JobDefinition, RunFacts};

    use super::*;

    fn job(id: i64, project: &str) -> JobRecord {
        JobRecord {
            id: JobId(id),
            project: ProjectId(project.to_string()),
            user: UserId("u1".to_string()),
            user_name: "ann".to_string(),
            definition: JobDefinition::default(),
            create_time: Timestamp(0),
            update_time: Timestamp(0),
            facts: RunFacts::default(),
            version: 1,
            deleted_at: None,
            seen_at: None,
        }
    }

    fn ids(jobs: &[&JobRecord]) -> Vec<i64> {
        jobs.iter().map(|job| job.id.0).collect()
    }

    /// Those of `silent` never answer; the time of the round is over as soon as all that can be done is done.
    fn round(turns: &Turns, jobs: &[JobRecord], silent: &str) -> Vec<i64> {
        let check = |job: &JobRecord| {
            let (id, answers) = (job.id.0, job.project.0 != silent);
            async move { if answers { Some(id) } else { std::future::pending().await } }
        };
        let round = turns.round(jobs.iter().collect(), std::future::ready(()), check);
        round.now_or_never().expect("a round ends when its time is over, whatever does not answer")
    }

    #[test]
    fn jobs_that_do_not_answer_hold_up_neither_the_round_nor_another_project() {
        let turns = Turns::default();
        let mut jobs: Vec<_> = (1..=20).map(|id| job(id, "silent")).collect();
        jobs.extend([job(21, "p1"), job(22, "p1")]);
        assert_eq!(round(&turns, &jobs, "silent"), [21, 22]);
    }

    #[test]
    fn those_that_were_not_reached_come_first_in_the_next_round() {
        let turns = Turns::default();
        let jobs: Vec<_> = (1..=10).map(|id| job(id, "silent")).collect();
        assert!(round(&turns, &jobs, "silent").is_empty());
        let next = turns.in_order(jobs.iter().collect());
        assert_eq!(ids(&next), [9, 10, 1, 2, 3, 4, 5, 6, 7, 8]);
        round(&turns, &jobs, "silent");
        let next = turns.in_order(jobs.iter().collect());
        assert_eq!(ids(&next), [7, 8, 9, 10, 1, 2, 3, 4, 5, 6]);
        turns.keep_only(&jobs[..1]);
        let next = turns.in_order(jobs.iter().collect());
        assert_eq!(ids(&next), [2, 3, 4, 5, 6, 7, 8, 9, 10, 1], "forgotten with what stands still no more");
    }

    #[test]
    fn one_that_was_checked_does_not_wait_for_all_jobs_of_another_project() {
        let turns = Turns::default();
        let mut jobs: Vec<_> = (1..=800).map(|id| job(id, "silent")).collect();
        jobs.push(job(801, "p1"));
        // It was checked, and could not go on yet.
        assert_eq!(round(&turns, &jobs, "silent"), [801]);
        let next = turns.in_order(jobs.iter().collect());
        assert!(ids(&next)[..2].contains(&801), "{:?}", &ids(&next)[..10]);
        assert_eq!(round(&turns, &jobs, "silent"), [801]);
    }

    #[test]
    fn one_that_does_not_answer_takes_one_place_of_eight() {
        let turns = Turns::default();
        let mut jobs = vec![job(1, "silent")];
        jobs.extend((2..=30).map(|id| job(id, "p1")));
        assert_eq!(
            round(&turns, &jobs, "silent").len(),
            29,
            "one that does not answer takes one place of eight"
        );
    }
}
