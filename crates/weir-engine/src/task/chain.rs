//! A chain of operators with what follows it: a sink, or channels to other chains.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
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

/// Rows set aside, by the name of the operator.
type Dirty = Vec<(String, Vec<DirtyRow>)>;

/// One operator of a chain.
pub(crate) struct ChainLink {
    pub(crate) node: NodeId,
    pub(crate) name: String,
    pub(crate) operator: Box<dyn Operator>,
    pub(crate) counters: Arc<Counters>,
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
        }
    }

    /// Runs joined rows through the operators.
    async fn pass_joined(&mut self, lookup: &LookupHead, joined: Output) -> Result<(), TaskError> {
        let since = Instant::now();
        let (mut results, mut dirty) = (Vec::new(), Vec::new());
        if !joined.dirty.is_empty() {
            Counters::add(&lookup.counters.dirty, joined.dirty.len() as u64);
            dirty.push((lookup.name.clone(), joined.dirty));
        }
        let instant = self.instant();
        for element in joined.elements {
            if let Element::Batch(batch) = &element {
                Counters::add(&lookup.counters.records_out, batch.num_rows() as u64);
            }
            at_instant(instant, || run(&mut self.links, 0, element, &mut results, &mut dirty))?;
        }
        self.head.add_busy(since);
        self.give_out(results, dirty).await
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
        let since = Instant::now();
        let mut results = Vec::new();
        let mut dirty = Vec::new();
        self.note_instant(&element);
        at_instant(self.instant(), || run(&mut self.links, input, element, &mut results, &mut dirty))?;
        self.head.add_busy(since);
        self.give_out(results, dirty).await
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

    async fn give_out(&mut self, results: Vec<Element>, dirty: Dirty) -> Result<(), TaskError> {
        for (name, rows) in dirty {
            let entries = rows
                .into_iter()
                .map(|row: DirtyRow| DirtyEntry {
                    reason: row.reason,
                    data: row.data.into_bytes(),
                    place: None,
                })
                .collect();
            self.dirty.handle(&name, entries).await.map_err(TaskError::Dirty)?;
        }
        for element in results {
            self.deliver(element).await?;
        }
        Ok(())
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
        let mut results = Vec::new();
        let mut dirty = Vec::new();
        let instant = self.instant();
        for at in 0..self.links.len() {
            let Some((link, rest)) = self.links[at..].split_first_mut() else { break };
            at_instant(instant, || {
                let mut output = Output::default();
                link.operator.tick(instant, &mut output)?;
                pass_on(link, rest, output, &mut results, &mut dirty)
            })?;
        }
        self.give_out(results, dirty).await?;
        if let Some(lookup) = &self.lookup {
            lookup.report_memory();
        }
        for link in &self.links {
            link.counters
                .state_bytes
                .store(link.operator.state_bytes() as u64, std::sync::atomic::Ordering::Relaxed);
        }
        // Also without new rows: an open part may have reached its age.
        let Some(sink) = self.sink.as_mut().filter(|sink| !sink.transactional) else { return Ok(()) };
        let epoch = sink.next_flush();
        let prepared = sink.writer.prepare(epoch, false).await?;
        if let Some(committable) = prepared.committable {
            sink.connector.commit(&[committable]).await?;
        }
        Ok(())
    }
}

async fn route(output: &OutputEdge, batch: RecordBatch, counters: &Counters) -> Result<(), TaskError> {
    for (subtask, rows) in output.route(batch)? {
        send(&output.senders[subtask], Message::Batch(rows), counters).await?;
    }
    Ok(())
}

/// Runs an element through operators, depth first, so that rows and watermarks keep their order.
fn run(
    links: &mut [ChainLink],
    input: usize,
    element: Element,
    results: &mut Vec<Element>,
    dirty: &mut Dirty,
) -> Result<(), TaskError> {
    let Some((link, rest)) = links.split_first_mut() else {
        results.push(element);
        return Ok(());
    };
    let mut output = Output::default();
    match element {
        Element::Batch(batch) => {
            Counters::add(&link.counters.records_in, batch.num_rows() as u64);
            link.operator.process(input, batch, &mut output)?;
        }
        Element::Watermark(domain, watermark) => {
            if domain == TimeDomain::Event {
                link.counters.set_watermark(watermark);
            }
            link.operator.watermark(domain, watermark, &mut output)?;
        }
        Element::Idle => output.elements.push(Element::Idle),
    }
    pass_on(link, rest, output, results, dirty)
}

/// Counts what an operator has given out and runs it through those after it.
fn pass_on(
    link: &mut ChainLink,
    rest: &mut [ChainLink],
    output: Output,
    results: &mut Vec<Element>,
    dirty: &mut Dirty,
) -> Result<(), TaskError> {
    Counters::add(&link.counters.late, output.late);
    if !output.dirty.is_empty() {
        Counters::add(&link.counters.dirty, output.dirty.len() as u64);
        dirty.push((link.name.clone(), output.dirty));
    }
    for element in output.elements {
        if let Element::Batch(batch) = &element {
            Counters::add(&link.counters.records_out, batch.num_rows() as u64);
        }
        run(rest, 0, element, results, dirty)?;
    }
    Ok(())
}
