//! Counters of operators, written by subtasks and read by anyone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use weir_base::time::Timestamp;

/// Counters of one operator in one subtask. Updated once per batch.
#[derive(Debug)]
pub struct Counters {
    /// Rows taken in; for a source, records read, dirty ones included.
    pub records_in: AtomicU64,
    /// Rows given out.
    pub records_out: AtomicU64,
    /// Bytes read or written.
    pub bytes: AtomicU64,
    /// Dirty records.
    pub dirty: AtomicU64,
    /// Late rows dropped.
    pub late: AtomicU64,
    /// Event-time watermark.
    pub watermark: AtomicI64,
    /// Time spent working.
    pub busy_nanos: AtomicU64,
    /// Time spent waiting for a full channel.
    pub backpressured_nanos: AtomicU64,
    /// Bytes of state.
    pub state_bytes: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            records_in: AtomicU64::new(0),
            records_out: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            dirty: AtomicU64::new(0),
            late: AtomicU64::new(0),
            watermark: AtomicI64::new(i64::MIN),
            busy_nanos: AtomicU64::new(0),
            backpressured_nanos: AtomicU64::new(0),
            state_bytes: AtomicU64::new(0),
        }
    }
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, value: u64) {
        counter.fetch_add(value, Ordering::Relaxed);
    }

    pub(crate) fn add_busy(&self, since: Instant) {
        let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Self::add(&self.busy_nanos, nanos);
    }

    pub(crate) fn set_watermark(&self, watermark: Timestamp) {
        self.watermark.store(watermark.0, Ordering::Relaxed);
    }
}

/// Counters of one node over all subtasks.
#[derive(Debug, Clone, Serialize)]
pub struct NodeMetrics {
    /// Id of the node.
    pub id: String,
    /// Name of the node.
    pub name: String,
    /// `source`, `sink` or `operator`.
    pub kind: &'static str,
    /// Rows taken in.
    pub records_in: u64,
    /// Rows given out.
    pub records_out: u64,
    /// Bytes read or written.
    pub bytes: u64,
    /// Dirty records.
    pub dirty: u64,
    /// Late rows dropped.
    pub late: u64,
    /// Lowest watermark of the subtasks; `None` before the first and when there is no event time.
    pub watermark: Option<i64>,
    /// Time spent working, summed over subtasks.
    pub busy: Duration,
    /// Time spent waiting for downstream, summed over subtasks.
    pub backpressured: Duration,
    /// Bytes of state.
    pub state_bytes: u64,
    /// Records per second over the last minute.
    pub rate: f64,
}

/// The counters of one node.
#[derive(Debug)]
pub(crate) struct NodeCounters {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) subtasks: Vec<Arc<Counters>>,
    samples: std::sync::Mutex<VecDeque<(Instant, u64)>>,
}

/// How far back rates look.
const RATE_WINDOW: Duration = Duration::from_secs(60);

impl NodeCounters {
    pub(crate) fn new(id: String, name: String, kind: &'static str, parallelism: usize) -> Self {
        let subtasks = (0..parallelism).map(|_| Arc::new(Counters::default())).collect();
        let samples = std::sync::Mutex::new(VecDeque::from([(Instant::now(), 0)]));
        Self { id, name, kind, subtasks, samples }
    }

    fn sum(&self, counter: impl Fn(&Counters) -> &AtomicU64) -> u64 {
        self.subtasks.iter().map(|counters| counter(counters).load(Ordering::Relaxed)).sum()
    }

    fn records(&self) -> u64 {
        match self.kind {
            "operator" => self.sum(|c| &c.records_out),
            _ => self.sum(|c| &c.records_in),
        }
    }

    /// Remembers the count of now, for rates.
    pub(crate) fn sample(&self) {
        let now = Instant::now();
        let mut samples = self.samples.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        samples.push_back((now, self.records()));
        while samples.len() > 2 && now.duration_since(samples[0].0) > RATE_WINDOW {
            samples.pop_front();
        }
    }

    fn rate(&self) -> f64 {
        let samples = self.samples.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some((since, count)) = samples.front() else { return 0.0 };
        let seconds = since.elapsed().as_secs_f64();
        match seconds > 0.0 {
            true => self.records().saturating_sub(*count) as f64 / seconds,
            false => 0.0,
        }
    }

    pub(crate) fn snapshot(&self) -> NodeMetrics {
        let watermark = self.subtasks.iter().map(|c| c.watermark.load(Ordering::Relaxed)).min();
        NodeMetrics {
            id: self.id.clone(),
            name: self.name.clone(),
            kind: self.kind,
            records_in: self.sum(|c| &c.records_in),
            records_out: self.sum(|c| &c.records_out),
            bytes: self.sum(|c| &c.bytes),
            dirty: self.sum(|c| &c.dirty),
            late: self.sum(|c| &c.late),
            watermark: watermark.filter(|w| *w != i64::MIN && *w != i64::MAX),
            busy: Duration::from_nanos(self.sum(|c| &c.busy_nanos)),
            backpressured: Duration::from_nanos(self.sum(|c| &c.backpressured_nanos)),
            state_bytes: self.sum(|c| &c.state_bytes),
            rate: self.rate(),
        }
    }
}
