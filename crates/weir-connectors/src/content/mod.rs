//! The content of files and objects as rows: blocks read ahead, gzip, records, batches.

mod blocks;
mod gzip;
mod pieces;
mod position;
mod reader;

pub(crate) use blocks::{Blocks, Fetch};
pub(crate) use gzip::Gzip;
pub(crate) use position::Position;
pub(crate) use reader::{ContentReader, Layout};

use async_trait::async_trait;
use bytes::Bytes;
use weir_engine::error::ConnectorError;

/// A step of reading content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// The next bytes, never empty.
    Data(Bytes),
    /// The content ends here.
    End,
    /// There is no more now; more may come.
    NotYet,
}

/// Content that is read in order.
#[async_trait]
pub(crate) trait Content: Send {
    /// Reads the next bytes. Cancel safe.
    async fn next(&mut self) -> Result<Block, ConnectorError>;
}

/// Opens the content of splits.
#[async_trait]
pub(crate) trait Contents: Send + Sync {
    /// Opens a split at an offset of its (decompressed) content.
    async fn open(&self, split: &str, offset: u64) -> Result<Box<dyn Content>, ConnectorError>;
}

/// Returns whether a name says that the content is compressed.
pub(crate) fn is_gzip(name: &str) -> bool {
    name.len() > 3 && name.as_bytes()[name.len() - 3..].eq_ignore_ascii_case(b".gz")
}
