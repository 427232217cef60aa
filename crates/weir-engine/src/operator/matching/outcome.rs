//! The rows given out for matches: the measures, and the columns before them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::SchemaRef;
use arrow::row::RowConverter;
use datafusion_common::ScalarValue;

use super::answers::column_of;
use super::definitions::FoldCall;
use super::machine::Finished;
use super::partition::{Partition, Partitions};
use super::path::{Path, Span};
use super::spec::{Base, MatchRows, MatchSpec, Slot};
use super::value::{KeptColumns, RowValue};
use crate::message::TARGET_BATCH_ROWS;
use crate::operator::evaluate::dirty_row;
use crate::operator::row_store::{RowRef, RowStore};
use crate::operator::{Evaluator, OperatorError, Output};

/// What a measure reads.
enum MeasureSlot {
    Value { value: RowValue, base: Base, offset: i64, whole: bool },
    Fold { call: FoldCall, whole: bool },
    MatchNumber,
    Classifier,
}

/// Makes the rows given out.
pub(super) struct Outcomes {
    /// One row per match, of these keys; or all rows with these kept columns.
    rows: MatchRows,
    slots: Vec<MeasureSlot>,
    schema: SchemaRef,
    evaluator: Evaluator,
    variables: Vec<String>,
}

/// A match and how its rows are mapped.
struct Mapped<'a> {
    finished: &'a Finished,
    partition: &'a Partition,
    spans: Vec<Span>,
    /// For each variable its spans, each with the number of rows of the variable before it.
    of_variable: Vec<Vec<(Span, u32)>>,
}

/// A row given out: the match, and how many of its rows are there up to the present one.
#[derive(Debug, Clone, Copy)]
struct Present {
    of: usize,
    rows: u32,
}

impl Outcomes {
    pub(super) fn new(spec: &MatchSpec, kept: &KeptColumns) -> Result<Self, OperatorError> {
        let rows = match &spec.rows {
            MatchRows::One { keys } => MatchRows::One { keys: keys.clone() },
            MatchRows::All { columns } => {
                let columns = columns.iter().map(|column| kept.place(*column)).collect::<Result<_, _>>()?;
                MatchRows::All { columns }
            }
        };
        let slot = |slot: &Slot| {
            Ok(match slot {
                Slot::Value { expression, base, offset, whole } => MeasureSlot::Value {
                    value: RowValue::new(expression, kept)?,
                    base: *base,
                    offset: *offset,
                    whole: *whole,
                },
                Slot::Aggregate { call, variable, whole } => {
                    let call = FoldCall::new(call, *variable, &spec.input, kept)?;
                    MeasureSlot::Fold { call, whole: *whole }
                }
                Slot::MatchNumber => MeasureSlot::MatchNumber,
                Slot::Classifier => MeasureSlot::Classifier,
            })
        };
        Ok(Self {
            rows,
            slots: spec.measures.slots.iter().map(slot).collect::<Result<_, OperatorError>>()?,
            schema: spec.measures.schema.clone(),
            evaluator: spec.measures.evaluator.clone(),
            variables: spec.variables.clone(),
        })
    }

    /// Gives out the rows of the first matches, about a batch of them. Returns how many matches that are.
    pub(super) fn give_out(
        &self,
        finished: &[Finished],
        partitions: &Partitions,
        store: &RowStore,
        keys: &RowConverter,
        output: &mut Output,
    ) -> Result<usize, OperatorError> {
        let mut rows = 0;
        let fits = |of: &&Finished| {
            rows += if matches!(self.rows, MatchRows::One { .. }) { 1 } else { of.rows as usize };
            rows <= TARGET_BATCH_ROWS
        };
        let count = finished.iter().take_while(fits).count().clamp(1, finished.len());
        self.give_out_group(&finished[..count], partitions, store, keys, output)?;
        Ok(count)
    }

