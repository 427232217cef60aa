//! Decodes the records of content that arrives in blocks, whose borders may cut records and delimiters.

use bytes::{Buf, Bytes};
use weir_engine::error::ConnectorError;
use weir_engine::source::DirtyRecord;
use weir_formats::Decoder;

use super::Position;

/// The longest record; a longer one is most likely content with another delimiter.
pub(crate) const MAX_RECORD_BYTES: usize = 16 << 20;
/// Records of a batch: enough to make its cost small, few enough to stay in the caches.
pub(crate) const BATCH_RECORDS: usize = 4096;
/// First guess of the bytes of a record.
const RECORD_BYTES_GUESS: usize = 64;

/// What separates records, and whether the first is a header.
pub(crate) struct Cut<'a> {
    /// Empty when the whole content is one record.
    pub delimiter: &'a [u8],
    pub header: bool,
}

/// The bytes of a split that have been read but not decoded.
pub(crate) struct Pieces {
    name: String,
    /// What remains of the newest block.
    block: Bytes,
    /// The beginning of a record whose end has not been read.
    carry: Vec<u8>,
    /// Behind the last record decoded.
    pub position: Position,
    record_bytes: usize,
    pub dirty: Vec<DirtyRecord>,
}

impl Pieces {
    pub fn new(name: &str, position: Position) -> Self {
        Self {
            name: name.to_string(),
            block: Bytes::new(),
            carry: Vec::new(),
            position,
            record_bytes: RECORD_BYTES_GUESS,
            dirty: Vec::new(),
        }
    }

    /// Returns whether all bytes have been looked at and a new block is needed.
    pub fn is_drained(&self) -> bool {
        self.block.is_empty()
    }

    pub fn add_block(&mut self, block: Bytes) {
        debug_assert!(self.block.is_empty(), "a block is added when the last one is used up");
        self.block = block;
    }

    /// Decodes complete records, at most about `most` (exactly at most when `exact`), until the block is used up.
    pub fn decode(
        &mut self,
        decoder: &mut dyn Decoder,
        cut: &Cut<'_>,
        most: usize,
        exact: bool,
    ) -> Result<(), ConnectorError> {
        let enough = if exact { most } else { most * 3 / 4 };
        loop {
            let taken = decoder.rows() + self.dirty.len();
            if self.block.is_empty() || taken >= enough.max(1) {
                return Ok(());
            }
            let is_header = cut.header && self.position.offset == 0;
            if is_header || !self.carry.is_empty() {
                self.complete_carry(decoder, cut, is_header)?;
            } else {
                self.decode_block(decoder, cut, most - taken, exact)?;
            }
        }
    }

    /// Decodes the last record, which no delimiter follows.
    pub fn finish(&mut self, decoder: &mut dyn Decoder, cut: &Cut<'_>) {
        let last = std::mem::take(&mut self.carry);
        if last.is_empty() {
            return;
        }
        if !(cut.header && self.position.offset == 0) {
            let (offset, name, dirty) = (self.position.offset, &self.name, &mut self.dirty);
            decoder.push_last(&last, cut.delimiter, &mut |at, data, fault| {
                dirty.push(dirty_record(name, offset + at as u64, data, fault));
            });
            self.position.records += 1;
        }
        self.position.offset += last.len() as u64;
    }

    /// Finds the end of the record that the carry begins, and decodes it.
    fn complete_carry(
        &mut self,
        decoder: &mut dyn Decoder,
        cut: &Cut<'_>,
        is_header: bool,
    ) -> Result<(), ConnectorError> {
        let Some(end) = find_end(&self.carry, &self.block, cut.delimiter) else {
            return self.carry_rest();
        };
        let mut record = std::mem::take(&mut self.carry);
        record.extend_from_slice(&self.block[..end]);
        self.block.advance(end);
        match is_header {
            true => self.position.offset += record.len() as u64,
            false => {
                let _ = self.push(decoder, &record, cut.delimiter);
            }
        }
        record.clear();
        self.carry = record;
        Ok(())
    }

