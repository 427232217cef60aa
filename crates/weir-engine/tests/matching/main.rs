//! Row patterns against a model that backtracks over whole partitions: whatever the batches, the snapshots and the
//! parallelism, the same matches come out.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod case;
mod fuzz;
mod model;
mod pathological;

use proptest::prelude::*;
use weir_engine::operator::{Pattern, Skip};

use case::{Case, Condition, Delivery, Row, run};
use model::{Outcome, OutputRow, outcome};

fn patterns() -> impl Strategy<Value = Pattern> {
    let variable = (0..3_usize).prop_map(Pattern::Variable);
    variable.prop_recursive(4, 12, 3, |inner| {
        let bounds = prop::sample::select(vec![
            (0, None),
            (1, None),
            (0, Some(1)),
            (2, None),
            (1, Some(2)),
            (0, Some(2)),
            (2, Some(3)),
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Pattern::Sequence),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Pattern::Alternatives),
            (inner, bounds, any::<bool>()).prop_map(|(inner, (least, most), greedy)| Pattern::Repeat {
                pattern: Box::new(inner),
                least,
                most,
                greedy,
            }),
        ]
    })
}

fn conditions() -> impl Strategy<Value = Condition> {
    prop_oneof![
        Just(Condition::Any),
        (0..5_i64).prop_map(Condition::Above),
        Just(Condition::AbovePrevious),
        Just(Condition::BelowNext),
        (0..3_usize).prop_map(Condition::NotBelowLastOf),
        (0..3_usize).prop_map(Condition::DiffersFromFirstOf),
        Just(Condition::NotBelowOwnLast),
        (0..3_usize, 3..20_i64).prop_map(|(variable, limit)| Condition::SumAtMost(variable, limit)),
        (0..4_i64).prop_map(Condition::AboveAndNotBelowFirst),
    ]
}

fn cases() -> impl Strategy<Value = Case> {
    let skips = prop_oneof![
        2 => Just(Skip::PastLastRow),
        2 => Just(Skip::ToNextRow),
        1 => (0..3_usize).prop_map(Skip::ToFirst),
        1 => (0..3_usize).prop_map(Skip::ToLast),
    ];
    let conditions = prop::array::uniform3(conditions());
    let within = prop_oneof![1 => Just(None), 2 => (1..40_i64).prop_map(Some)];
    (patterns(), conditions, within, skips, any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(pattern, conditions, within, skip, all_rows, arrival)| Case {
            pattern,
            conditions,
            within,
            skip,
            all_rows,
            arrival,
        },
    )
}

/// Times go up by 2 on average, with rows out of order and rows of the same time.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let key = prop::sample::select(vec!["x", "y", "z"]);
    prop::collection::vec((key, 0..6_i64, -6..6_i64), 1..30).prop_map(|rows| {
        let row = |(place, (key, value, jitter))| Row { key, value, time: place as i64 * 2 + jitter };
        rows.into_iter().enumerate().map(row).collect()
    })
}

fn deliveries() -> impl Strategy<Value = Delivery> {
    (0..12_i64, 1..20_usize, 0..8_usize, 1..4_usize, any::<bool>()).prop_map(
        |(delay, batch, cut, parallelism, seldom)| Delivery { delay, batch, cut, parallelism, seldom },
    )
}

/// What is given out for each key, or that the job fails.
type Expected = Result<Vec<(&'static str, Vec<OutputRow>)>, ()>;

/// Returns what the model gives out, or `None` when it takes too long.
fn expected(case: &Case, rows: &[Row], delay: i64) -> Option<Expected> {
    let mut all = Vec::new();
    let mut fails = false;
    for (key, rows) in case.timely(rows, delay) {
        match outcome(case, &rows) {
            Outcome::Rows(rows) => all.push((key, rows)),
            Outcome::Fails => fails = true,
            Outcome::TooLong => return None,
        }
    }
    Some(if fails { Err(()) } else { Ok(all) })
}

/// Returns what is wrong with what the operator gives out; `None` when it is right, or the model takes too long.
fn difference(case: &Case, rows: &[Row], delivery: Delivery) -> Option<String> {
    match (run(case, rows, delivery), expected(case, rows, delivery.delay)?) {
        (Err(_), Err(())) => None,
        (Ok(found), Ok(expected)) => {
            let count: usize = expected.iter().map(|(_, rows)| rows.len()).sum();
            for (key, expected) in &expected {
                let of_key = found.iter().filter(|(own, _)| own == key);
                let found: Vec<OutputRow> = of_key.map(|(_, row)| row.clone()).collect();
                if found != *expected {
                    return Some(format!("partition {key}: found {found:?}, expected {expected:?}"));
                }
            }
            (found.len() != count).then(|| format!("found {} rows, expected {count}", found.len()))
        }
        (found, expected) => Some(format!("found {found:?}, expected {expected:?}")),
    }
}

proptest! {
    #[test]
    fn matches_are_those_of_the_definition(case in cases(), rows in rows(), delivery in deliveries()) {
        prop_assert_eq!(difference(&case, &rows, delivery), None);
    }

    #[test]
    fn the_order_of_matches_does_not_depend_on_batches(case in cases(), rows in rows(), delivery in deliveries()) {
        let one = Delivery { parallelism: 1, ..delivery };
        let other = Delivery { batch: rows.len(), cut: usize::MAX, seldom: false, ..one };
        if let (Ok(one), Ok(other)) = (run(&case, &rows, one), run(&case, &rows, other)) {
            prop_assert_eq!(one, other);
        }
    }
}
