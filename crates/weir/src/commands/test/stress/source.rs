//! Sources that deliver recorded rows in batches of random sizes and wait where they are told to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{mpsc, oneshot};
use weir_engine::error::ConnectorError;
use weir_engine::source::{
    DirtyRecord, SharedSource, SourceBatch, SourceConnector, SourceEvent, SourceReader, Split,
};

/// Greatest batches of a reader; each reader has one of them.
const GRAINS: [usize; 6] = [1, 2, 3, 8, 30, 1_000];
/// A large input is not cut into many more batches than that.
const MOST_BATCHES: usize = 200;

/// A reader waits until this is used or dropped.
pub type Release = oneshot::Sender<()>;

/// What a source delivers, read once and replayed in every life.
#[derive(Clone)]
pub struct Recording {
    schema: SchemaRef,
    splits: Vec<(Split, Arc<Vec<Recorded>>)>,
}

/// What a reader read at once.
#[derive(Debug)]
struct Recorded {
    rows: RecordBatch,
    dirty: Vec<DirtyRecord>,
    bytes: u64,
}

impl Recording {
    /// Reads a bounded source to its end.
    pub async fn of(source: &SharedSource) -> Result<Self, ConnectorError> {
        let mut splits = Vec::new();
        for split in source.splits().await? {
            let mut reader = source.open(vec![split.clone()]).await?;
            let mut recorded = Vec::new();
            loop {
                match reader.next().await? {
                    SourceEvent::Batch(SourceBatch { rows, dirty, bytes, .. }) => {
                        recorded.push(Recorded { rows, dirty, bytes });
                    }
                    SourceEvent::SplitFinished(_) => {}
                    SourceEvent::Finished => break,
                }
            }
            splits.push((split, Arc::new(recorded)));
        }
        Ok(Self { schema: source.schema(), splits })
    }

    /// Returns how many splits there are; several are read in an order of their own by several subtasks.
    pub fn splits(&self) -> usize {
        self.splits.len()
    }
}

/// The moments of one life at which readers wait. They are counted over all readers.
pub struct Pauses {
    /// Records that this life has to read.
    expected: AtomicU64,
    read: AtomicU64,
    places: Mutex<VecDeque<f64>>,
    waiting: mpsc::UnboundedSender<Release>,
}

impl Pauses {
    /// Makes pauses at shares of the records that are read. The receiver is told of each reader that waits.
    pub fn new(places: VecDeque<f64>) -> (Arc<Self>, mpsc::UnboundedReceiver<Release>) {
        let (waiting, waits) = mpsc::unbounded_channel();
        let (expected, read) = (AtomicU64::new(0), AtomicU64::new(0));
        (Arc::new(Self { expected, read, places: Mutex::new(places), waiting }), waits)
    }

    /// Returns what a reader has to wait for before it goes on.
    fn due(&self) -> Option<oneshot::Receiver<()>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, expected) = (self.read.load(Ordering::Relaxed), self.expected.load(Ordering::Relaxed));
        let place = *places.front()?;
        if (read as f64) < place * expected as f64 {
            return None;
        }
        places.pop_front();
        let (release, released) = oneshot::channel();
        self.waiting.send(release).ok().map(|()| released)
    }
}

/// A source that delivers a recording.
pub struct Replay {
    recording: Recording,
    pauses: Arc<Pauses>,
    seed: u64,
}

impl Replay {
    pub fn new(recording: Recording, pauses: Arc<Pauses>, seed: u64) -> Self {
        Self { recording, pauses, seed }
    }
}

#[async_trait]
impl SourceConnector for Replay {
    fn schema(&self) -> SchemaRef {
        self.recording.schema.clone()
    }

    fn is_bounded(&self) -> bool {
        true
    }

    async fn splits(&self) -> Result<Vec<Split>, ConnectorError> {
        Ok(self.recording.splits.iter().map(|(split, _)| split.clone()).collect())
    }

