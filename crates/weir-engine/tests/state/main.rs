//! The one test that every operator with state passes: whatever comes, cut at any message, saved, and restored at the
//! same or another parallelism, the same rows come out, and nothing is kept when everything has passed.
//!
//! `subjects` lists the operators, alone and one behind the other; `run` feeds them. An operator that is not listed
//! keeps nothing between two messages, or, as the one that assigns watermarks, nothing that belongs to a key.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod bounds;
mod run;
mod subjects;

use proptest::prelude::*;

use run::{Cut, Event, RETENTION, Row, run};

fn rows() -> impl Strategy<Value = Vec<Event>> {
    let keys = prop::sample::select(vec![Some("a"), Some("b"), Some("c"), Some("d"), None]);
    // Time moves on by 3 ms a row, give or take 15: some rows are in order, some are late.
    prop::collection::vec((0..2_usize, keys, 0..6_i64, -15..15_i64), 1..100).prop_map(|rows| {
        let event = |(place, (input, key, value, jitter)): (usize, (usize, _, i64, i64))| {
            let time = place as i64 * 3 + jitter;
            Event { input, row: Row { key, value, time } }
        };
        rows.into_iter().enumerate().map(event).collect()
    })
}

fn cuts() -> impl Strategy<Value = Vec<Cut>> {
    let cut = (0..40_usize, 1..5_usize).prop_map(|(message, parallelism)| Cut { message, parallelism });
    prop::collection::vec(cut, 1..3)
}

/// Checks one operator, or several behind each other.
fn check(name: &str, events: &[Event], batch: usize, delay: i64, cuts: &[Cut]) -> Result<(), TestCaseError> {
    let subject = subjects::all().into_iter().find(|subject| subject.name == name).unwrap();
    let whole = run(&subject, events, batch, delay, &[]);
    let cut = run(&subject, events, batch, delay, cuts);
    prop_assert_eq!(&cut.rows, &whole.rows, "{} gives other rows after a restore", name);
    prop_assert_eq!(cut.late, whole.late, "{} finds other rows late after a restore", name);
    prop_assert_eq!([whole.left, cut.left], [0, 0], "{} keeps bytes of what has passed", name);
    Ok(())
}

macro_rules! passes {
    ($($test:ident: $name:expr;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(48))]
            $(
                #[test]
                fn $test(events in rows(), batch in 1..20_usize, delay in 0..25_i64, cuts in cuts()) {
                    check($name, &events, batch, delay, &cuts)?;
                }
            )*
        }

        #[test]
        fn every_subject_has_a_test() {
            let tested = [$($name),*];
            let names: Vec<&str> = subjects::all().iter().map(|subject| subject.name).collect();
            assert_eq!(names, tested);
        }
    };
}

passes! {
    tumbling_windows: "tumble";
    hopping_windows: "hop";
    sessions: "session";
    over_a_number_of_rows: "over rows";
    over_a_range_of_time: "over range";
    over_everything_before: "over everything";
    groups: "group";
    distinct_rows: "distinct";
    joins_within_bounds: "interval join";
    joins_without_bounds: "stream join";
    patterns_of_single_rows: "pattern";
    patterns_that_look_back: "pattern that looks back";
    grouping_sets_in_windows: "expand, tumble";
    windows_behind_over: "over, session";
    windows_over_windows: "hop, tumble";
    grouping_sets_over_windows: "session, expand, tumble";
    groups_behind_distinct: "distinct, group";
    groups_behind_a_join: "stream join, group";
}

#[test]
fn rows_do_come_out_of_every_subject() {
    let event = |place: i64| Event {
        input: place as usize % 2,
        row: Row { key: Some(["a", "b"][place as usize / 2 % 2]), value: place * 7 % 6, time: place * 3 },
    };
    let events: Vec<Event> = (0..60).map(event).collect();
    for subject in subjects::all() {
        let found = run(&subject, &events, 7, 5, &[Cut { message: 5, parallelism: 3 }]);
        assert!(found.most > 0, "{} reports no state", subject.name);
        assert!(!found.rows.is_empty(), "{} gives nothing", subject.name);
    }
}

#[test]
fn idle_keys_go_on_time_and_not_before() {
    for subject in subjects::all().into_iter().filter(|subject| subject.is_idle_state) {
        let mut stages = run::Stages::new(&subject);
        let row = Row { key: Some("a"), value: 1, time: 0 };
        stages.clock.set(weir_base::time::Timestamp(10));
        stages.take(0, &[row]);
        assert!(stages.state_bytes() > 0, "{}", subject.name);
        stages.tick(10 + RETENTION - 1);
        assert!(stages.state_bytes() > 0, "{} forgets early", subject.name);
        stages.tick(10 + RETENTION);
        assert_eq!(stages.state_bytes(), 0, "{} forgets late", subject.name);
    }
}
