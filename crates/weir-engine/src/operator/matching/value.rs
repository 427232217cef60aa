//! Expressions computed on kept rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::nullif;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion_common::DataFusionError;
use datafusion_common::cast::as_boolean_array;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;
use datafusion_physical_expr::utils::collect_columns;

use crate::operator::OperatorError;
use crate::operator::row_store::{Picks, RowStore};

/// The columns of the input that are kept of each row.
#[derive(Debug, Clone)]
pub(super) struct KeptColumns {
    /// Their indices in the input, in order.
    pub(super) indices: Vec<usize>,
    pub(super) schema: SchemaRef,
}

impl KeptColumns {
    /// Keeps the columns that the expressions read, and those told.
    pub(super) fn new<'a>(
        input: &SchemaRef,
        expressions: impl Iterator<Item = &'a Arc<dyn PhysicalExpr>>,
        others: &[usize],
    ) -> Result<Self, OperatorError> {
        let mut indices: Vec<usize> = others.to_vec();
        for expression in expressions {
            indices.extend(collect_columns(expression).iter().map(Column::index));
        }
        indices.sort_unstable();
        indices.dedup();
        Ok(Self { schema: Arc::new(input.project(&indices)?), indices })
    }

    /// Returns the place of a column of the input among those kept.
    pub(super) fn place(&self, index: usize) -> Result<usize, OperatorError> {
        self.indices
            .binary_search(&index)
            .map_err(|_| OperatorError::State(format!("column {index} is not kept")))
    }

    /// Makes an expression over the input one over the columns kept.
    pub(super) fn over(
        &self,
        expression: &Arc<dyn PhysicalExpr>,
    ) -> Result<Arc<dyn PhysicalExpr>, OperatorError> {
        replaced(expression, |column| {
            let place = self.indices.partition_point(|index| *index < column.index());
            Arc::new(Column::new(column.name(), place))
        })
    }

    /// Takes the columns out of a batch of the input.
    pub(super) fn project(&self, batch: &RecordBatch) -> Result<RecordBatch, OperatorError> {
        let columns = self.indices.iter().map(|index| batch.column(*index).clone()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }
}

/// Replaces every column of an expression.
pub(super) fn replaced(
    expression: &Arc<dyn PhysicalExpr>,
    by: impl Fn(&Column) -> Arc<dyn PhysicalExpr>,
) -> Result<Arc<dyn PhysicalExpr>, OperatorError> {
    let changed = expression.clone().transform_up(|node| {
        Ok(match node.downcast_ref::<Column>() {
            Some(column) => Transformed::yes(by(column)),
            None => Transformed::no(node),
        })
    })?;
    Ok(changed.data)
}

/// An expression over one kept row.
#[derive(Debug)]
pub(super) struct RowValue {
    /// Places of the columns it reads among those kept.
    columns: Vec<usize>,
    schema: SchemaRef,
    /// Computed over `columns`; `None` when it is the only one of them.
    expression: Option<Arc<dyn PhysicalExpr>>,
}

impl RowValue {
    /// Prepares an expression over the input.
    pub(super) fn new(expression: &Arc<dyn PhysicalExpr>, kept: &KeptColumns) -> Result<Self, OperatorError> {
        if let Some(column) = expression.downcast_ref::<Column>() {
            let columns = vec![kept.place(column.index())?];
            return Ok(Self { columns, schema: Arc::new(Schema::empty()), expression: None });
        }
        let own = KeptColumns::new(&kept.schema, std::iter::once(&kept.over(expression)?), &[])?;
        let expression = Some(own.over(&kept.over(expression)?)?);
        Ok(Self { columns: own.indices, schema: own.schema, expression })
    }

    /// Computes the value on rows; NULL where there is none.
    pub(super) fn column(&self, store: &RowStore, picks: &Picks) -> Result<ArrayRef, OperatorError> {
        let columns =
            self.columns.iter().map(|column| store.column(picks, *column)).collect::<Result<Vec<_>, _>>()?;
        let Some(expression) = &self.expression else {
            return Ok(columns[0].clone());
        };
        let options = RecordBatchOptions::new().with_row_count(Some(picks.len()));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        let values = expression.evaluate(&batch)?.into_array(picks.len())?;
        match picks.missing() {
            None => Ok(values),
            Some(missing) => Ok(nullif(&values, &missing)?),
        }
    }
}

/// What a condition says about a row.
#[derive(Debug)]
pub(super) enum Verdict {
    Yes,
    No,
    /// It cannot be computed.
    Failed(DataFusionError),
}

/// Computes a condition on every row of a batch. When that fails the batch is halved until the failing rows stand
/// alone.
pub(super) fn judge(
    condition: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
    found: &mut impl FnMut(usize, Verdict),
) {
    judge_part(condition, batch, 0, found);
}

fn judge_part(
    condition: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
    first: usize,
    found: &mut impl FnMut(usize, Verdict),
) {
    let rows = batch.num_rows();
    if rows == 0 {
        return;
    }
    match mask(condition, batch) {
        Ok(mask) => {
            for row in 0..rows {
                let holds = mask.is_valid(row) && mask.value(row);
                found(first + row, if holds { Verdict::Yes } else { Verdict::No });
            }
        }
        Err(error) if rows == 1 => found(first, Verdict::Failed(error)),
        Err(_) => {
            let half = rows / 2;
            judge_part(condition, &batch.slice(0, half), first, found);
            judge_part(condition, &batch.slice(half, rows - half), first + half, found);
        }
    }
}

fn mask(condition: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<BooleanArray, DataFusionError> {
    let mask = condition.evaluate(batch)?.into_array(batch.num_rows())?;
    Ok(as_boolean_array(&mask)?.clone())
}
