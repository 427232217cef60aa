//! Joins with dimension tables in running jobs: servers that fail and come back, answers that grow old, tables that
//! change. The clock of the tables is the test's own, rows are fed one by one, and nothing sleeps.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion_physical_expr::expressions::Column;
use object_store::memory::InMemory;
use tokio::sync::{Notify, mpsc};
use weir_base::clock::{Clock, ManualClock, SystemClock};
use weir_base::connector::TableKeys;
use weir_base::settings::{CheckpointMode, JobSettings};
use weir_base::spawn::TokioSpawner;
use weir_base::time::Timestamp;
use weir_cloud::objects::{Objects, ObjectsConfig};
use weir_cloud::streams::LocalStreams;
use weir_connectors::{CacheOptions, CachedLookup, Environment, FileAccess, LogPrint, Network};
use weir_engine::checkpoint::CheckpointStorage;
use weir_engine::dirty::DropDirty;
use weir_engine::error::ConnectorError;
use weir_engine::graph::{Exchange, Graph, Input, Node, NodeKind, SourceNode};
use weir_engine::job::{JobHandle, JobSpec, Outcome, Surroundings};
use weir_engine::lookup::{LookedUp, LookupConnector, SharedLookup};
use weir_engine::operator::{LookupKind, LookupSpec};
use weir_engine::sink::{Guarantee, Prepared, SinkConnector, SinkWriter, WriterContext};
use weir_engine::source::{SourceBatch, SourceConnector, SourceEvent, SourceReader, Split};
use weir_sql::{DimensionTable, Options};
use weir_testkit::servers::Redis;

/// A job that waits longer than this for a row will wait for ever.
const LIMIT: Duration = Duration::from_secs(60);

fn schema(columns: &[&str]) -> SchemaRef {
    Arc::new(Schema::new(
        columns.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect::<Vec<_>>(),
    ))
}

fn batch(columns: &[&str], rows: &[&[&str]]) -> RecordBatch {
    let arrays = (0..columns.len())
        .map(|at| Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row[at]))) as _)
        .collect();
    RecordBatch::try_new(schema(columns), arrays).unwrap()
}

/// Delivers the keys that the test feeds, and ends when the test has no more.
struct Fed(Mutex<Option<mpsc::UnboundedReceiver<String>>>);

struct FedReader {
    keys: mpsc::UnboundedReceiver<String>,
}

#[async_trait]
impl SourceConnector for Fed {
    fn schema(&self) -> SchemaRef {
        schema(&["k"])
    }

    fn is_bounded(&self) -> bool {
        true
    }

    async fn splits(&self) -> Result<Vec<Split>, ConnectorError> {
        Ok(vec![Split { id: "0".into(), position: None, finished: false }])
    }

    async fn open(&self, _splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError> {
        Ok(Box::new(FedReader { keys: self.0.lock().unwrap().take().unwrap() }))
    }
}

#[async_trait]
impl SourceReader for FedReader {
    async fn next(&mut self) -> Result<SourceEvent, ConnectorError> {
        let Some(key) = self.keys.recv().await else { return Ok(SourceEvent::Finished) };
        let rows = batch(&["k"], &[&[&key]]);
        Ok(SourceEvent::Batch(SourceBatch { split: "0".into(), rows, dirty: Vec::new(), bytes: 1 }))
    }

    fn positions(&self) -> Vec<Split> {
        vec![Split { id: "0".into(), position: None, finished: false }]
    }
}

/// Hands the joined rows over to the test.
#[derive(Clone)]
struct Shown(mpsc::UnboundedSender<String>);

#[async_trait]
impl SinkConnector for Shown {
    fn guarantee(&self) -> Guarantee {
        Guarantee::AtLeastOnce
    }

    async fn discard_uncommitted(&self, _restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn open(&self, _context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        Ok(Box::new(self.clone()))
    }

    async fn commit(&self, _committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        Ok(())
    }
}

#[async_trait]
impl SinkWriter for Shown {
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        let column = |at: usize| rows.column(at).as_string::<i32>();
        for row in 0..rows.num_rows() {
            let value = if column(2).is_null(row) { "nothing" } else { column(2).value(row) };
            let _ = self.0.send(format!("{}: {value}", column(0).value(row)));
        }
        Ok(0)
    }

