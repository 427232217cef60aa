//! Patterns on which backtracking takes exponential time, and rows on which attempts one after another take quadratic
//! time: the number of nodes of the pattern that are looked at grows with the rows, whatever the pattern.

use weir_engine::operator::{Pattern, Skip};

use crate::case::{Case, Condition, Delivery, Row, most_bytes, run_counted};

const A: usize = 0;
const B: usize = 1;

fn variable(number: usize) -> Pattern {
    Pattern::Variable(number)
}

fn repeat(pattern: Pattern, least: u32, most: Option<u32>) -> Pattern {
    Pattern::Repeat { pattern: Box::new(pattern), least, most, greedy: true }
}

fn star(pattern: Pattern) -> Pattern {
    repeat(pattern, 0, None)
}

fn plus(pattern: Pattern) -> Pattern {
    repeat(pattern, 1, None)
}

fn sequence(parts: Vec<Pattern>) -> Pattern {
    Pattern::Sequence(parts)
}

fn either(parts: Vec<Pattern>) -> Pattern {
    Pattern::Alternatives(parts)
}

/// `B` never comes; any row is an `A`.
fn without_b(pattern: Pattern) -> Case {
    Case {
        pattern,
        conditions: [Condition::Any, Condition::Above(1_000_000), Condition::Any],
        within: None,
        skip: Skip::PastLastRow,
        all_rows: false,
        arrival: false,
    }
}

fn with_conditions(conditions: [Condition; 3], pattern: Pattern) -> Case {
    Case { conditions, ..without_b(pattern) }
}

/// Rows of one partition, one each millisecond, with values 0 to 6.
fn rows(count: usize) -> Vec<Row> {
    (0..count as i64).map(|time| Row { key: "x", value: time * 5 % 7, time }).collect()
}

/// Runs a case over so many rows. Returns the number of matches and the nodes looked at per row.
fn run_over(case: &Case, count: usize) -> (usize, u64) {
    let delivery = Delivery { delay: 0, batch: 500, cut: usize::MAX, parallelism: 1, seldom: false };
    let (found, steps) = run_counted(case, &rows(count), delivery).unwrap();
    (found.len(), steps / count as u64)
}

/// Checks that a case takes at most so many steps per row, and not more for more rows.
fn check(case: &Case, steps_per_row: u64) {
    for count in [300, 3_000] {
        let (_, steps) = run_over(case, count);
        assert!(steps <= steps_per_row, "{steps} steps per row of {count} for {:?}", case.pattern);
    }
}

#[test]
fn rows_before_a_row_that_never_comes_are_passed_once() {
    let a_plus_b = || sequence(vec![plus(variable(A)), variable(B)]);
    check(&without_b(a_plus_b()), 20);
    for skip in [Skip::ToNextRow, Skip::ToFirst(B), Skip::ToLast(A)] {
        check(&Case { skip, ..without_b(a_plus_b()) }, 20);
    }
    check(&Case { all_rows: true, ..without_b(a_plus_b()) }, 20);
}

#[test]
fn an_interval_that_cuts_attempts_short_does_not_have_its_rows_passed_again() {
    let pattern = sequence(vec![plus(variable(A)), variable(B)]);
    for within in [10, 1_000] {
        check(&Case { within: Some(within), ..without_b(pattern.clone()) }, 30);
        check(&Case { within: Some(within), skip: Skip::ToNextRow, ..without_b(pattern.clone()) }, 30);
    }
}

#[test]
fn nested_and_repeated_quantifiers_are_as_cheap_as_simple_ones() {
    let a = || variable(A);
    for pattern in [
        star(either(vec![a(), a()])),
        star(star(a())),
        plus(plus(plus(a()))),
        star(star(star(star(either(vec![star(a()), a()]))))),
        repeat(star(a()), 2, Some(5)),
    ] {
        check(&without_b(pattern.clone()), 120);
        check(&without_b(sequence(vec![pattern, variable(B)])), 120);
    }
}

