//! GROUP BY without a window: a changelog of the results.
//!
//! Every input row gives the new result of its group. The first row of a group adds it; later ones withdraw the
//! former result and add the new one, also when both are equal: whoever reads the changelog keeps state that lives only
//! as long as it is touched. A group whose last row was withdrawn is withdrawn itself.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int8Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int8Type, Int64Type, Schema, SchemaRef};
use datafusion_common::ScalarValue;
use datafusion_physical_expr::PhysicalExpr;
use weir_base::clock::Clock;
use weir_base::time::Timestamp;

use super::grouping::{GroupingColumns, GroupingExpressions};
use super::keyed_state::{KeyId, KeyRows, KeyedState, until_idle};
use super::running::{Results, Retractions, RunningAggregate, RunningCall};
use super::{
    AggregateCall, GroupingSets, KeyRange, Operator, OperatorContext, OperatorError, OperatorSpec, Output,
};
use crate::message::RowKind;

/// A GROUP BY without a window, as the planner describes it.
#[derive(Debug, Clone)]
pub struct GroupAggregateSpec {
    /// Key expressions in the order of the output.
    pub keys: Vec<Arc<dyn PhysicalExpr>>,
    /// Aggregates; their results follow the keys.
    pub calls: Vec<AggregateCall>,
    /// Tells the copies apart that grouping sets made of the rows.
    pub sets: Option<GroupingSets>,
    /// All columns of the input.
    pub input: SchemaRef,
    /// Index of the hidden row-kind column of the input, when it is a changelog.
    pub row_kind: Option<usize>,
    /// Columns given out: keys, results, and the hidden row kind.
    pub output: SchemaRef,
    /// After this time without a row a group is forgotten.
    pub retention: Duration,
}

impl OperatorSpec for GroupAggregateSpec {
    fn name(&self) -> &'static str {
        "GroupAggregate"
    }

    fn keeps(&self) -> Option<String> {
        Some(format!("aggregates for each key, {}", until_idle(self.retention)))
    }

    fn operator(&self, context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(GroupAggregate::new(self, context.clock.clone())?))
    }
}

/// The rows of one key.
struct Group {
    /// Rows added and not withdrawn.
    rows: i64,
    aggregates: Vec<Box<dyn RunningAggregate>>,
    /// Bytes of the aggregates when they were last counted.
    bytes: usize,
    /// The batch that changed it last.
    batch: u64,
}

impl Group {
    fn change(&mut self, arguments: &[Vec<ArrayRef>], row: usize, added: bool) -> Result<(), OperatorError> {
        self.rows += if added { 1 } else { -1 };
        for (aggregate, arguments) in self.aggregates.iter_mut().zip(arguments) {
            match added {
                true => aggregate.add(arguments, row)?,
                false => aggregate.retract(arguments, row)?,
            }
        }
        Ok(())
    }

    /// Counts the bytes anew and returns how they changed.
    fn count_bytes(&mut self) -> isize {
        let boxes = self.aggregates.len() * size_of::<Box<dyn RunningAggregate>>();
        let bytes = boxes + self.aggregates.iter().map(|aggregate| aggregate.bytes()).sum::<usize>();
        let change = bytes as isize - self.bytes as isize;
        self.bytes = bytes;
        change
    }
}

/// Aggregates rows by key for as long as the keys are in use.
struct GroupAggregate {
    expressions: GroupingExpressions,
    calls: Vec<RunningCall>,
    row_kind: Option<usize>,
    output: SchemaRef,
    clock: Arc<dyn Clock>,
    groups: KeyedState<Group>,
    aggregate_bytes: usize,
    /// Number of the batch under way.
    batch: u64,
    /// Groups that it changed, whose bytes are counted when it is done.
    changed: Vec<KeyId>,
}

