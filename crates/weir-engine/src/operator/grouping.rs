//! The keys of a grouping and the arguments of its aggregates, evaluated over a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;

use super::evaluate::evaluate_clean;
use super::{AggregateCall, OperatorError, Output};

/// The expressions of a GROUP BY.
#[derive(Debug, Clone)]
pub(crate) struct GroupingExpressions {
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
    pub(crate) fn new(keys: Vec<Arc<dyn PhysicalExpr>>, calls: &[AggregateCall]) -> Self {
        Self { keys, arguments: calls.iter().map(AggregateCall::arguments).collect() }
    }

    /// Evaluates a batch. Rows on which that fails are set aside as dirty; the others are returned with
    /// their columns, when there are any.
    pub(crate) fn evaluate(
        &self,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<Option<(RecordBatch, GroupingColumns)>, OperatorError> {
        evaluate_clean(batch, &|batch: &RecordBatch| self.columns(batch), output)
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
