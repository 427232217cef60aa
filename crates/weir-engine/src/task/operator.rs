//! The loop of a subtask that reads channels: combines watermarks and aligns barriers.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use tokio_util::sync::CancellationToken;
use weir_base::time::Timestamp;

use super::{Chain, EventSender, TaskError, TaskEvent, TaskId};
use crate::channel::Receiver;
use crate::message::{Message, ROW_WATERMARK, TimeDomain};
use crate::operator::OperatorError;
use crate::watermark::Combiner;

/// How often a subtask makes output visible that does not wait for checkpoints, and looks at idleness.
pub(crate) const FLUSH_INTERVAL: Duration = Duration::from_millis(500);

/// Whether rows can come over a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// They can.
    Possible,
    /// The writer reads nothing: a source subtask without splits, or one fed by such ones alone.
    Never,
}

/// A channel that a subtask reads.
pub(crate) struct TaskInput {
    /// Place of the input that it is part of among those of the node.
    pub(crate) input: usize,
    pub(crate) receiver: Receiver,
    pub(crate) rows: Rows,
}

struct InputChannel {
    input: usize,
    receiver: Receiver,
    ended: bool,
    /// Whether the channel has delivered the barrier of the checkpoint under way.
    at_barrier: bool,
}

/// A subtask whose rows come over channels.
pub(crate) struct OperatorTask {
    pub(crate) id: TaskId,
    pub(crate) chain: Chain,
    inputs: Vec<InputChannel>,
    event_time: Combiner,
    processing_time: Combiner,
    /// Whether lateness is a matter of each input of the node alone.
    inputs_apart: bool,
    /// Whether a channel waits at its barrier for the others.
    aligned: bool,
    next: usize,
    told_idle: bool,
    events: EventSender,
    cancel: CancellationToken,
}

impl OperatorTask {
    pub(crate) fn new(
        id: TaskId,
        chain: Chain,
        channels: Vec<TaskInput>,
        aligned: bool,
        events: EventSender,
        cancel: CancellationToken,
    ) -> Self {
        let count = channels.len();
        let mut event_time = Combiner::new(count);
        let mut processing_time = Combiner::new(count);
        let mut inputs = Vec::with_capacity(count);
        for (channel, TaskInput { input, receiver, rows }) in channels.into_iter().enumerate() {
            if rows == Rows::Never {
                // It will say so itself when it ends, but until then it must not make late rows look timely.
                event_time.update(channel, Timestamp::MAX);
                processing_time.update(channel, Timestamp::MAX);
            }
            inputs.push(InputChannel { input, receiver, ended: false, at_barrier: false });
        }
        let inputs_apart = chain.links.first().is_some_and(|link| link.operator.tells_inputs_apart());
        Self {
            id,
            chain,
            inputs,
            inputs_apart,
            event_time,
            processing_time,
            aligned,
            next: 0,
            told_idle: false,
            events,
            cancel,
        }
    }

    pub(crate) async fn run(mut self) -> Result<(), TaskError> {
        let mut flush_at = tokio::time::interval(FLUSH_INTERVAL);
        flush_at.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut barrier_epoch = 0;
        while self.inputs.iter().any(|input| !input.ended) {
            let cancel = self.cancel.clone();
            let (channel, message) = tokio::select! {
                biased;
                () = cancel.cancelled() => {
                    self.chain.flush().await?;
                    return Err(TaskError::Cancelled);
                }
                _ = flush_at.tick() => {
                    self.chain.flush().await?;
                    continue;
                }
                received = self.receive() => received,
            };
            match message {
                None => return Err(TaskError::Cancelled),
                Some(Message::Batch(batch)) => {
                    self.told_idle = false;
                    self.event_time.wake(channel);
                    let input = self.inputs[channel].input;
                    let counts = |other: usize| {
                        other != channel && (!self.inputs_apart || self.inputs[other].input == input)
                    };
                    let others = self.event_time.minimum_where(counts);
                    self.chain.batch(input, bounded_by(batch, others)?).await?;
                }
                Some(Message::Watermark(TimeDomain::Event, watermark)) => {
                    let combined = self.event_time.update(channel, watermark);
                    self.advance(TimeDomain::Event, combined).await?;
                }
                Some(Message::Watermark(TimeDomain::Processing, watermark)) => {
                    let combined = self.processing_time.update(channel, watermark);
                    self.advance(TimeDomain::Processing, combined).await?;
                }
                Some(Message::Idle) => {
                    let combined = self.event_time.idle(channel);
                    self.advance(TimeDomain::Event, combined).await?;
                    if self.event_time.all_idle() && !self.told_idle {
                        self.told_idle = true;
                        self.chain.broadcast(Message::Idle).await?;
                    }
                }
                Some(Message::Barrier(epoch)) => {
                    barrier_epoch = epoch;
                    self.inputs[channel].at_barrier = true;
                }
                Some(Message::End) => self.end(channel).await?,
            }
            if self.barrier_complete() {
                self.barrier(barrier_epoch).await?;
            }
        }
        self.chain.watermark(TimeDomain::Event, Timestamp::MAX).await?;
        self.chain.watermark(TimeDomain::Processing, Timestamp::MAX).await?;
        let state = self.chain.snapshot(self.chain.epoch + 1, true).await?;
        // Told before any reader can see the end: the coordinator must not take the end of a reader for
        // later than that of its input.
        let _ = self.events.send(TaskEvent::Finished { task: self.id, state }).await;
        self.chain.broadcast(Message::End).await?;
        Ok(())
    }

