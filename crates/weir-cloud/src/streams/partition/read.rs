//! Giving records out.

use std::io;

use super::tail::Tail;
use super::{PartitionLog, State, damaged};
use crate::streams::frame::{self, HEADER_BYTES, Header};
use crate::streams::segment::{SCAN_WINDOW, Walker, segment_path};
use crate::streams::{ReadRecords, StoredRecord};

/// Bytes read at once when records are wanted: at least this,
const SMALLEST_WINDOW: usize = 64 << 10;
/// at most this, whatever the caller is ready to take.
const LARGEST_WINDOW: usize = 4 << 20;

/// How much a reader takes.
#[derive(Debug, Clone, Copy)]
struct Room {
    records: usize,
    bytes: usize,
}

/// A piece of a segment that can be read.
#[derive(Debug, Clone, Copy)]
struct Span {
    segment: u64,
    offset: u64,
    end: u64,
    /// The number behind its last record.
    next: u64,
}

/// Why reading from a span ended.
enum Stop {
    Full,
    EndOfSpan,
}

impl PartitionLog {
    /// Reads from `from` on; see [`crate::streams::Streams::read`]. Nothing when `from` is the next number;
    /// `None` when it is beyond.
    pub(in crate::streams) fn read(
        &self,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> io::Result<Option<ReadRecords>> {
        let mut room = Room { records: max_records, bytes: max_bytes };
        let mut out = ReadRecords { records: Vec::new(), next: from };
        let mut attempts = 0;
        loop {
            let Some(span) = self.find_span(out.next)? else {
                return Ok((out.next <= self.known_next()).then_some(out));
            };
            out.next = out.next.max(span.segment);
            match self.read_span(span, &mut room, &mut out) {
                Ok(Stop::Full) => return Ok(Some(out)),
                Ok(Stop::EndOfSpan) if out.next < span.next => {
                    return Err(damaged(&segment_path(&self.directory, span.segment), span.end));
                }
                // There may be another segment, or more in this one by now.
                Ok(Stop::EndOfSpan) => {}
                // Retention dropped the segment meanwhile: look again, a few times at most.
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < 8 => {
                    attempts += 1;
                    self.state().relist(&self.directory)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the position of the first record stored at or after an instant.
    pub(in crate::streams) fn position_at(&self, timestamp_ms: i64) -> io::Result<u64> {
        let (tail, segments) = {
            let mut state = self.state();
            let tail = self.refresh_tail(&mut state)?;
            state.relist(&self.directory)?;
            (tail, state.segments.clone())
        };
        let mut first = 0;
        for (index, base) in segments.iter().enumerate() {
            match self.first_timestamp(*base)? {
                Some(stored) if stored < timestamp_ms => first = index,
                Some(_) => break,
                None => {}
            }
        }
        for base in segments.iter().skip(first) {
            let mut walker = self.walk_segment(*base, SCAN_WINDOW)?;
            while let Some(found) = walker.peek()? {
                if found.header.timestamp_ms >= timestamp_ms || found.header.base_sequence >= tail.next {
                    return Ok(found.header.base_sequence.min(tail.next));
                }
                walker.pass(&found);
            }
        }
        Ok(tail.next)
    }

    /// Returns when the first record of a segment was stored.
    pub(super) fn first_timestamp(&self, segment: u64) -> io::Result<Option<i64>> {
        let found = self.walk_segment(segment, HEADER_BYTES)?.peek()?;
        Ok(found.map(|found| found.header.timestamp_ms))
    }

    pub(super) fn walk_segment(&self, segment: u64, window_bytes: usize) -> io::Result<Walker> {
        let path = segment_path(&self.directory, segment);
        let end = std::fs::metadata(&path)?.len();
        Walker::open(&path, 0, end, window_bytes)
    }

    fn known_next(&self) -> u64 {
        self.state().tail.map_or(0, |tail| tail.next)
    }

    /// Returns the end of the log as far as reading `from` needs it, with a listing of segments that ends
    /// in the same one: the length of the newest segment says nothing about any other.
    fn tail_for(&self, state: &mut State, from: u64) -> io::Result<Option<Tail>> {
        // Other processes begin and drop segments meanwhile; that they do it every time cannot be.
        for _ in 0..16 {
            let newest_listed = state.segments.last().copied();
            let tail = match state.tail {
                Some(tail) if from < tail.next && newest_listed == Some(tail.segment) => {
                    return Ok(Some(tail));
                }
                _ => self.refresh_tail(state)?,
            };
            if from >= tail.next {
                return Ok(None);
            }
            if state.segments.last() != Some(&tail.segment) {
                state.relist(&self.directory)?;
            }
        }
        Ok(None)
    }

    /// Finds where to read `from`; `None` when it is not there yet.
    fn find_span(&self, from: u64) -> io::Result<Option<Span>> {
        let mut state = self.state();
        let Some(tail) = self.tail_for(&mut state, from)? else { return Ok(None) };
        let index = state.segments.partition_point(|base| *base <= from).saturating_sub(1);
        let Some(segment) = state.segments.get(index).copied() else { return Ok(None) };
        let following = state.segments.get(index + 1).copied();
        let end = match following {
            None => tail.valid_bytes,
            Some(_) => match std::fs::metadata(segment_path(&self.directory, segment)) {
                Ok(metadata) => metadata.len(),
                // Opening it will fail too, and be treated there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                Err(error) => return Err(error),
            },
        };
        let next = following.unwrap_or(tail.next);
        Ok(Some(Span { segment, offset: state.offset_before(segment, from), end, next }))
    }

    fn read_span(&self, span: Span, room: &mut Room, out: &mut ReadRecords) -> io::Result<Stop> {
        let path = segment_path(&self.directory, span.segment);
        let window = room.bytes.saturating_add(SMALLEST_WINDOW).clamp(SMALLEST_WINDOW, LARGEST_WINDOW);
        let mut walker = Walker::open(&path, span.offset, span.end, window)?;
        while let Some(found) = walker.peek()? {
            let header = found.header;
            if header.next_sequence() > out.next {
                let frame = walker.frame(&found)?.filter(|frame| header.is_intact(frame));
                let frame = frame.ok_or_else(|| damaged(&path, found.offset))?;
                let complete = take_records(&header, header.body(&frame), room, out);
                if !complete.ok_or_else(|| damaged(&path, found.offset))? {
                    self.remember(span.segment, header.base_sequence, found.offset);
                    return Ok(Stop::Full);
                }
            }
            walker.pass(&found);
            self.remember(span.segment, header.next_sequence(), walker.offset());
        }
        Ok(Stop::EndOfSpan)
    }

    fn remember(&self, segment: u64, sequence: u64, offset: u64) {
        let state: &mut State = &mut self.state();
        state.remember(segment, sequence, offset);
    }
}

/// Takes the records of a frame from `out.next` on while there is room. Tells whether all were
/// taken; `None` when the frame is not what its header says.
fn take_records(header: &Header, body: bytes::Bytes, room: &mut Room, out: &mut ReadRecords) -> Option<bool> {
    let mut sequence = header.base_sequence;
    for entry in frame::entries(body) {
        let entry = entry?;
        if sequence >= out.next {
            let size = entry.data.len() + entry.key.as_ref().map_or(0, bytes::Bytes::len);
            if room.records == 0 || (size > room.bytes && !out.records.is_empty()) {
                return Some(false);
            }
            room.records -= 1;
            room.bytes = room.bytes.saturating_sub(size);
            let record: StoredRecord = frame::stored_record(entry, sequence, header.timestamp_ms);
            out.records.push(record);
            out.next = sequence + 1;
        }
        sequence += 1;
    }
    (sequence == header.next_sequence()).then_some(true)
}
