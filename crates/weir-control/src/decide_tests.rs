//! The decisions, case by case, and as a walk that checks every move against the table.

use std::time::Duration;

use weir_base::id::JobId;
use weir_base::time::Timestamp;
use weir_runtime::{JobMetrics, Observation, RunState};
use weir_store::{EndKind, Intent, RunFacts};

use super::*;
use crate::status::MOVES;

const T0: Timestamp = Timestamp(1_000_000);

fn by_ann() -> StopReason {
    StopReason::StoppedBy("ann".to_string())
}

fn held() -> Held {
    Held::of(&weir_store::JobDefinition::default())
}

fn limits() -> Limits {
    Limits::default()
}

fn seen(facts: &RunFacts, state: RunState, at: Timestamp) -> Observation {
    Observation {
        attempt: facts.attempt,
        state,
        at,
        metrics: JobMetrics::default(),
        graph: None,
        pid: None,
        adopted: false,
        savepoint: None,
        running_since: None,
    }
}

fn after(seconds: u64) -> Timestamp {
    T0.plus(Duration::from_secs(seconds))
}

/// A job that was run at `T0` and handed to the runtime.
fn submitted() -> RunFacts {
    match next(&run(&RunFacts::default(), held(), false, T0), None, OnFailure::End, T0, &limits()) {
        Step::Start { facts, .. } => accepted(&facts),
        other => panic!("{other:?}"),
    }
}

fn running_job() -> RunFacts {
    let facts = submitted();
    match next(&facts, Some(&seen(&facts, RunState::Running, T0)), OnFailure::End, T0, &limits()) {
        Step::Record(facts) => facts,
        other => panic!("{other:?}"),
    }
}

