//! A chain of operators with what follows it: a sink, or channels to other chains.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use tokio_util::sync::CancellationToken;
use weir_base::clock::{Clock, ManualClock};
use weir_base::time::Timestamp;
use weir_functions::clock::at_instant;

use super::{LookupHead, TaskError, TaskState};
use crate::channel::{OutputEdge, send};
use crate::dirty::{DirtyEntry, DirtyPolicy};
use crate::graph::NodeId;
use crate::message::{Message, TimeDomain};
use crate::metrics::Counters;
use crate::operator::{DirtyRow, Element, Operator, Output};
use crate::sink::{SharedSink, SinkWriter};

/// One operator of a chain.
pub(crate) struct ChainLink {
    pub(crate) node: NodeId,
    /// The sources of the rows it sees, by whose names its dirty rows go.
    pub(crate) sources: String,
    pub(crate) operator: Box<dyn Operator>,
    pub(crate) counters: Arc<Counters>,
}

/// What a chain has to do.
enum Work {
    /// Give an element to the operator at a place, or to what follows the last one.
    Take { at: usize, input: usize, element: Element },
    /// Let an operator go on.
    Resume { at: usize },
    /// Tell an operator the time.
    Tick { at: usize },
}

/// The sink at the end of a chain.
pub(crate) struct SinkTail {
    pub(crate) node: NodeId,
    pub(crate) connector: SharedSink,
    pub(crate) writer: Box<dyn SinkWriter>,
    pub(crate) counters: Arc<Counters>,
    /// Whether output waits for a complete checkpoint.
    pub(crate) transactional: bool,
    /// Number of the last flush; begins at the epoch the job began with.
    pub(crate) flushes: u64,
}

impl SinkTail {
    fn next_flush(&mut self) -> u64 {
        self.flushes += 1;
        self.flushes
    }
}

/// The operators of one subtask, run one after the other on the same thread.
pub(crate) struct Chain {
    /// The join with a dimension table before the operators.
    pub(crate) lookup: Option<LookupHead>,
    pub(crate) links: Vec<ChainLink>,
    pub(crate) sink: Option<SinkTail>,
    pub(crate) outputs: Vec<OutputEdge>,
    /// Counters of the first node, which stand for the time of the whole chain.
    pub(crate) head: Arc<Counters>,
    pub(crate) dirty: Arc<dyn DirtyPolicy>,
    /// The clock that operators and expressions read.
    pub(crate) clock: Arc<dyn Clock>,
    /// The same clock, when the job counts records: it shows the instant of the record that the sources read last.
    pub(crate) record_clock: Option<ManualClock>,
    /// Cancelled when the job is.
    pub(crate) cancel: CancellationToken,
    /// Epoch of the last barrier seen, or of the checkpoint restored from.
    pub(crate) epoch: u64,
}

impl Chain {
    /// Runs a batch of one of the inputs through the chain.
    pub(crate) async fn batch(&mut self, input: usize, batch: RecordBatch) -> Result<(), TaskError> {
        match &self.lookup {
            None => self.element(input, Element::Batch(batch)).await,
            Some(_) => self.look_up(batch).await,
        }
    }

    async fn look_up(&mut self, batch: RecordBatch) -> Result<(), TaskError> {
        let Some(lookup) = self.lookup.take() else { return Ok(()) };
        let outcome = self.joined(&lookup, batch).await;
        self.lookup = Some(lookup);
        outcome
    }

    async fn joined(&mut self, lookup: &LookupHead, batch: RecordBatch) -> Result<(), TaskError> {
        let since = Instant::now();
        let mut output = Output::default();
        let joined = match lookup.join(batch, &mut output).await {
            Err(TaskError::Cancelled) => {
                // Like a subtask that is cancelled between two batches.
                self.flush().await?;
                return Err(TaskError::Cancelled);
            }
            joined => joined?,
        };
        lookup.counters.add_busy(since);
        let Some(mut joined) = joined else {
            return self.pass_joined(lookup, output).await;
        };
        loop {
            let more = at_instant(self.instant(), || joined.next(&mut output))?;
            self.pass_joined(lookup, std::mem::take(&mut output)).await?;
            if !more {
                return Ok(());
            }
            self.stop_when_cancelled().await?;
        }
    }

    /// Runs joined rows through the operators.
    async fn pass_joined(&mut self, lookup: &LookupHead, joined: Output) -> Result<(), TaskError> {
        if !joined.dirty.is_empty() {
            Counters::add(&lookup.counters.dirty, joined.dirty.len() as u64);
            set_aside(self.dirty.as_ref(), &lookup.sources, joined.dirty).await?;
        }
        for element in &joined.elements {
            if let Element::Batch(batch) = element {
                Counters::add(&lookup.counters.records_out, batch.num_rows() as u64);
            }
        }
        let work = joined.elements.into_iter().rev().map(|element| Work::Take { at: 0, input: 0, element });
        self.run(work.collect()).await
    }

