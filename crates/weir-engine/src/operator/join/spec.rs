//! What both joins are told, and what they derive from it for one input.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int8Type, Schema, SchemaRef};
use datafusion_physical_expr::PhysicalExpr;

use super::super::OperatorError;
use crate::message::RowKind;

/// One input of a join.
#[derive(Debug, Clone)]
pub struct JoinInput {
    /// The columns that are kept: the visible ones, then keys that had to be computed. Hidden columns follow them in
    /// the batches.
    pub schema: SchemaRef,
    /// How many of them are visible.
    pub width: usize,
    /// The key columns. Those of the two inputs have the same types.
    pub keys: Vec<usize>,
    /// Whether its rows are kept when they match nothing.
    pub kept_without_match: bool,
    /// Index of the hidden row-kind column, when the input is a changelog.
    pub row_kind: Option<usize>,
}

/// A join by equal keys.
#[derive(Debug, Clone)]
pub struct JoinSpec {
    /// The left and the right input.
    pub inputs: [JoinInput; 2],
    /// What else must hold, over the visible columns of both inputs.
    pub residual: Option<Arc<dyn PhysicalExpr>>,
    /// The visible columns of both inputs.
    pub joined: SchemaRef,
}

impl JoinInput {
    /// Returns the columns of a batch that are kept.
    pub(super) fn kept_columns(&self, batch: &RecordBatch) -> Result<RecordBatch, OperatorError> {
        let columns = batch.columns()[..self.schema.fields().len()].to_vec();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }

    /// Returns the key columns of a batch.
    pub(super) fn key_columns(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        self.keys.iter().map(|index| batch.column(*index).clone()).collect()
    }

    /// Returns the columns of the key.
    pub(super) fn key_schema(&self) -> SchemaRef {
        let fields: Vec<_> = self.keys.iter().map(|index| self.schema.fields()[*index].clone()).collect();
        Arc::new(Schema::new(fields))
    }

    /// Returns the kinds of rows, when the input is a changelog.
    pub(super) fn row_kinds(&self, batch: &RecordBatch) -> Result<Option<Vec<RowKind>>, OperatorError> {
        let Some(index) = self.row_kind else { return Ok(None) };
        let unknown = || OperatorError::State("a row of a changelog has no kind".to_string());
        let kinds = batch.column(index).as_primitive_opt::<Int8Type>().ok_or_else(unknown)?;
        let known = |kind: Option<i8>| kind.and_then(RowKind::from_value).ok_or_else(unknown);
        kinds.iter().map(known).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// Splits off the rows whose key has a NULL, which equals nothing. Returns those with a key, and those without when
    /// there are any.
    pub(super) fn rows_with_keys(
        &self,
        batch: RecordBatch,
    ) -> Result<(RecordBatch, Option<RecordBatch>), OperatorError> {
        let mut valid: Option<BooleanBuffer> = None;
        for nulls in self.keys.iter().filter_map(|index| batch.column(*index).logical_nulls()) {
            valid = Some(match valid {
                Some(valid) => &valid & nulls.inner(),
                None => nulls.inner().clone(),
            });
        }
        match valid {
            Some(valid) if valid.count_set_bits() < batch.num_rows() => {
                let without = filter_record_batch(&batch, &BooleanArray::new(!&valid, None))?;
                Ok((filter_record_batch(&batch, &BooleanArray::new(valid, None))?, Some(without)))
            }
            _ => Ok((batch, None)),
        }
    }
}
