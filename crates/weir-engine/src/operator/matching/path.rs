//! Which rows of a match are mapped to which variable.
//!
//! Rows of a match are adjacent, so a path is a list of runs of the same variable. The runs before the last one are
//! shared between the threads that have them in common; a long run of one variable takes no more memory than a short
//! one.

use std::sync::Arc;

/// The variable of a path without rows.
const NONE: u16 = u16::MAX;

/// What the rows of an attempt are mapped to, up to a row that is told from outside: all threads of an attempt have
/// taken the same rows.
#[derive(Debug, Clone)]
pub(super) struct Path {
    variable: u16,
    from: u32,
    before: Option<Arc<Run>>,
}

#[derive(Debug)]
struct Run {
    span: Span,
    before: Option<Arc<Run>>,
}

/// Adjacent rows mapped to one variable: `from..to`, counted from the first row of the match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) variable: u16,
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Drop for Run {
    fn drop(&mut self) {
        // A long list is taken down step by step; by itself it would recurse once per run.
        let mut next = self.before.take();
        while let Some(run) = next {
            next = Arc::into_inner(run).and_then(|mut run| run.before.take());
        }
    }
}

/// Something that a later condition may look at. Threads that agree on all of it have the same future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Read {
    /// The first rows of a variable, as many as told.
    First { variable: u16, rows: u32 },
    /// Its last rows.
    Last { variable: u16, rows: u32 },
    /// All of them.
    All { variable: u16 },
}

impl Path {
    /// No row.
    pub(super) const EMPTY: Self = Self { variable: NONE, from: 0, before: None };

    /// Returns the path with one more row, the one at `at`.
    pub(super) fn then(&self, variable: u16, at: u32) -> Self {
        if self.variable == variable {
            return self.clone();
        }
        let before = (self.variable != NONE).then(|| {
            let span = Span { variable: self.variable, from: self.from, to: at };
            Arc::new(Run { span, before: self.before.clone() })
        });
        Self { variable, from: at, before }
    }

    /// Returns the runs, last first. `end` is the number of rows.
    pub(super) fn backward(&self, end: u32) -> Backward<'_> {
        let last = Span { variable: self.variable, from: self.from, to: end };
        Backward { next: (self.variable != NONE).then_some(last), before: self.before.as_ref() }
    }

    /// Returns the runs, first first.
    pub(super) fn forward(&self, end: u32) -> Vec<Span> {
        let mut spans: Vec<Span> = self.backward(end).collect();
        spans.reverse();
        spans
    }

    fn of(&self, end: u32, variable: u16) -> impl Iterator<Item = Span> {
        self.backward(end).filter(move |span| span.variable == variable)
    }

    /// Returns the last row of a variable but `skip`.
    pub(super) fn last(&self, end: u32, variable: u16, skip: u32) -> Option<u32> {
        let mut skip = skip;
        for span in self.of(end, variable) {
            if span.to - span.from > skip {
                return Some(span.to - 1 - skip);
            }
            skip -= span.to - span.from;
        }
        None
    }

    /// Returns the first row of a variable but `skip`; when there are not as many, how many there are.
    pub(super) fn first(&self, end: u32, variable: u16, skip: u32) -> Result<u32, u32> {
        let spans: Vec<Span> = self.of(end, variable).collect();
        let mut passed = 0;
        for span in spans.iter().rev() {
            let rows = span.to - span.from;
            if skip - passed < rows {
                return Ok(span.from + (skip - passed));
            }
            passed += rows;
        }
        Err(passed)
    }

    /// Tells whether two paths of the same rows look the same to whoever reads this.
    pub(super) fn agrees(&self, other: &Self, end: u32, read: Read) -> bool {
        let rows = |path: &Self, variable: u16, rows: u32, first: bool| -> Vec<Option<u32>> {
            let place = |skip| match first {
                true => path.first(end, variable, skip).ok(),
                false => path.last(end, variable, skip),
            };
            (0..rows).map(place).collect()
        };
        match read {
            Read::First { variable, rows: count } => {
                rows(self, variable, count, true) == rows(other, variable, count, true)
            }
            Read::Last { variable, rows: count } => {
                rows(self, variable, count, false) == rows(other, variable, count, false)
            }
            Read::All { variable } => {
                let (mut own, mut others) = (self.backward(end), other.backward(end));
                loop {
                    let of = |span: &Span| span.variable == variable;
                    match (own.find(of), others.find(of)) {
                        (None, None) => return true,
                        (Some(a), Some(b)) if a == b => {}
                        _ => return false,
                    }
                    if own.is_at_the_same_run(&others) {
                        return true;
                    }
                }
            }
        }
    }

    /// Returns a number that is equal for paths that agree.
    pub(super) fn fingerprint(&self, end: u32, read: Read) -> u64 {
        let variable = match read {
            Read::First { .. } => return 0,
            Read::Last { variable, .. } | Read::All { variable } => variable,
        };
        self.last(end, variable, 0).map_or(0, |row| u64::from(row) + 1)
    }
}

/// The runs of a path, last first.
pub(super) struct Backward<'a> {
    next: Option<Span>,
    before: Option<&'a Arc<Run>>,
}

impl Backward<'_> {
    /// Tells whether both have the same runs before them.
    fn is_at_the_same_run(&self, other: &Self) -> bool {
        match (self.before, other.before) {
            (None, None) => true,
            (Some(own), Some(others)) => Arc::ptr_eq(own, others),
            _ => false,
        }
    }
}

impl Iterator for Backward<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        if let Some(span) = self.next.take() {
            return Some(span);
        }
        let run = self.before?;
        self.before = run.before.as_ref();
        Some(run.span)
    }
}