    async fn prepare(&mut self, _epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        Ok(Prepared::default())
    }
}

/// A running job that looks the keys it is fed up in a table with columns `k` and `v`.
struct Job {
    handle: JobHandle,
    feed: mpsc::UnboundedSender<String>,
    shown: mpsc::UnboundedReceiver<String>,
}

impl Job {
    async fn start(table: SharedLookup, clock: Arc<dyn Clock>) -> Self {
        let (feed, keys) = mpsc::unbounded_channel();
        let (show, shown) = mpsc::unbounded_channel();
        let mut graph = Graph::default();
        let node = |id: &str, kind, inputs| Node {
            id: id.into(),
            name: id.into(),
            description: String::new(),
            kind,
            inputs,
        };
        let forward = |from| vec![Input { from, exchange: Exchange::Forward }];
        let source = NodeKind::Source(SourceNode {
            connector: Arc::new(Fed(Mutex::new(Some(keys)))),
            event_time: None,
            proctime: false,
            processing_time: false,
            row_watermark: false,
            schema: schema(&["k"]),
        });
        let source = graph.add(node("source", source, Vec::new()));
        let lookup = NodeKind::Lookup(Arc::new(LookupSpec {
            table,
            key_columns: vec![0],
            keys: vec![Arc::new(Column::new("k", 0))],
            kind: LookupKind::Left,
            input: schema(&["k"]),
            visible: 1,
            output: schema(&["k", "k2", "v"]),
        }));
        let lookup = graph.add(node("lookup", lookup, forward(source)));
        graph.add(node("sink", NodeKind::Sink(Arc::new(Shown(show))), forward(lookup)));
        let spec = JobSpec {
            graph,
            parallelism: 1,
            storage: CheckpointStorage::new(Arc::new(InMemory::new()), "c"),
            checkpoint_interval: None,
            mode: CheckpointMode::ExactlyOnce,
            restore: None,
            first_epoch: 1,
            idle_timeout: None,
            record_clock: None,
        };
        let surroundings =
            Surroundings { clock, spawner: Arc::new(TokioSpawner), dirty: Arc::new(DropDirty) };
        Self { handle: JobHandle::start(spec, surroundings).await.unwrap(), feed, shown }
    }

    fn feed(&self, key: &str) {
        self.feed.send(key.to_string()).unwrap();
    }

    async fn next(&mut self) -> String {
        tokio::time::timeout(LIMIT, self.shown.recv()).await.expect("a row in time").expect("a row")
    }

    /// Feeds a key and returns the row that comes of it.
    async fn ask(&mut self, key: &str) -> String {
        self.feed(key);
        self.next().await
    }

    /// Feeds nothing more and waits for the end.
    async fn end(self) -> Outcome {
        drop(self.feed);
        tokio::time::timeout(LIMIT, self.handle.wait()).await.expect("an end in time")
    }
}

/// A table that answers `v{version}` for each key but `missing`, after some faults.
#[derive(Default)]
struct Stub {
    version: AtomicU64,
    /// How many more calls fail, and whether their faults may pass.
    failing: AtomicUsize,
    permanent: bool,
    calls: AtomicUsize,
}

#[async_trait]
impl LookupConnector for Stub {
    fn schema(&self) -> SchemaRef {
        schema(&["k2", "v"])
    }

    async fn look_up(&self, _columns: &[usize], keys: &RecordBatch) -> Result<LookedUp, ConnectorError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let fails = |left: usize| left.checked_sub(1);
        if self.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails).is_ok() {
            let text = "table `T`: the server is away";
            return Err(match self.permanent {
                true => ConnectorError::permanent(text),
                false => ConnectorError::transient(text),
            });
        }
        let version = format!("v{}", self.version.load(Ordering::SeqCst));
        let keys = keys.column(0).as_string::<i32>();
        let found: Vec<u32> =
            (0..keys.len()).filter(|at| keys.value(*at) != "missing").map(|at| at as u32).collect();
        let rows: Vec<[&str; 2]> =
            found.iter().map(|at| [keys.value(*at as usize), version.as_str()]).collect();
        let rows: Vec<&[&str]> = rows.iter().map(|row| row.as_slice()).collect();
        Ok(LookedUp { rows: batch(&["k2", "v"], &rows), keys: found, faults: Vec::new() })
    }
}