impl GroupAggregate {
    fn new(spec: &GroupAggregateSpec, clock: Arc<dyn Clock>) -> Result<Self, OperatorError> {
        let retractions = match spec.row_kind {
            Some(_) => Retractions::Possible,
            None => Retractions::Never,
        };
        let calls = spec
            .calls
            .iter()
            .map(|call| RunningCall::new(call, &spec.input, retractions))
            .collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<_> = spec.output.fields().iter().take(spec.keys.len()).cloned().collect();
        Ok(Self {
            expressions: GroupingExpressions::new(spec.keys.clone(), &spec.calls, spec.sets),
            calls,
            row_kind: spec.row_kind,
            output: spec.output.clone(),
            clock,
            groups: KeyedState::new(Arc::new(Schema::new(keys)), spec.retention)?,
            aggregate_bytes: 0,
            batch: 0,
            changed: Vec::new(),
        })
    }

    fn new_group(&self) -> Group {
        let aggregates = self.calls.iter().map(RunningCall::aggregate).collect();
        Group { rows: 0, aggregates, bytes: 0, batch: self.batch }
    }

    /// Applies one row and notes what changes.
    fn apply(
        &mut self,
        keys: &KeyRows,
        arguments: &[Vec<ArrayRef>],
        row: usize,
        added: bool,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), OperatorError> {
        let key = keys.key(row);
        let Some(id) = self.groups.find(key) else {
            // What is withdrawn from a group that is not known was forgotten with it.
            if added {
                let mut group = self.new_group();
                group.change(arguments, row, true)?;
                changes.push(row, RowKind::Insert, &group)?;
                self.changed.push(self.groups.insert(key, group, now));
            }
            return Ok(());
        };
        let group = self.groups.touch(id, now)?;
        if !added && group.rows == 1 {
            changes.push(row, RowKind::Delete, group)?;
            self.aggregate_bytes = self.aggregate_bytes.saturating_sub(group.bytes);
            self.groups.remove(id);
            return Ok(());
        }
        changes.push(row, RowKind::UpdateBefore, group)?;
        group.change(arguments, row, added)?;
        changes.push(row, RowKind::UpdateAfter, group)?;
        if group.batch != self.batch {
            group.batch = self.batch;
            self.changed.push(id);
        }
        Ok(())
    }

    /// Counts the bytes of the groups that the batch changed; some may be gone again.
    fn count_changed(&mut self) {
        for id in std::mem::take(&mut self.changed) {
            if let Some(group) = self.groups.get_mut(id) {
                self.aggregate_bytes = self.aggregate_bytes.saturating_add_signed(group.count_bytes());
            }
        }
    }

    fn expire(&mut self, now: Timestamp) {
        let bytes = &mut self.aggregate_bytes;
        self.groups.expire(now, |group| *bytes = bytes.saturating_sub(group.bytes));
    }
}

/// The rows that a batch gives out.
struct Changes {
    /// The input row that each comes from: it has the key.
    rows: Vec<u32>,
    kinds: Vec<i8>,
    results: Vec<Results>,
}

impl Changes {
    fn new(calls: &[RunningCall], rows: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            kinds: Vec::with_capacity(rows),
            results: calls.iter().map(|call| call.results(rows)).collect(),
        }
    }

    fn push(&mut self, row: usize, kind: RowKind, group: &Group) -> Result<(), OperatorError> {
        // A batch has far fewer rows than a u32 counts.
        self.rows.push(row as u32);
        self.kinds.push(kind as i8);
        for (results, aggregate) in self.results.iter_mut().zip(&group.aggregates) {
            results.push(aggregate.value()?)?;
        }
        Ok(())
    }

    fn batch(self, keys: &[ArrayRef], output: &SchemaRef) -> Result<RecordBatch, OperatorError> {
        if self.rows.is_empty() {
            return Ok(RecordBatch::new_empty(output.clone()));
        }
        let rows = UInt32Array::from(self.rows);
        let mut columns =
            keys.iter().map(|key| take(key.as_ref(), &rows, None)).collect::<Result<Vec<_>, _>>()?;
        for results in self.results {
            columns.push(results.column()?);
        }
        columns.push(Arc::new(Int8Array::from(self.kinds)));
        Ok(RecordBatch::try_new(output.clone(), columns)?)
    }
}