    /// Runs a watermark through the chain.
    pub(crate) async fn watermark(
        &mut self,
        domain: TimeDomain,
        watermark: Timestamp,
    ) -> Result<(), TaskError> {
        if let Some(lookup) = &self.lookup
            && domain == TimeDomain::Event
        {
            lookup.counters.set_watermark(watermark);
        }
        self.element(0, Element::Watermark(domain, watermark)).await
    }

    async fn element(&mut self, input: usize, element: Element) -> Result<(), TaskError> {
        self.note_instant(&element);
        self.run(vec![Work::Take { at: 0, input, element }]).await
    }

    /// Works a stack off, the last first: depth first, so that rows and watermarks keep their order. What an operator gives
    /// out in one step is passed on, as far as the channels take it, before the operator goes on.
    async fn run(&mut self, mut stack: Vec<Work>) -> Result<(), TaskError> {
        let instant = self.instant();
        while let Some(work) = stack.pop() {
            let at = match work {
                Work::Take { at, element, .. } if at == self.links.len() => {
                    self.deliver(element).await?;
                    if !stack.is_empty() {
                        self.stop_when_cancelled().await?;
                    }
                    continue;
                }
                Work::Take { at, .. } | Work::Resume { at } | Work::Tick { at } => at,
            };
            let since = Instant::now();
            let is_rest = matches!(work, Work::Resume { .. });
            let (link, mut output) = (&mut self.links[at], Output::default());
            at_instant(instant, || link.work(work, instant, &mut output))?;
            self.head.add_busy(since);
            if output.is_unfinished() {
                stack.push(Work::Resume { at });
            }
            for element in output.elements.into_iter().rev() {
                if let Element::Batch(batch) = &element {
                    Counters::add(&self.links[at].counters.records_out, batch.num_rows() as u64);
                }
                stack.push(Work::Take { at: at + 1, input: 0, element });
            }
            if !output.dirty.is_empty() {
                set_aside(self.dirty.as_ref(), &self.links[at].sources, output.dirty).await?;
            }
            if is_rest {
                // Others have their turn, the one who cancels the job among them.
                tokio::task::yield_now().await;
                self.stop_when_cancelled().await?;
            }
        }
        Ok(())
    }

    /// Ends a long emission when the job is cancelled: what came out before stays, like between two batches.
    async fn stop_when_cancelled(&mut self) -> Result<(), TaskError> {
        if !self.cancel.is_cancelled() {
            return Ok(());
        }
        self.flush_sink().await?;
        Err(TaskError::Cancelled)
    }

    /// Learns from the watermark of processing time when the next record is read.
    fn note_instant(&mut self, element: &Element) {
        if let (Some(clock), Element::Watermark(TimeDomain::Processing, watermark)) =
            (&self.record_clock, element)
            && *watermark < Timestamp::MAX
        {
            clock.set(clock.now().max(Timestamp(watermark.0.saturating_add(1))));
        }
    }

    /// Returns what expressions take for the present.
    fn instant(&self) -> Timestamp {
        self.clock.now()
    }

    async fn deliver(&mut self, element: Element) -> Result<(), TaskError> {
        match element {
            Element::Batch(batch) => {
                if let Some(sink) = &mut self.sink {
                    let since = Instant::now();
                    let bytes = sink.writer.write(&batch).await?;
                    Counters::add(&sink.counters.records_in, batch.num_rows() as u64);
                    Counters::add(&sink.counters.records_out, batch.num_rows() as u64);
                    Counters::add(&sink.counters.bytes, bytes);
                    sink.counters.add_busy(since);
                }
                let Some((last, others)) = self.outputs.split_last() else { return Ok(()) };
                for output in others {
                    route(output, batch.clone(), &self.head).await?;
                }
                route(last, batch, &self.head).await
            }
            Element::Watermark(domain, watermark) => {
                if let Some(sink) = &self.sink
                    && domain == TimeDomain::Event
                {
                    sink.counters.set_watermark(watermark);
                }
                self.broadcast(Message::Watermark(domain, watermark)).await
            }
            Element::Idle => self.broadcast(Message::Idle).await,
        }
    }

    /// Sends a message to every reader of the chain.
    pub(crate) async fn broadcast(&mut self, message: Message) -> Result<(), TaskError> {
        for output in &self.outputs {
            output.broadcast(&message, &self.head).await?;
        }
        Ok(())
    }

