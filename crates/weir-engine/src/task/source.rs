//! The loop of a source subtask: reads, makes watermarks, injects barriers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use weir_base::clock::Clock;
use weir_base::settings::RecordClock;
use weir_base::time::Timestamp;

use super::operator::FLUSH_INTERVAL;
use super::{Chain, EventSender, TaskError, TaskEvent, TaskId, TaskState};
use crate::dirty::DirtyEntry;
use crate::graph::{NodeId, SourceNode};
use crate::message::{Message, TimeDomain};
use crate::metrics::Counters;
use crate::operator::{Output, drop_rows_without_time};
use crate::source::{SourceBatch, SourceEvent, SourceReader, Split};
use crate::split::SplitState;
use crate::watermark::{Combiner, Generator};

/// How often processing time moves on while nothing is read.
const PROCESSING_TIME_TICK: Duration = Duration::from_millis(100);

/// What the coordinator asks of a source: to begin a checkpoint.
#[derive(Debug)]
pub(crate) struct SourceCommand {
    /// Number of the checkpoint.
    pub(crate) epoch: u64,
    /// Whether nothing shall be read after it.
    pub(crate) last: bool,
}

/// What a source does next.
enum Step {
    Cancelled,
    Command(SourceCommand),
    Event(SourceEvent),
}

/// A subtask that reads splits.
pub(crate) struct SourceTask {
    pub(crate) id: TaskId,
    pub(crate) node: NodeId,
    pub(crate) name: String,
    pub(crate) source: Arc<SourceNode>,
    pub(crate) chain: Chain,
    pub(crate) counters: Arc<Counters>,
    pub(crate) splits: Vec<SplitState>,
    pub(crate) commands: mpsc::Receiver<SourceCommand>,
    pub(crate) events: EventSender,
    pub(crate) cancel: CancellationToken,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) record_clock: Option<RecordClock>,
    pub(crate) idle_timeout: Option<Duration>,
}

/// Event time of the splits of one subtask.
struct SplitTime {
    index: HashMap<String, usize>,
    generators: Vec<Option<Generator>>,
    combiner: Combiner,
    active_at: Vec<Instant>,
    idle: Vec<bool>,
    sent: Timestamp,
    told_idle: bool,
}

