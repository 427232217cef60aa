//! How a graph describes a row pattern. All expressions read the columns of the input, but for those of conditions
//! and measures, which read slots.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use super::{MatchRecognize, Pattern};
use crate::message::TimeDomain;
use crate::operator::{AggregateCall, Evaluator, Operator, OperatorContext, OperatorError, OperatorSpec};
use crate::time_column::TimeColumn;

/// The description of the operator.
#[derive(Debug, Clone)]
pub struct MatchSpec {
    /// Columns of the input, the hidden ones too.
    pub input: SchemaRef,
    /// Rows that differ in one of these have nothing to do with each other.
    pub partition_by: Vec<Arc<dyn PhysicalExpr>>,
    /// The order of the rows.
    pub order: RowOrder,
    /// Names of the variables.
    pub variables: Vec<String>,
    /// The pattern.
    pub pattern: Pattern,
    /// What a row must fulfil to be taken by each variable; `None` takes any row.
    pub conditions: Vec<Option<Condition>>,
    /// Milliseconds that the last row of a match must be less than behind the first.
    pub within: Option<i64>,
    /// Where the search goes on after a match.
    pub skip: Skip,
    /// What is given out for a match.
    pub rows: MatchRows,
    /// Computed for each row given out: the slots, and what makes the columns given out from the columns of `rows`
    /// and the slots behind them.
    pub measures: Measures,
    /// Index of the hidden row-watermark column of the input, when it has one.
    pub row_watermark: Option<usize>,
}

/// The order of rows.
#[derive(Debug, Clone)]
pub enum RowOrder {
    /// By event time, behind the watermark; rows of the same time by the expressions, then as they arrived.
    EventTime {
        /// The event time.
        time: TimeColumn,
        /// What orders rows of the same time.
        then: Vec<(Arc<dyn PhysicalExpr>, SortOptions)>,
    },
    /// As they arrive. The time measures the length of matches.
    Arrival {
        /// The time of a row and whose watermarks follow it.
        time: Option<(TimeColumn, TimeDomain)>,
    },
}

/// Where the search goes on after a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// After its last row.
    PastLastRow,
    /// After its first row.
    ToNextRow,
    /// At the first row of a variable.
    ToFirst(usize),
    /// At the last row of a variable.
    ToLast(usize),
}

/// What is given out for a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchRows {
    /// One row: these of the partition expressions, then the measures.
    One {
        /// Indices of partition expressions.
        keys: Vec<usize>,
    },
    /// A row for each row of the match: these columns of the input, then the measures.
    All {
        /// Indices of columns.
        columns: Vec<usize>,
    },
}

/// The rows that an expression can be computed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Base {
    /// The first row of a variable, or of the match, but `skip`.
    First {
        /// The variable; `None` is the match as a whole.
        variable: Option<usize>,
        /// Rows left out at the beginning.
        skip: u32,
    },
    /// The last row of a variable, or of the match, but `skip`; in a condition of the variable the row in question is
    /// the last one.
    Last {
        /// The variable; `None` is the match as a whole.
        variable: Option<usize>,
        /// Rows left out at the end.
        skip: u32,
    },
}

/// A value that depends on the rows of a match.
#[derive(Debug, Clone)]
pub enum Slot {
    /// An expression computed on one row; NULL when there is no such row.
    Value {
        /// The expression.
        expression: Arc<dyn PhysicalExpr>,
        /// The row.
        base: Base,
        /// So many rows of the partition after it.
        offset: i64,
        /// Whether the whole match counts, or only its rows up to the present one.
        whole: bool,
    },
    /// An aggregate over the rows of a variable.
    Aggregate {
        /// The aggregate.
        call: AggregateCall,
        /// The variable; `None` is the match as a whole.
        variable: Option<usize>,
        /// Whether the whole match counts, or only its rows up to the present one.
        whole: bool,
    },
    /// The number of the match in its partition, from 1.
    MatchNumber,
    /// The name of the variable of the present row. Measures only.
    Classifier,
}

/// A condition of a variable.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What it reads.
    pub slots: Vec<Slot>,
    /// Names and types of the slots.
    pub schema: SchemaRef,
    /// A BOOLEAN over the slots.
    pub expression: Arc<dyn PhysicalExpr>,
}

/// The measures of a pattern.
#[derive(Debug, Clone)]
pub struct Measures {
    /// What they read.
    pub slots: Vec<Slot>,
    /// Names and types of the columns of [`MatchSpec::rows`] and of the slots.
    pub schema: SchemaRef,
    /// Makes the columns given out.
    pub evaluator: Evaluator,
}

impl OperatorSpec for MatchSpec {
    fn keeps(&self) -> Option<String> {
        let age = self.within.map(|millis| format!(", or is {millis} ms old")).unwrap_or_default();
        Some(format!("rows until the watermark passes them; those of each open match, until it ends{age}"))
    }

    fn name(&self) -> &'static str {
        "Match"
    }

    fn operator(&self, _context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(MatchRecognize::new(self.clone())?))
    }
}