fn manual() -> ManualClock {
    ManualClock::new(Timestamp(1_767_225_600_000))
}

#[tokio::test]
async fn a_fault_that_passes_is_waited_for_and_no_row_is_lost() {
    let stub = Arc::new(Stub { failing: AtomicUsize::new(5), ..Stub::default() });
    let mut job = Job::start(stub.clone(), Arc::new(manual())).await;
    assert_eq!(job.ask("a").await, "a: v0");
    assert_eq!(stub.calls.load(Ordering::SeqCst), 6);
    stub.failing.store(1, Ordering::SeqCst);
    assert_eq!((job.ask("missing").await, job.ask("b").await), ("missing: nothing".into(), "b: v0".into()));
    assert_eq!(job.end().await, Outcome::Finished);
}

#[tokio::test]
async fn a_fault_that_stays_fails_the_job_with_its_reason() {
    let stub = Arc::new(Stub { failing: AtomicUsize::new(usize::MAX), ..Stub::default() });
    let job = Job::start(stub.clone(), Arc::new(manual())).await;
    job.feed("a");
    let Outcome::Failed(reason) = job.end().await else { panic!("it ended well") };
    assert!(reason.contains("table `T`: the server is away"), "{reason}");
    let calls = stub.calls.load(Ordering::SeqCst);
    assert!((10..100).contains(&calls), "a minute of growing pauses, not {calls} attempts");
}

