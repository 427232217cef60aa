//! One row for each element of a collection.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion_physical_expr::PhysicalExpr;

use super::{Evaluator, Operator, OperatorContext, OperatorError, OperatorSpec, Output};
use crate::message::TARGET_BATCH_ROWS;

/// The description of the operator: rows are repeated for every element of a list or map.
#[derive(Debug, Clone)]
pub struct UnnestSpec {
    /// Gives the columns of the input, then the collection.
    pub input: Evaluator,
    /// Whether a row without elements is kept, with NULL in the columns of the element.
    pub outer: bool,
    /// Whether the place of the element, from 1, follows it.
    pub ordinality: bool,
    /// How many of the columns of the input come before those of the element; the others, which are hidden, follow.
    pub visible: usize,
    /// Columns given out.
    pub output: SchemaRef,
}

impl UnnestSpec {
    /// Makes the evaluator of [`UnnestSpec::input`]: `columns` and then `collection`.
    pub fn evaluator(
        columns: Vec<Arc<dyn PhysicalExpr>>,
        collection: Arc<dyn PhysicalExpr>,
        schema: SchemaRef,
    ) -> Evaluator {
        let mut expressions = columns;
        expressions.push(collection);
        Evaluator::new(None, Some((expressions, schema)))
    }
}

impl OperatorSpec for UnnestSpec {
    fn name(&self) -> &'static str {
        "Unnest"
    }

    fn operator(&self, _context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Unnest { spec: self.clone() }))
    }
}

struct Unnest {
    spec: UnnestSpec,
}

/// Which rows are repeated how often: for each row given out its row of the input, its element, and its place from 1.
#[derive(Default)]
struct Picks {
    rows: Vec<u32>,
    elements: Vec<Option<u32>>,
    places: Vec<Option<i32>>,
}

impl Picks {
    fn push(&mut self, row: u32, element: Option<(u32, i32)>) {
        self.rows.push(row);
        self.elements.push(element.map(|(element, _)| element));
        self.places.push(element.map(|(_, place)| place));
    }
}

impl Unnest {
    fn give_out(
        &self,
        batch: &RecordBatch,
        elements: &ArrayRef,
        picks: Picks,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let rows = UInt32Array::from(picks.rows);
        let picked = UInt32Array::from(picks.elements);
        let mut columns = Vec::with_capacity(self.spec.output.fields().len());
        let (visible, rest) = batch.columns().split_at(self.spec.visible);
        // The last one is the collection itself.
        let hidden = &rest[..rest.len() - 1];
        for column in visible {
            columns.push(take(column, &rows, None)?);
        }
        match elements.data_type() {
            DataType::Struct(_) => {
                let chosen = take(elements, &picked, None)?;
                let row = chosen.as_struct();
                for column in row.columns() {
                    columns.push(match row.nulls() {
                        None => column.clone(),
                        Some(nulls) => arrow::compute::nullif(
                            column,
                            &arrow::array::BooleanArray::new(!nulls.inner(), None),
                        )?,
                    });
                }
            }
            _ => columns.push(take(elements, &picked, None)?),
        }
        if self.spec.ordinality {
            columns.push(Arc::new(Int32Array::from(picks.places)));
        }
        for column in hidden {
            columns.push(take(column, &rows, None)?);
        }
        output.emit(RecordBatch::try_new(self.spec.output.clone(), columns)?);
        Ok(())
    }
}

impl Operator for Unnest {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let Some(batch) = self.spec.input.evaluate(batch, output)? else { return Ok(()) };
        let collection = batch.column(batch.num_columns() - 1).clone();
        let (offsets, elements): (&[i32], ArrayRef) = match collection.data_type() {
            DataType::List(_) => {
                let lists = collection.as_list::<i32>();
                (lists.value_offsets(), lists.values().clone())
            }
            DataType::Map(..) => {
                let maps = collection.as_map();
                (maps.value_offsets(), Arc::new(maps.entries().clone()))
            }
            other => return Err(OperatorError::State(format!("{other} has no elements"))),
        };
        let mut picks = Picks::default();
        for row in 0..batch.num_rows() {
            let (start, end) = match collection.is_null(row) {
                true => (0, 0),
                false => (offsets[row], offsets[row + 1]),
            };
            if start == end && self.spec.outer {
                picks.push(row as u32, None);
            }
            for element in start..end {
                picks.push(row as u32, Some((element as u32, element - start + 1)));
                // One row may hold more elements than a batch should have rows.
                if picks.rows.len() >= TARGET_BATCH_ROWS {
                    self.give_out(&batch, &elements, std::mem::take(&mut picks), output)?;
                }
            }
        }
        match picks.rows.is_empty() {
            true => Ok(()),
            false => self.give_out(&batch, &elements, picks, output),
        }
    }
}
