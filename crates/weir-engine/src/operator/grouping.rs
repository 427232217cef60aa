//! The keys of a grouping and the arguments of its aggregates, evaluated over a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;

use super::evaluate::{dirty_row, evaluate_clean};
use super::{AggregateCall, OperatorError, Output};

/// Tells the copies apart that grouping sets make of each row, so that a row that is set aside counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupingSets {
    /// Index of the Int32 column with the number of the set.
    pub column: usize,
    /// The set whose copies count for their rows.
    pub counted: i32,
}

impl GroupingSets {
    /// Returns whether the row of a batch counts.
    fn counts(self, batch: &RecordBatch, row: usize) -> bool {
        let sets = batch.column(self.column).as_primitive_opt::<Int32Type>();
        sets.is_none_or(|sets| sets.value(row) == self.counted)
    }
}

/// The expressions of a GROUP BY.
#[derive(Debug, Clone)]
pub(crate) struct GroupingExpressions {
    sets: Option<GroupingSets>,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    arguments: Vec<Vec<Arc<dyn PhysicalExpr>>>,
}

/// What they give over a batch.
pub(crate) struct GroupingColumns {
    pub(crate) keys: Vec<ArrayRef>,
    /// Argument columns per call.
    pub(crate) arguments: Vec<Vec<ArrayRef>>,
}

impl GroupingExpressions {
    pub(crate) fn new(
        keys: Vec<Arc<dyn PhysicalExpr>>,
        calls: &[AggregateCall],
        sets: Option<GroupingSets>,
    ) -> Self {
        Self { sets, keys, arguments: calls.iter().map(AggregateCall::arguments).collect() }
    }

    /// Evaluates a batch. Rows on which that fails are set aside as dirty; the others are returned with
    /// their columns, when there are any.
    pub(crate) fn evaluate(
        &self,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<Option<(RecordBatch, GroupingColumns)>, OperatorError> {
        evaluate_clean(batch, &|batch: &RecordBatch| self.columns(batch), &mut |row, error| {
            if self.counts(row, 0) {
                output.dirty.push(dirty_row(row, error));
            }
        })
    }

    /// Returns whether the row of a batch counts when it is set aside.
    pub(crate) fn counts(&self, batch: &RecordBatch, row: usize) -> bool {
        self.sets.is_none_or(|sets| sets.counts(batch, row))
    }

    fn columns(&self, batch: &RecordBatch) -> Result<GroupingColumns, DataFusionError> {
        let evaluate =
            |expression: &Arc<dyn PhysicalExpr>| expression.evaluate(batch)?.into_array(batch.num_rows());
        let keys = self.keys.iter().map(evaluate).collect::<Result<_, _>>()?;
        let arguments = self
            .arguments
            .iter()
            .map(|arguments| arguments.iter().map(evaluate).collect::<Result<_, _>>())
            .collect::<Result<_, _>>()?;
        Ok(GroupingColumns { keys, arguments })
    }
}
