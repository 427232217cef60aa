//! Computes the conditions that threads ask for, those of many partitions at a time.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, ScalarValue};

use super::definitions::{Definitions, FoldCall, Part, PastSlot, Spot};
use super::machine::{Question, Round};
use super::partition::{Partition, Partitions};
use super::spec::Base;
use super::threads::Fold;
use super::value::{Verdict, judge};
use crate::operator::evaluate::dirty_row;
use crate::operator::row_store::{RowRef, RowStore};
use crate::operator::{OperatorError, Output};

impl Definitions {
    /// Answers the questions of a round.
    pub(super) fn answer(
        &self,
        partitions: &mut Partitions,
        store: &RowStore,
        round: &mut Round,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let Round { past, whole, answers, .. } = round;
        for (number, definition) in self.list.iter().enumerate() {
            let parts =
                [(definition.past.as_ref(), &past[number]), (Some(&definition.whole), &whole[number])];
            for (part, questions) in parts {
                let Some(part) = part.filter(|_| !questions.is_empty()) else { continue };
                let mut failed = Vec::new();
                let mut found = |question: Question, verdict: Verdict| {
                    answers[question.answer as usize] = matches!(verdict, Verdict::Yes);
                    if let Verdict::Failed(error) = verdict {
                        failed.push((question.partition, error));
                    }
                };
                self.judge(part, definition.variable, questions, partitions, store, &mut found)?;
                // Several threads may have asked about the same row.
                failed.dedup_by_key(|(partition, _)| *partition);
                for (partition, error) in failed {
                    refuse_row(partitions, partition, number, &error, store, output)?;
                }
                if definition.past.is_none() {
                    settle(partitions, questions, answers, number);
                }
            }
        }
        Ok(())
    }