    /// Gives out a group of matches. When a value cannot be computed the group is halved, and what fails by itself is
    /// set aside as dirty.
    fn give_out_group(
        &self,
        group: &[Finished],
        partitions: &Partitions,
        store: &RowStore,
        keys: &RowConverter,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        match (self.batch(group, partitions, store, keys), group) {
            (Ok(batch), _) => {
                if let Some(rows) = self.evaluator.evaluate(batch, output)? {
                    output.emit(rows);
                }
                Ok(())
            }
            (Err(OperatorError::Kernel(error)), [of]) => {
                let last =
                    partitions.get(of.partition).map(|of_it| of_it.rows[(of.start + of.rows - 1) as usize]);
                if let Some(last) = last {
                    let (rows, row) = store.row(last.at)?;
                    output.dirty.push(dirty_row(&rows.slice(row, 1), &error));
                }
                Ok(())
            }
            (Err(OperatorError::Kernel(_)), group) => {
                let (first, second) = group.split_at(group.len() / 2);
                self.give_out_group(first, partitions, store, keys, output)?;
                self.give_out_group(second, partitions, store, keys, output)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Returns what the measures are computed from, a row for each row given out.
    fn batch(
        &self,
        group: &[Finished],
        partitions: &Partitions,
        store: &RowStore,
        keys: &RowConverter,
    ) -> Result<RecordBatch, OperatorError> {
        let count = self.variables.len();
        let mapped: Vec<Mapped<'_>> = group
            .iter()
            .filter_map(|finished| Some(Mapped::new(finished, partitions.get(finished.partition)?, count)))
            .collect();
        let presents = self.presents(&mapped);
        let mut columns = match &self.rows {
            MatchRows::One { keys: chosen } if chosen.is_empty() => Vec::new(),
            MatchRows::One { keys: chosen } => {
                let parser = keys.parser();
                let of_match = presents.iter().map(|present| parser.parse(&mapped[present.of].partition.key));
                let all = keys.convert_rows(of_match)?;
                chosen.iter().map(|key| all[*key].clone()).collect()
            }
            MatchRows::All { columns } => {
                let rows: Vec<_> = presents
                    .iter()
                    .map(|present| mapped[present.of].kept(i64::from(present.rows) - 1))
                    .collect();
                let picks = store.picks(&rows);
                columns.iter().map(|column| store.column(&picks, *column)).collect::<Result<_, _>>()?
            }
        };
        for slot in &self.slots {
            columns.push(self.slot(slot, &mapped, &presents, store)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(presents.len()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }

    fn presents(&self, mapped: &[Mapped<'_>]) -> Vec<Present> {
        let mut presents = Vec::new();
        for (of, mapped) in mapped.iter().enumerate() {
            let rows = mapped.finished.rows;
            let first = if matches!(self.rows, MatchRows::One { .. }) { rows } else { 1 };
            presents.extend((first..=rows).map(|rows| Present { of, rows }));
        }
        presents
    }

    fn slot(
        &self,
        slot: &MeasureSlot,
        mapped: &[Mapped<'_>],
        presents: &[Present],
        store: &RowStore,
    ) -> Result<ArrayRef, OperatorError> {
        Ok(match slot {
            MeasureSlot::Value { value, base, offset, whole } => {
                let rows: Vec<Option<RowRef>> = presents
                    .iter()
                    .map(|present| {
                        let of = &mapped[present.of];
                        let rows = if *whole { of.finished.rows } else { present.rows };
                        of.kept(i64::from(of.place(*base, rows)?) + offset)
                    })
                    .collect();
                value.column(store, &store.picks(&rows))?
            }
            MeasureSlot::Fold { call, whole } => fold(call, *whole, mapped, presents, store)?,
            MeasureSlot::MatchNumber => {
                let number = |present: &Present| mapped[present.of].finished.number as i64;
                Arc::new(presents.iter().map(number).collect::<Int64Array>())
            }
            MeasureSlot::Classifier => {
                let name = |present: &Present| {
                    let spans = &mapped[present.of].spans;
                    let span = spans.get(spans.partition_point(|span| span.to < present.rows))?;
                    self.variables.get(usize::from(span.variable))
                };
                Arc::new(presents.iter().map(name).collect::<StringArray>())
            }
        })
    }
}

/// Returns an aggregate for each row given out.
fn fold(
    call: &FoldCall,
    whole: bool,
    mapped: &[Mapped<'_>],
    presents: &[Present],
    store: &RowStore,
) -> Result<ArrayRef, OperatorError> {
    let mut rows = Vec::new();
    let mut places: Vec<u32> = Vec::new();
    let mut firsts = Vec::with_capacity(mapped.len() + 1);
    for of in mapped {
        firsts.push(rows.len());
        for span in &of.spans {
            if call.variable.is_none_or(|variable| variable == span.variable) {
                places.extend(span.from..span.to);
                rows.extend((span.from..span.to).map(|place| of.kept(i64::from(place))));
            }
        }
    }
    firsts.push(rows.len());
    let picks = store.picks(&rows);
    let arguments = call
        .arguments
        .iter()
        .map(|argument| argument.column(store, &picks))
        .collect::<Result<Vec<_>, _>>()?;
    let mut results: Vec<ScalarValue> = Vec::with_capacity(presents.len());
    let mut presents = presents.iter().peekable();
    for (number, of) in mapped.iter().enumerate() {
        let mut aggregate = call.call.aggregate();
        let (mut next, end) = (firsts[number], firsts[number + 1]);
        let mut value = None;
        while let Some(present) = presents.next_if(|present| present.of == number) {
            let upto = if whole { of.finished.rows } else { present.rows };
            while next < end && places[next] < upto {
                aggregate.add(&arguments, next)?;
                next += 1;
                value = None;
            }
            results.push(match &value {
                Some(value) => ScalarValue::clone(value),
                None => value.insert(aggregate.value()?).clone(),
            });
        }
    }
    column_of(results, &call.result)
}

impl<'a> Mapped<'a> {
    fn new(finished: &'a Finished, partition: &'a Partition, variables: usize) -> Self {
        let path: &Path = &finished.path;
        let spans = path.forward(finished.rows);
        let mut of_variable: Vec<Vec<(Span, u32)>> = vec![Vec::new(); variables];
        for span in &spans {
            let list = &mut of_variable[usize::from(span.variable)];
            let before = list.last().map_or(0, |(last, before)| before + last.to - last.from);
            list.push((*span, before));
        }
        Self { finished, partition, spans, of_variable }
    }

    /// Returns the row of the partition at a place counted from the first row of the match.
    fn kept(&self, place: i64) -> Option<RowRef> {
        let place = i64::from(self.finished.start) + place;
        Some(self.partition.rows.get(usize::try_from(place).ok()?)?.at)
    }

    /// Returns the place of a row among the first `rows` of the match.
    fn place(&self, base: Base, rows: u32) -> Option<u32> {
        match base {
            Base::First { variable: None, skip } => (skip < rows).then_some(skip),
            Base::Last { variable: None, skip } => rows.checked_sub(skip)?.checked_sub(1),
            Base::First { variable: Some(variable), skip } => {
                self.nth(variable, skip).filter(|place| *place < rows)
            }
            Base::Last { variable: Some(variable), skip } => {
                let count = self.count(variable, rows);
                self.nth(variable, count.checked_sub(skip)?.checked_sub(1)?)
            }
        }
    }

    /// Returns how many of the first `rows` of the match are of a variable.
    fn count(&self, variable: usize, rows: u32) -> u32 {
        let list = &self.of_variable[variable];
        let spans = list.partition_point(|(span, _)| span.from < rows);
        let last = spans.checked_sub(1).map(|last| list[last]);
        last.map_or(0, |(span, before)| before + span.to.min(rows) - span.from)
    }

    /// Returns the row of a variable with so many before it.
    fn nth(&self, variable: usize, number: u32) -> Option<u32> {
        let list = &self.of_variable[variable];
        let span = list.partition_point(|(_, before)| *before <= number).checked_sub(1)?;
        let (span, before) = list[span];
        Some(span.from + number - before).filter(|place| *place < span.to)
    }
}
