//! Makes joined rows out of the batch under way and of rows that were kept.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use arrow::compute::{concat, take};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion_common::DataFusionError;
use datafusion_common::cast::as_boolean_array;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;
use datafusion_physical_expr::utils::collect_columns;

use super::super::evaluate::dirty_row;
use super::super::row_store::{RowRef, RowStore};
use super::super::{OperatorError, Output};
use super::spec::JoinSpec;

/// Puts the columns of the two inputs side by side.
pub(super) struct Joined {
    widths: [usize; 2],
    schema: SchemaRef,
    residual: Option<Residual>,
}

/// What else must hold, over nothing but the columns that it reads: most pairs are only looked at.
struct Residual {
    condition: Arc<dyn PhysicalExpr>,
    /// The columns that it reads: of the left input, of the right one.
    columns: [Vec<usize>; 2],
    schema: SchemaRef,
}

impl Residual {
    fn new(condition: &Arc<dyn PhysicalExpr>, spec: &JoinSpec) -> Result<Self, OperatorError> {
        let mut read: Vec<usize> = collect_columns(condition).iter().map(Column::index).collect();
        read.sort_unstable();
        read.dedup();
        let narrowed = condition.clone().transform_up(|node| {
            Ok(match node.downcast_ref::<Column>() {
                Some(column) => {
                    let place = read.partition_point(|index| *index < column.index());
                    Transformed::yes(Arc::new(Column::new(column.name(), place)) as _)
                }
                None => Transformed::no(node),
            })
        })?;
        let fields: Vec<_> = read.iter().map(|index| spec.joined.fields()[*index].clone()).collect();
        let (left, right) = read.split_at(read.partition_point(|index| *index < spec.inputs[0].width));
        let right = right.iter().map(|index| index - spec.inputs[0].width).collect();
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { condition: narrowed.data, columns: [left.to_vec(), right], schema })
    }

    fn evaluate(&self, rows: &RecordBatch) -> Result<BooleanArray, DataFusionError> {
        let mask = self.condition.evaluate(rows)?.into_array(rows.num_rows())?;
        let mask = as_boolean_array(&mask)?;
        Ok(match mask.nulls() {
            Some(nulls) => BooleanArray::new(mask.values() & nulls.inner(), None),
            None => mask.clone(),
        })
    }

    /// Tries the whole batch first and halves it while that fails, as any evaluation does. A row on which it fails is
    /// no match; its place and the reason are noted.
    fn matches(
        &self,
        rows: &RecordBatch,
        parts: &mut Vec<BooleanArray>,
        failed: &mut Vec<(usize, DataFusionError)>,
    ) {
        let count = rows.num_rows();
        match self.evaluate(rows) {
            Ok(mask) => parts.push(mask),
            Err(error) if count == 1 => {
                failed.push((parts.iter().map(Array::len).sum(), error));
                parts.push(BooleanArray::from(vec![false]));
            }
            Err(_) => {
                let half = count / 2;
                self.matches(&rows.slice(0, half), parts, failed);
                self.matches(&rows.slice(half, count - half), parts, failed);
            }
        }
    }
}

/// Pairs of rows of a batch of an input, by their indices, and of rows that are kept of the other.
pub(super) struct Pairs<'a> {
    pub(super) input: usize,
    pub(super) batch: &'a RecordBatch,
    pub(super) indices: &'a UInt32Array,
    pub(super) store: &'a RowStore,
    pub(super) kept: &'a [Option<RowRef>],
}

impl Joined {
    pub(super) fn new(spec: &JoinSpec) -> Result<Self, OperatorError> {
        let widths = [spec.inputs[0].width, spec.inputs[1].width];
        let residual = spec.residual.as_ref().map(|condition| Residual::new(condition, spec)).transpose()?;
        Ok(Self { widths, schema: spec.joined.clone(), residual })
    }

    /// Joins pairs; a NULL index or no address stands for no row.
    pub(super) fn rows(&self, pairs: &Pairs<'_>) -> Result<RecordBatch, OperatorError> {
        let own = &pairs.batch.columns()[..self.widths[pairs.input]];
        let own =
            own.iter().map(|column| take(column, pairs.indices, None)).collect::<Result<Vec<_>, _>>()?;
        let other = gather(pairs.store, pairs.kept, self.widths[1 - pairs.input])?;
        put_together(&self.schema, pairs.input, own, other, pairs.indices.len())
    }

    /// Fills the columns of the other input with NULL.
    pub(super) fn padded(&self, input: usize, rows: &RecordBatch) -> Result<RecordBatch, OperatorError> {
        let own = rows.columns()[..self.widths[input]].to_vec();
        let fields = self.schema.fields();
        let other = match input {
            0 => &fields[self.widths[0]..],
            _ => &fields[..self.widths[0]],
        };
        let nulls = other.iter().map(|field| new_null_array(field.data_type(), rows.num_rows())).collect();
        put_together(&self.schema, input, own, nulls, rows.num_rows())
    }

    /// Returns which pairs meet the rest of the condition; `None` when there is no rest. A pair on which it cannot be
    /// evaluated is dirty, and no match. Both rows of each pair are there.
    pub(super) fn matches(
        &self,
        pairs: &Pairs<'_>,
        output: &mut Output,
    ) -> Result<Option<BooleanArray>, OperatorError> {
        let Some(residual) = &self.residual else { return Ok(None) };
        let count = pairs.indices.len();
        let own = residual.columns[pairs.input].iter();
        let own = own
            .map(|column| take(pairs.batch.column(*column), pairs.indices, None))
            .collect::<Result<_, _>>()?;
        let picks = pairs.store.picks(pairs.kept);
        let other = residual.columns[1 - pairs.input].iter();
        let other = other.map(|column| pairs.store.column(&picks, *column)).collect::<Result<_, _>>()?;
        let narrow = put_together(&residual.schema, pairs.input, own, other, count)?;
        let (mut parts, mut failed) = (Vec::new(), Vec::new());
        residual.matches(&narrow, &mut parts, &mut failed);
        for (pair, error) in failed {
            let (indices, kept) = (&pairs.indices.slice(pair, 1), &pairs.kept[pair..=pair]);
            output.dirty.push(dirty_row(&self.rows(&Pairs { indices, kept, ..*pairs })?, &error));
        }
        if let [part] = parts.as_slice() {
            return Ok(Some(part.clone()));
        }
        let parts: Vec<&dyn Array> = parts.iter().map(|part| part as _).collect();
        Ok(Some(as_boolean_array(&concat(&parts)?)?.clone()))
    }
}

fn put_together(
    schema: &SchemaRef,
    input: usize,
    own: Vec<ArrayRef>,
    other: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, OperatorError> {
    let (mut left, right) = if input == 0 { (own, other) } else { (other, own) };
    left.extend(right);
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema.clone(), left, &options)?)
}

/// Returns the visible columns of kept rows, with NULLs where there is no address.
fn gather(store: &RowStore, kept: &[Option<RowRef>], width: usize) -> Result<Vec<ArrayRef>, OperatorError> {
    let present: Vec<RowRef> = kept.iter().copied().flatten().collect();
    let rows = store.gather(&present)?;
    let columns = &rows.columns()[..width];
    if present.len() == kept.len() {
        return Ok(columns.to_vec());
    }
    let mut next = 0;
    let places: UInt32Array = kept
        .iter()
        .map(|at| {
            at.map(|_| {
                next += 1;
                next - 1
            })
        })
        .collect();
    Ok(columns.iter().map(|column| take(column, &places, None)).collect::<Result<_, _>>()?)
}
