//! The files of one partition: segments, named by the sequence number of their first record.
//!
//! Only the newest segment grows. A reader walks over frames with [`Walker`], which reads ahead in
//! windows, so that small frames do not cost a system call each.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};

use super::files::list_names;
use super::frame::{HEADER_BYTES, Header};

/// Bytes read at once when only looking for frames.
pub(super) const SCAN_WINDOW: usize = 256 << 10;

/// Returns the path of the segment whose first record has number `base`.
pub(super) fn segment_path(directory: &Path, base: u64) -> PathBuf {
    directory.join(format!("{base:020}.log"))
}

/// Lists the first sequence numbers of all segments, in order.
pub(super) fn list_segments(directory: &Path) -> io::Result<Vec<u64>> {
    let names = list_names(directory)?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".log")?.parse().ok()).collect())
}

/// A frame found by a [`Walker`].
#[derive(Debug)]
pub(super) struct Found {
    /// Where it begins in the file.
    pub(super) offset: u64,
    pub(super) header: Header,
}

/// Walks over the frames of a file, forward.
#[derive(Debug)]
pub(super) struct Walker {
    file: File,
    window: Bytes,
    window_offset: u64,
    window_bytes: usize,
    /// Where the next frame begins.
    offset: u64,
    /// Frames must end at or before this.
    end: u64,
}

impl Walker {
    /// Opens a file for a walk from `offset` to `end`, reading `window_bytes` at once.
    pub(super) fn open(path: &Path, offset: u64, end: u64, window_bytes: usize) -> io::Result<Self> {
        let file = File::open(path)?;
        let window_bytes = window_bytes.max(HEADER_BYTES);
        Ok(Self { file, window: Bytes::new(), window_offset: offset, window_bytes, offset, end })
    }

    /// Returns the position of the next frame.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Finds the next frame without moving on; `None` when there is no whole header or the frame
    /// would reach behind the end.
    pub(super) fn peek(&mut self) -> io::Result<Option<Found>> {
        if self.end.saturating_sub(self.offset) < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let Some(bytes) = self.bytes_at_offset(HEADER_BYTES)? else { return Ok(None) };
        let header = Header::parse(&bytes);
        Ok(header
            .filter(|header| self.offset + header.total_bytes as u64 <= self.end)
            .map(|header| Found { offset: self.offset, header }))
    }

    /// Returns the bytes of a frame found by [`Walker::peek`], a slice of the window.
    pub(super) fn frame(&mut self, found: &Found) -> io::Result<Option<Bytes>> {
        self.bytes_at_offset(found.header.total_bytes)
    }

    /// Moves behind a frame found by [`Walker::peek`].
    pub(super) fn pass(&mut self, found: &Found) {
        self.offset = found.offset + found.header.total_bytes as u64;
    }

    fn bytes_at_offset(&mut self, length: usize) -> io::Result<Option<Bytes>> {
        let start = usize::try_from(self.offset - self.window_offset).unwrap_or(usize::MAX);
        if start.saturating_add(length) <= self.window.len() {
            return Ok(Some(self.window.slice(start..start + length)));
        }
        let left = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
        self.window = read_at(&self.file, self.offset, length.max(self.window_bytes).min(left))?;
        self.window_offset = self.offset;
        Ok((self.window.len() >= length).then(|| self.window.slice(..length)))
    }
}

/// Reads up to `length` bytes; fewer when the file ends before.
fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut buffer = BytesMut::zeroed(length);
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer.freeze())
}
