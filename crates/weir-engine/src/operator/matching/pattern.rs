//! Row patterns as a job asks for them.

/// A pattern over the numbered variables of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// One row that the variable takes.
    Variable(usize),
    /// One after the other.
    Sequence(Vec<Pattern>),
    /// One of them; an earlier one is preferred.
    Alternatives(Vec<Pattern>),
    /// The same several times. An iteration beyond the least number has at least one row.
    Repeat {
        /// What is repeated.
        pattern: Box<Pattern>,
        /// The least number of times.
        least: u32,
        /// The greatest number of times; `None` is without limit.
        most: Option<u32>,
        /// Whether more iterations are preferred to fewer.
        greedy: bool,
    },
}

impl Pattern {
    /// Returns the number of variables with every repetition written out.
    pub fn places(&self) -> u64 {
        match self {
            Pattern::Variable(_) => 1,
            Pattern::Sequence(parts) | Pattern::Alternatives(parts) => {
                parts.iter().map(Pattern::places).fold(0, u64::saturating_add)
            }
            Pattern::Repeat { pattern, least, most, .. } => {
                pattern.places().saturating_mul(u64::from(most.unwrap_or(*least).max(1)))
            }
        }
    }

    /// Returns the least number of rows of a match; 0 when the pattern also matches no row.
    pub(super) fn least_rows(&self) -> u64 {
        match self {
            Pattern::Variable(_) => 1,
            Pattern::Sequence(parts) => parts.iter().map(Pattern::least_rows).fold(0, u64::saturating_add),
            Pattern::Alternatives(parts) => parts.iter().map(Pattern::least_rows).min().unwrap_or(0),
            Pattern::Repeat { pattern, least, .. } => pattern.least_rows().saturating_mul(u64::from(*least)),
        }
    }

    /// Returns, for each of the variables, the least number of rows of a match that come before a row of it.
    pub(super) fn earliest(&self, variables: usize) -> Vec<u64> {
        let mut earliest = vec![u64::MAX; variables];
        self.note_earliest(0, &mut earliest);
        earliest
    }

    fn note_earliest(&self, before: u64, earliest: &mut [u64]) {
        match self {
            Pattern::Variable(variable) => {
                if let Some(known) = earliest.get_mut(*variable) {
                    *known = before.min(*known);
                }
            }
            Pattern::Sequence(parts) => {
                let mut before = before;
                for part in parts {
                    part.note_earliest(before, earliest);
                    before = before.saturating_add(part.least_rows());
                }
            }
            Pattern::Alternatives(parts) => {
                parts.iter().for_each(|part| part.note_earliest(before, earliest));
            }
            Pattern::Repeat { pattern, .. } => pattern.note_earliest(before, earliest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_place_of_a_variable_is_known() {
        let [a, b, c] = [0, 1, 2].map(Pattern::Variable);
        let twice = Pattern::Repeat { pattern: Box::new(b), least: 2, most: None, greedy: true };
        let either = Pattern::Alternatives(vec![a.clone(), twice.clone()]);
        let pattern = Pattern::Sequence(vec![a, twice, either, c]);
        assert_eq!(pattern.earliest(4), [0, 1, 4, u64::MAX]);
        assert_eq!((pattern.least_rows(), pattern.places()), (5, 7));
    }
}
