//! The operator: takes rows and watermarks, and has chunks of rows visited in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::row::{RowConverter, SortField};
use weir_base::time::Timestamp;

use super::definitions::Definitions;
use super::machine::{Finished, Machine, Progress, Round, StepClock, Visit};
use super::near::RowOf;
use super::outcome::Outcomes;
use super::partition::{KeptRow, MAX_ROWS, Partitions};
use super::prepare::{FurtherOrder, kept_columns, key_schema, keyed, reach};
use super::program::Program;
use super::spec::{MatchSpec, RowOrder, Skip, Slot};
use super::threads::Stepper;
use super::under_way::{Done, Passing, Then};
use super::value::KeptColumns;
use super::waiting::{WaitingRow, WaitingRows};
use super::ways::Follower;
use crate::message::TimeDomain;
use crate::operator::assign_watermark::drop_rows_without_time;
use crate::operator::row_store::RowStore;
use crate::operator::{Evaluator, KeyRange, Operator, OperatorError, Output};
use crate::time_column::TimeColumn;

/// Entries of the schedule up to which it is not looked through for those that nobody needs.
const MIN_SCHEDULE: usize = 256;

/// Finds the matches of a row pattern.
pub struct MatchRecognize {
    /// Gives the columns of the input, then the partition expressions.
    keyed: Evaluator,
    order: RowOrder,
    row_watermark: Option<usize>,
    /// Number of columns of the input.
    width: usize,
    pub(super) kept: KeptColumns,
    pub(super) key_schema: SchemaRef,
    pub(super) keys: RowConverter,
    then: Option<FurtherOrder>,
    pub(super) definitions: Definitions,
    pub(super) machine: Machine,
    pub(super) outcomes: Outcomes,
    pub(super) store: RowStore,
    pub(super) partitions: Partitions,
    pub(super) waiting: WaitingRows,
    /// When to look at which partition, earliest first. Entries that a partition no longer means are skipped.
    pub(super) schedule: BinaryHeap<Reverse<(i64, u32)>>,
    round: Round,
    /// Rows before the start of an attempt that are kept.
    pub(super) context: u64,
    /// Whether the number of a match is asked for, which outlives the rows of its partition.
    pub(super) numbered: bool,
    pub(super) watermark: i64,
    /// Partitions that the next step visits without a row for them: their attempts have been restored, or they end.
    pub(super) revisits: Vec<u32>,
    /// The last step, whose matches are being given out.
    pub(super) done: Option<Done>,
    pub(super) passing: Option<Passing>,
}

/// A row that its partition sees now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arriving {
    pub(super) partition: u32,
    pub(super) row: KeptRow,
}

impl MatchRecognize {
    /// Makes the operator.
    pub fn new(spec: MatchSpec) -> Result<Self, OperatorError> {
        let program = Program::compile(&spec.pattern)?;
        let kept = kept_columns(&spec)?;
        let definitions = Definitions::new(&spec, &kept)?;
        let key_schema = key_schema(&spec)?;
        let fields = key_schema.fields().iter().map(|field| SortField::new(field.data_type().clone()));
        let keys = RowConverter::new(fields.collect())?;
        let then = FurtherOrder::new(&spec, &kept)?;
        let (behind, ahead) = reach(&spec);
        let goes_back = spec.skip != Skip::PastLastRow;
        let machine = Machine {
            follower: Follower::new(&program, &definitions, goes_back),
            stepper: Stepper::new(program, &definitions.reads),
            variables: spec.variables.clone(),
            within: spec.within,
            skip: spec.skip,
            ahead,
            finished: Vec::new(),
        };
        let is_numbered = |slot: &Slot| matches!(slot, Slot::MatchNumber);
        let conditions = spec.conditions.iter().flatten();
        Ok(Self {
            keyed: keyed(&spec, &key_schema),
            width: spec.input.fields().len(),
            row_watermark: spec.row_watermark,
            outcomes: Outcomes::new(&spec, &kept)?,
            store: RowStore::new(kept.schema.clone()),
            numbered: spec.measures.slots.iter().any(is_numbered)
                || conditions.flat_map(|condition| &condition.slots).any(is_numbered),
            order: spec.order,
            kept,
            key_schema,
            keys,
            then,
            definitions,
            machine,
            partitions: Partitions::default(),
            waiting: WaitingRows::default(),
            schedule: BinaryHeap::new(),
            round: Round::default(),
            context: behind,
            watermark: i64::MIN,
            revisits: Vec::new(),
            done: None,
            passing: None,
        })
    }

