//! Makes joined rows out of the batch under way and of rows that were kept.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use arrow::compute::{concat, take};
use arrow::datatypes::SchemaRef;
use datafusion_common::DataFusionError;
use datafusion_common::cast::as_boolean_array;
use datafusion_physical_expr::PhysicalExpr;

use super::super::evaluate::dirty_row;
use super::super::row_store::{RowRef, RowStore};
use super::super::{OperatorError, Output};
use super::spec::JoinSpec;

/// Puts the columns of the two inputs side by side.
pub(super) struct Joined {
    widths: [usize; 2],
    schema: SchemaRef,
    residual: Option<Arc<dyn PhysicalExpr>>,
}

impl Joined {
    pub(super) fn new(spec: &JoinSpec) -> Self {
        let widths = [spec.inputs[0].width, spec.inputs[1].width];
        Self { widths, schema: spec.joined.clone(), residual: spec.residual.clone() }
    }

    /// Returns whether equal keys are not all that must hold.
    pub(super) fn has_residual(&self) -> bool {
        self.residual.is_some()
    }

    /// Joins rows of a batch of an input, by their indices, with rows kept of the other; a NULL index or no address
    /// stands for no row.
    pub(super) fn rows(
        &self,
        input: usize,
        batch: &RecordBatch,
        indices: &UInt32Array,
        store: &RowStore,
        kept: &[Option<RowRef>],
    ) -> Result<RecordBatch, OperatorError> {
        let own = &batch.columns()[..self.widths[input]];
        let own = own.iter().map(|column| take(column, indices, None)).collect::<Result<Vec<_>, _>>()?;
        let other = gather(store, kept, self.widths[1 - input])?;
        self.put_together(input, own, other, indices.len())
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
        self.put_together(input, own, nulls, rows.num_rows())
    }

    fn put_together(
        &self,
        input: usize,
        own: Vec<ArrayRef>,
        other: Vec<ArrayRef>,
        rows: usize,
    ) -> Result<RecordBatch, OperatorError> {
        let (mut left, right) = if input == 0 { (own, other) } else { (other, own) };
        left.extend(right);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), left, &options)?)
    }

    /// Returns which joined rows meet the rest of the condition. A row on which it cannot be evaluated is dirty, and
    /// no match.
    pub(super) fn matches(
        &self,
        rows: &RecordBatch,
        output: &mut Output,
    ) -> Result<BooleanArray, OperatorError> {
        let Some(residual) = &self.residual else {
            return Ok(BooleanArray::from(vec![true; rows.num_rows()]));
        };
        let mut parts = Vec::new();
        matches_of(residual, rows, &mut parts, output);
        if let [part] = parts.as_slice() {
            return Ok(part.clone());
        }
        let parts: Vec<&dyn Array> = parts.iter().map(|part| part as _).collect();
        if parts.is_empty() {
            return Ok(BooleanArray::from(Vec::<bool>::new()));
        }
        Ok(as_boolean_array(&concat(&parts)?)?.clone())
    }
}

/// Tries the whole batch first and halves it while that fails, as any evaluation does.
fn matches_of(
    residual: &Arc<dyn PhysicalExpr>,
    rows: &RecordBatch,
    parts: &mut Vec<BooleanArray>,
    output: &mut Output,
) {
    let count = rows.num_rows();
    if count == 0 {
        return;
    }
    let evaluated = || -> Result<BooleanArray, DataFusionError> {
        let mask = residual.evaluate(rows)?.into_array(count)?;
        let mask = as_boolean_array(&mask)?;
        Ok(match mask.nulls() {
            Some(nulls) => BooleanArray::new(mask.values() & nulls.inner(), None),
            None => mask.clone(),
        })
    };
    match evaluated() {
        Ok(mask) => parts.push(mask),
        Err(error) if count == 1 => {
            output.dirty.push(dirty_row(rows, &error));
            parts.push(BooleanArray::from(vec![false]));
        }
        Err(_) => {
            let half = count / 2;
            matches_of(residual, &rows.slice(0, half), parts, output);
            matches_of(residual, &rows.slice(half, count - half), parts, output);
        }
    }
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
