//! The unit of the log: a frame, written by one call, whole or not there.
//!
//! A frame is a header of [`HEADER_BYTES`], an optional transaction block and the records. All numbers
//! are little-endian. The checksum covers everything behind it, so a torn or half-written frame is
//! never taken for a whole one. The same form serves the staging files of transactions.

use bytes::Bytes;

use super::{StoredRecord, TransactionId};

/// Bytes before the transaction block.
pub(super) const HEADER_BYTES: usize = 48;
/// No frame is longer: a bigger length is a torn header. One record of the largest size still fits.
pub(super) const MAX_FRAME_BYTES: usize = 64 << 20;
/// A frame is closed when its records reach this size. Reading from the middle of a frame reads it
/// whole, so small reads should not pay for much more than they return.
const TARGET_FRAME_BYTES: usize = 128 << 10;

const MAGIC: u32 = u32::from_le_bytes(*b"WRF1");
const NO_KEY: u32 = u32::MAX;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Records.
    Records,
    /// The name of a transaction, as JSON; opens a staging file.
    Transaction,
    /// Where the partitions stood when the transaction was sealed, as JSON; closes a staging file.
    Seal,
}

/// The fixed part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) checksum: u32,
    pub(super) total_bytes: usize,
    pub(super) count: u32,
    pub(super) base_sequence: u64,
    pub(super) timestamp_ms: i64,
    pub(super) transaction_bytes: usize,
    pub(super) partition: u32,
    pub(super) kind: Kind,
}

/// A record about to be written.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: Option<Bytes>,
    pub(super) data: Bytes,
}

impl Entry {
    fn stored_bytes(&self) -> usize {
        8 + self.key.as_ref().map_or(0, Bytes::len) + self.data.len()
    }
}

/// Which records of which transaction a frame holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TransactionMark {
    /// Index of the frame's first record among those of the transaction in this partition.
    pub(super) first_index: u64,
    pub(super) transaction: TransactionId,
}

impl Header {
    /// Reads a header; `None` when the bytes are not one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEADER_BYTES)?;
        let kind = match number_u32(bytes, 40) {
            0 => Kind::Records,
            1 => Kind::Transaction,
            2 => Kind::Seal,
            _ => return None,
        };
        let header = Self {
            checksum: number_u32(bytes, 4),
            total_bytes: number_u32(bytes, 8) as usize,
            count: number_u32(bytes, 12),
            base_sequence: number_u64(bytes, 16),
            timestamp_ms: i64::from_le_bytes(number_u64(bytes, 24).to_le_bytes()),
            transaction_bytes: number_u32(bytes, 32) as usize,
            partition: number_u32(bytes, 36),
            kind,
        };
        let sound = number_u32(bytes, 0) == MAGIC
            && header.total_bytes <= MAX_FRAME_BYTES
            && header.transaction_bytes <= header.total_bytes
            && HEADER_BYTES + header.transaction_bytes <= header.total_bytes;
        sound.then_some(header)
    }

    /// Returns the sequence number behind the last record.
    pub(super) fn next_sequence(&self) -> u64 {
        self.base_sequence + u64::from(self.count)
    }

    /// Tells whether `frame`, the whole frame, is what was written.
    pub(super) fn is_intact(&self, frame: &[u8]) -> bool {
        frame.len() == self.total_bytes && crc32fast::hash(&frame[8..]) == self.checksum
    }

    /// Returns the transaction block of a whole frame, if it has a readable one.
    pub(super) fn transaction(&self, frame: &[u8]) -> Option<TransactionMark> {
        let block = frame.get(HEADER_BYTES..HEADER_BYTES + self.transaction_bytes)?;
        if block.len() < 24 {
            return None;
        }
        let transaction = TransactionId {
            writer: std::str::from_utf8(&block[24..]).ok()?.to_string(),
            subtask: usize::try_from(number_u64(block, 8)).ok()?,
            epoch: number_u64(block, 16),
        };
        Some(TransactionMark { first_index: number_u64(block, 0), transaction })
    }

    /// Returns the bytes behind the transaction block.
    pub(super) fn body(&self, frame: &Bytes) -> Bytes {
        frame.slice(HEADER_BYTES + self.transaction_bytes..)
    }
}