    /// Returns how many nodes of the pattern have been looked at so far: a measure of the work that does not depend on
    /// the machine.
    pub fn steps(&self) -> u64 {
        self.machine.stepper.steps() + self.machine.follower.as_ref().map_or(0, Follower::steps)
    }

    pub(super) fn time(&self) -> Option<(&TimeColumn, TimeDomain)> {
        match &self.order {
            RowOrder::EventTime { time, .. } => Some((time, TimeDomain::Event)),
            RowOrder::Arrival { time } => time.as_ref().map(|(time, domain)| (time, *domain)),
        }
    }

    /// Returns whose watermarks the operator follows.
    fn domain(&self) -> TimeDomain {
        self.time().map_or(TimeDomain::Event, |(_, domain)| domain)
    }

    /// Drops late rows. Returns the rest with its times and with the instant up to which deadlines have passed before
    /// each row.
    fn timely(
        &self,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(RecordBatch, Int64Array, Vec<i64>), OperatorError> {
        let Some((time, domain)) = self.time() else {
            let rows = batch.num_rows();
            return Ok((batch, Int64Array::from(vec![0; rows]), vec![i64::MIN; rows]));
        };
        let (batch, times) = drop_rows_without_time(batch, time, output)?;
        let mut latest = self.watermark;
        if domain == TimeDomain::Processing {
            let before = times.values().iter().map(|time| {
                latest = latest.max(time.saturating_sub(1));
                latest
            });
            let before = before.collect();
            return Ok((batch, times, before));
        }
        let row_watermarks =
            self.row_watermark.map(|index| batch.column(index).as_primitive::<Int64Type>().clone());
        let mut before = Vec::with_capacity(times.len());
        let mut timely = Vec::with_capacity(times.len());
        for row in 0..times.len() {
            if let Some(watermarks) = &row_watermarks {
                latest = latest.max(watermarks.value(row));
            }
            timely.push(times.value(row) > latest);
            before.push(latest);
        }
        let late = timely.iter().filter(|timely| !**timely).count();
        if late == 0 {
            return Ok((batch, times, before));
        }
        output.late += late as u64;
        let mut kept = timely.iter();
        before.retain(|_| *kept.next().unwrap_or(&false));
        let batch = filter_record_batch(&batch, &BooleanArray::from(timely))?;
        let times = time.times(&batch)?;
        Ok((batch, times, before))
    }

    /// Lets rows of the kept columns wait for the watermark.
    pub(super) fn wait(
        &mut self,
        rows: RecordBatch,
        partitions: &[u32],
        times: &Int64Array,
    ) -> Result<(), OperatorError> {
        let then = self.then.as_ref().map(|then| then.keys(&rows)).transpose()?;
        let (fits, doubts) = self.definitions.look_here(&rows);
        for (row, at) in self.store.insert(rows).enumerate() {
            let partition = partitions[row];
            if let Some(partition) = self.partitions.get_mut(partition) {
                partition.waiting += 1;
            }
            let arrival = self.waiting.next_arrival();
            let then = then.as_ref().map(|then| then.row(row).as_ref().into()).unwrap_or_default();
            let (time, fits, doubts) = (times.value(row), fits[row], doubts[row]);
            self.waiting.push(WaitingRow { time, then, arrival, partition, at, fits, doubts });
        }
        Ok(())
    }

    /// Gives rows of the kept columns to their partitions at once.
    fn arrive(
        &mut self,
        rows: RecordBatch,
        partitions: &[u32],
        times: &Int64Array,
        before: Vec<i64>,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let (fits, doubts) = self.definitions.look_here(&rows);
        let arriving: Vec<Arriving> = self
            .store
            .insert(rows)
            .enumerate()
            .map(|(row, at)| {
                let kept = KeptRow { at, time: times.value(row), fits: fits[row], doubts: doubts[row] };
                Arriving { partition: partitions[row], row: kept }
            })
            .collect();
        let after = before.last().copied().unwrap_or(self.watermark);
        self.watermark = self.watermark.max(after);
        self.step(&arriving, StepClock { before, after, ended: false }, output)
    }

    /// Has the partitions visited that rows have come for, whose deadline has passed, or that have been restored. Their
    /// matches are given out next.
    pub(super) fn step(
        &mut self,
        arriving: &[Arriving],
        clock: StepClock,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let (visits, events) = self.visits(arriving, &clock);
        let touched: Vec<u32> = visits.iter().map(|visit| visit.partition).collect();
        self.look_near(&touched, clock.ended)?;
        self.visit_all(visits, &events, &clock, output)?;
        let mut finished = std::mem::take(&mut self.machine.finished);
        self.sort(&mut finished);
        self.done = Some(Done { finished, given: 0, touched, after: clock.after });
        Ok(())
    }

    /// Collects the visits of a step, and the rows of the chunk by visit. The rows are put into their partitions.
    fn visits(&mut self, arriving: &[Arriving], clock: &StepClock) -> (Vec<Visit>, Vec<u32>) {
        let mut touched = Vec::new();
        let mut counts: Vec<usize> = Vec::new();
        let mut expired = Vec::new();
        let partitions = &mut self.partitions;
        let mut touch = |number: u32, rows: usize| {
            let Some(partition) = partitions.get_mut(number) else { return };
            if partition.visit == 0 {
                touched.push((number, partition.rows.len() as u32));
                counts.push(0);
                partition.visit = touched.len() as u32;
            }
            counts[partition.visit as usize - 1] += rows;
        };
        for row in arriving {
            touch(row.partition, 1);
        }
        self.revisits.drain(..).for_each(|number| touch(number, 0));
        while let Some(Reverse((deadline, number))) = self.schedule.peek().copied() {
            if deadline > clock.after {
                break;
            }
            self.schedule.pop();
            expired.push((deadline, number));
            touch(number, 0);
        }
        for (deadline, number) in expired {
            if let Some(partition) =
                self.partitions.get_mut(number).filter(|partition| partition.scheduled == deadline)
            {
                partition.scheduled = i64::MAX;
            }
        }
        let mut next = Vec::with_capacity(counts.len());
        let mut total = 0;
        for count in &counts {
            next.push(total);
            total += count;
        }
        let mut visits = Vec::with_capacity(touched.len());
        for (((number, rows), count), first) in touched.into_iter().zip(&counts).zip(&next) {
            visits.push(Visit::new(number, *first..first + count, rows));
        }
        let mut events = vec![0; total];
        for (row, Arriving { partition, row: kept }) in arriving.iter().enumerate() {
            let Some(partition) = self.partitions.get_mut(*partition) else { continue };
            partition.rows.push_back(*kept);
            let place = &mut next[partition.visit as usize - 1];
            events[*place] = row as u32;
            *place += 1;
        }
        (visits, events)
    }

    /// Looks at the neighbours of rows once those are there.
    fn look_near(&mut self, touched: &[u32], ended: bool) -> Result<(), OperatorError> {
        let mut rows: Vec<RowOf> = Vec::new();
        for number in touched {
            let Some(partition) = self.partitions.get_mut(*number) else { continue };
            let decided = self.machine.decided(partition.rows.len() as u32, ended);
            rows.extend((partition.examined..decided).map(|row| (*number, row)));
            partition.examined = partition.examined.max(decided);
        }
        self.definitions.look_near(&rows, &mut self.partitions, &self.store)
    }

    fn visit_all(
        &mut self,
        mut visits: Vec<Visit>,
        events: &[u32],
        clock: &StepClock,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let round = &mut self.round;
        while !visits.is_empty() {
            round.next(self.definitions.list.len());
            let mut waiting = Vec::new();
            for mut visit in visits {
                let (partitions, definitions) = (&mut self.partitions, &self.definitions);
                let progress =
                    self.machine.advance(&mut visit, partitions, events, clock, definitions, round)?;
                if progress == Progress::Waits {
                    waiting.push(visit);
                }
            }
            self.definitions.answer(&mut self.partitions, &self.store, round, output)?;
            visits = waiting;
        }
        Ok(())
    }

    /// Puts matches in the order in which they became final; where deadlines passed together, in that of their keys.
    fn sort(&self, finished: &mut [Finished]) {
        let key = |of: &Finished| self.partitions.get(of.partition).map(|partition| partition.key.clone());
        finished.sort_by(|a, b| {
            let by_trigger = a.trigger.rank().cmp(&b.trigger.rank());
            by_trigger.then_with(|| key(a).cmp(&key(b))).then_with(|| a.number.cmp(&b.number))
        });
    }

    /// Frees the rows that the partitions visited no longer need, and schedules their deadlines.
    pub(super) fn tidy(&mut self, touched: &[u32], after: i64) -> Result<(), OperatorError> {
        for number in touched {
            let Some(partition) = self.partitions.get_mut(*number) else { continue };
            partition.visit = 0;
            for at in partition.trim(self.context) {
                self.store.release(at);
            }
            partition.shrink();
            if partition.rows.len() > MAX_ROWS {
                return Err(OperatorError::Pattern(format!(
                    "a partition of a row pattern keeps more than {MAX_ROWS} rows for a match that does not end: add \
                     `WITHIN`, or make the pattern end sooner"
                )));
            }
            let is_spent = partition.rows.is_empty() && partition.waiting == 0 && !partition.open;
            if is_spent && !(self.numbered && partition.matches > 0) {
                self.partitions.remove(*number);
                continue;
            }
            // A deadline that has passed waits for rows that have come; they will be looked at with the next row. One that
            // is later than the entry is looked up again when that is due.
            let deadline = partition.deadline(self.machine.within);
            if let Some(deadline) = deadline.filter(|deadline| *deadline > after)
                && deadline < partition.scheduled
            {
                partition.scheduled = deadline;
                self.schedule.push(Reverse((deadline, *number)));
            }
        }
        // Partitions that ended before their deadlines have left entries behind.
        if self.schedule.len() > 2 * self.partitions.len() + MIN_SCHEDULE {
            let partitions = &self.partitions;
            self.schedule.retain(|Reverse((deadline, number))| {
                partitions.get(*number).is_some_and(|partition| partition.scheduled == *deadline)
            });
            self.schedule.shrink_to(2 * MIN_SCHEDULE);
        }
        if self.store.wants_compaction() {
            let (store, partitions) = (&mut self.store, &mut self.partitions);
            self.waiting.with_rows(|waiting| {
                let rows = partitions.iter_mut().flat_map(|partition| partition.rows.iter_mut());
                store.compact(rows.map(|row| &mut row.at).chain(waiting.iter_mut().map(|row| &mut row.at)))
            })?;
        }
        Ok(())
    }
}

impl Operator for MatchRecognize {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let Some(batch) = self.keyed.evaluate(batch, output)? else { return Ok(()) };
        let (batch, times, before) = self.timely(batch, output)?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let keys = &batch.columns()[self.width..];
        let partitions = self.numbers(keys, batch.num_rows())?;
        let rows = self.kept.project(&batch)?;
        match self.order {
            RowOrder::EventTime { .. } => self.wait(rows, &partitions, &times),
            RowOrder::Arrival { .. } => {
                self.arrive(rows, &partitions, &times, before, output)?;
                self.go_on(output)
            }
        }
    }

