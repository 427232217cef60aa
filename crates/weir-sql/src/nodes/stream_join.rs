//! The join of two streams as a node of a plan.
//!
//! A node of its own, not the join of the plan library: whether time bounds both sides decides how long rows are
//! kept and whether the result is a changelog, so it is said and not guessed again by every reader of the plan.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion_common::{Column, DFSchema, DFSchemaRef, DataFusionError, Result, plan_err};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::TIME_ATTRIBUTE;

/// Which rows without a match are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JoinKind {
    /// None.
    Inner,
    /// Those of the left input.
    Left,
    /// Those of the right input.
    Right,
    /// Those of both.
    Full,
}

impl JoinKind {
    /// Returns whether rows of the left input are kept when they match nothing.
    pub fn keeps_left(self) -> bool {
        matches!(self, JoinKind::Left | JoinKind::Full)
    }

    /// Returns whether rows of the right input are kept when they match nothing.
    pub fn keeps_right(self) -> bool {
        matches!(self, JoinKind::Right | JoinKind::Full)
    }
}

impl fmt::Display for JoinKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JoinKind::Inner => "INNER",
            JoinKind::Left => "LEFT",
            JoinKind::Right => "RIGHT",
            JoinKind::Full => "FULL",
        })
    }
}

/// The bounds of an interval join: `lower <= right - left <= upper`, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub struct TimeBounds {
    /// The time attribute of the left input.
    pub left: Column,
    /// The time attribute of the right input, of the same kind.
    pub right: Column,
    /// Whether they are event times; otherwise they are processing times.
    pub event_time: bool,
    /// The least difference.
    pub lower: i64,
    /// The greatest difference. Below `lower` nothing matches.
    pub upper: i64,
}

/// A join of two streams by equal keys. With bounds it is an interval join, whose rows are added only; without, both
/// inputs are kept whole and an outer join is a changelog.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamJoin {
    /// The left input.
    pub left: Arc<LogicalPlan>,
    /// The right input.
    pub right: Arc<LogicalPlan>,
    /// Which rows without a match are kept.
    pub kind: JoinKind,
    /// Expressions over the left and over the right input that must be equal; the two of a pair have one type.
    pub keys: Vec<(Expr, Expr)>,
    /// The bounds in time, if it is an interval join.
    pub bounds: Option<TimeBounds>,
    /// What else must hold, over the columns of both inputs.
    pub residual: Option<Expr>,
    schema: DFSchemaRef,
}

impl StreamJoin {
    /// Makes the node. The columns of the two inputs must have different qualified names.
    pub fn try_new(
        inputs: (Arc<LogicalPlan>, Arc<LogicalPlan>),
        kind: JoinKind,
        keys: Vec<(Expr, Expr)>,
        bounds: Option<TimeBounds>,
        residual: Option<Expr>,
    ) -> Result<Self> {
        let (left, right) = inputs;
        let mut fields = Vec::with_capacity(left.schema().fields().len() + right.schema().fields().len());
        for (qualifier, field) in left.schema().iter().chain(right.schema().iter()) {
            fields.push((qualifier.cloned(), Arc::new(output_field(field, bounds.as_ref()))));
        }
        let schema = Arc::new(DFSchema::new_with_metadata(fields, Default::default())?);
        Ok(Self { left, right, kind, keys, bounds, residual, schema })
    }

    /// Returns the node of an extension of a plan, if it is one.
    pub fn of(extension: &Extension) -> Option<&Self> {
        extension.node.as_any().downcast_ref()
    }

    /// Returns whether its result withdraws rows even when its inputs only add some.
    pub fn is_changelog(&self) -> bool {
        self.bounds.is_none() && self.kind != JoinKind::Inner
    }
}

/// Returns a column as it leaves the join: only time of the kind of the bounds goes on as a time attribute.
fn output_field(field: &Field, bounds: Option<&TimeBounds>) -> Field {
    let stays = bounds.map(|bounds| if bounds.event_time { "rowtime" } else { "proctime" });
    let mut metadata = field.metadata().clone();
    if metadata.get(TIME_ATTRIBUTE).map(String::as_str) != stays {
        metadata.remove(TIME_ATTRIBUTE);
    }
    field.clone().with_metadata(metadata).with_nullable(true)
}

// By hand, because a schema has no order; two joins that differ in nothing else have the same one.
impl PartialOrd for StreamJoin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let own = (&self.left, &self.right, self.kind, &self.keys, &self.bounds, &self.residual);
        let others = (&other.left, &other.right, other.kind, &other.keys, &other.bounds, &other.residual);
        own.partial_cmp(&others)
    }
}

impl UserDefinedLogicalNodeCore for StreamJoin {
    fn name(&self) -> &str {
        if self.bounds.is_some() { "IntervalJoin" } else { "StreamJoin" }
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.left, &self.right]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let mut expressions: Vec<Expr> =
            self.keys.iter().flat_map(|(left, right)| [left.clone(), right.clone()]).collect();
        if let Some(bounds) = &self.bounds {
            expressions.push(Expr::Column(bounds.left.clone()));
            expressions.push(Expr::Column(bounds.right.clone()));
        }
        expressions.extend(self.residual.clone());
        expressions
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", UserDefinedLogicalNodeCore::name(self), self.kind)?;
        let keys: Vec<String> = self.keys.iter().map(|(left, right)| format!("{left} = {right}")).collect();
        write!(f, " on=[{}]", keys.join(", "))?;
        if let Some(TimeBounds { left, right, lower, upper, .. }) = &self.bounds {
            write!(f, " bounds=[{lower} ms <= {right} - {left} <= {upper} ms]")?;
        }
        match &self.residual {
            Some(residual) => write!(f, " where=[{residual}]"),
            None => Ok(()),
        }
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut exprs = exprs.into_iter();
        let mut next = || exprs.next().ok_or_else(missing);
        let mut keys = Vec::with_capacity(self.keys.len());
        for _ in &self.keys {
            keys.push((next()?, next()?));
        }
        let bounds = match &self.bounds {
            Some(bounds) => match (next()?, next()?) {
                (Expr::Column(left), Expr::Column(right)) => {
                    Some(TimeBounds { left, right, ..bounds.clone() })
                }
                (left, right) => return plan_err!("`{left}` and `{right}` are not both columns"),
            },
            None => None,
        };
        let residual = self.residual.as_ref().map(|_| next()).transpose()?;
        let [left, right] = <[LogicalPlan; 2]>::try_from(inputs).map_err(|_| missing())?;
        Self::try_new((Arc::new(left), Arc::new(right)), self.kind, keys, bounds, residual)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.left.schema().fields().len();
        let (left, right): (Vec<usize>, Vec<usize>) =
            output_columns.iter().copied().partition(|column| *column < width);
        Some(vec![left, right.into_iter().map(|column| column - width).collect()])
    }
}

fn missing() -> DataFusionError {
    DataFusionError::Plan("a join has two inputs and the expressions it was made with".to_string())
}