/// Returns whether each row is added; `None` when all are.
pub(super) fn added_rows(
    batch: &RecordBatch,
    row_kind: Option<usize>,
) -> Result<Option<Vec<bool>>, OperatorError> {
    let Some(index) = row_kind else { return Ok(None) };
    let unknown = || OperatorError::State("a row of a changelog has no kind".to_string());
    let kinds = batch.column(index).as_primitive_opt::<Int8Type>().ok_or_else(unknown)?;
    let added =
        |kind: Option<i8>| Ok(RowKind::from_value(kind.ok_or_else(unknown)?).ok_or_else(unknown)?.is_added());
    kinds.iter().map(added).collect::<Result<Vec<bool>, OperatorError>>().map(Some)
}

impl Operator for GroupAggregate {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let now = self.clock.now();
        self.expire(now);
        let Some((batch, columns)) = self.expressions.evaluate(batch, output)? else { return Ok(()) };
        let GroupingColumns { keys, arguments } = columns;
        let added = added_rows(&batch, self.row_kind)?;
        let key_rows = self.groups.rows(&keys, batch.num_rows())?;
        let mut changes = Changes::new(&self.calls, 2 * batch.num_rows());
        self.batch += 1;
        for row in 0..batch.num_rows() {
            let added = added.as_ref().is_none_or(|added| added[row]);
            self.apply(&key_rows, &arguments, row, added, now, &mut changes)?;
        }
        self.count_changed();
        output.emit(changes.batch(&keys, &self.output)?);
        Ok(())
    }

    fn tick(&mut self, now: Timestamp, _output: &mut Output) -> Result<(), OperatorError> {
        self.expire(now);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        let mut fields = vec![Field::new("rows", DataType::Int64, true)];
        for (at, call) in self.calls.iter().enumerate() {
            let states = call.state_types().iter().enumerate();
            fields.extend(states.map(|(n, of)| Field::new(format!("state_{at}_{n}"), of.clone(), true)));
        }
        self.groups.snapshot(fields, |groups| {
            let rows: Int64Array = groups.iter().map(|group| group.rows).collect();
            let mut columns: Vec<ArrayRef> = vec![Arc::new(rows)];
            for (at, call) in self.calls.iter().enumerate() {
                let mut states = vec![Vec::with_capacity(groups.len()); call.state_types().len()];
                for group in groups {
                    for (column, value) in states.iter_mut().zip(group.aggregates[at].state()?) {
                        column.push(value);
                    }
                }
                for column in states {
                    columns.push(ScalarValue::iter_to_array(column)?);
                }
            }
            Ok(columns)
        })
    }

    fn restore(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        let calls = &self.calls;
        let mut bytes = 0_usize;
        self.groups.restore(states, range, |columns, row| {
            let [rows, columns @ ..] = columns else { return Err(wrong_groups()) };
            let rows = rows.as_primitive_opt::<Int64Type>().ok_or_else(wrong_groups)?.value(row);
            let mut aggregates = Vec::with_capacity(calls.len());
            let mut rest = columns;
            for call in calls {
                let (own, others) =
                    rest.split_at_checked(call.state_types().len()).ok_or_else(wrong_groups)?;
                rest = others;
                let state = own
                    .iter()
                    .map(|column| ScalarValue::try_from_array(column, row))
                    .collect::<Result<Vec<_>, _>>()?;
                let mut aggregate = call.aggregate();
                aggregate.restore(&state)?;
                aggregates.push(aggregate);
            }
            let mut group = Group { rows, aggregates, bytes: 0, batch: 0 };
            bytes = bytes.saturating_add_signed(group.count_bytes());
            Ok(group)
        })?;
        self.aggregate_bytes += bytes;
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        match self.groups.len() {
            0 => 0,
            _ => self.groups.bytes() + self.aggregate_bytes,
        }
    }
}

fn wrong_groups() -> OperatorError {
    OperatorError::State("the saved groups are not those of the job".to_string())
}
