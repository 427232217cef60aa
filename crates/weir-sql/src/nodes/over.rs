//! Aggregates over the rows before each row: OVER windows.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use datafusion_common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan, UserDefinedLogicalNodeCore};

/// The rows of its partition that a row sees besides itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverFrame {
    /// So many rows before it; `None` is all.
    Rows(Option<u64>),
    /// Rows at most so many milliseconds older, and those of the same time; `None` is all.
    Range(Option<i64>),
}

/// Adds the results of aggregates to every row of the input.
///
/// The output has the columns of the input, then the result of each call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OverWindow {
    /// The rows.
    pub input: Arc<LogicalPlan>,
    /// What the rows of one partition have in common.
    pub partition: Vec<Expr>,
    /// The column of the time attribute that orders the rows.
    pub order: Expr,
    /// Whether that is event time; otherwise it is processing time.
    pub event_time: bool,
    /// The frame.
    pub frame: OverFrame,
    /// The aggregates.
    pub calls: Vec<Expr>,
    schema: DFSchemaRef,
}

/// The window of an [`OverWindow`], which all of its calls have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Over {
    /// See [`OverWindow::partition`].
    pub partition: Vec<Expr>,
    /// See [`OverWindow::order`].
    pub order: Expr,
    /// See [`OverWindow::event_time`].
    pub event_time: bool,
    /// See [`OverWindow::frame`].
    pub frame: OverFrame,
}

impl OverWindow {
    /// Makes the node; `names` are those of the results, which the input does not have.
    pub fn try_new(input: LogicalPlan, over: Over, calls: Vec<Expr>, names: &[String]) -> Result<Self> {
        let mut fields: Vec<_> =
            input.schema().iter().map(|(q, field)| (q.cloned(), field.clone())).collect();
        for (call, name) in calls.iter().zip(names) {
            let field: FieldRef = Arc::new(Field::new(name, call.get_type(input.schema())?, true));
            fields.push((None, field));
        }
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        let Over { partition, order, event_time, frame } = over;
        Ok(Self { input: Arc::new(input), partition, order, event_time, frame, calls, schema })
    }

    /// Returns the window.
    pub fn over(&self) -> Over {
        Over {
            partition: self.partition.clone(),
            order: self.order.clone(),
            event_time: self.event_time,
            frame: self.frame,
        }
    }
}

impl fmt::Display for OverFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(None) => f.write_str("ROWS UNBOUNDED PRECEDING"),
            Self::Rows(Some(rows)) => write!(f, "ROWS {rows} PRECEDING"),
            Self::Range(None) => f.write_str("RANGE UNBOUNDED PRECEDING"),
            Self::Range(Some(millis)) => write!(f, "RANGE {millis} ms PRECEDING"),
        }
    }
}

impl PartialOrd for OverWindow {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self == other {
            true => Some(Ordering::Equal),
            false => None,
        }
    }
}

impl UserDefinedLogicalNodeCore for OverWindow {
    fn name(&self) -> &'static str {
        "Over"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.partition.iter().chain([&self.order]).chain(&self.calls).cloned().collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |of: &[Expr]| of.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (calls, partition) = (list(&self.calls), list(&self.partition));
        write!(f, "Over: [{calls}], partition by: [{partition}], order by: {}, {}", self.order, self.frame)
    }

    fn with_exprs_and_inputs(&self, expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut expressions = expressions;
        let width = self.partition.len();
        let Ok([input]) = <[LogicalPlan; 1]>::try_from(inputs) else {
            return internal_err!("`Over` has one input");
        };
        if expressions.len() != width + 1 + self.calls.len() {
            return internal_err!("`Over` has {} expressions", width + 1 + self.calls.len());
        }
        let calls = expressions.split_off(width + 1);
        let order = expressions.remove(width);
        let added = self.schema.fields().iter().skip(self.input.schema().fields().len());
        let names: Vec<String> = added.map(|field| field.name().clone()).collect();
        let over = Over { partition: expressions, order, ..self.over() };
        Self::try_new(input, over, calls, &names)
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        Some(vec![output.iter().copied().filter(|index| *index < width).collect()])
    }
}