    fn decode_block(
        &mut self,
        decoder: &mut dyn Decoder,
        cut: &Cut<'_>,
        most: usize,
        exact: bool,
    ) -> Result<(), ConnectorError> {
        let length = match exact {
            true => end_of_records(&self.block, cut.delimiter, most),
            false => (most * self.record_bytes).clamp(4 << 10, 1 << 20).min(self.block.len()),
        };
        let slice = self.block.slice(..length);
        let consumed = self.push(decoder, &slice, cut.delimiter);
        self.block.advance(consumed);
        if consumed == 0 {
            if length == self.block.len() || exact {
                return self.carry_rest();
            }
            // No record ends in the slice: look at all there is.
            let whole = self.block.clone();
            let end = match find_end(&[], &whole, cut.delimiter) {
                Some(end) => end,
                None => return self.carry_rest(),
            };
            let consumed = self.push(decoder, &whole[..end], cut.delimiter);
            self.block.advance(consumed);
        }
        Ok(())
    }

    fn push(&mut self, decoder: &mut dyn Decoder, data: &[u8], delimiter: &[u8]) -> usize {
        let before = decoder.rows() + self.dirty.len();
        let (offset, name, dirty) = (self.position.offset, &self.name, &mut self.dirty);
        let consumed = decoder.push_records(data, delimiter, &mut |at, record, fault| {
            dirty.push(dirty_record(name, offset + at as u64, record, fault));
        });
        let records = decoder.rows() + self.dirty.len() - before;
        self.position.offset += consumed as u64;
        self.position.records += records as u64;
        if let Some(mean) = consumed.checked_div(records) {
            self.record_bytes = mean + 1;
        }
        consumed
    }

    fn carry_rest(&mut self) -> Result<(), ConnectorError> {
        self.carry.extend_from_slice(&self.block);
        self.block = Bytes::new();
        if self.carry.len() > MAX_RECORD_BYTES {
            return Err(ConnectorError::permanent(format!(
                "`{}`: the record at byte {} is longer than {} MiB, the most that one can have; is `row_delimiter` right?",
                self.name,
                self.position.offset,
                MAX_RECORD_BYTES >> 20
            )));
        }
        Ok(())
    }
}

fn dirty_record(name: &str, offset: u64, data: &[u8], fault: weir_formats::Dirty) -> DirtyRecord {
    let place = format!("`{name}` at byte {offset}");
    DirtyRecord { reason: fault.reason, data: data.to_vec(), place }
}

/// Returns where in `block` the first delimiter ends, which may begin in `carry`. The carry itself
/// holds no whole delimiter. Without a delimiter the record ends with the content.
fn find_end(carry: &[u8], block: &[u8], delimiter: &[u8]) -> Option<usize> {
    let overlap = delimiter.len().checked_sub(1)?;
    if overlap > 0 && !carry.is_empty() {
        let tail = &carry[carry.len().saturating_sub(overlap)..];
        let mut border = tail.to_vec();
        border.extend_from_slice(&block[..overlap.min(block.len())]);
        if let Some(at) = memchr::memmem::find(&border, delimiter) {
            return Some(at + delimiter.len() - tail.len());
        }
    }
    let at = match delimiter {
        [byte] => memchr::memchr(*byte, block)?,
        _ => memchr::memmem::find(block, delimiter)?,
    };
    Some(at + delimiter.len())
}

/// Returns where the `count`-th record ends, or the last complete one; 0 when there is none.
fn end_of_records(data: &[u8], delimiter: &[u8], count: usize) -> usize {
    let mut end = 0;
    for _ in 0..count {
        match find_end(&[], &data[end..], delimiter) {
            Some(length) => end += length,
            None => break,
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_across_borders() {
        assert_eq!(find_end(b"", b"ab\ncd", b"\n"), Some(3));
        assert_eq!(find_end(b"ab|", b"|cd", b"||"), Some(1));
        assert_eq!(find_end(b"ab", b"||cd", b"||"), Some(2));
        assert_eq!(find_end(b"ab|", b"c||d", b"||"), Some(3));
        assert_eq!(find_end(b"a<", b"e", b"<end>"), None);
        assert_eq!(find_end(b"a<en", b"d>b", b"<end>"), Some(2));
        assert_eq!(find_end(b"a|", b"|", b"||"), Some(1));
        assert_eq!(find_end(b"ab", b"cd", b""), None);
        assert_eq!(end_of_records(b"a\nb\nc", b"\n", 1), 2);
        assert_eq!(end_of_records(b"a\nb\nc", b"\n", 9), 4);
    }
}