#[tokio::test]
async fn a_fault_that_cannot_pass_fails_the_job_at_once() {
    let stub = Arc::new(Stub { failing: AtomicUsize::new(1), permanent: true, ..Stub::default() });
    let job = Job::start(stub.clone(), Arc::new(manual())).await;
    job.feed("a");
    assert!(matches!(job.end().await, Outcome::Failed(_)));
    assert_eq!(stub.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_job_that_is_cancelled_does_not_go_on_asking() {
    let stub = Arc::new(Stub { failing: AtomicUsize::new(usize::MAX), ..Stub::default() });
    let watched = Arc::new(Watched { inner: stub.clone(), failed: Notify::new() });
    let job = Job::start(watched.clone(), Arc::new(SystemClock)).await;
    job.feed("a");
    watched.failed.notified().await;
    job.handle.cancel();
    assert_eq!(job.end().await, Outcome::Cancelled);
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_and_then_asked_for_again() {
    let clock = manual();
    let stub = Arc::new(Stub::default());
    let options = CacheOptions { entries: 10, time_to_live: Duration::from_secs(10) };
    let cached = CachedLookup::new(stub.clone(), options, Arc::new(clock.clone()));
    let mut job = Job::start(Arc::new(cached), Arc::new(clock.clone())).await;
    assert_eq!((job.ask("a").await, job.ask("missing").await), ("a: v0".into(), "missing: nothing".into()));
    stub.version.store(1, Ordering::SeqCst);
    clock.advance(Duration::from_millis(9_999));
    assert_eq!((job.ask("a").await, job.ask("missing").await), ("a: v0".into(), "missing: nothing".into()));
    assert_eq!(stub.calls.load(Ordering::SeqCst), 2, "both answers were kept, also the empty one");
    clock.advance(Duration::from_millis(1));
    assert_eq!((job.ask("a").await, job.ask("b").await), ("a: v1".into(), "b: v1".into()));
    assert_eq!(stub.calls.load(Ordering::SeqCst), 4);
    assert_eq!(job.end().await, Outcome::Finished);
}

#[tokio::test]
async fn a_fault_is_not_kept() {
    let clock = manual();
    let stub = Arc::new(Stub { failing: AtomicUsize::new(3), ..Stub::default() });
    let options = CacheOptions { entries: 10, time_to_live: Duration::from_secs(10) };
    let cached = CachedLookup::new(stub.clone(), options, Arc::new(clock.clone()));
    let mut job = Job::start(Arc::new(cached), Arc::new(clock)).await;
    assert_eq!((job.ask("a").await, job.ask("a").await), ("a: v0".into(), "a: v0".into()));
    assert_eq!(stub.calls.load(Ordering::SeqCst), 4, "three faults, one answer, which is kept");
}

fn declared(pairs: &[(&str, &str)]) -> DimensionTable {
    DimensionTable {
        name: "T".to_string(),
        schema: schema(&["k2", "v"]),
        options: Options(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()),
        keys: TableKeys::Any,
    }
}

fn environment(place: &Path, clock: Arc<dyn Clock>) -> Environment {
    Environment {
        objects: Objects::new(ObjectsConfig::Local(place.join("objects"))),
        streams: Arc::new(LocalStreams::open(&place.join("streams"), Arc::new(SystemClock)).unwrap()),
        project: "p".to_string(),
        job: "job-1".to_string(),
        run: clock.now(),
        files: FileAccess::Anywhere,
        settings: JobSettings::default(),
        network: Network::default(),
        print: Arc::new(LogPrint::new(clock.clone())),
        sources: Default::default(),
        gateway: None,
        sinks: Default::default(),
        clock,
    }
}

#[tokio::test]
async fn a_file_that_changes_is_read_again_while_the_job_runs() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("table.csv");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write("a,one\n");
    let clock = manual();
    let environment = environment(place.path(), Arc::new(clock.clone()));
    let table = declared(&[("type", "file"), ("path", path.to_str().unwrap()), ("encode", "csv")]);
    let table = weir_connectors::table(&table, &environment).unwrap();
    let mut job = Job::start(table, Arc::new(clock.clone())).await;
    assert_eq!((job.ask("a").await, job.ask("b").await), ("a: one".into(), "b: nothing".into()));

    write("a,another\nb,two\n");
    assert_eq!(job.ask("a").await, "a: one", "it is looked at once a second");
    clock.advance(Duration::from_secs(1));
    assert_eq!((job.ask("a").await, job.ask("b").await), ("a: another".into(), "b: two".into()));

    // Half written: the former rows stay until it is whole.
    write("a,third\nb,two,and more\n");
    clock.advance(Duration::from_secs(1));
    assert_eq!(job.ask("a").await, "a: another");
    write("a,the fourth\n");
    clock.advance(Duration::from_secs(1));
    assert_eq!((job.ask("a").await, job.ask("b").await), ("a: the fourth".into(), "b: nothing".into()));
    std::fs::remove_file(&path).unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(job.ask("a").await, "a: the fourth");
    assert_eq!(job.end().await, Outcome::Finished);
}

/// Tells the test of each fault of a table.
struct Watched {
    inner: SharedLookup,
    failed: Notify,
}

#[async_trait]
impl LookupConnector for Watched {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    async fn look_up(&self, columns: &[usize], keys: &RecordBatch) -> Result<LookedUp, ConnectorError> {
        let answer = self.inner.look_up(columns, keys).await;
        if answer.is_err() {
            self.failed.notify_one();
        }
        answer
    }
}

#[tokio::test]
async fn a_redis_server_that_is_restarted_is_asked_again() {
    let Some(mut redis) = Redis::start().unwrap() else { return };
    let place = tempfile::tempdir().unwrap();
    // The server takes real time to come back.
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (address, password) = (redis.address(), redis.password());
    let table = declared(&[
        ("type", "dcs_redis"),
        ("cluster_address", &address),
        ("password", &password),
        ("value_type", "string"),
        ("key_column", "k2"),
        ("cache_time", "0"),
    ]);
    let table = weir_connectors::table(&table, &environment(place.path(), clock.clone())).unwrap();
    let watched = Arc::new(Watched { inner: table, failed: Notify::new() });
    let mut job = Job::start(watched.clone(), clock).await;
    assert_eq!(job.ask("a").await, "a: nothing");
    redis.stop();
    job.feed("a");
    tokio::time::timeout(LIMIT, watched.failed.notified()).await.expect("a look-up that fails");
    redis.start_again().unwrap();
    assert_eq!(job.next().await, "a: nothing", "the row waited for the server");
    assert_eq!(job.end().await, Outcome::Finished);
}