fn number_u32(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0_u8; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn number_u64(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0_u8; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

/// What is written into the header beside the content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    pub(super) kind: Kind,
    pub(super) partition: u32,
    pub(super) base_sequence: u64,
    pub(super) timestamp_ms: i64,
}

/// Appends one frame to `out`.
pub(super) fn encode_frame(
    out: &mut Vec<u8>,
    stamp: Stamp,
    mark: Option<&TransactionMark>,
    entries: &[Entry],
) {
    let start = out.len();
    out.resize(start + HEADER_BYTES, 0);
    if let Some(mark) = mark {
        out.extend_from_slice(&mark.first_index.to_le_bytes());
        out.extend_from_slice(&(mark.transaction.subtask as u64).to_le_bytes());
        out.extend_from_slice(&mark.transaction.epoch.to_le_bytes());
        out.extend_from_slice(mark.transaction.writer.as_bytes());
    }
    let transaction_bytes = out.len() - start - HEADER_BYTES;
    for entry in entries {
        let key_length = entry.key.as_ref().map_or(NO_KEY, |key| key.len() as u32);
        out.extend_from_slice(&key_length.to_le_bytes());
        out.extend_from_slice(&(entry.data.len() as u32).to_le_bytes());
        out.extend_from_slice(entry.key.as_deref().unwrap_or_default());
        out.extend_from_slice(&entry.data);
    }
    finish_frame(&mut out[start..], stamp, entries.len() as u32, transaction_bytes as u32);
}

/// Appends a frame that holds a JSON document instead of records.
pub(super) fn encode_document(out: &mut Vec<u8>, kind: Kind, document: &[u8]) {
    let start = out.len();
    out.resize(start + HEADER_BYTES, 0);
    out.extend_from_slice(document);
    let stamp = Stamp { kind, partition: 0, base_sequence: 0, timestamp_ms: 0 };
    finish_frame(&mut out[start..], stamp, 0, 0);
}

fn finish_frame(frame: &mut [u8], stamp: Stamp, count: u32, transaction_bytes: u32) {
    let total = frame.len() as u32;
    frame[0..4].copy_from_slice(&MAGIC.to_le_bytes());
    frame[8..12].copy_from_slice(&total.to_le_bytes());
    frame[12..16].copy_from_slice(&count.to_le_bytes());
    frame[16..24].copy_from_slice(&stamp.base_sequence.to_le_bytes());
    frame[24..32].copy_from_slice(&stamp.timestamp_ms.to_le_bytes());
    frame[32..36].copy_from_slice(&transaction_bytes.to_le_bytes());
    frame[36..40].copy_from_slice(&stamp.partition.to_le_bytes());
    let kind: u32 = match stamp.kind {
        Kind::Records => 0,
        Kind::Transaction => 1,
        Kind::Seal => 2,
    };
    frame[40..44].copy_from_slice(&kind.to_le_bytes());
    let checksum = crc32fast::hash(&frame[8..]);
    frame[4..8].copy_from_slice(&checksum.to_le_bytes());
}

/// Cuts records into runs of about [`TARGET_FRAME_BYTES`], one frame each.
pub(super) fn frame_runs(entries: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    let mut rest = entries;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|entry| {
            bytes += entry.stored_bytes();
            bytes <= TARGET_FRAME_BYTES
        });
        let (run, remaining) = rest.split_at(fitting.count().max(1));
        rest = remaining;
        Some(run)
    })
}

/// Walks over the records of a frame's body without copying: key and content are slices of it.
pub(super) fn entries(body: Bytes) -> impl Iterator<Item = Option<Entry>> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        if at >= body.len() {
            return None;
        }
        let entry = parse_entry(&body, &mut at);
        if entry.is_none() {
            at = body.len();
        }
        Some(entry)
    })
}

fn parse_entry(body: &Bytes, at: &mut usize) -> Option<Entry> {
    let lengths = body.get(*at..*at + 8)?;
    let (key_length, data_length) = (number_u32(lengths, 0), number_u32(lengths, 4) as usize);
    let key_end = *at + 8 + if key_length == NO_KEY { 0 } else { key_length as usize };
    let end = key_end.checked_add(data_length)?;
    if end > body.len() {
        return None;
    }
    let key = (key_length != NO_KEY).then(|| body.slice(*at + 8..key_end));
    let data = body.slice(key_end..end);
    *at = end;
    Some(Entry { key, data })
}

/// Turns an entry into a record as readers see it.
pub(super) fn stored_record(entry: Entry, sequence: u64, timestamp_ms: i64) -> StoredRecord {
    let partition_key = entry.key.map(|key| String::from_utf8_lossy(&key).into_owned());
    StoredRecord { sequence, timestamp_ms, partition_key, data: entry.data }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: Option<&str>, data: &str) -> Entry {
        let owned = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Entry { key: key.map(owned), data: owned(data) }
    }

    const STAMP: Stamp = Stamp { kind: Kind::Records, partition: 3, base_sequence: 7, timestamp_ms: -5 };

    #[test]
    fn a_frame_reads_back_as_it_was_written() {
        let transaction = TransactionId { writer: "job-1/OUT".into(), subtask: 2, epoch: 9 };
        let mark = TransactionMark { first_index: 4, transaction };
        let mut out = Vec::new();
        encode_frame(
            &mut out,
            STAMP,
            Some(&mark),
            &[entry(Some("k"), "a"), entry(None, ""), entry(Some(""), "b")],
        );
        let frame = Bytes::from(out);
        let header = Header::parse(&frame).unwrap();
        assert!(header.is_intact(&frame));
        assert_eq!((header.base_sequence, header.next_sequence(), header.timestamp_ms), (7, 10, -5));
        assert_eq!(header.partition, 3);
        assert_eq!(header.transaction(&frame), Some(mark));
        let read: Vec<_> = entries(header.body(&frame)).map(Option::unwrap).collect();
        assert_eq!(read[0].key.as_deref(), Some(&b"k"[..]));
        assert_eq!((read[1].key.as_deref(), &read[1].data[..]), (None, &b""[..]));
        assert_eq!((read[2].key.as_deref(), &read[2].data[..]), (Some(&b""[..]), &b"b"[..]));
    }

    #[test]
    fn a_changed_bit_anywhere_is_noticed() {
        let mut out = Vec::new();
        encode_frame(&mut out, STAMP, None, &[entry(Some("key"), "content")]);
        for bit in 0..out.len() * 8 {
            let mut changed = out.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let intact = Header::parse(&changed).is_some_and(|header| header.is_intact(&changed));
            assert!(!intact, "bit {bit}");
        }
    }

    #[test]
    fn runs_are_never_empty_and_lose_nothing() {
        let big = "x".repeat(TARGET_FRAME_BYTES + 1);
        let many: Vec<_> = [entry(None, &big), entry(None, "a"), entry(None, "b"), entry(None, &big)].into();
        let lengths: Vec<_> = frame_runs(&many).map(<[Entry]>::len).collect();
        assert_eq!(lengths, [1, 2, 1]);
    }
}
