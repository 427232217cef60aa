//! Row patterns as parsed: how to read the tree of `MATCH_RECOGNIZE`.
//!
//! A pattern is [`TableFactor::MatchRecognize`](sqlparser::ast::TableFactor) of the `sqlparser` crate:
//!
//! | written | tree |
//! | --- | --- |
//! | the input and `AS mr (a, b)` | `table` without alias, `alias` |
//! | `PARTITION BY`, `ORDER BY a DESC` | `partition_by`, `order_by`; `asc` is `None` when no direction is written |
//! | `FINAL LAST(A.x) AS y` | a measure whose expression is a call of [`FINAL`] with one argument; so [`RUNNING`] |
//! | `ONE ROW PER MATCH`, `ALL ROWS PER MATCH` | `rows_per_match`: `OneRow`, `AllRows(None)` |
//! | `AFTER MATCH SKIP TO A` | `after_match_skip`: `ToLast`; the other forms have their own |
//! | `A B \| C`, `(A)` | `pattern`: `Alternation` of `Concat` of `Symbol(Named)`; `Group` |
//! | `A{2,}`, `A{2,}?` | `Repetition`; [`repetition`] tells greedy ones from reluctant ones |
//! | `WITHIN INTERVAL '1' HOUR` | no place in the tree: [`PatternDetails::within`], found by [`InsertInto::details_of`] |
//! | `DEFINE A AS c` | `symbols` |
//!
//! Positions are in the identifiers: every variable of the pattern, of `DEFINE` and of `SKIP TO` has its own span.
//! The parser does not look at what the variables are: whether one is defined twice or never used is checked later.

use sqlparser::ast::{Ident, Interval, MatchRecognizePattern, MatchRecognizeSymbol, RepetitionQuantifier};

use super::ast::InsertInto;
use crate::Position;

/// The name of the call that stands for `RUNNING` before a measure.
pub const RUNNING: &str = "RUNNING";
/// The name of the call that stands for `FINAL` before a measure.
pub const FINAL: &str = "FINAL";

/// What a `MATCH_RECOGNIZE` says that the tree has no place for.
#[derive(Debug)]
pub struct PatternDetails {
    /// Where the word `MATCH_RECOGNIZE` stands.
    pub position: Position,
    /// The first variable of the pattern, which tells one `MATCH_RECOGNIZE` from the others by its place.
    pub(super) first: Ident,
    /// `WITHIN`: an interval of fixed length that is not negative.
    pub within: Option<Interval>,
}

impl InsertInto {
    /// Returns the details of a pattern of this statement.
    pub fn details_of(&self, pattern: &MatchRecognizePattern) -> Option<&PatternDetails> {
        let first = first_variable(pattern)?;
        self.patterns.iter().find(|details| details.first.span == first.span)
    }
}

/// A repeated pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repetition<'a> {
    /// What is repeated.
    pub pattern: &'a MatchRecognizePattern,
    /// The least number of times.
    pub least: u32,
    /// The greatest number of times; `None` is without limit.
    pub most: Option<u32>,
    /// Whether more repetitions are preferred to fewer.
    pub greedy: bool,
}

/// Returns a pattern as a repetition, when it is one. The tree has no reluctant quantifiers: `A*?` is `A*` with a
/// quantifier `?` of its own, which nothing else is, because a quantifier cannot follow another.
pub fn repetition(pattern: &MatchRecognizePattern) -> Option<Repetition<'_>> {
    let MatchRecognizePattern::Repetition(inner, quantifier) = pattern else { return None };
    let (pattern, quantifier, greedy) = match (inner.as_ref(), quantifier) {
        (MatchRecognizePattern::Repetition(inner, quantifier), RepetitionQuantifier::AtMostOne) => {
            (inner.as_ref(), quantifier, false)
        }
        _ => (inner.as_ref(), quantifier, true),
    };
    let (least, most) = bounds(quantifier);
    Some(Repetition { pattern, least, most, greedy })
}

/// Returns the least and the greatest number of times of a quantifier.
pub(super) fn bounds(quantifier: &RepetitionQuantifier) -> (u32, Option<u32>) {
    match *quantifier {
        RepetitionQuantifier::ZeroOrMore => (0, None),
        RepetitionQuantifier::OneOrMore => (1, None),
        RepetitionQuantifier::AtMostOne => (0, Some(1)),
        RepetitionQuantifier::Exactly(times) => (times, Some(times)),
        RepetitionQuantifier::AtLeast(least) => (least, None),
        RepetitionQuantifier::AtMost(most) => (0, Some(most)),
        RepetitionQuantifier::Range(least, most) => (least, Some(most)),
    }
}

/// Returns the variable that stands first in a pattern.
pub(super) fn first_variable(pattern: &MatchRecognizePattern) -> Option<&Ident> {
    match pattern {
        MatchRecognizePattern::Symbol(MatchRecognizeSymbol::Named(name)) => Some(name),
        MatchRecognizePattern::Concat(parts) | MatchRecognizePattern::Alternation(parts) => {
            parts.first().and_then(first_variable)
        }
        MatchRecognizePattern::Group(inner) | MatchRecognizePattern::Repetition(inner, _) => {
            first_variable(inner)
        }
        _ => None,
    }
}