impl SourceTask {
    pub(crate) async fn run(mut self, mut reader: Box<dyn SourceReader>) -> Result<(), TaskError> {
        let mut time = SplitTime::new(&self.splits, &self.source);
        let mut records: u64 = self.splits.iter().map(|split| split.records).sum();
        let restored = time.combiner.current();
        self.send_watermark(&mut time, Some(restored).filter(|w| *w < Timestamp::MAX)).await?;
        self.tell_instant(records).await?;
        let mut tick = tokio::time::interval(PROCESSING_TIME_TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut flushed = Instant::now();
        loop {
            // Kept over ticks: a reader may need longer than a tick for a step, and would begin it anew each time.
            let mut next = reader.next();
            let step = loop {
                tokio::select! {
                    biased;
                    () = self.cancel.cancelled() => break Step::Cancelled,
                    Some(command) = self.commands.recv() => break Step::Command(command),
                    _ = tick.tick() => {
                        self.tick(&mut time).await?;
                        if flushed.elapsed() >= FLUSH_INTERVAL {
                            flushed = Instant::now();
                            self.chain.flush().await?;
                        }
                    }
                    event = &mut next => break Step::Event(event?),
                }
            };
            drop(next);
            match step {
                Step::Cancelled => {
                    self.chain.flush().await?;
                    return Err(TaskError::Cancelled);
                }
                Step::Command(SourceCommand { epoch, last }) => {
                    self.barrier(epoch, reader.positions(), &time, records).await?;
                    if last {
                        // The job is being suspended: what were read now would be read again.
                        self.cancel.cancelled().await;
                        return Err(TaskError::Cancelled);
                    }
                }
                Step::Event(SourceEvent::Batch(batch)) => self.batch(batch, &mut time, &mut records).await?,
                Step::Event(SourceEvent::SplitFinished(split)) => {
                    self.split_finished(&split, &mut time).await?
                }
                Step::Event(SourceEvent::Finished) => break,
            }
            // A source that always has data would otherwise keep its thread for itself.
            tokio::task::yield_now().await;
        }
        self.chain.watermark(TimeDomain::Event, Timestamp::MAX).await?;
        self.chain.watermark(TimeDomain::Processing, Timestamp::MAX).await?;
        let mut state = self.chain.snapshot(self.chain.epoch + 1, true).await?;
        state.splits = Some((self.node, positions(reader.positions(), &time, records)));
        // Told before any reader can see the end: the coordinator must not take the end of a reader for
        // later than that of its input.
        let _ = self.events.send(TaskEvent::Finished { task: self.id, state }).await;
        self.chain.broadcast(Message::End).await?;
        Ok(())
    }

    /// Tells whoever reads the clock, when the job counts records, how far it was before a restore.
    async fn tell_instant(&mut self, records: u64) -> Result<(), TaskError> {
        match (&self.record_clock, records.checked_sub(1)) {
            (Some(clock), Some(last)) if self.source.processing_time => {
                let read = Timestamp(clock.instant(last) - 1);
                self.chain.watermark(TimeDomain::Processing, read).await
            }
            _ => Ok(()),
        }
    }

    async fn barrier(
        &mut self,
        epoch: u64,
        splits: Vec<Split>,
        time: &SplitTime,
        records: u64,
    ) -> Result<(), TaskError> {
        let splits = positions(splits, time, records);
        let mut state: TaskState = self.chain.snapshot(epoch, false).await?;
        state.splits = Some((self.node, splits));
        self.chain.broadcast(Message::Barrier(epoch)).await?;
        let _ = self.events.send(TaskEvent::Snapshot { task: self.id, epoch, state }).await;
        Ok(())
    }

    async fn tick(&mut self, time: &mut SplitTime) -> Result<(), TaskError> {
        if self.source.processing_time && self.record_clock.is_none() {
            let now = self.clock.now();
            self.chain.watermark(TimeDomain::Processing, Timestamp(now.0 - 1)).await?;
        }
        if let Some(timeout) = self.idle_timeout
            && self.source.event_time.is_some()
            && !self.source.connector.is_bounded()
        {
            let advanced = time.find_idle(timeout);
            self.send_watermark(time, advanced).await?;
            if time.combiner.all_idle() && !time.told_idle {
                time.told_idle = true;
                self.chain.broadcast(Message::Idle).await?;
            }
        }
        Ok(())
    }

    async fn split_finished(&mut self, split: &str, time: &mut SplitTime) -> Result<(), TaskError> {
        let Some(index) = time.index.get(split).copied() else { return Ok(()) };
        if let Some(generator) = &mut time.generators[index] {
            generator.finish();
            let advanced = time.combiner.update(index, Timestamp::MAX);
            // The end of the whole input is announced once, by the loop.
            self.send_watermark(time, advanced.filter(|watermark| *watermark < Timestamp::MAX)).await?;
        }
        Ok(())
    }

    async fn send_watermark(
        &mut self,
        time: &mut SplitTime,
        watermark: Option<Timestamp>,
    ) -> Result<(), TaskError> {
        match watermark {
            Some(watermark) if watermark > time.sent => {
                time.sent = watermark;
                self.counters.set_watermark(watermark);
                self.chain.watermark(TimeDomain::Event, watermark).await
            }
            _ => Ok(()),
        }
    }

    /// Takes what was read. When the job counts records each of them has an instant of its own, so that expressions
    /// that read the clock see it one by one; how a reader cuts its batches must not show.
    async fn batch(
        &mut self,
        batch: SourceBatch,
        time: &mut SplitTime,
        records: &mut u64,
    ) -> Result<(), TaskError> {
        let Some(clock) = self.record_clock.clone().filter(|_| self.source.processing_time) else {
            return self.rows(batch, time, records).await;
        };
        let SourceBatch { split, rows, dirty, bytes } = batch;
        let nothing = rows.slice(0, 0);
        self.rows(SourceBatch { split: split.clone(), rows: nothing, dirty, bytes }, time, records).await?;
        for row in 0..rows.num_rows() {
            let read = Timestamp(clock.instant(*records) - 1);
            self.chain.watermark(TimeDomain::Processing, read).await?;
            let rows = rows.slice(row, 1);
            let one = SourceBatch { split: split.clone(), rows, dirty: Vec::new(), bytes: 0 };
            self.rows(one, time, records).await?;
        }
        Ok(())
    }

    async fn rows(
        &mut self,
        batch: SourceBatch,
        time: &mut SplitTime,
        records: &mut u64,
    ) -> Result<(), TaskError> {
        let SourceBatch { split, rows, dirty, bytes } = batch;
        Counters::add(&self.counters.records_in, (rows.num_rows() + dirty.len()) as u64);
        Counters::add(&self.counters.bytes, bytes);
        let mut entries: Vec<DirtyEntry> = dirty
            .into_iter()
            .map(|record| DirtyEntry { reason: record.reason, data: record.data, place: Some(record.place) })
            .collect();
        let index = time.index.get(&split).copied();
        let (rows, last_read) = self.with_proctime(rows, records)?;
        let (rows, advanced) = match (&self.source.event_time, index) {
            (Some((column, _)), Some(index)) => {
                let mut output = Output::default();
                let (rows, times) = drop_rows_without_time(rows, column, &mut output)?;
                entries.extend(output.dirty.into_iter().map(|row| DirtyEntry {
                    reason: row.reason,
                    data: row.data.into_bytes(),
                    place: Some(split.clone()),
                }));
                let (watermarks, advanced) = time.observe(index, &times, self.source.row_watermark);
                (append(rows, &self.source, watermarks)?, advanced)
            }
            _ => (rows, None),
        };
        if !entries.is_empty() {
            Counters::add(&self.counters.dirty, entries.len() as u64);
            self.chain.dirty.handle(&self.name, entries).await.map_err(TaskError::Dirty)?;
        }
        if rows.num_rows() > 0 {
            Counters::add(&self.counters.records_out, rows.num_rows() as u64);
            self.chain.batch(0, rows).await?;
        }
        self.send_watermark(time, advanced).await?;
        if let Some(last_read) = last_read.filter(|_| self.source.processing_time) {
            self.chain.watermark(TimeDomain::Processing, Timestamp(last_read - 1)).await?;
        }
        Ok(())
    }

    /// Appends the processing-time column when the stream has one. Returns the time of the last row.
    fn with_proctime(
        &self,
        rows: RecordBatch,
        records: &mut u64,
    ) -> Result<(RecordBatch, Option<i64>), TaskError> {
        let count = rows.num_rows();
        let first = *records;
        *records += count as u64;
        if !self.source.processing_time {
            return Ok((rows, None));
        }
        let times: Vec<i64> = match &self.record_clock {
            Some(clock) => (first..*records).map(|record| clock.instant(record)).collect(),
            None => vec![self.clock.now().0; count],
        };
        let last = times.last().copied();
        if !self.source.proctime {
            return Ok((rows, last));
        }
        let mut columns = rows.columns().to_vec();
        columns.push(Arc::new(TimestampMillisecondArray::from(times)) as ArrayRef);
        let mut fields: Vec<_> = rows.schema().fields().iter().cloned().collect();
        fields.push(self.source.schema.fields()[rows.num_columns()].clone());
        let schema = Arc::new(arrow::datatypes::Schema::new(fields));
        let rows = RecordBatch::try_new(schema, columns).map_err(crate::operator::OperatorError::from)?;
        Ok((rows, last))
    }
}

/// Adds what the engine knows to the positions of a reader.
fn positions(splits: Vec<Split>, time: &SplitTime, records: u64) -> Vec<SplitState> {
    let mut records = Some(records);
    splits
        .into_iter()
        .map(|split| {
            let generator = time.index.get(&split.id).and_then(|i| time.generators[*i].as_ref());
            // The count belongs to the subtask; it is kept with its first split.
            SplitState {
                generator: generator.map(Generator::state),
                records: records.take().unwrap_or(0),
                split,
            }
        })
        .collect()
}

/// Gives rows the schema of the source, with the hidden column of watermarks when there is one.
fn append(
    rows: RecordBatch,
    source: &SourceNode,
    watermarks: Option<Vec<i64>>,
) -> Result<RecordBatch, TaskError> {
    let mut columns = rows.columns().to_vec();
    if let Some(watermarks) = watermarks {
        columns.push(Arc::new(Int64Array::from(watermarks)) as ArrayRef);
    }
    RecordBatch::try_new(source.schema.clone(), columns)
        .map_err(|e| TaskError::Operator(crate::operator::OperatorError::from(e)))
}

impl SplitTime {
    fn new(splits: &[SplitState], source: &SourceNode) -> Self {
        let now = Instant::now();
        let mut combiner = Combiner::new(splits.len());
        let mut generators = Vec::with_capacity(splits.len());
        for (index, state) in splits.iter().enumerate() {
            let generator = source.event_time.as_ref().map(|(_, strategy)| {
                let mut generator = Generator::new(*strategy);
                if let Some(saved) = state.generator {
                    generator.restore(saved);
                }
                if state.split.finished {
                    generator.finish();
                }
                combiner.update(index, generator.current());
                generator
            });
            generators.push(generator);
        }
        let index = splits.iter().enumerate().map(|(i, state)| (state.split.id.clone(), i)).collect();
        Self {
            index,
            generators,
            combiner,
            active_at: vec![now; splits.len()],
            idle: vec![false; splits.len()],
            sent: Timestamp::MIN,
            told_idle: false,
        }
    }

