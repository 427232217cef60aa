//! Arbitrary bytes as a pattern, its definitions, rows and the way they come: the operator agrees with the model, and
//! looks at no more nodes than a pattern of its size may need.

use weir_engine::operator::{Pattern, Skip};

use crate::case::{Case, Condition, Delivery, Row, run_counted};
use crate::difference;

/// Bytes as choices; 0 when there are no more.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    /// Returns a number below `count`.
    fn below(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % count
    }

    fn is_chosen(&mut self) -> bool {
        self.below(2) == 1
    }

    fn pattern(&mut self, depth: u32) -> Pattern {
        let kind = if depth == 0 { 0 } else { self.below(5) };
        match kind {
            0 => Pattern::Variable(self.below(3)),
            1 => Pattern::Sequence((0..=self.below(3)).map(|_| self.pattern(depth - 1)).collect()),
            2 => Pattern::Alternatives((0..=self.below(3)).map(|_| self.pattern(depth - 1)).collect()),
            _ => {
                let least = self.below(3) as u32;
                let most = match self.below(3) {
                    0 => Some(least.max(1)),
                    1 => Some(least + 2),
                    _ => None,
                };
                let greedy = self.is_chosen();
                Pattern::Repeat { pattern: Box::new(self.pattern(depth - 1)), least, most, greedy }
            }
        }
    }

    /// Returns a condition; `alike` asks for one that does not depend on the match.
    fn condition(&mut self, alike: bool) -> Condition {
        match self.below(if alike { 4 } else { 9 }) {
            0 => Condition::Any,
            1 => Condition::Above(self.below(5) as i64),
            2 => Condition::AbovePrevious,
            3 => Condition::BelowNext,
            4 => Condition::NotBelowLastOf(self.below(3)),
            5 => Condition::DiffersFromFirstOf(self.below(3)),
            6 => Condition::NotBelowOwnLast,
            7 => Condition::SumAtMost(self.below(3), 3 + self.below(17) as i64),
            _ => Condition::AboveAndNotBelowFirst(self.below(4) as i64),
        }
    }

    fn case(&mut self, alike: bool) -> Case {
        Case {
            pattern: self.pattern(5),
            conditions: [0; 3].map(|_| self.condition(alike)),
            within: self.is_chosen().then(|| 1 + self.below(40) as i64),
            skip: match self.below(4) {
                0 => Skip::PastLastRow,
                1 => Skip::ToNextRow,
                2 => Skip::ToFirst(self.below(3)),
                _ => Skip::ToLast(self.below(3)),
            },
            all_rows: self.is_chosen(),
            arrival: self.below(4) == 1,
        }
    }

    fn delivery(&mut self) -> Delivery {
        Delivery {
            delay: self.below(12) as i64,
            batch: 1 + self.below(20),
            cut: self.below(8),
            parallelism: 1 + self.below(3),
            seldom: self.is_chosen(),
        }
    }

    /// Takes the bytes that are left as rows.
    fn rows(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        while !self.0.is_empty() && rows.len() < 40 {
            let key = ["x", "y"][self.below(2)];
            let jitter = self.below(12) as i64 - 6;
            rows.push(Row { key, value: self.below(6) as i64, time: rows.len() as i64 * 2 + jitter });
        }
        rows
    }
}

/// Returns a number of nodes, with the levels of iterations that must take a row, that a pattern surely does not exceed.
fn size(pattern: &Pattern) -> u64 {
    fn depth(pattern: &Pattern) -> u64 {
        match pattern {
            Pattern::Variable(_) => 1,
            Pattern::Sequence(parts) | Pattern::Alternatives(parts) => {
                parts.iter().map(depth).max().unwrap_or(0)
            }
            Pattern::Repeat { pattern, .. } => 1 + depth(pattern),
        }
    }
    let depth = depth(pattern);
    // Each variable written out comes with at most a few nodes for each repetition around it.
    (4 * depth * pattern.places() + 1) * (depth + 1)
}

#[test]
fn matches_of_arbitrary_patterns() {
    bolero::check!().with_iterations(2_000).with_max_len(256).for_each(|data: &[u8]| {
        let mut choices = Choices(data);
        let alike = choices.is_chosen();
        let (case, delivery, rows) = (choices.case(alike), choices.delivery(), choices.rows());
        if case.pattern.places() > 4_096 {
            return;
        }
        let problem = difference(&case, &rows, delivery);
        assert_eq!(problem, None, "{case:?} over {rows:?} as {delivery:?}");
        if alike && let Ok((_, steps)) = run_counted(&case, &rows, delivery) {
            // Forwards over each row once for each node, and backwards for each match.
            let most = (rows.len() as u64 + 2) * size(&case.pattern) * (4 + 2 * case.pattern.places());
            assert!(steps <= most, "{steps} steps, {most} at most: {case:?} over {rows:?} as {delivery:?}");
        }
    });
}
