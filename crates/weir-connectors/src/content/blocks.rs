//! Blocks of a file or object, the next one fetched while this one is decoded.

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use weir_engine::error::ConnectorError;

use super::{Block, Content};

/// Fetches some bytes from an offset on; none at the end.
pub(crate) type Fetch = Box<dyn Fn(u64) -> BoxFuture<'static, Result<Bytes, ConnectorError>> + Send>;

/// What the end of the bytes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtEnd {
    /// The content is complete.
    Finish,
    /// The content grows.
    Follow,
}

/// Content in blocks. At most two are held: the one returned and the one being fetched.
pub(crate) struct Blocks {
    fetch: Fetch,
    offset: u64,
    at_end: AtEnd,
    pending: Option<JoinHandle<Result<Bytes, ConnectorError>>>,
}

impl Blocks {
    /// Reads to the end.
    pub fn new(fetch: Fetch, offset: u64) -> Self {
        Self { fetch, offset, at_end: AtEnd::Finish, pending: None }
    }

    /// Goes on when the content grows.
    pub fn following(fetch: Fetch, offset: u64) -> Self {
        Self { fetch, offset, at_end: AtEnd::Follow, pending: None }
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        if let Some(pending) = &self.pending {
            pending.abort();
        }
    }
}

#[async_trait]
impl Content for Blocks {
    async fn next(&mut self) -> Result<Block, ConnectorError> {
        let (fetch, offset) = (&self.fetch, self.offset);
        // The task stays in `pending` until it has ended, so that a dropped future loses nothing.
        let pending = self.pending.get_or_insert_with(|| tokio::spawn(fetch(offset)));
        let outcome = pending.await;
        self.pending = None;
        let block =
            outcome.map_err(|error| ConnectorError::permanent(format!("reading failed: {error}")))??;
        if block.is_empty() {
            return Ok(if self.at_end == AtEnd::Follow { Block::NotYet } else { Block::End });
        }
        self.offset += block.len() as u64;
        if self.at_end == AtEnd::Finish {
            self.pending = Some(tokio::spawn((self.fetch)(self.offset)));
        }
        Ok(Block::Data(block))
    }
}
