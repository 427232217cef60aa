//! Decompresses content block by block, within bounds, however well it was compressed.

use std::io::Write;

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use flate2::write::MultiGzDecoder;
use weir_engine::error::ConnectorError;

use super::{Block, Content};

/// Decompressed bytes after which a block is handed on.
const BLOCK_BYTES: usize = 256 << 10;

/// Decompressed content.
pub(crate) struct Gzip {
    name: String,
    compressed: Box<dyn Content>,
    input: Bytes,
    started: bool,
    ended: bool,
    decoder: MultiGzDecoder<Vec<u8>>,
    /// Bytes still to be dropped before the position asked for.
    skip: u64,
}

impl Gzip {
    /// Decompresses from the beginning and skips to an offset: gzip has no other way.
    pub fn new(name: &str, compressed: Box<dyn Content>, offset: u64) -> Self {
        let decoder = MultiGzDecoder::new(Vec::with_capacity(BLOCK_BYTES + (64 << 10)));
        Self {
            name: name.to_string(),
            compressed,
            input: Bytes::new(),
            started: false,
            ended: false,
            decoder,
            skip: offset,
        }
    }

    fn damaged(&self, error: &std::io::Error) -> ConnectorError {
        ConnectorError::permanent(format!("`{}` is not intact gzip content: {error}", self.name))
    }

    /// Decompresses input until there is a block or no more input. One call of the decoder makes at most
    /// 32 KiB, so that the block stays small.
    fn inflate(&mut self) -> Result<(), ConnectorError> {
        while !self.input.is_empty() && self.decoder.get_ref().len() < BLOCK_BYTES {
            match self.decoder.write(&self.input) {
                Ok(taken) => self.input.advance(taken),
                Err(error) => return Err(self.damaged(&error)),
            }
        }
        Ok(())
    }

    fn take_block(&mut self) -> Option<Bytes> {
        let output = self.decoder.get_mut();
        if output.is_empty() {
            return None;
        }
        let mut block = Bytes::from(std::mem::replace(output, Vec::with_capacity(BLOCK_BYTES + (64 << 10))));
        let dropped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(block.len());
        self.skip -= dropped as u64;
        block.advance(dropped);
        (!block.is_empty()).then_some(block)
    }
}

#[async_trait]
impl Content for Gzip {
    async fn next(&mut self) -> Result<Block, ConnectorError> {
        loop {
            self.inflate()?;
            if self.decoder.get_ref().len() >= BLOCK_BYTES || self.ended {
                if let Some(block) = self.take_block() {
                    return Ok(Block::Data(block));
                }
                if self.ended {
                    return Ok(Block::End);
                }
                continue;
            }
            match self.compressed.next().await? {
                Block::Data(data) => {
                    self.started = true;
                    self.input = data;
                }
                Block::End | Block::NotYet => {
                    self.ended = true;
                    if self.started {
                        self.decoder.try_finish().map_err(|error| self.damaged(&error))?;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Blocks;
    use futures::FutureExt;

    fn content(data: Vec<u8>, block: usize) -> Box<dyn Content> {
        let data = Bytes::from(data);
        let fetch = move |offset: u64| {
            let start = offset as usize;
            let end = (start + block).min(data.len());
            let part = data.slice(start..end);
            async move { Ok(part) }.boxed()
        };
        Box::new(Blocks::new(Box::new(fetch), 0))
    }

    fn compress(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    async fn read(mut gzip: Gzip) -> Result<(Vec<u8>, usize), ConnectorError> {
        let (mut all, mut largest) = (Vec::new(), 0);
        loop {
            match gzip.next().await? {
                Block::Data(data) => {
                    largest = largest.max(data.len());
                    all.extend_from_slice(&data);
                }
                _ => return Ok((all, largest)),
            }
        }
    }

    #[tokio::test]
    async fn inflates_members_within_bounds_and_skips() {
        let zeros = vec![0u8; 5 << 20];
        let mut data = compress(&zeros);
        data.extend(compress(b"tail"));
        let (all, largest) = read(Gzip::new("a.gz", content(data.clone(), 100), 0)).await.unwrap();
        assert_eq!(all.len(), (5 << 20) + 4);
        assert!(largest <= BLOCK_BYTES + (64 << 10), "{largest}");
        let (rest, _) = read(Gzip::new("a.gz", content(data, 1 << 20), (5 << 20) + 1)).await.unwrap();
        assert_eq!(rest, b"ail");
    }

    #[tokio::test]
    async fn truncated_or_foreign_content_is_an_error() {
        let data = compress(&(0..100_000u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
        let half = data[..data.len() / 2].to_vec();
        let error = read(Gzip::new("a.gz", content(half, 1 << 20), 0)).await.unwrap_err();
        assert!(error.message.contains("`a.gz` is not intact"), "{error}");
        assert!(read(Gzip::new("a.gz", content(b"no gzip at all".to_vec(), 4), 0)).await.is_err());
        assert_eq!(read(Gzip::new("a.gz", content(vec![], 4), 0)).await.unwrap().0, b"");
    }
}