    /// Takes the event times of rows of one split. Returns the watermark in force before each row when asked
    /// for, and the combined watermark when it grew.
    fn observe(
        &mut self,
        split: usize,
        times: &Int64Array,
        per_row: bool,
    ) -> (Option<Vec<i64>>, Option<Timestamp>) {
        self.active_at[split] = Instant::now();
        self.idle[split] = false;
        self.told_idle = false;
        self.combiner.wake(split);
        let Some(generator) = &mut self.generators[split] else { return (None, None) };
        let others = self.combiner.minimum_of_others(split);
        let floor = self.combiner.current();
        let mut watermarks = Vec::with_capacity(if per_row { times.len() } else { 0 });
        for time in times.values() {
            if per_row {
                watermarks.push(generator.current().min(others).max(floor).0);
            }
            generator.observe(*time);
        }
        let current = generator.current();
        (per_row.then_some(watermarks), self.combiner.update(split, current))
    }

    fn find_idle(&mut self, timeout: Duration) -> Option<Timestamp> {
        let mut advanced = None;
        for split in 0..self.active_at.len() {
            let finished = self.generators[split].as_ref().is_some_and(|g| g.current() == Timestamp::MAX);
            if !self.idle[split] && !finished && self.active_at[split].elapsed() >= timeout {
                self.idle[split] = true;
                advanced = self.combiner.idle(split).or(advanced);
            }
        }
        advanced
    }
}
