//! Reads the splits of a source whose content is cut into records: objects and files.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use weir_base::clock::Clock;
use weir_engine::error::ConnectorError;
use weir_engine::source::{SourceBatch, SourceEvent, SourceReader, Split};
use weir_formats::Decoder;

use super::pieces::{BATCH_RECORDS, Cut, Pieces};
use super::{Block, Content, Contents, Position};
use crate::pace::Pacer;

/// Time between two looks at content that may grow.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(100);

/// How content is cut into records.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Stands between two records.
    pub delimiter: Vec<u8>,
    /// Whether the first record holds names, not values.
    pub header: bool,
    /// Records a second of each reader, or `None` without a limit.
    pub rate: Option<f64>,
}

/// Reads splits one after the other; those that wait for growth take turns.
pub(crate) struct ContentReader {
    contents: Arc<dyn Contents>,
    decoder: Box<dyn Decoder>,
    layout: Layout,
    clock: Arc<dyn Clock>,
    pacer: Pacer,
    splits: Vec<Progress>,
    current: usize,
    /// Splits in a row that had nothing new.
    waiting: usize,
}

struct Progress {
    name: String,
    position: Position,
    finished: bool,
    open: Option<Open>,
}

struct Open {
    content: Box<dyn Content>,
    pieces: Pieces,
    ended: bool,
}

impl ContentReader {
    pub fn new(
        contents: Arc<dyn Contents>,
        decoder: Box<dyn Decoder>,
        layout: Layout,
        clock: Arc<dyn Clock>,
        splits: &[Split],
    ) -> Result<Self, ConnectorError> {
        let progress = |split: &Split| {
            let position = Position::of(split)?;
            Ok(Progress { name: split.id.clone(), position, finished: split.finished, open: None })
        };
        let splits = splits.iter().map(progress).collect::<Result<_, ConnectorError>>()?;
        let pacer = Pacer::new(Arc::clone(&clock), layout.rate);
        Ok(Self { contents, decoder, layout, clock, pacer, splits, current: 0, waiting: 0 })
    }

    /// Chooses the split to read: the current one, or the next that is not finished.
    fn choose(&mut self) -> bool {
        let count = self.splits.len();
        let next = (0..count).map(|step| (self.current + step) % count).find(|at| !self.splits[*at].finished);
        self.current = next.unwrap_or(0);
        next.is_some()
    }

    async fn open_current(&mut self) -> Result<(), ConnectorError> {
        let split = &mut self.splits[self.current];
        if split.open.is_none() {
            let content = self.contents.open(&split.name, split.position.offset).await?;
            let pieces = Pieces::new(&split.name, split.position);
            split.open = Some(Open { content, pieces, ended: false });
        }
        Ok(())
    }

    /// Decodes what has been read of the current split.
    fn decode(&mut self, most: usize) -> Result<Option<SourceBatch>, ConnectorError> {
        let split = &mut self.splits[self.current];
        let Some(open) = &mut split.open else { return Ok(None) };
        let cut = Cut { delimiter: &self.layout.delimiter, header: self.layout.header };
        match open.ended {
            true => open.pieces.finish(self.decoder.as_mut(), &cut),
            false => open.pieces.decode(self.decoder.as_mut(), &cut, most, self.pacer.is_paced())?,
        }
        let bytes = open.pieces.position.offset - split.position.offset;
        let dirty = std::mem::take(&mut open.pieces.dirty);
        self.pacer.took((self.decoder.rows() + dirty.len()) as u64);
        split.position = open.pieces.position;
        if self.decoder.rows() == 0 && dirty.is_empty() {
            return Ok(None);
        }
        Ok(Some(SourceBatch { split: split.name.clone(), rows: self.decoder.flush(), dirty, bytes }))
    }

    /// Reads the next block of the current split. Returns whether there is none yet.
    async fn read(&mut self) -> Result<bool, ConnectorError> {
        let Some(open) = &mut self.splits[self.current].open else { return Ok(false) };
        match open.content.next().await? {
            Block::Data(block) => open.pieces.add_block(block),
            Block::End => open.ended = true,
            Block::NotYet => return Ok(true),
        }
        self.waiting = 0;
        Ok(false)
    }
}

#[async_trait]
impl SourceReader for ContentReader {
    async fn next(&mut self) -> Result<SourceEvent, ConnectorError> {
        loop {
            if !self.choose() {
                return Ok(SourceEvent::Finished);
            }
            self.open_current().await?;
            let drained = self.splits[self.current].open.as_ref().is_none_or(|open| open.pieces.is_drained());
            let ended = self.splits[self.current].open.as_ref().is_some_and(|open| open.ended);
            if !drained || ended {
                let most = if ended { 1 } else { self.pacer.allowance(BATCH_RECORDS).await };
                if let Some(batch) = self.decode(most)? {
                    return Ok(SourceEvent::Batch(batch));
                }
                if ended {
                    let split = &mut self.splits[self.current];
                    (split.finished, split.open) = (true, None);
                    return Ok(SourceEvent::SplitFinished(split.name.clone()));
                }
                continue;
            }
            if self.read().await? {
                self.current += 1;
                self.waiting += 1;
                if self.waiting >= self.splits.len() {
                    self.waiting = 0;
                    self.clock.sleep(FOLLOW_INTERVAL).await;
                }
            }
        }
    }

    fn positions(&self) -> Vec<Split> {
        let split = |progress: &Progress| Split {
            id: progress.name.clone(),
            position: Some(progress.position.to_string()),
            finished: progress.finished,
        };
        self.splits.iter().map(split).collect()
    }
}