    /// Computes a part of a condition. What it reads may fail too; then the questions are halved.
    fn judge(
        &self,
        part: &Part<PastSlot>,
        variable: usize,
        questions: &[Question],
        partitions: &mut Partitions,
        store: &RowStore,
        found: &mut impl FnMut(Question, Verdict),
    ) -> Result<(), OperatorError> {
        match self.slots(part, variable, questions, partitions, store) {
            Ok(batch) => {
                judge(&part.expression, &batch, &mut |row, verdict| found(questions[row], verdict));
                Ok(())
            }
            Err(OperatorError::Kernel(error)) if questions.len() == 1 => {
                found(questions[0], Verdict::Failed(error));
                Ok(())
            }
            Err(OperatorError::Kernel(_)) => {
                let (first, second) = questions.split_at(questions.len() / 2);
                self.judge(part, variable, first, partitions, store, found)?;
                self.judge(part, variable, second, partitions, store, found)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns what a part of a condition reads, one row for each question.
    fn slots(
        &self,
        part: &Part<PastSlot>,
        variable: usize,
        questions: &[Question],
        partitions: &mut Partitions,
        store: &RowStore,
    ) -> Result<RecordBatch, OperatorError> {
        let mut columns = Vec::with_capacity(part.slots.len());
        for (slot, field) in part.slots.iter().zip(part.schema.fields()) {
            columns.push(match slot {
                PastSlot::Value { value, spot } => {
                    let rows: Vec<Option<RowRef>> = questions
                        .iter()
                        .map(|question| {
                            let (partition, thread) = asked(partitions, *question)?;
                            row_at(partition, thread, *spot, variable as u16)
                        })
                        .collect();
                    value.column(store, &store.picks(&rows))?
                }
                PastSlot::Fold(number) => {
                    let call = &self.folds[*number];
                    self.fold(*number, call, variable as u16, questions, partitions, store)?
                }
                PastSlot::MatchNumber => {
                    let number = |question: &Question| Some(asked(partitions, *question)?.0.matches + 1);
                    let numbers: UInt64Array = questions.iter().map(number).collect();
                    cast(&numbers, field.data_type())?
                }
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(questions.len()));
        Ok(RecordBatch::try_new_with_options(part.schema.clone(), columns, &options)?)
    }

    /// Returns an aggregate over the rows of each thread that asks, the row in question included when the condition
    /// is about the same variable.
    fn fold(
        &self,
        number: usize,
        call: &FoldCall,
        variable: u16,
        questions: &[Question],
        partitions: &mut Partitions,
        store: &RowStore,
    ) -> Result<ArrayRef, OperatorError> {
        let takes_present_row = call.variable.is_none_or(|of| of == variable);
        let mut rows = Vec::new();
        let mut ends = Vec::with_capacity(questions.len());
        for question in questions {
            if let Some((partition, thread)) = asked(partitions, *question) {
                let done = partition.threads[thread].folds.as_ref().map_or(0, |folds| folds[number].upto);
                unfolded(partition, thread, call.variable, done, &mut rows);
                if takes_present_row {
                    rows.push(Some(partition.rows[partition.cursor as usize].at));
                }
            }
            ends.push(rows.len());
        }
        let picks = store.picks(&rows);
        let arguments = call
            .arguments
            .iter()
            .map(|argument| argument.column(store, &picks))
            .collect::<Result<Vec<_>, _>>()?;
        let mut results = Vec::with_capacity(questions.len());
        let mut next = 0;
        for (question, end) in questions.iter().zip(ends) {
            let upto = if takes_present_row { end.saturating_sub(1).max(next) } else { end };
            let Some(partition) = partitions.get_mut(question.partition) else { continue };
            let at = partition.cursor - partition.start;
            let Some(thread) = partition.threads.get_mut(question.thread as usize) else { continue };
            let mut folds: Vec<Fold> = match &thread.folds {
                Some(folds) => folds.to_vec(),
                None => vec![Fold::default(); self.folds.len()],
            };
            let mut aggregate = call.call.aggregate();
            if let Some(state) = &folds[number].state {
                aggregate.restore(state)?;
            }
            for row in next..upto {
                aggregate.add(&arguments, row)?;
            }
            if upto > next {
                folds[number].state = Some(aggregate.state()?);
            }
            folds[number].upto = at;
            thread.folds = Some(folds.into());
            for row in upto..end {
                aggregate.add(&arguments, row)?;
            }
            results.push(aggregate.value()?);
            next = end;
        }
        column_of(results, &call.result)
    }
}

/// Makes a column of results.
pub(super) fn column_of(results: Vec<ScalarValue>, data_type: &DataType) -> Result<ArrayRef, OperatorError> {
    if results.is_empty() {
        return Ok(arrow::array::new_empty_array(data_type));
    }
    let column = ScalarValue::iter_to_array(results)?;
    // An aggregate may name the elements of a list in its own way.
    Ok(if column.data_type() == data_type { column } else { cast(&column, data_type)? })
}

/// Notes what a condition that does not depend on the match says about the rows at the cursors, so that nobody asks
/// again.
fn settle(partitions: &mut Partitions, questions: &[Question], answers: &[bool], condition: usize) {
    let bit = 1_u64 << condition;
    for question in questions {
        let Some(partition) = partitions.get_mut(question.partition) else { continue };
        let row = &mut partition.rows[partition.cursor as usize];
        row.doubts &= !bit;
        if !answers[question.answer as usize] {
            row.fits &= !bit;
        }
    }
}

/// Sets the row at the cursor aside as dirty: a condition cannot be computed on it. It stays in its partition, where it
/// does not meet the condition.
fn refuse_row(
    partitions: &mut Partitions,
    partition: u32,
    condition: usize,
    error: &DataFusionError,
    store: &RowStore,
    output: &mut Output,
) -> Result<(), OperatorError> {
    let Some(partition) = partitions.get_mut(partition) else { return Ok(()) };
    let row = &mut partition.rows[partition.cursor as usize];
    let bit = 1_u64 << condition;
    if row.fits & bit != 0 {
        let (rows, place) = store.row(row.at)?;
        output.dirty.push(dirty_row(&rows.slice(place, 1), error));
        row.fits &= !bit;
    }
    Ok(())
}

fn asked(partitions: &Partitions, question: Question) -> Option<(&Partition, usize)> {
    Some((partitions.get(question.partition)?, question.thread as usize))
}

/// Collects the rows of a variable that an aggregate does not hold yet, those at `from` and after.
fn unfolded(
    partition: &Partition,
    thread: usize,
    variable: Option<u16>,
    from: u32,
    rows: &mut Vec<Option<RowRef>>,
) {
    let end = partition.cursor - partition.start;
    let mut spans = Vec::new();
    for span in partition.threads[thread].path.backward(end) {
        if span.to <= from {
            break;
        }
        if variable.is_none_or(|variable| variable == span.variable) {
            spans.push(span.from.max(from)..span.to);
        }
    }
    for span in spans.into_iter().rev() {
        let start = partition.start;
        let kept = partition.rows.range((start + span.start) as usize..(start + span.end) as usize);
        rows.extend(kept.map(|row| Some(row.at)));
    }
}

/// Finds the row that a condition of `variable` looks at.
fn row_at(partition: &Partition, thread: usize, spot: Spot, variable: u16) -> Option<RowRef> {
    let at = partition.cursor - partition.start;
    let (place, offset) = match spot {
        Spot::Here(offset) => (at, offset),
        Spot::There(base, offset) => {
            let path = &partition.threads[thread].path;
            let place = match base {
                Base::First { variable: None, skip } => (skip <= at).then_some(skip),
                Base::Last { variable: None, skip } => at.checked_sub(skip),
                Base::First { variable: Some(of), skip } => match path.first(at, of as u16, skip) {
                    Ok(row) => Some(row),
                    Err(rows) => (of as u16 == variable && rows == skip).then_some(at),
                },
                Base::Last { variable: Some(of), skip } if of as u16 == variable => match skip {
                    0 => Some(at),
                    skip => path.last(at, variable, skip - 1),
                },
                Base::Last { variable: Some(of), skip } => path.last(at, of as u16, skip),
            };
            (place?, offset)
        }
    };
    let place = i64::from(partition.start) + i64::from(place) + offset;
    Some(partition.rows.get(usize::try_from(place).ok()?)?.at)
}
