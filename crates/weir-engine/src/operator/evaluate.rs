//! Evaluates expressions over batches and sets rows aside on which they fail.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_common::DataFusionError;
use datafusion_common::cast::as_boolean_array;
use datafusion_physical_expr::PhysicalExpr;

use super::reason::reason;
use super::{DirtyRow, OperatorError, Output};

/// A filter and a projection.
#[derive(Debug, Clone)]
pub struct Evaluator {
    filter: Option<Arc<dyn PhysicalExpr>>,
    projection: Option<Projection>,
}

#[derive(Debug, Clone)]
struct Projection {
    expressions: Vec<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
}

impl Evaluator {
    /// Makes an evaluator. Without `projection` all columns stay.
    pub fn new(
        filter: Option<Arc<dyn PhysicalExpr>>,
        projection: Option<(Vec<Arc<dyn PhysicalExpr>>, SchemaRef)>,
    ) -> Self {
        let projection = projection.map(|(expressions, schema)| Projection { expressions, schema });
        Self { filter, projection }
    }

    /// Evaluates a batch. Rows on which an expression fails go to `output.dirty`; the rest is returned.
    ///
    /// The whole batch is tried first. Only when it fails is it halved until the failing rows
    /// stand alone, so clean data pays nothing and a bad row costs about log2(rows) evaluations.
    pub fn evaluate(
        &self,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<Option<RecordBatch>, OperatorError> {
        let mut parts = Vec::new();
        evaluate_parts(
            batch,
            &|part: &RecordBatch| self.evaluate_whole(part),
            &mut |row, error| output.dirty.push(dirty_row(row, error)),
            &mut |_, result| parts.push(result),
        );
        match parts.len() {
            0 => Ok(None),
            1 => Ok(parts.pop()),
            _ => {
                let schema = parts[0].schema();
                Ok(Some(concat_batches(&schema, &parts)?))
            }
        }
    }

    /// Evaluates a batch and fails when any of its rows cannot be evaluated.
    pub(super) fn evaluate_whole(&self, batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let filtered;
        let rows = match &self.filter {
            None => batch,
            Some(filter) => {
                let mask = filter.evaluate(batch)?.into_array(batch.num_rows())?;
                let mask = as_boolean_array(&mask)?;
                if mask.null_count() == 0 && mask.true_count() == mask.len() {
                    batch
                } else {
                    filtered = filter_record_batch(batch, &without_nulls(mask))?;
                    &filtered
                }
            }
        };
        match &self.projection {
            None => Ok(rows.clone()),
            Some(projection) => projection.apply(rows),
        }
    }
}

/// Evaluates a batch, and calls `found` with the parts of it that can be evaluated and what they give. Of a batch that
/// fails the halves are tried, until the failing rows stand alone; `failed` is called with each.
fn evaluate_parts<T>(
    batch: RecordBatch,
    evaluate: &impl Fn(&RecordBatch) -> Result<T, DataFusionError>,
    failed: &mut impl FnMut(&RecordBatch, &DataFusionError),
    found: &mut impl FnMut(RecordBatch, T),
) {
    let rows = batch.num_rows();
    if rows == 0 {
        return;
    }
    match evaluate(&batch) {
        Ok(result) => found(batch, result),
        Err(error) if rows == 1 => failed(&batch, &error),
        Err(_) => {
            let half = rows / 2;
            evaluate_parts(batch.slice(0, half), evaluate, failed, found);
            evaluate_parts(batch.slice(half, rows - half), evaluate, failed, found);
        }
    }
}

/// Evaluates a batch. When that fails, `failed` is called with each row that cannot be evaluated and the others are
/// evaluated together. Returns the rows with what they give; `None` when there are none.
pub(super) fn evaluate_clean<T>(
    batch: RecordBatch,
    evaluate: &impl Fn(&RecordBatch) -> Result<T, DataFusionError>,
    failed: &mut impl FnMut(&RecordBatch, &DataFusionError),
) -> Result<Option<(RecordBatch, T)>, OperatorError> {
    let (schema, mut parts) = (batch.schema(), Vec::new());
    evaluate_parts(batch, evaluate, failed, &mut |part, result| parts.push((part, result)));
    if parts.len() < 2 {
        return Ok(parts.pop());
    }
    let clean = concat_batches(&schema, parts.iter().map(|(part, _)| part))?;
    let result = evaluate(&clean)?;
    Ok(Some((clean, result)))
}

impl Projection {
    fn apply(&self, rows: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        if rows.num_rows() == 0 {
            // A constant that cannot be computed fails on each row, and on none here.
            return Ok(RecordBatch::new_empty(self.schema.clone()));
        }
        let columns = self
            .expressions
            .iter()
            .map(|expression| expression.evaluate(rows)?.into_array(rows.num_rows()))
            .collect::<Result<Vec<ArrayRef>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }
}

fn without_nulls(mask: &BooleanArray) -> BooleanArray {
    match mask.nulls() {
        None => mask.clone(),
        Some(nulls) => BooleanArray::new(mask.values() & nulls.inner(), None),
    }
}

/// Describes a single-row batch on which evaluation failed.
pub(super) fn dirty_row(batch: &RecordBatch, error: &DataFusionError) -> DirtyRow {
    DirtyRow { reason: reason(error), data: row_text(batch, 0) }
}

/// How the names of columns begin that no stream has: row kinds and watermarks, the copies of keys for grouping sets.
const HIDDEN: &str = "__";

/// Returns one row as `column=value` pairs, for people.
pub(crate) fn row_text(batch: &RecordBatch, row: usize) -> String {
    let options = FormatOptions::default().with_null("NULL");
    let mut text = String::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if field.name().starts_with(HIDDEN) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        let value = ArrayFormatter::try_new(column.as_ref(), &options)
            .map(|formatter| formatter.value(row).to_string())
            .unwrap_or_else(|_| "?".to_string());
        text.push_str(field.name());
        text.push('=');
        text.push_str(&value);
    }
    text
}
