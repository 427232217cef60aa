//! Checkpoints of a job one of whose sources ends while others go on.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use object_store::memory::InMemory;
use weir_base::clock::{Clock, SystemClock};
use weir_base::settings::CheckpointMode;
use weir_base::spawn::TokioSpawner;
use weir_engine::checkpoint::{CheckpointStorage, Manifest};
use weir_engine::dirty::DropDirty;
use weir_engine::error::ConnectorError;
use weir_engine::graph::{Exchange, Graph, Input, Node, NodeKind, SourceNode};
use weir_engine::job::{JobHandle, JobSpec, Outcome, Surroundings};
use weir_engine::operator::Evaluator;
use weir_engine::sink::{Guarantee, Prepared, SinkConnector, SinkWriter, WriterContext};
use weir_engine::source::{SourceBatch, SourceConnector, SourceEvent, SourceReader, Split};

/// Rows of the source that ends.
const ROWS: i64 = 30;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]))
}

/// Counts from its position; ends at `end`, or goes on for ever, a number every millisecond.
#[derive(Clone)]
struct Count {
    end: Option<i64>,
}

struct CountReader {
    count: Count,
    splits: Vec<Split>,
    next: i64,
}

#[async_trait]
impl SourceConnector for Count {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn is_bounded(&self) -> bool {
        self.end.is_some()
    }

    async fn splits(&self) -> Result<Vec<Split>, ConnectorError> {
        Ok(vec![Split { id: "0".into(), position: None, finished: false }])
    }

    async fn open(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError> {
        let next = splits.iter().find_map(|split| split.position.as_ref()?.parse().ok()).unwrap_or(0);
        Ok(Box::new(CountReader { count: self.clone(), splits, next }))
    }
}

#[async_trait]
impl SourceReader for CountReader {
    async fn next(&mut self) -> Result<SourceEvent, ConnectorError> {
        if self.splits.is_empty() || self.count.end.is_some_and(|end| self.next >= end) {
            return Ok(SourceEvent::Finished);
        }
        if self.count.end.is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let rows = RecordBatch::try_new(schema(), vec![Arc::new(Int64Array::from(vec![self.next]))])
            .map_err(|error| ConnectorError::permanent(error.to_string()))?;
        self.next += 1;
        self.splits[0].position = Some(self.next.to_string());
        Ok(SourceEvent::Batch(SourceBatch { split: "0".into(), rows, dirty: Vec::new(), bytes: 8 }))
    }

    fn positions(&self) -> Vec<Split> {
        let finished = self.count.end.is_some_and(|end| self.next >= end);
        self.splits.iter().cloned().map(|split| Split { finished, ..split }).collect()
    }
}

/// Adds up what it is given; the sum so far is its state. A slow sink lets checkpoints meet rows under way.
#[derive(Clone)]
struct Sum {
    delay: Duration,
    committed: Arc<AtomicU64>,
}

struct SumWriter {
    sum: u64,
    delay: Duration,
}

#[async_trait]
impl SinkConnector for Sum {
    fn guarantee(&self) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    async fn discard_uncommitted(&self, _restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn open(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        let sum = context
            .states
            .iter()
            .filter_map(|state| Some(u64::from_le_bytes(state[..].try_into().ok()?)))
            .sum();
        Ok(Box::new(SumWriter { sum, delay: self.delay }))
    }

    async fn commit(&self, committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        for sum in committables.iter().filter_map(|sum| Some(u64::from_le_bytes(sum[..].try_into().ok()?))) {
            self.committed.fetch_max(sum, Ordering::SeqCst);
        }
        Ok(())
    }
}

#[async_trait]
impl SinkWriter for SumWriter {
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        tokio::time::sleep(self.delay).await;
        self.sum +=
            rows.column(0).as_primitive::<Int64Type>().values().iter().map(|n| *n as u64).sum::<u64>();
        Ok(0)
    }

    async fn prepare(&mut self, _epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        let sum = self.sum.to_le_bytes().to_vec();
        Ok(Prepared { state: sum.clone(), committable: Some(sum) })
    }
}

fn source(id: &str, end: Option<i64>) -> Node {
    let kind = NodeKind::Source(SourceNode {
        connector: Arc::new(Count { end }),
        event_time: None,
        proctime: false,
        processing_time: false,
        row_watermark: false,
        schema: schema(),
    });
    Node { id: id.into(), name: id.into(), description: String::new(), kind, inputs: Vec::new() }
}

async fn start(storage: &CheckpointStorage, committed: &Arc<AtomicU64>) -> JobHandle {
    let mut graph = Graph::default();
    let short = graph.add(source("short", Some(ROWS)));
    let endless = graph.add(source("endless", None));
    let inputs = |from| vec![Input { from, exchange: Exchange::Forward }];
    let sink = |delay| NodeKind::Sink(Arc::new(Sum { delay, committed: committed.clone() }));
    let node = |id: &str, kind, inputs| Node {
        id: id.into(),
        name: id.into(),
        description: String::new(),
        kind,
        inputs,
    };
    // A task of its own between source and sink, so that barriers wait in channels.
    let union = NodeKind::Operator(Arc::new(Evaluator::new(None, None)));
    let both = [inputs(short), inputs(short)].concat();
    let union = graph.add(node("union", union, both));
    graph.add(node("sink", sink(Duration::from_millis(1)), inputs(union)));
    let elsewhere = Arc::new(AtomicU64::new(0));
    let nothing = NodeKind::Sink(Arc::new(Sum { delay: Duration::ZERO, committed: elsewhere }));
    graph.add(node("nothing", nothing, inputs(endless)));
    let spec = JobSpec {
        graph,
        parallelism: 1,
        storage: storage.clone(),
        checkpoint_interval: Some(Duration::from_millis(3)),
        mode: CheckpointMode::ExactlyOnce,
        restore: None,
        first_epoch: u64::try_from(SystemClock.now().0).unwrap(),
        idle_timeout: None,
        record_clock: None,
    };
    let surroundings = Surroundings {
        clock: Arc::new(SystemClock),
        spawner: Arc::new(TokioSpawner),
        dirty: Arc::new(DropDirty),
    };
    JobHandle::start(spec, surroundings).await.unwrap()
}

/// Checks that a checkpoint holds the sum of just those rows that its source position has passed.
fn check(manifest: &Manifest) {
    let split = &manifest.operators["short"].splits[0].split;
    let position: u64 = split.position.as_ref().map_or(0, |position| position.parse().unwrap());
    let sum = BASE64.decode(&manifest.operators["sink"].writers[0]).unwrap();
    let sum = u64::from_le_bytes(sum[..].try_into().unwrap());
    let rows = (0..position).sum::<u64>();
    assert_eq!(sum, 2 * rows, "position {position}, finished {}", split.finished);
}

/// A source that ends between two barriers must not put its end into a checkpoint whose readers took their
/// snapshot before: after a restore the rows between would be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_checkpoint_is_consistent_while_a_source_ends() {
    let expected = 2 * (0..ROWS as u64).sum::<u64>();
    for _ in 0..20 {
        let storage = CheckpointStorage::new(Arc::new(InMemory::new()), "c");
        let committed = Arc::new(AtomicU64::new(0));
        let job = start(&storage, &committed).await;
        let mut checked = 0;
        while committed.load(Ordering::SeqCst) < expected {
            if let Some(manifest) = storage.newest_complete().await.unwrap()
                && manifest.epoch > checked
            {
                check(&manifest);
                checked = manifest.epoch;
            }
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
        job.cancel();
        assert_eq!(job.wait().await, Outcome::Cancelled);
    }
}
