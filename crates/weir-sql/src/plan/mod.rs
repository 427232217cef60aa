//! Queries to plans: names are resolved, types are settled and the dialect's semantics are built in, so
//! that a plan can be run as it is.

mod access;
mod aggregate;
mod append_only;
mod bound;
mod call;
mod condition;
mod convert;
mod expr;
mod fold;
mod from;
mod grouping;
mod insert;
mod join;
mod literal;
mod lookup;
mod matching;
mod operator;
mod over;
mod physical;
mod query;
mod refuse;
mod row;
mod scope;
mod select;
mod types;
mod unnest;
mod window;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use datafusion_common::config::ConfigOptions;
use datafusion_expr::LogicalPlan;
use datafusion_optimizer::optimize_projections::OptimizeProjections;
use datafusion_optimizer::{OptimizerContext, OptimizerRule};

pub(crate) use append_only::AppendOnly;
pub(crate) use call::is_built_in;
pub use physical::physical;

use crate::syntax::ast::InsertInto;
use crate::{CheckError, DimensionTable, SinkStream, SourceStream, Target, TempStream, Warning};
use query::Planner;
use refuse::Place;

/// The streams and tables declared before an INSERT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streams<'a> {
    /// Source streams.
    pub sources: &'a [SourceStream],
    /// Temp streams.
    pub temps: &'a [TempStream],
    /// Sink streams.
    pub sinks: &'a [SinkStream],
    /// Dimension tables.
    pub tables: &'a [DimensionTable],
}

/// What the meaning of a query depends on besides its text.
#[derive(Debug, Clone)]
pub(crate) struct PlanOptions {
    /// The time zone of the job: an IANA name or an offset.
    pub time_zone: String,
}

/// Stack for the deepest expression that the parser takes; the passes over a plan are recursive.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Runs what is recursive on a stack that is large enough; callers may have small ones. Inside another call the stack is
/// that of the outer one: to make one takes longer than to plan a small INSERT.
pub(crate) fn on_large_stack<R>(run: impl FnOnce() -> R) -> R {
    const FOR_CALLERS: usize = 1024 * 1024;
    stacker::maybe_grow(STACK_BYTES, STACK_BYTES + FOR_CALLERS, run)
}

/// Returns the settings of the plan library: its defaults. To make them takes longer than to plan an expression.
fn library_options() -> Arc<ConfigOptions> {
    static OPTIONS: LazyLock<Arc<ConfigOptions>> = LazyLock::new(Arc::default);
    Arc::clone(&OPTIONS)
}

/// A planned INSERT.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) target: Target,
    pub(crate) plan: LogicalPlan,
    /// What is accepted but probably not meant.
    pub(crate) warnings: Vec<Warning>,
    /// The operators that take only rows that stay.
    pub(crate) append_only: Vec<AppendOnly>,
}

/// Checks and plans an INSERT.
pub(crate) fn plan_insert(
    insert: &InsertInto,
    streams: &Streams<'_>,
    options: &PlanOptions,
) -> Result<Planned, CheckError> {
    on_large_stack(|| plan_on_this_stack(insert, streams, options))
}

fn plan_on_this_stack(
    insert: &InsertInto,
    streams: &Streams<'_>,
    options: &PlanOptions,
) -> Result<Planned, CheckError> {
    let place = Place { position: insert.query_position, length: 1 };
    let planner = Planner {
        insert,
        streams,
        options,
        place,
        warnings: RefCell::default(),
        append_only: RefCell::default(),
    };
    let target = planner.target(&insert.target)?;
    let output = planner.query(&insert.query)?;
    let plan = planner.fill(target, &insert.target, output)?;
    // Every other rule could compute constants with wrapping arithmetic or move a filter through a
    // window; this one only drops columns that nobody reads. It goes through the whole plan by itself; the driver of the
    // library would repeat it and look for changes, which takes longer than the rule.
    let context = OptimizerContext::new_with_config_options(library_options());
    let narrow = OptimizeProjections::new().rewrite(plan.clone(), &context);
    let narrow = narrow.map_err(|error| planner.unplanned(error))?.data;
    // It takes a total of which no column is read for one constant row, but without a first row there is no total.
    let keeps_totals = constant_rows(&narrow) == constant_rows(&plan);
    Ok(Planned {
        target,
        plan: if keeps_totals { narrow } else { plan },
        warnings: planner.warnings.into_inner(),
        append_only: planner.append_only.into_inner(),
    })
}

/// Counts the places where a plan begins with a row of its own.
fn constant_rows(plan: &LogicalPlan) -> usize {
    let own = usize::from(matches!(plan, LogicalPlan::EmptyRelation(relation) if relation.produce_one_row));
    own + plan.inputs().into_iter().map(constant_rows).sum::<usize>()
}
