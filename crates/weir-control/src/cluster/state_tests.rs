//! The states of a cluster by themselves: every move, every deadline.

use std::collections::BTreeSet;

use super::*;

const QUIET: Seen = Seen { has_room: true, has_jobs: false };
const FULL: Seen = Seen { has_room: false, has_jobs: false };
const BUSY: Seen = Seen { has_room: true, has_jobs: true };

/// Moves a cluster on until it rests; returns every status on the way.
fn settle(facts: &mut ClusterFacts, seen: Seen, now: Timestamp) -> Vec<ClusterStatus> {
    let mut passed = vec![status(facts)];
    while let ClusterStep::Record(after) = next(facts, seen, now, &Limits::default()) {
        *facts = after;
        passed.push(status(facts));
    }
    passed
}

fn running() -> ClusterFacts {
    let mut facts = created(Timestamp(0));
    settle(&mut facts, QUIET, Timestamp(0));
    facts
}

fn later(limit: Duration) -> Timestamp {
    Timestamp(1).plus(limit)
}

#[test]
fn every_status_has_one_row_with_its_code_and_a_name_of_its_own() {
    let all: Vec<_> = ClusterStatus::all().collect();
    assert_eq!(all.iter().map(|status| status.code()).collect::<Vec<_>>(), (1..=13).collect::<Vec<_>>());
    for status in all {
        assert_eq!(ClusterStatus::parse(status.name()), Some(status));
    }
}

#[test]
fn a_new_cluster_is_created_started_and_runs() {
    use ClusterStatus::{Creating, Running, Starting};
    let mut facts = created(Timestamp(0));
    assert_eq!(settle(&mut facts, QUIET, Timestamp(3)), [Creating, Starting, Running]);
    assert_eq!(facts.running_since, Some(Timestamp(3)));
}

#[test]
fn a_creation_without_room_waits_and_then_fails_with_a_reason() {
    let limits = Limits::default();
    let mut facts = created(Timestamp(0));
    assert_eq!(next(&facts, FULL, Timestamp(1), &limits), ClusterStep::Wait);
    settle(&mut facts, FULL, later(limits.cluster_begin));
    assert_eq!(status(&facts), ClusterStatus::CreateFail);
    assert!(facts.reason.contains("600 s"), "{}", facts.reason);
}

#[test]
fn a_stop_waits_for_the_jobs_and_a_restart_begins_anew() {
    use ClusterStatus::{Restarting, Running, Starting, Stopped, Stopping};
    let limits = Limits::default();
    let mut facts = stopped(&running(), Timestamp(0));
    assert_eq!(next(&facts, BUSY, Timestamp(1), &limits), ClusterStep::Wait);
    assert_eq!(next(&facts, BUSY, later(limits.cluster_stop), &limits), ClusterStep::EndJobs);
    assert_eq!(settle(&mut facts, QUIET, Timestamp(1)), [Stopping, Stopped]);
    let mut facts = restarted(&facts, Timestamp(0));
    assert_eq!(next(&facts, FULL, Timestamp(1), &limits), ClusterStep::Wait);
    let mut crowded = facts.clone();
    assert_eq!(settle(&mut crowded, FULL, later(limits.cluster_begin)), [Restarting, Stopped]);
    assert!(!crowded.reason.is_empty());
    assert_eq!(settle(&mut facts, QUIET, Timestamp(2)), [Restarting, Starting, Running]);
}

#[test]
fn a_frozen_cluster_recovers_or_stays_frozen() {
    use ClusterStatus::{ArrearageRecovering, ArrearageStopped, Running, Starting, Stopping};
    let mut facts = frozen(&running(), Timestamp(0));
    assert_eq!(settle(&mut facts, QUIET, Timestamp(0)), [Stopping, ArrearageStopped]);
    let mut facts = restarted(&facts, Timestamp(0));
    let mut crowded = facts.clone();
    let late = later(Limits::default().cluster_begin);
    assert_eq!(settle(&mut crowded, FULL, late), [ArrearageRecovering, ArrearageStopped]);
    assert_eq!(settle(&mut facts, QUIET, Timestamp(0)), [ArrearageRecovering, Starting, Running]);
}

#[test]
fn a_change_of_size_is_over_soon() {
    use ClusterStatus::{Running, Updating};
    let mut facts = resized(&running(), Timestamp(5));
    assert_eq!(settle(&mut facts, BUSY, Timestamp(5)), [Updating, Running]);
}

#[test]
fn a_delete_ends_jobs_at_once_and_fails_when_one_is_left() {
    let limits = Limits::default();
    let facts = deleted(&running(), Timestamp(0));
    assert_eq!(next(&facts, QUIET, Timestamp(0), &limits), ClusterStep::End);
    assert_eq!(next(&facts, BUSY, Timestamp(0), &limits), ClusterStep::EndJobs);
    let mut stuck = facts.clone();
    settle(&mut stuck, BUSY, later(limits.cluster_delete));
    assert_eq!(status(&stuck), ClusterStatus::DeleteFail);
    assert!(stuck.reason.contains("300 s"), "{}", stuck.reason);
    let again = deleted(&stuck, Timestamp(9));
    assert_eq!((status(&again), again.reason.as_str()), (ClusterStatus::Deleting, ""));
}

/// Walks through everything that can happen to a cluster, at once and after every limit.
#[test]
fn only_moves_of_the_table_are_made_and_no_passing_status_lasts() {
    let limits = Limits::default();
    let long = later(Duration::from_secs(3_600));
    let mut reached = BTreeSet::new();
    let mut waiting = vec![created(Timestamp(0))];
    let mut walked: Vec<ClusterFacts> = Vec::new();
    while let Some(facts) = waiting.pop() {
        if walked.contains(&facts) {
            continue;
        }
        let from = status(&facts);
        reached.insert(from);
        let mut after = Vec::new();
        for seen in [QUIET, FULL, BUSY, Seen { has_room: false, has_jobs: true }] {
            for now in [Timestamp(0), long] {
                let step = next(&facts, seen, now, &limits);
                let stuck = from.is_transient() && now == long && step == ClusterStep::Wait;
                assert!(!stuck, "{} lasts: {facts:?} {seen:?}", from.name());
                if let ClusterStep::Record(facts) = step {
                    after.push(ClusterFacts { intent_at: Timestamp(0), ..facts });
                }
            }
        }
        if from == ClusterStatus::Running {
            after.push(resized(&facts, Timestamp(0)));
            after.push(stopped(&facts, Timestamp(0)));
        }
        if matches!(from, ClusterStatus::Starting | ClusterStatus::Running | ClusterStatus::Updating) {
            after.push(frozen(&facts, Timestamp(0)));
        }
        if from.can_restart() {
            after.push(restarted(&facts, Timestamp(0)));
        }
        for facts in &after {
            let to = status(facts);
            let passed = ClusterStatus::CreateSuccess;
            let listed = |a, b| MOVES.iter().any(|(x, y, _)| (*x, *y) == (a, b));
            let in_one_write = listed(from, passed) && listed(passed, to);
            assert!(listed(from, to) || in_one_write, "{} to {}", from.name(), to.name());
        }
        if from != ClusterStatus::Deleting {
            after.push(deleted(&facts, Timestamp(0)));
        }
        walked.push(facts);
        waiting.extend(after);
    }
    let missing: Vec<_> = ClusterStatus::all().filter(|status| !reached.contains(status)).collect();
    assert_eq!(missing, [ClusterStatus::CreateSuccess]);
}
