//! SELECT DISTINCT and UNION: each row once.
//!
//! Of an input that only adds rows, a row is given out when it is seen for the first time. Of a changelog, it is added
//! with its first occurrence and withdrawn with its last.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int8Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int64Type, SchemaRef};
use weir_base::clock::Clock;
use weir_base::time::Timestamp;

use super::group_aggregate::added_rows;
use super::keyed_state::{Key, KeyedState, until_idle};
use super::{KeyRange, Operator, OperatorContext, OperatorError, OperatorSpec, Output};
use crate::message::RowKind;

/// SELECT DISTINCT, as the planner describes it.
#[derive(Debug, Clone)]
pub struct DistinctSpec {
    /// The columns that are compared; they are the first of the input.
    pub columns: SchemaRef,
    /// Index of the hidden row-kind column of the input, when it is a changelog.
    pub row_kind: Option<usize>,
    /// Columns given out: the compared ones, and the hidden row kind when the input is a changelog.
    pub output: SchemaRef,
    /// After this time without an occurrence a row is forgotten.
    pub retention: Duration,
}

impl OperatorSpec for DistinctSpec {
    fn name(&self) -> &'static str {
        "Distinct"
    }

    fn keeps(&self) -> Option<String> {
        Some(format!("each row once, {}", until_idle(self.retention)))
    }

    fn operator(&self, context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Distinct {
            columns: self.columns.fields().len(),
            row_kind: self.row_kind,
            output: self.output.clone(),
            clock: context.clock.clone(),
            seen: KeyedState::new(self.columns.clone(), self.retention)?,
        }))
    }
}

/// Remembers rows and how often each occurs.
struct Distinct {
    columns: usize,
    row_kind: Option<usize>,
    output: SchemaRef,
    clock: Arc<dyn Clock>,
    seen: KeyedState<i64>,
}

impl Distinct {
    /// Counts an occurrence that comes or goes; returns what that does to the result.
    fn count(&mut self, key: Key<'_>, added: bool, now: Timestamp) -> Result<Option<RowKind>, OperatorError> {
        let Some(id) = self.seen.find(key) else {
            // What is withdrawn of a row that is not known was forgotten with it.
            if added {
                self.seen.insert(key, 1, now);
            }
            return Ok(added.then_some(RowKind::Insert));
        };
        let count = self.seen.touch(id, now)?;
        *count += if added { 1 } else { -1 };
        if *count > 0 {
            return Ok(None);
        }
        self.seen.remove(id);
        Ok(Some(RowKind::Delete))
    }
}

impl Operator for Distinct {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let now = self.clock.now();
        self.seen.expire(now, |_| {});
        let added = added_rows(&batch, self.row_kind)?;
        let columns = &batch.columns()[..self.columns];
        let keys = self.seen.rows(columns, batch.num_rows())?;
        let (mut rows, mut kinds) = (Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            let added = added.as_ref().is_none_or(|added| added[row]);
            if let Some(kind) = self.count(keys.key(row), added, now)? {
                // A batch has far fewer rows than a u32 counts.
                rows.push(row as u32);
                kinds.push(kind as i8);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows = UInt32Array::from(rows);
        let mut given =
            columns.iter().map(|column| take(column.as_ref(), &rows, None)).collect::<Result<Vec<_>, _>>()?;
        if self.row_kind.is_some() {
            given.push(Arc::new(Int8Array::from(kinds)));
        }
        output.emit(RecordBatch::try_new(self.output.clone(), given)?);
        Ok(())
    }

    fn tick(&mut self, now: Timestamp, _output: &mut Output) -> Result<(), OperatorError> {
        self.seen.expire(now, |_| {});
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        self.seen.snapshot(vec![Field::new("count", DataType::Int64, true)], |counts| {
            let counts: Int64Array = counts.iter().map(|count| **count).collect();
            Ok(vec![Arc::new(counts) as ArrayRef])
        })
    }

    fn restore(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        self.seen.restore(states, range, |columns, row| {
            let counts = columns.first().and_then(|column| column.as_primitive_opt::<Int64Type>());
            let counts = counts
                .ok_or_else(|| OperatorError::State("the saved rows are not those of the job".to_string()))?;
            Ok(counts.value(row))
        })
    }

    fn state_bytes(&self) -> usize {
        match self.seen.len() {
            0 => 0,
            _ => self.seen.bytes(),
        }
    }
}