    async fn open(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError> {
        let mut positions = Vec::new();
        for split in splits {
            let recorded = self.recording.splits.iter().find(|(known, _)| known.id == split.id);
            let recorded = recorded.map(|(_, recorded)| Arc::clone(recorded));
            let lost = || ConnectorError::permanent(format!("split `{}` was not recorded", split.id));
            positions.push(Position::of(&split, recorded.ok_or_else(lost)?)?);
        }
        let left: usize = positions.iter().map(Position::left).sum();
        self.pauses.expected.fetch_add(left as u64, Ordering::Relaxed);
        let mut random = StdRng::seed_from_u64(self.seed);
        let grain = GRAINS[random.random_range(0..GRAINS.len())].max(left / MOST_BATCHES);
        let pauses = Arc::clone(&self.pauses);
        Ok(Box::new(Reader { positions, pauses, random, grain, gate: None, turns: 0 }))
    }
}

/// Where a split is read next.
struct Position {
    split: String,
    recorded: Arc<Vec<Recorded>>,
    batch: usize,
    row: usize,
    finished: bool,
}

impl Position {
    /// Reads `batch:row`; no position is the beginning.
    fn of(split: &Split, recorded: Arc<Vec<Recorded>>) -> Result<Self, ConnectorError> {
        let (batch, row) = match &split.position {
            None => (0, 0),
            Some(text) => {
                let numbers = text.split_once(':').and_then(|(a, b)| a.parse().ok().zip(b.parse().ok()));
                numbers.ok_or_else(|| ConnectorError::permanent(format!("`{text}` is no position")))?
            }
        };
        Ok(Self { split: split.id.clone(), recorded, batch, row, finished: split.finished })
    }

    /// Returns how many records are still to be read.
    fn left(&self) -> usize {
        let records = |one: &Recorded| one.rows.num_rows() + one.dirty.len();
        let all: usize = self.recorded.iter().skip(self.batch).map(records).sum();
        all.saturating_sub(self.row)
    }

    /// Takes up to `most` rows; the dirty records of a batch come with its first rows.
    fn take(&mut self, most: usize) -> Option<SourceBatch> {
        let recorded = self.recorded.get(self.batch)?;
        let count = most.min(recorded.rows.num_rows() - self.row);
        let is_first = self.row == 0;
        let batch = SourceBatch {
            split: self.split.clone(),
            rows: recorded.rows.slice(self.row, count),
            dirty: if is_first { recorded.dirty.clone() } else { Vec::new() },
            bytes: if is_first { recorded.bytes } else { 0 },
        };
        self.row += count;
        if self.row == recorded.rows.num_rows() {
            (self.batch, self.row) = (self.batch + 1, 0);
        }
        Some(batch)
    }
}

struct Reader {
    positions: Vec<Position>,
    pauses: Arc<Pauses>,
    random: StdRng,
    grain: usize,
    gate: Option<oneshot::Receiver<()>>,
    /// Turns left to other tasks before the next event.
    turns: u32,
}

#[async_trait]
impl SourceReader for Reader {
    async fn next(&mut self) -> Result<SourceEvent, ConnectorError> {
        // Everything that waits is kept in the reader, as this future may be dropped at any time.
        if self.gate.is_none() {
            self.gate = self.pauses.due();
        }
        if let Some(gate) = &mut self.gate {
            let _ = gate.await;
            self.gate = None;
        }
        while self.turns > 0 {
            self.turns -= 1;
            tokio::task::yield_now().await;
        }
        self.turns = self.random.random_range(0..3);
        let Some(position) = self.positions.iter_mut().find(|position| !position.finished) else {
            return Ok(SourceEvent::Finished);
        };
        let most = self.random.random_range(1..=self.grain);
        match position.take(most) {
            Some(batch) => {
                let records = batch.rows.num_rows() + batch.dirty.len();
                self.pauses.read.fetch_add(records as u64, Ordering::Relaxed);
                Ok(SourceEvent::Batch(batch))
            }
            None => {
                position.finished = true;
                Ok(SourceEvent::SplitFinished(position.split.clone()))
            }
        }
    }

    fn positions(&self) -> Vec<Split> {
        let split = |position: &Position| Split {
            id: position.split.clone(),
            position: Some(format!("{}:{}", position.batch, position.row)),
            finished: position.finished,
        };
        self.positions.iter().map(split).collect()
    }
}