    /// Takes the state of the chain at a barrier, or at its end with `last`.
    pub(crate) async fn snapshot(&mut self, epoch: u64, last: bool) -> Result<TaskState, TaskError> {
        let mut state = TaskState::default();
        if !last {
            for link in &mut self.links {
                let bytes = link.operator.snapshot()?;
                if !bytes.is_empty() {
                    state.operators.push((link.node, bytes));
                }
            }
        }
        self.epoch = self.epoch.max(epoch);
        if let Some(sink) = &mut self.sink {
            // Output that does not wait for checkpoints has its own numbers, one per flush.
            let epoch = if sink.transactional { epoch } else { sink.next_flush() };
            let prepared = sink.writer.prepare(epoch, last).await?;
            state.sink = Some((sink.node, prepared.state));
            if let Some(committable) = prepared.committable {
                if sink.transactional {
                    state.committable = Some((sink.node, committable));
                } else {
                    sink.connector.commit(&[committable]).await?;
                }
            }
        }
        Ok(state)
    }

    /// Makes output visible between checkpoints when it need not wait for them.
    pub(crate) async fn flush(&mut self) -> Result<(), TaskError> {
        self.run((0..self.links.len()).rev().map(|at| Work::Tick { at }).collect()).await?;
        if let Some(lookup) = &self.lookup {
            lookup.report_memory();
        }
        for link in &self.links {
            link.counters
                .state_bytes
                .store(link.operator.state_bytes() as u64, std::sync::atomic::Ordering::Relaxed);
        }
        // Also without new rows: an open part may have reached its age.
        self.flush_sink().await
    }

    async fn flush_sink(&mut self) -> Result<(), TaskError> {
        let Some(sink) = self.sink.as_mut().filter(|sink| !sink.transactional) else { return Ok(()) };
        let epoch = sink.next_flush();
        let prepared = sink.writer.prepare(epoch, false).await?;
        if let Some(committable) = prepared.committable {
            sink.connector.commit(&[committable]).await?;
        }
        Ok(())
    }
}

async fn set_aside(policy: &dyn DirtyPolicy, name: &str, rows: Vec<DirtyRow>) -> Result<(), TaskError> {
    let entry = |row: DirtyRow| DirtyEntry { reason: row.reason, data: row.data.into_bytes(), place: None };
    policy.handle(name, rows.into_iter().map(entry).collect()).await.map_err(TaskError::Dirty)
}

async fn route(output: &OutputEdge, batch: RecordBatch, counters: &Counters) -> Result<(), TaskError> {
    for (subtask, rows) in output.route(batch)? {
        send(&output.senders[subtask], Message::Batch(rows), counters).await?;
    }
    Ok(())
}

impl ChainLink {
    fn work(&mut self, work: Work, now: Timestamp, output: &mut Output) -> Result<(), TaskError> {
        match work {
            Work::Take { input, element: Element::Batch(batch), .. } => {
                Counters::add(&self.counters.records_in, batch.num_rows() as u64);
                self.operator.process(input, batch, output)?;
            }
            Work::Take { element: Element::Watermark(domain, watermark), .. } => {
                if domain == TimeDomain::Event {
                    self.counters.set_watermark(watermark);
                }
                self.operator.watermark(domain, watermark, output)?;
            }
            Work::Take { element: Element::Idle, .. } => output.elements.push(Element::Idle),
            Work::Resume { .. } => self.operator.resume(output)?,
            Work::Tick { .. } => self.operator.tick(now, output)?,
        }
        Counters::add(&self.counters.late, output.late);
        Counters::add(&self.counters.dirty, output.dirty.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;
    use weir_base::clock::SystemClock;

    use super::*;
    use crate::dirty::DropDirty;
    use crate::operator::OperatorError;

    /// Has always more to give out. The job is cancelled after some steps.
    struct Endless {
        steps: usize,
        cancel: CancellationToken,
    }

    impl Operator for Endless {
        fn process(
            &mut self,
            _input: usize,
            batch: RecordBatch,
            output: &mut Output,
        ) -> Result<(), OperatorError> {
            output.emit(batch);
            self.resume(output)
        }

        fn resume(&mut self, output: &mut Output) -> Result<(), OperatorError> {
            self.steps += 1;
            assert!(self.steps <= 3, "it goes on though the job is cancelled");
            if self.steps == 3 {
                self.cancel.cancel();
            }
            output.leave_rest();
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_long_emission_ends_when_the_job_is_cancelled() {
        let cancel = CancellationToken::new();
        let counters = Arc::new(Counters::default());
        let link = ChainLink {
            node: NodeId(0),
            sources: "Source: S".to_string(),
            operator: Box::new(Endless { steps: 0, cancel: cancel.clone() }),
            counters: counters.clone(),
        };
        let mut chain = Chain {
            lookup: None,
            links: vec![link],
            sink: None,
            outputs: Vec::new(),
            head: counters,
            dirty: Arc::new(DropDirty),
            clock: Arc::new(SystemClock),
            record_clock: None,
            cancel,
            epoch: 0,
        };
        let batch = RecordBatch::new_empty(Arc::new(Schema::empty()));
        assert!(matches!(chain.batch(0, batch).await, Err(TaskError::Cancelled)));
    }
}
