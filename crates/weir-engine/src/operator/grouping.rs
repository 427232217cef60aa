//! The keys of a grouping and the arguments of its aggregates, evaluated over a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;

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
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        if let Ok(columns) = self.columns(&batch) {
            return Ok(Some((batch, columns)));
        }
        let batch = self.clean_rows(&batch, output)?;
        match batch.num_rows() {
            0 => Ok(None),
            _ => {
                let columns = self.columns(&batch)?;
                Ok(Some((batch, columns)))
            }
        }
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

    /// Keeps the rows on which every key and argument can be evaluated.
    fn clean_rows(&self, batch: &RecordBatch, output: &mut Output) -> Result<RecordBatch, OperatorError> {
        let mut clean = Vec::new();
        for row in 0..batch.num_rows() {
            let single = batch.slice(row, 1);
            match self.columns(&single) {
                Ok(_) => clean.push(single),
                Err(error) => output.dirty.push(super::evaluate::dirty_row(&single, &error)),
            }
        }
        Ok(arrow::compute::concat_batches(&batch.schema(), &clean)?)
    }
}