#[test]
fn many_optional_rows_take_a_number_of_steps_like_the_size_of_the_pattern() {
    let optional = repeat(variable(A), 0, Some(1));
    let pattern = sequence(vec![repeat(optional, 30, Some(30)), repeat(variable(A), 30, Some(30))]);
    check(&without_b(sequence(vec![pattern.clone(), variable(B)])), 1_000);
    check(&without_b(pattern), 1_000);
}

#[test]
fn neighbouring_stars_do_not_try_every_division_of_the_rows() {
    let a = || star(variable(A));
    check(&without_b(sequence(vec![a(), a(), a(), variable(B)])), 60);
}

#[test]
fn alternatives_with_a_shared_beginning_are_followed_together() {
    let branch = |end: usize| sequence(vec![variable(A), variable(A), star(variable(A)), variable(end)]);
    check(&without_b(either(vec![branch(B), branch(B), branch(B), branch(B)])), 120);
}

#[test]
fn attempts_that_never_fall_into_step_share_what_they_find_out() {
    // Where the attempts stand after a row differs for as many starts as the numbers have as a product, 2310.
    let branch = |rows: u32| star(repeat(variable(A), rows, Some(rows)));
    let pattern = sequence(vec![either([2, 3, 5, 7, 11].map(branch).to_vec()), variable(B)]);
    check(&without_b(pattern), 900);
}

#[test]
fn matches_that_begin_at_every_row_share_their_ends() {
    // The one branch takes an even number of rows before the last, the other an odd one; the last row is the only `B`.
    let even = sequence(vec![star(repeat(variable(A), 2, Some(2))), variable(B)]);
    let odd = sequence(vec![star(repeat(variable(A), 2, Some(2))), variable(A), variable(B)]);
    let never = sequence(vec![plus(variable(A)), variable(2)]);
    let conditions = [Condition::Any, Condition::Above(2_999), Condition::Above(1_000_000)];
    let case = Case { skip: Skip::ToNextRow, ..with_conditions(conditions, either(vec![never, even, odd])) };
    let delivery = Delivery { delay: 0, batch: 500, cut: usize::MAX, parallelism: 1, seldom: false };
    let rows: Vec<Row> = (0..3_001).map(|time| Row { key: "x", value: time, time }).collect();
    let (found, steps) = run_counted(&case, &rows, delivery).unwrap();
    assert_eq!(found.len(), 3_001);
    assert!(steps / 3_001 <= 200, "{} steps per row", steps / 3_001);
}

#[test]
fn a_look_ahead_that_fails_is_not_repeated_by_the_next_match() {
    // Each row is a match of its own, as soon as it is known that the preferred continuation never comes.
    let tail = sequence(vec![star(variable(2)), variable(B)]);
    let case = without_b(sequence(vec![variable(A), repeat(tail, 0, Some(1))]));
    let (found, steps) = run_over(&case, 3_000);
    assert_eq!(found, 3_000);
    assert!(steps <= 40, "{steps} steps per row");
}

#[test]
fn deadlines_of_matches_that_have_ended_are_not_kept() {
    // Every second row opens an attempt that the next one completes, an hour before its deadline.
    let pattern = sequence(vec![variable(A), variable(2)]);
    let case = Case { within: Some(3_600_000), arrival: true, ..without_b(pattern) };
    let delivery = Delivery { delay: 0, batch: 1, cut: usize::MAX, parallelism: 1, seldom: false };
    assert!(most_bytes(&case, &rows(8_000), delivery) < 20_000);
}

#[test]
fn a_pattern_too_large_to_be_written_out_is_refused() {
    let many = (0..6).fold(variable(A), |pattern, _| repeat(pattern, 100, Some(100)));
    assert!(weir_engine::operator::MatchRecognize::new(without_b(many).spec()).is_err());
}