    /// Waits for a message of a channel that is neither ended nor waiting at a barrier. Fair: begins with the
    /// channel after the one served last.
    async fn receive(&mut self) -> (usize, Option<Message>) {
        let count = self.inputs.len();
        let aligned = self.aligned;
        let start = self.next;
        let inputs = &mut self.inputs;
        let (channel, message) = poll_fn(|context| {
            for offset in 0..count {
                let channel = (start + offset) % count;
                let input = &mut inputs[channel];
                if input.ended || (aligned && input.at_barrier) {
                    continue;
                }
                if let Poll::Ready(message) = input.receiver.poll_recv(context) {
                    return Poll::Ready((channel, message));
                }
            }
            Poll::Pending
        })
        .await;
        self.next = channel + 1;
        (channel, message)
    }

    async fn advance(&mut self, domain: TimeDomain, watermark: Option<Timestamp>) -> Result<(), TaskError> {
        match watermark {
            Some(watermark) => self.chain.watermark(domain, watermark).await,
            None => Ok(()),
        }
    }

    async fn end(&mut self, channel: usize) -> Result<(), TaskError> {
        self.inputs[channel].ended = true;
        // The end of all inputs is announced by the loop.
        let unless_last = |watermark: &Timestamp| *watermark < Timestamp::MAX;
        let combined = self.event_time.update(channel, Timestamp::MAX).filter(unless_last);
        self.advance(TimeDomain::Event, combined).await?;
        let combined = self.processing_time.update(channel, Timestamp::MAX).filter(unless_last);
        self.advance(TimeDomain::Processing, combined).await
    }

    fn barrier_complete(&self) -> bool {
        self.inputs.iter().any(|input| input.at_barrier)
            && self.inputs.iter().all(|input| input.at_barrier || input.ended)
    }

    async fn barrier(&mut self, epoch: u64) -> Result<(), TaskError> {
        let since = Instant::now();
        let state = self.chain.snapshot(epoch, false).await?;
        self.chain.head.add_busy(since);
        self.chain.broadcast(Message::Barrier(epoch)).await?;
        let _ = self.events.send(TaskEvent::Snapshot { task: self.id, epoch, state }).await;
        for input in &mut self.inputs {
            input.at_barrier = false;
        }
        Ok(())
    }
}

/// Lowers the row watermarks of a batch to the watermark of the other channels: to whoever reads the rows next, only what
/// all of them have reached was in force.
fn bounded_by(batch: RecordBatch, others: Timestamp) -> Result<RecordBatch, OperatorError> {
    let schema = batch.schema();
    let last = batch.num_columns().saturating_sub(1);
    if others == Timestamp::MAX || schema.fields().get(last).is_none_or(|field| field.name() != ROW_WATERMARK)
    {
        return Ok(batch);
    }
    let watermarks = batch.column(last).as_primitive::<Int64Type>();
    if watermarks.values().iter().all(|watermark| *watermark <= others.0) {
        return Ok(batch);
    }
    let bounded: Int64Array = watermarks.unary(|watermark| watermark.min(others.0));
    let mut columns = batch.columns().to_vec();
    columns[last] = Arc::new(bounded);
    Ok(RecordBatch::try_new(schema, columns)?)
}
