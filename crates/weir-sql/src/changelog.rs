//! Which rows of a job may be withdrawn after they were given out.
//!
//! GROUP BY without a window gives a changelog: the former result of a group is withdrawn and the new one added.
//! Whatever reads a changelog gives one, down to the sinks, which drop what is withdrawn unless they write by key.
//! Operators that keep rows by time (windows, OVER, patterns, interval joins) give out what they have seen once and for
//! all, so they take rows that are only added; the check refuses others.

use std::cell::RefCell;
use std::collections::HashMap;

use datafusion_expr::LogicalPlan;
use weir_functions::window::window_of;

use crate::nodes::{OverWindow, StreamJoin};
use crate::{Job, Target};

/// What makes rows of a plan change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// `GROUP BY` without a window.
    GroupBy,
    /// An outer join without time bounds.
    OuterJoin,
    /// A temp stream that is filled with rows that change.
    TempStream(String),
}

/// The temp streams whose rows change, by name in lower case.
#[derive(Debug, Default)]
pub struct Changelogs<'a> {
    /// The plans that fill each temp stream.
    fills: HashMap<String, Vec<&'a LogicalPlan>>,
    /// Whether the rows of temp streams change, as far as it has been asked. Without it a job of a few dozen temp
    /// streams, each read twice by what fills the next, would take for ever.
    known: RefCell<HashMap<String, bool>>,
}

impl<'a> Changelogs<'a> {
    /// Looks at the INSERT statements of a job, which must not be in a cycle.
    pub fn of(job: &'a Job) -> Self {
        let mut fills: HashMap<String, Vec<&LogicalPlan>> = HashMap::new();
        for insert in &job.inserts {
            if let Target::Temp(index) = insert.target {
                fills.entry(job.temps[index].name.to_lowercase()).or_default().push(&insert.plan);
            }
        }
        Self { fills, known: RefCell::default() }
    }

    /// Returns why rows of a plan may be withdrawn, or `None` when they are only added.
    pub fn cause(&self, plan: &LogicalPlan) -> Option<Cause> {
        match plan {
            LogicalPlan::Aggregate(node) => {
                (!node.group_expr.iter().any(|key| window_of(key).is_some())).then_some(Cause::GroupBy)
            }
            LogicalPlan::TableScan(scan) => {
                let name = scan.table_name.table();
                self.changes(&name.to_lowercase()).then(|| Cause::TempStream(name.to_string()))
            }
            LogicalPlan::Extension(node) if node.node.as_any().is::<OverWindow>() => None,
            LogicalPlan::Extension(node) => match StreamJoin::of(node) {
                Some(join) if join.bounds.is_some() => None,
                Some(join) if join.is_changelog() => Some(Cause::OuterJoin),
                _ => self.cause_below(plan),
            },
            _ => self.cause_below(plan),
        }
    }

    /// Tells whether rows of a stream may be withdrawn; its name in lower case.
    fn changes(&self, name: &str) -> bool {
        let Some(fills) = self.fills.get(name) else { return false };
        if let Some(changes) = self.known.borrow().get(name) {
            return *changes;
        }
        let changes = fills.iter().any(|plan| self.cause(plan).is_some());
        self.known.borrow_mut().insert(name.to_string(), changes);
        changes
    }

    fn cause_below(&self, plan: &LogicalPlan) -> Option<Cause> {
        plan.inputs().into_iter().find_map(|input| self.cause(input))
    }
}