fn fail(facts: &RunFacts, on: OnFailure, now: Timestamp) -> RunFacts {
    let observation = seen(facts, RunState::Failed("bad disk".to_string()), now);
    match next(facts, Some(&observation), on, now, &limits()) {
        Step::Record(facts) => facts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_draft_waits() {
    let facts = RunFacts::default();
    assert_eq!(status(&facts, None, T0, &limits()), Status::Init);
    assert_eq!(next(&facts, None, OnFailure::Restart, T0, &limits()), Step::Wait);
}

#[test]
fn a_run_starts_fresh_and_an_attempt_after_it_resumes() {
    let facts = run(&RunFacts::default(), held(), false, T0);
    assert_eq!(status(&facts, None, T0, &limits()), Status::Submitting);
    let Step::Start { facts, resume } = next(&facts, None, OnFailure::End, T0, &limits()) else { panic!() };
    assert_eq!((facts.attempt, resume), (1, false));
    // The server died before the runtime took over: nothing can have been written, so afresh.
    assert!(matches!(next(&facts, None, OnFailure::End, T0, &limits()), Step::Start { resume: false, .. }));
    // It died later: the worker is gone, the job goes on from its checkpoint.
    let facts = accepted(&facts);
    let Step::Start { facts, resume } = next(&facts, None, OnFailure::End, T0, &limits()) else { panic!() };
    assert_eq!((facts.attempt, resume, facts.failures), (2, true, 0));
}

#[test]
fn a_job_that_was_suspended_with_the_service_goes_on_from_its_checkpoint() {
    let Step::Start { facts, .. } =
        next(&run(&RunFacts::default(), held(), false, T0), None, OnFailure::End, T0, &limits())
    else {
        panic!()
    };
    for facts in [facts, running_job()] {
        let suspended = Observation { adopted: true, ..seen(&facts, RunState::Stopped, after(1)) };
        let Step::Start { facts: again, resume } =
            next(&facts, Some(&suspended), OnFailure::End, after(2), &limits())
        else {
            panic!()
        };
        assert_eq!((again.attempt, resume, again.failures), (2, true, 0));
    }
}

#[test]
fn a_job_whose_worker_is_told_to_end_again_and_again_is_restarted_with_delays() {
    let mut facts = running_job();
    let mut now = T0;
    for delay in [10, 20, 40] {
        let stopped = seen(&facts, RunState::Stopped, now);
        // It is no failure of the job: the setting does not matter.
        let Step::Record(waiting) = next(&facts, Some(&stopped), OnFailure::End, now, &limits()) else {
            panic!()
        };
        assert_eq!((waiting.end, waiting.retry_at), (None, Some(now.plus(Duration::from_secs(delay)))));
        assert!(waiting.reason.contains("SIGTERM"), "{}", waiting.reason);
        now = now.plus(Duration::from_secs(delay));
        let Step::Start { facts: again, resume: true } =
            next(&waiting, Some(&stopped), OnFailure::End, now, &limits())
        else {
            panic!()
        };
        facts = again;
    }
}

#[test]
fn a_job_runs_once_it_was_seen_running() {
    let facts = running_job();
    assert_eq!(facts.start_time, T0);
    assert_eq!(status(&facts, Some(T0), after(1), &limits()), Status::Running);
    assert_eq!(status(&facts, Some(T0), after(61), &limits()), Status::Submitting, "an old sighting");
    let observation = seen(&facts, RunState::Running, after(1));
    assert_eq!(next(&facts, Some(&observation), OnFailure::End, after(1), &limits()), Step::Wait);
}

#[test]
fn a_sighting_of_an_earlier_attempt_does_not_count() {
    let old = running_job();
    let observation = seen(&old, RunState::Failed("old".to_string()), T0);
    let again = run(&end_run(&old, EndKind::Failed, "old", T0), held(), false, after(1));
    assert!(matches!(
        next(&again, Some(&observation), OnFailure::End, after(1), &limits()),
        Step::Start { resume: false, .. }
    ));
}

#[test]
fn a_failure_ends_the_run_with_its_reason() {
    let facts = fail(&running_job(), OnFailure::End, after(5));
    assert_eq!(status(&facts, None, after(5), &limits()), Status::RunningException);
    assert_eq!((facts.reason.as_str(), facts.stopped_at), ("bad disk", Some(after(5))));
}

#[test]
fn a_job_that_ran_and_failed_before_it_was_seen_running_has_not_failed_to_come_up() {
    let facts = submitted();
    let failed = Observation {
        running_since: Some(after(1)),
        ..seen(&facts, RunState::Failed("bad record".to_string()), after(2))
    };
    let Step::Record(ran) = next(&facts, Some(&failed), OnFailure::End, after(2), &limits()) else {
        panic!("what its last word says of its start is stored first")
    };
    assert_eq!(status(&ran, Some(after(2)), after(2), &limits()), Status::Running);
    assert_eq!(ran.start_time, after(1));
    let Step::Record(ended) = next(&ran, Some(&failed), OnFailure::End, after(3), &limits()) else {
        panic!()
    };
    assert_eq!(status(&ended, None, after(3), &limits()), Status::RunningException);
    assert_eq!((ended.end, ended.reason.as_str()), (Some(EndKind::Failed), "bad record"));
    // One that never ran has failed to come up.
    assert_eq!(fail(&facts, OnFailure::End, after(2)).end, Some(EndKind::SubmitFailed));
}

#[test]
fn a_failure_with_restart_waits_ten_seconds_then_twice_as_long() {
    let facts = fail(&running_job(), OnFailure::Restart, after(5));
    assert_eq!(status(&facts, Some(after(5)), after(5), &limits()), Status::Submitting);
    assert_eq!(facts.retry_at, Some(after(15)));
    assert_eq!(next(&facts, None, OnFailure::Restart, after(14), &limits()), Step::Wait);
    let Step::Start { facts, resume: true } = next(&facts, None, OnFailure::Restart, after(15), &limits())
    else {
        panic!()
    };
    let facts = fail(&accepted(&facts), OnFailure::Restart, after(16));
    assert_eq!(facts.retry_at, Some(after(36)));
    assert_eq!(restart_delay(6, &limits()), Duration::from_secs(300));
    assert_eq!(restart_delay(u32::MAX, &limits()), Duration::from_secs(300));
}

#[test]
fn ten_minutes_of_running_reset_the_delay() {
    let facts = RunFacts { failures: 4, ..running_job() };
    assert_eq!(fail(&facts, OnFailure::Restart, after(599)).failures, 5);
    assert_eq!(fail(&facts, OnFailure::Restart, after(600)).failures, 1);
    let observation = seen(&facts, RunState::Running, after(600));
    let Step::Record(facts) = next(&facts, Some(&observation), OnFailure::Restart, after(600), &limits())
    else {
        panic!()
    };
    assert_eq!(facts.failures, 0);
}

#[test]
fn a_job_that_never_comes_up_is_tried_three_times() {
    let mut facts = submitted();
    for _ in 0..2 {
        facts = fail(&facts, OnFailure::Restart, T0);
        assert_eq!(facts.end, None);
        let due = facts.retry_at.unwrap();
        let Step::Start { facts: started, .. } = next(&facts, None, OnFailure::Restart, due, &limits())
        else {
            panic!()
        };
        facts = started;
    }
    assert_eq!(fail(&facts, OnFailure::Restart, T0).end, Some(EndKind::SubmitFailed));
}

#[test]
fn a_refusal_ends_a_new_run_but_not_a_restart() {
    let facts = refused(&submitted(), "no stream `s1`", OnFailure::Restart, T0, &limits());
    assert_eq!(status(&facts, None, T0, &limits()), Status::SubmitFail);
    let facts = refused(&running_job(), "no stream `s1`", OnFailure::Restart, T0, &limits());
    assert_eq!(facts.end, None);
}

#[test]
fn starting_and_running_have_deadlines_that_end_the_worker() {
    let facts = submitted();
    let observation = seen(&facts, RunState::Starting, after(121));
    let Step::EndWorker(ended) = next(&facts, Some(&observation), OnFailure::End, after(121), &limits())
    else {
        panic!()
    };
    assert_eq!(ended.end, Some(EndKind::SubmitFailed));
    assert!(ended.reason.contains("120 s"), "{}", ended.reason);

    let facts = running_job();
    let observation = seen(&facts, RunState::Running, T0);
    assert!(matches!(
        next(&facts, Some(&observation), OnFailure::End, after(61), &limits()),
        Step::EndWorker(RunFacts { end: Some(EndKind::Failed), .. })
    ));
}

#[test]
fn a_stop_is_asked_for_until_the_worker_is_gone() {
    let facts = stop(&running_job(), &by_ann(), after(1));
    assert_eq!(status(&facts, Some(after(1)), after(1), &limits()), Status::Canceling);
    let alive = seen(&facts, RunState::Running, after(2));
    assert_eq!(next(&facts, Some(&alive), OnFailure::Restart, after(2), &limits()), Step::AskToStop);
    for state in [RunState::Stopped, RunState::Finished, RunState::Failed("killed".to_string())] {
        let gone = seen(&facts, state, after(2));
        let Step::Record(done) = next(&facts, Some(&gone), OnFailure::Restart, after(2), &limits()) else {
            panic!()
        };
        assert_eq!(status(&done, None, after(2), &limits()), Status::CancelSuccess);
        assert_eq!(done.reason, "the job was stopped by ann");
    }
}

#[test]
fn a_stop_that_takes_too_long_fails_and_can_be_repeated() {
    let facts = stop(&running_job(), &by_ann(), T0);
    let alive = seen(&facts, RunState::Running, after(301));
    let Step::Record(late) = next(&facts, Some(&alive), OnFailure::End, after(301), &limits()) else {
        panic!()
    };
    assert_eq!(status(&late, None, after(301), &limits()), Status::CancelFail);
    let again = stop(&late, &by_ann(), after(302));
    assert_eq!(next(&again, Some(&alive), OnFailure::End, after(302), &limits()), Step::AskToStop);
}

#[test]
fn a_worker_that_ends_after_the_time_to_stop_holds_nothing_any_more() {
    let alive = |facts: &RunFacts, at| seen(facts, RunState::Running, at);
    let stop_failed = |stopping: &RunFacts, at| {
        let Step::Record(late) = next(stopping, Some(&alive(stopping, at)), OnFailure::End, at, &limits())
        else {
            panic!()
        };
        assert_eq!(status(&late, None, at, &limits()), Status::CancelFail);
        late
    };
    let stopped = stop_failed(&stop(&running_job(), &by_ann(), T0), after(301));
    let frozen = stop_failed(&freeze(&running_job(), T0), after(301));
    for (late, expected) in [(stopped, Status::CancelSuccess), (frozen, Status::ArrearageStopped)] {
        let there = alive(&late, after(400));
        assert_eq!(next(&late, Some(&there), OnFailure::End, after(400), &limits()), Step::Wait);
        let gone = seen(&late, RunState::Stopped, after(401));
        for observation in [Some(&gone), None] {
            let Step::Record(done) = next(&late, observation, OnFailure::End, after(401), &limits()) else {
                panic!()
            };
            assert_eq!(status(&done, None, after(401), &limits()), expected);
            assert!(!done.reason.contains("stop it again"), "{}", done.reason);
        }
    }
}

#[test]
fn a_stop_during_the_wait_for_a_restart_is_immediate() {
    let waiting = fail(&running_job(), OnFailure::Restart, after(5));
    let old = seen(&waiting, RunState::Failed("bad disk".to_string()), after(5));
    let Step::Record(done) =
        next(&stop(&waiting, &by_ann(), after(6)), Some(&old), OnFailure::Restart, after(6), &limits())
    else {
        panic!()
    };
    assert_eq!(done.end, Some(EndKind::Cancelled));
}

#[test]
fn a_job_that_finished_before_it_was_seen_has_a_start_time() {
    let facts = submitted();
    let observation = seen(&facts, RunState::Finished, after(1));
    let Step::Record(done) = next(&facts, Some(&observation), OnFailure::End, after(1), &limits()) else {
        panic!()
    };
    assert_eq!(status(&done, None, after(1), &limits()), Status::Finish);
    assert_eq!((done.start_time, done.stopped_at), (T0, Some(after(1))));
}

fn ask(at: Timestamp, stop: bool) -> SavepointAsk {
    SavepointAsk { at, place: SavepointPlace::of_job(JobId(7), None), stop }
}

fn answer(ask: &SavepointAsk, failure: Option<&str>) -> SavepointOutcome {
    SavepointOutcome { at: ask.at, failure: failure.map(str::to_string) }
}

/// What follows from the answer to an ask for a savepoint.
fn answered(asked: &RunFacts, state: RunState, outcome: Option<SavepointOutcome>, at: Timestamp) -> Step {
    let observation = Observation { savepoint: outcome, ..seen(asked, state, at) };
    next(asked, Some(&observation), OnFailure::End, at, &limits())
}

#[test]
fn a_savepoint_is_asked_for_until_it_is_written_and_the_job_runs_on() {
    let ask = ask(T0, false);
    let asked = savepoint(&running_job(), ask.clone(), "ann");
    assert_eq!(status(&asked, Some(T0), T0, &limits()), Status::Savepointing);
    assert_eq!(answered(&asked, RunState::Running, None, after(1)), Step::AskForSavepoint(ask.clone()));
    let earlier = SavepointOutcome { at: Timestamp(1), failure: None };
    assert_eq!(
        answered(&asked, RunState::Running, Some(earlier), after(1)),
        Step::AskForSavepoint(ask.clone())
    );
    let Step::Record(facts) = answered(&asked, RunState::Running, Some(answer(&ask, None)), after(1)) else {
        panic!()
    };
    assert_eq!(status(&facts, Some(after(1)), after(1), &limits()), Status::Running);
    assert_eq!(facts.savepoint.current(), Some(&ask.place));
}

#[test]
fn a_stop_with_a_savepoint_ends_when_the_worker_has_ended_with_it() {
    let ask = ask(T0, true);
    let asked = savepoint(&running_job(), ask.clone(), "ann");
    let Step::Record(facts) = answered(&asked, RunState::Stopped, Some(answer(&ask, None)), after(1)) else {
        panic!()
    };
    assert_eq!(status(&facts, Some(after(1)), after(1), &limits()), Status::Canceling);
    let Step::Record(done) = answered(&facts, RunState::Stopped, Some(answer(&ask, None)), after(2)) else {
        panic!()
    };
    assert_eq!((done.end, done.savepoint.current()), (Some(EndKind::Cancelled), Some(&ask.place)));
    assert!(done.reason.starts_with("the job was stopped by ann, with a savepoint"), "{}", done.reason);
}

#[test]
fn a_job_that_has_ended_for_a_savepoint_that_took_too_long_goes_on() {
    let ask = ask(T0, true);
    let asked = savepoint(&running_job(), ask.clone(), "ann");
    let Step::Record(facts) = answered(&asked, RunState::Running, None, after(301)) else { panic!() };
    assert!(facts.savepoint.failure.contains("longer than 300 s"), "{}", facts.savepoint.failure);
    for failure in [None, Some("it took longer than 300 s")] {
        let step = answered(&facts, RunState::Stopped, Some(answer(&ask, failure)), after(310));
        let Step::Start { facts, resume: true } = step else { panic!("{step:?}") };
        assert_eq!(status(&facts, None, after(310), &limits()), Status::Submitting);
        assert!(facts.savepoint.failure.contains("longer than 300 s"), "the reason stays");
    }
}

#[test]
fn a_savepoint_that_cannot_be_written_leaves_the_job_running_with_the_reason() {
    for stop in [false, true] {
        let ask = ask(T0, stop);
        let asked = savepoint(&running_job(), ask.clone(), "ann");
        let failed = Some(answer(&ask, Some("bad disk")));
        for (outcome, at, words) in [(failed.clone(), 1, "bad disk"), (None, 301, "longer than 300 s")] {
            let observation =
                Observation { savepoint: outcome, ..seen(&asked, RunState::Running, after(at)) };
            let Step::Record(facts) = next(&asked, Some(&observation), OnFailure::End, after(at), &limits())
            else {
                panic!()
            };
            assert_eq!(status(&facts, Some(after(at)), after(at), &limits()), Status::Running);
            assert!(facts.savepoint.failure.contains(words), "{}", facts.savepoint.failure);
        }
        // It has ended, but the savepoint is not there: it goes on from its last checkpoint.
        let Step::Start { facts, resume: true } = answered(&asked, RunState::Stopped, failed, after(1))
        else {
            panic!()
        };
        assert!(facts.savepoint.failure.contains("bad disk") && facts.savepoint.ask.is_none());
    }
}

#[test]
fn a_savepoint_ends_its_life_when_the_job_runs_again_and_not_before() {
    let place = SavepointPlace::of_job(JobId(7), None);
    let stopped = RunFacts {
        savepoint: SavepointFacts { latest: Some(place.clone()), ..SavepointFacts::default() },
        ..RunFacts::default()
    };
    for resume in [false, true] {
        let again = run(&stopped, held(), resume, T0);
        assert_eq!((again.savepoint.current(), again.savepoint.resume), (Some(&place), resume));
        // A run that does not come up leaves it for the next one.
        let refused = refused(&again, "no stream", OnFailure::End, T0, &limits());
        assert_eq!(run(&refused, held(), true, T0).savepoint.spent, Some(place.clone()));
        let Step::Start { facts, resume: false } = next(&again, None, OnFailure::End, T0, &limits()) else {
            panic!()
        };
        let Step::Record(facts) = answered(&accepted(&facts), RunState::Running, None, T0) else { panic!() };
        for (state, at) in [(RunState::Running, T0), (RunState::Finished, T0)] {
            let Step::Record(facts) = answered(&facts, state.clone(), None, at) else { panic!() };
            assert_eq!(facts.savepoint.current(), None, "noted before it is removed");
            let Step::RemoveSavepoints(removed) = answered(&facts, state, None, at) else { panic!() };
            assert_eq!(removed, std::slice::from_ref(&place));
            assert_eq!(without_leftovers(&facts, &removed).savepoint, SavepointFacts::default());
        }
    }
}

#[test]
fn a_savepoint_whose_bucket_does_not_answer_is_removed_later_and_holds_up_nothing_for_ever() {
    let place = SavepointPlace::of_job(JobId(7), None);
    let leftover = SavepointFacts { leftovers: vec![place.clone()], ..SavepointFacts::default() };
    let running = RunFacts { savepoint: leftover.clone(), ..running_job() };
    let asked = savepoint(&running, ask(T0, true), "ann");
    for facts in [&running, &asked] {
        let step = answered(facts, RunState::Running, None, after(1));
        assert_eq!(step, Step::RemoveSavepoints(vec![place.clone()]));
    }
    let elsewhere = SavepointPlace::of_job(JobId(7), Some("bk2".to_string()));
    let other = savepoint(&running, SavepointAsk { place: elsewhere, ..ask(T0, true) }, "ann");
    let step = answered(&other, RunState::Running, None, after(1));
    assert!(matches!(step, Step::AskForSavepoint(_)), "one elsewhere waits for nothing: {step:?}");
    let Step::Record(late) = answered(&asked, RunState::Running, None, after(301)) else { panic!() };
    assert_eq!((late.savepoint.ask, late.savepoint.leftovers), (None, vec![place.clone()]));
    assert_eq!(late.savepoint.unfinished, None, "it was not begun");
    assert!(late.savepoint.failure.contains("an earlier one"), "{}", late.savepoint.failure);
    let ended = seen(&running, RunState::Finished, T0);
    let Step::Record(done) = next(&running, Some(&ended), OnFailure::End, after(61), &limits()) else {
        panic!()
    };
    assert_eq!((done.end, &done.savepoint), (Some(EndKind::Finished), &leftover));
    assert_eq!(run(&done, held(), true, after(70)).savepoint, leftover, "the next run removes it");
}

fn in_bucket(bucket: &str) -> SavepointPlace {
    SavepointPlace::of_job(JobId(7), Some(bucket.to_string()))
}

#[test]
fn a_second_leftover_does_not_make_the_first_forgotten() {
    let (first, second) = (in_bucket("b1"), in_bucket("b2"));
    let savepoint = SavepointFacts {
        spent: Some(second.clone()),
        leftovers: vec![first.clone()],
        ..SavepointFacts::default()
    };
    let running = RunFacts { savepoint, ..running_job() };
    let Step::Record(facts) = answered(&running, RunState::Running, None, T0) else { panic!() };
    let both = vec![first.clone(), second.clone()];
    assert_eq!(answered(&facts, RunState::Running, None, T0), Step::RemoveSavepoints(both.clone()));
    // Neither by a run, nor by another job that replaces it; and what is gone does not take the other along.
    let ended = end_run(&running, EndKind::Failed, "", after(1));
    assert_eq!(covered(&ended).savepoint.leftovers, both);
    let again = run(&covered(&ended), held(), false, after(2));
    assert_eq!(again.savepoint.leftovers, both);
    assert_eq!(without_leftovers(&facts, &[first]).savepoint.leftovers, [second]);
}

#[test]
fn an_import_removes_neither_what_it_names_nor_what_the_service_did_not_put_there() {
    let (own, other) = (in_bucket("b1"), in_bucket("b2"));
    let leftover =
        SavepointFacts { leftovers: vec![own.clone(), other.clone()], ..SavepointFacts::default() };
    let imported = savepoints::imported(&leftover, &own, JobId(7));
    assert_eq!((imported.latest.as_ref(), &imported.leftovers), (Some(&own), &vec![other.clone()]));
    assert!(savepoints::is_removable(&imported, &own, JobId(7)), "the service has put it there");
    // One that it does not know of, although it is where the service would put it.
    let unknown = savepoints::imported(&SavepointFacts::default(), &own, JobId(7));
    assert!(!savepoints::is_removable(&unknown, &own, JobId(7)));
    assert!(savepoints::is_removable(&unknown, &other, JobId(7)));
    let run = run(&RunFacts { savepoint: unknown, ..RunFacts::default() }, held(), true, T0);
    assert!(!savepoints::is_removable(&run.savepoint, &own, JobId(7)), "nor after its life");
    assert!(!savepoints::is_removable(&covered(&run).savepoint, &own, JobId(7)));
    let elsewhere = SavepointPlace::parse("b1/mine").unwrap();
    assert_eq!(savepoints::imported(&leftover, &elsewhere, JobId(7)).named, [], "never the service's");
}

#[test]
fn what_is_left_of_a_savepoint_that_nobody_waits_for_goes_once_nobody_writes_it() {
    let ask = ask(T0, true);
    let asked = savepoint(&running_job(), ask.clone(), "ann");
    let left = vec![ask.place.clone()];
    let start = |step: Step| match step {
        Step::Start { facts, .. } => facts,
        step => panic!("{step:?}"),
    };
    // Its worker was killed while it wrote.
    let failed = seen(&asked, RunState::Failed("killed".to_string()), after(1));
    let Step::Record(waiting) = next(&asked, Some(&failed), OnFailure::Restart, after(1), &limits()) else {
        panic!()
    };
    let again = start(next(&waiting, Some(&failed), OnFailure::Restart, after(20), &limits()));
    assert_eq!((again.savepoint.unfinished, again.savepoint.leftovers), (None, left.clone()));
    assert_eq!(covered(&fail(&asked, OnFailure::End, after(1))).savepoint.leftovers, left);
    // The user or arrears stop it meanwhile, and it runs again.
    for stopping in [stop(&asked, &by_ann(), after(1)), freeze(&asked, after(1))] {
        let again = run(&end_run(&stopping, EndKind::Cancelled, "", after(2)), held(), false, after(3));
        assert_eq!(again.savepoint.leftovers, left);
    }
    // It took too long: the worker may write it still, and another one at the same place waits for that.
    let Step::Record(late) = answered(&asked, RunState::Running, None, after(301)) else { panic!() };
    assert_eq!((&late.savepoint.unfinished, &late.savepoint.leftovers), (&Some(ask.clone()), &vec![]));
    assert_eq!(answered(&late, RunState::Running, None, after(302)), Step::Wait);
    let second = savepoint(&late, SavepointAsk { at: after(303), ..ask.clone() }, "ann");
    assert_eq!(answered(&second, RunState::Running, None, after(304)), Step::Wait);
    for (outcome, at) in [(Some(answer(&ask, Some("bad disk"))), 305), (None, 361)] {
        let Step::Record(settled) = answered(&second, RunState::Running, outcome, after(at)) else {
            panic!()
        };
        let step = answered(&settled, RunState::Running, None, after(at));
        assert_eq!(step, Step::RemoveSavepoints(left.clone()));
        let step = answered(&without_leftovers(&settled, &left), RunState::Running, None, after(at));
        assert!(matches!(step, Step::AskForSavepoint(_)), "{step:?}");
    }
    let Step::Record(ended) = answered(&late, RunState::Finished, None, after(305)) else { panic!() };
    assert_eq!(ended.savepoint.leftovers, left, "who has ended writes no more");
    // A path of a user's choice, and the place of a savepoint from which a run may start.
    let theirs = SavepointPlace::parse("b1/mine").unwrap();
    let trigger = SavepointAsk { place: theirs, ..SavepointAsk { stop: false, ..ask.clone() } };
    let theirs = fail(&savepoint(&running_job(), trigger, "ann"), OnFailure::End, after(1));
    assert_eq!(run(&theirs, held(), false, after(2)).savepoint.leftovers, []);
    let kept = SavepointFacts { latest: Some(ask.place.clone()), ..asked.savepoint.clone() };
    let kept = fail(&RunFacts { savepoint: kept, ..asked }, OnFailure::Restart, after(1));
    let again = start(next(&kept, None, OnFailure::Restart, after(20), &limits()));
    assert_eq!(again.savepoint.leftovers, [], "it goes when that one's life ends");
    assert_eq!(
        run(&end_run(&again, EndKind::Failed, "", after(21)), held(), true, after(22)).savepoint.spent,
        Some(ask.place)
    );
}

#[test]
fn a_job_that_stands_still_has_its_leftovers_removed_once_no_worker_is_there() {
    let left = vec![in_bucket("b1")];
    let running = running_job();
    let savepoint = SavepointFacts { leftovers: left.clone(), ..SavepointFacts::default() };
    let running = RunFacts { savepoint, ..running };
    let ended = end_run(&running, EndKind::Failed, "", after(1));
    for facts in [&ended, &covered(&ended)] {
        let step = next(facts, None, OnFailure::End, after(2), &limits());
        assert_eq!(step, Step::RemoveSavepoints(left.clone()));
        let still_there = seen(facts, RunState::Running, after(2));
        let step = next(facts, Some(&still_there), OnFailure::End, after(2), &limits());
        assert_eq!(step, Step::Wait, "it might write them anew");
        let step = next(&without_leftovers(facts, &left), None, OnFailure::End, after(2), &limits());
        assert_eq!(step, Step::Wait);
    }
    let (job, place) = (JobId(7), &left[0]);
    assert!(savepoints::is_going(&ended.savepoint, place, job));
    let named = SavepointFacts { named: left.clone(), ..ended.savepoint.clone() };
    assert!(!savepoints::is_going(&named, place, job), "it stays where it is");
}

#[test]
fn a_savepoint_that_is_there_is_kept_although_the_job_was_stopped_otherwise_meanwhile() {
    let ask = ask(T0, true);
    let asked = savepoint(&running_job(), ask.clone(), "ann");
    let cluster = StopReason::ClusterStopped("c1".to_string());
    let stopping = super::stop(&asked, &cluster, after(1));
    let late = end_run(&stopping, EndKind::CancelFailed, "", after(200));
    for facts in [&stopping, &freeze(&asked, after(1)), &late] {
        let at = after(202);
        let Step::Record(ended) = answered(facts, RunState::Stopped, Some(answer(&ask, None)), at) else {
            panic!()
        };
        assert_eq!((ended.savepoint.latest, ended.savepoint.unfinished), (Some(ask.place.clone()), None));
        for outcome in [None, Some(answer(&ask, Some("bad disk")))] {
            let Step::Record(ended) = answered(facts, RunState::Stopped, outcome, at) else { panic!() };
            assert_eq!((&ended.savepoint.latest, &ended.savepoint.unfinished), (&None, &Some(ask.clone())));
        }
    }
    let Step::Record(ended) = answered(&stopping, RunState::Stopped, Some(answer(&ask, None)), after(2))
    else {
        panic!()
    };
    assert_eq!((ended.end, ended.reason), (Some(EndKind::Cancelled), cluster.to_string()));
}

#[test]
fn a_frozen_job_goes_on_from_where_it_stopped() {
    let facts = freeze(&savepoint(&running_job(), ask(after(499), false), "ann"), after(500));
    assert_eq!(status(&facts, Some(after(500)), after(500), &limits()), Status::Canceling);
    assert_eq!(facts.savepoint.ask, None, "nobody waits for a savepoint any more");
    let alive = seen(&facts, RunState::Running, after(500));
    // The time to stop counts from the freeze, not from the run.
    assert_eq!(next(&facts, Some(&alive), OnFailure::End, after(501), &limits()), Step::AskToStop);
    let gone = seen(&facts, RunState::Stopped, after(502));
    let Step::Record(frozen) = next(&facts, Some(&gone), OnFailure::End, after(502), &limits()) else {
        panic!()
    };
    assert_eq!(status(&frozen, None, after(502), &limits()), Status::ArrearageStopped);
    assert!(frozen.reason.contains("top it up"), "{}", frozen.reason);
    let changed = RunFacts { accepted: false, ..frozen.clone() };
    let afresh = recover(&changed, held(), after(600));
    assert_eq!(afresh.intent_at, after(600), "checkpoints of another text do not count");
    let step = next(&afresh, None, OnFailure::End, after(600), &limits());
    assert!(matches!(step, Step::Start { resume: false, .. }), "{step:?}");
    let recovering = recover(&frozen, held(), after(600));
    assert_eq!(status(&recovering, None, after(600), &limits()), Status::ArrearageRecovering);
    assert_eq!(recovering.intent_at, T0, "checkpoints of the run count");
    let Step::Start { facts, resume: true } = next(&recovering, None, OnFailure::End, after(600), &limits())
    else {
        panic!()
    };
    let facts = accepted(&facts);
    let up = seen(&facts, RunState::Running, after(601));
    let Step::Record(running) = next(&facts, Some(&up), OnFailure::End, after(601), &limits()) else {
        panic!()
    };
    assert_eq!(status(&running, Some(after(601)), after(601), &limits()), Status::Running);
    let refused = refused(&facts, "no", OnFailure::Restart, after(601), &limits());
    assert_eq!(status(&refused, None, after(601), &limits()), Status::SubmitFail);
}

#[test]
fn a_change_that_is_no_move_is_told() {
    let running = running_job();
    let ended = end_run(&running, EndKind::Finished, "", after(1));
    assert_eq!(illegal_move(&running, &ended, after(1), &limits()), None);
    assert_eq!(
        illegal_move(&ended, &running, after(1), &limits()),
        Some((Status::Finish, Status::Running)),
        "a run that has ended does not come back"
    );
}

/// Walks from every reachable state by every event and checks that each change of status is in the table.
#[test]
fn every_move_is_in_the_table() {
    let mut known: Vec<(RunFacts, Timestamp)> = vec![(RunFacts::default(), T0)];
    let mut index = 0;
    while index < known.len() && index < 4_000 {
        let (facts, now) = known[index].clone();
        index += 1;
        let from = status(&facts, Some(now), now, &limits());
        for (event, changed, at) in successors(&facts, now) {
            let to = status(&changed, Some(at), at, &limits());
            assert!(crate::status::is_move(from, to), "{} -> {} by {event}", from.name(), to.name());
            assert_eq!(illegal_move(&facts, &changed, at, &limits()), None, "by {event}");
            let bounded = changed.attempt <= 4;
            if bounded && !known.iter().any(|(facts, _)| *facts == changed) {
                known.push((changed, at));
            }
        }
    }
    let reached =
        |status: Status| known.iter().any(|(f, at)| super::status(f, Some(*at), *at, &limits()) == status);
    for (from, to, cause) in MOVES {
        assert!(reached(*from) && reached(*to), "{} -> {} ({cause})", from.name(), to.name());
    }
}

fn successors(facts: &RunFacts, now: Timestamp) -> Vec<(String, RunFacts, Timestamp)> {
    let mut all = Vec::new();
    let here = status(facts, Some(now), now, &limits());
    if here.can_run() {
        all.push(("run".to_string(), run(facts, held(), true, now), now));
    }
    if here.can_stop() {
        all.push(("stop".to_string(), stop(facts, &by_ann(), now), now));
    }
    if !here.holds_spus() || here == Status::CancelFail {
        all.push(("import".to_string(), covered(facts), now));
    }
    if here == Status::ArrearageRecovering {
        let stopped = StopReason::ClusterStopped("c1".to_string());
        all.push(("cluster".to_string(), super::stop(facts, &stopped, now), now));
    }
    if here == Status::Running {
        for stop in [false, true] {
            all.push(("savepoint".to_string(), savepoint(facts, ask(now, stop), "ann"), now));
        }
    }
    if matches!(here, Status::Submitting | Status::Running | Status::Savepointing | Status::CancelFail) {
        all.push(("arrears".to_string(), freeze(facts, now), now));
    }
    if here == Status::ArrearageStopped {
        all.push(("top-up".to_string(), recover(facts, held(), now), now));
        all.push(("top-up without room".to_string(), not_recovered(facts, "no room", now), now));
    }
    if facts.submitted_at.is_some()
        && facts.end.is_none()
        && matches!(facts.intent, Intent::Run | Intent::Recover)
        && facts.running_since.is_none()
    {
        all.push(("refusal".to_string(), refused(facts, "no", OnFailure::End, now, &limits()), now));
    }
    let states = [
        RunState::Starting,
        RunState::Running,
        RunState::Finished,
        RunState::Stopped,
        RunState::Failed("x".to_string()),
    ];
    for state in states.into_iter().map(Some).chain([None]) {
        for on in [OnFailure::End, OnFailure::Restart] {
            for wait in [0, 400] {
                let at = now.plus(Duration::from_secs(wait));
                for outcome in [None, Some(None), Some(Some("bad disk"))] {
                    let observation = state.clone().map(|state| {
                        let outcome = facts.savepoint.ask.as_ref().zip(outcome);
                        let outcome = outcome.map(|(ask, failure)| answer(ask, failure));
                        Observation { savepoint: outcome, ..seen(facts, state, at) }
                    });
                    match next(facts, observation.as_ref(), on, at, &limits()) {
                        Step::Start { facts, .. } | Step::Record(facts) | Step::EndWorker(facts) => {
                            all.push((format!("{state:?} {outcome:?} {on:?} after {wait} s"), facts, at));
                        }
                        Step::RemoveSavepoints(places) => {
                            all.push(("removal".to_string(), without_leftovers(facts, &places), at));
                        }
                        Step::Wait | Step::AskToStop | Step::AskForSavepoint(_) => {}
                    }
                }
            }
        }
    }
    all
}