    fn watermark(
        &mut self,
        domain: TimeDomain,
        watermark: Timestamp,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        if domain != self.domain() {
            output.watermark(domain, watermark);
            return Ok(());
        }
        self.passing = Some(Passing { domain, watermark, then: Then::Rows });
        self.go_on(output)
    }

    fn resume(&mut self, output: &mut Output) -> Result<(), OperatorError> {
        self.go_on(output)
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        self.save()
    }

    fn restore(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        self.load(states, range)
    }

    fn state_bytes(&self) -> usize {
        if self.partitions.is_empty() {
            return self.store.bytes();
        }
        let schedule = self.schedule.capacity() * size_of::<Reverse<(i64, u32)>>();
        self.store.bytes() + self.partitions.bytes() + self.waiting.bytes() + schedule
    }
}

impl MatchRecognize {
    /// Returns the partition of each row.
    pub(super) fn numbers(&mut self, keys: &[ArrayRef], rows: usize) -> Result<Vec<u32>, OperatorError> {
        if keys.is_empty() {
            let number = self.partitions.number(&[]);
            return Ok(vec![number; rows]);
        }
        let keys = self.keys.convert_columns(keys)?;
        Ok(keys.iter().map(|key| self.partitions.number(key.as_ref())).collect())
    }
}
