//! Transactions: records staged in a file of their own, moved into the partitions at commit.
//!
//! A staging file holds the name of its transaction, frames of records (each of one partition), and
//! a seal that tells where the partitions stood. Committed records carry the transaction and their
//! index in it, so a commit that is repeated after a crash looks for them, from the sealed positions on,
//! and adds only what is missing.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::frame::{Entry, Kind, Stamp, encode_document, encode_frame, entries, frame_runs};
use super::partition::{Durability, Part, PartitionLog};
use super::segment::Walker;
use super::{StreamsError, TransactionId, files};

/// Bytes read at once from a staging file.
const STAGING_WINDOW: usize = 1 << 20;
/// Records of a transaction held in memory while it is committed.
const COMMIT_BUFFER_BYTES: usize = 8 << 20;

/// Next sequence numbers by partition.
pub(super) type Positions = BTreeMap<u32, u64>;

/// A staging file that this process writes.
#[derive(Debug)]
struct Open {
    /// `None` when the transaction is sealed.
    file: Option<File>,
    length: u64,
    /// Records so far whose partition the store chose.
    spread: u64,
    partitions: Vec<u32>,
}

/// The staging files that this process writes, by path.
#[derive(Debug, Default)]
pub(super) struct Staging {
    open: Mutex<HashMap<PathBuf, Arc<Mutex<Open>>>>,
}

impl Staging {
    /// Appends records to a transaction. `place` chooses a partition from the entry's index in the
    /// request and the number of records spread so far, and tells whether it spread this one.
    pub(super) fn stage(
        &self,
        stream: &Path,
        transaction: &TransactionId,
        records: Vec<Entry>,
        place: impl Fn(usize, u64) -> (u32, bool),
    ) -> Result<(), StreamsError> {
        let open = self.open(stream, transaction)?;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.file.is_none() {
            return Err(StreamsError::Invalid(format!(
                "transaction {} is sealed already",
                describe(transaction)
            )));
        }
        let mut spread = open.spread;
        let mut by_partition: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
        for (index, entry) in records.into_iter().enumerate() {
            let (partition, was_spread) = place(index, spread);
            spread += u64::from(was_spread);
            by_partition.entry(partition).or_default().push(entry);
        }
        let mut bytes = Vec::new();
        for (partition, entries) in &by_partition {
            let stamp =
                Stamp { kind: Kind::Records, partition: *partition, base_sequence: 0, timestamp_ms: 0 };
            for run in frame_runs(entries) {
                encode_frame(&mut bytes, stamp, None, run);
            }
            if !open.partitions.contains(partition) {
                open.partitions.push(*partition);
            }
        }
        open.write(&bytes)?;
        open.spread = spread;
        Ok(())
    }

    /// Closes a transaction and makes it durable. `next` tells where a partition stands.
    pub(super) fn seal(
        &self,
        stream: &Path,
        transaction: &TransactionId,
        next: impl Fn(u32) -> io::Result<u64>,
    ) -> Result<(), StreamsError> {
        let path = path(stream, transaction);
        let Some(open) = self.lock().get(&path).cloned() else {
            let text = format!("transaction {} was staged by another process", describe(transaction));
            let sealed = !path.exists() || Sealed::read(&path)?.is_some();
            return if sealed { Ok(()) } else { Err(StreamsError::Invalid(text)) };
        };
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.file.is_some() {
            let positions: io::Result<Positions> =
                open.partitions.iter().map(|partition| Ok((*partition, next(*partition)?))).collect();
            let document = serde_json::to_vec(&positions?).map_err(io::Error::other)?;
            let mut bytes = Vec::new();
            encode_document(&mut bytes, Kind::Seal, &document);
            open.write(&bytes)?;
            if let Some(file) = &open.file {
                file.sync_data()?;
            }
            files::sync_directory(&directory(stream))?;
            open.file = None;
        }
        drop(open);
        // Transactions that others committed are not remembered for ever.
        self.lock()
            .retain(|path, open| path.exists() || open.try_lock().is_ok_and(|open| open.file.is_some()));
        Ok(())
    }

    /// Moves a sealed transaction into the partitions. Nothing to do when there is no such file: it was
    /// committed before, or nothing was staged.
    pub(super) fn commit(
        &self,
        stream: &Path,
        transaction: &TransactionId,
        now_ms: i64,
        log: impl Fn(u32) -> Arc<PartitionLog>,
    ) -> Result<(), StreamsError> {
        let path = path(stream, transaction);
        let Some(_turn) = lock_existing(&path)? else { return Ok(()) };
        let Some(sealed) = Sealed::read(&path)? else {
            let text = format!("transaction {} is not sealed and cannot be committed", describe(transaction));
            return Err(StreamsError::Invalid(text));
        };
        let mut commit = Commit { transaction, now_ms, log: &log, parts: BTreeMap::new(), held_bytes: 0 };
        for (partition, since) in &sealed.positions {
            let committed = log(*partition).committed_records(transaction, *since)?;
            commit.parts.insert(*partition, Pending { committed, ..Pending::default() });
        }
        let mut walker = Walker::open(&path, 0, sealed.length, STAGING_WINDOW)?;
        while let Some(found) = walker.peek()? {
            if found.header.kind == Kind::Records {
                let frame = walker.frame(&found)?.ok_or_else(|| damaged(&path))?;
                commit
                    .take(found.header.partition, found.header.body(&frame))
                    .ok_or_else(|| damaged(&path))??;
            }
            walker.pass(&found);
        }
        commit.flush()?;
        for partition in sealed.positions.keys() {
            // Also when nothing was added: an earlier try may have ended before its data was on the disk.
            log(*partition).sync()?;
        }
        files::remove_if_present(&path)?;
        self.lock().remove(&path);
        Ok(())
    }

    /// Drops the staging files of a writer whose epoch is above `restored_epoch`.
    pub(super) fn discard(
        &self,
        stream: &Path,
        writer: &str,
        restored_epoch: Option<u64>,
    ) -> Result<(), StreamsError> {
        let directory = directory(stream);
        let own_prefix = format!("{}-", writer_digest(writer));
        for name in files::list_names(&directory)? {
            let path = directory.join(&name);
            let epoch = match read_transaction(&path)? {
                Some(transaction) if belongs_to(&transaction.writer, writer) => transaction.epoch,
                // Torn before its first frame was whole; the name tells whose it is.
                None if name.starts_with(&own_prefix) => u64::MAX,
                _ => continue,
            };
            if restored_epoch.is_none_or(|restored| epoch > restored) {
                files::remove_if_present(&path)?;
                self.lock().remove(&path);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<Mutex<Open>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, stream: &Path, transaction: &TransactionId) -> Result<Arc<Mutex<Open>>, StreamsError> {
        let path = path(stream, transaction);
        let mut all = self.lock();
        if let Some(open) = all.get(&path) {
            return Ok(Arc::clone(open));
        }
        // A file that is there is left from a process that died before its checkpoint was complete:
        // the records come again.
        let file = File::create(&path).map_err(|error| no_stream_if_missing(error, stream))?;
        let mut open = Open { file: Some(file), length: 0, spread: 0, partitions: Vec::new() };
        let document = serde_json::to_vec(transaction).map_err(io::Error::other)?;
        let mut bytes = Vec::new();
        encode_document(&mut bytes, Kind::Transaction, &document);
        open.write(&bytes)?;
        let open = Arc::new(Mutex::new(open));
        all.insert(path, Arc::clone(&open));
        Ok(open)
    }
}

impl Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::Error::other("the staging file is sealed")) };
        if let Err(error) = file.write_all(bytes) {
            // A part of a frame in the middle would hide everything behind it.
            io::Seek::seek(file, io::SeekFrom::Start(self.length))?;
            file.set_len(self.length)?;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// A complete staging file.
struct Sealed {
    positions: Positions,
    length: u64,
}

impl Sealed {
    /// Checks a staging file; `None` when it was not sealed.
    fn read(path: &Path) -> Result<Option<Self>, StreamsError> {
        let length = std::fs::metadata(path)?.len();
        let mut walker = Walker::open(path, 0, length, STAGING_WINDOW)?;
        while let Some(found) = walker.peek()? {
            let Some(frame) = walker.frame(&found)?.filter(|frame| found.header.is_intact(frame)) else {
                break;
            };
            if found.header.kind == Kind::Seal {
                let positions =
                    serde_json::from_slice(&found.header.body(&frame)).map_err(io::Error::other)?;
                return Ok(Some(Self { positions, length: found.offset }));
            }
            walker.pass(&found);
        }
        Ok(None)
    }
}

/// Records of one partition on their way into it.
#[derive(Debug, Default)]
struct Pending {
    /// Records that an earlier try has moved.
    committed: u64,
    /// Index of the next record of the staging file.
    index: u64,
    entries: Vec<Entry>,
}

struct Commit<'a, Log> {
    transaction: &'a TransactionId,
    now_ms: i64,
    log: &'a Log,
    parts: BTreeMap<u32, Pending>,
    held_bytes: usize,
}

impl<Log: Fn(u32) -> Arc<PartitionLog>> Commit<'_, Log> {
    /// Takes a frame; `None` when it is damaged.
    fn take(&mut self, partition: u32, body: bytes::Bytes) -> Option<Result<(), StreamsError>> {
        self.held_bytes += body.len();
        let pending = self.parts.get_mut(&partition)?;
        for entry in entries(body) {
            let entry = entry?;
            if pending.index >= pending.committed {
                pending.entries.push(entry);
            }
            pending.index += 1;
        }
        if self.held_bytes >= COMMIT_BUFFER_BYTES { Some(self.flush()) } else { Some(Ok(())) }
    }

    fn flush(&mut self) -> Result<(), StreamsError> {
        self.held_bytes = 0;
        for (partition, pending) in &mut self.parts {
            if pending.entries.is_empty() {
                continue;
            }
            let first_index = pending.index - pending.entries.len() as u64;
            let part = Part { transaction: self.transaction, first_index };
            (self.log)(*partition).append(&pending.entries, Some(part), self.now_ms, Durability::Later)?;
            pending.entries.clear();
        }
        Ok(())
    }
}

/// Returns the directory of the staging files of a stream.
pub(super) fn directory(stream: &Path) -> PathBuf {
    stream.join("staging")
}

/// Returns a number that spreads the transactions of a stream over its partitions.
pub(super) fn spread_start(transaction: &TransactionId) -> u64 {
    super::placement::hash_of_key(&describe(transaction)) >> 16
}

fn path(stream: &Path, transaction: &TransactionId) -> PathBuf {
    let writer = writer_digest(&transaction.writer);
    let name = format!("{writer}-{:05}-{:020}.stage", transaction.subtask, transaction.epoch);
    directory(stream).join(name)
}

fn writer_digest(writer: &str) -> String {
    hex::encode(&Sha256::digest(writer.as_bytes())[..16])
}

fn describe(transaction: &TransactionId) -> String {
    format!("`{}` subtask {} epoch {}", transaction.writer, transaction.subtask, transaction.epoch)
}

/// Tells whether a transaction's writer is `writer` or one below it (`job-7` owns `job-7/OUT`).
fn belongs_to(name: &str, writer: &str) -> bool {
    name.strip_prefix(writer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn read_transaction(path: &Path) -> io::Result<Option<TransactionId>> {
    let length = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut walker = match Walker::open(path, 0, length, 4096) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        walker => walker?,
    };
    let Some(found) = walker.peek()?.filter(|found| found.header.kind == Kind::Transaction) else {
        return Ok(None);
    };
    let frame = walker.frame(&found)?.filter(|frame| found.header.is_intact(frame));
    Ok(frame.and_then(|frame| serde_json::from_slice(&found.header.body(&frame)).ok()))
}

/// Locks a staging file against a second commit; `None` when it is gone.
fn lock_existing(path: &Path) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    file.lock()?;
    let inode = file.metadata()?.ino();
    // While this one waited, another commit may have finished and removed the file.
    let still_there = std::fs::metadata(path).is_ok_and(|metadata| metadata.ino() == inode);
    Ok(still_there.then_some(file))
}

fn no_stream_if_missing(error: io::Error, stream: &Path) -> StreamsError {
    if error.kind() == io::ErrorKind::NotFound {
        let name = stream.file_name().unwrap_or_default().to_string_lossy();
        return StreamsError::NoStream(name.into_owned());
    }
    StreamsError::Io(error)
}

fn damaged(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("staging file `{}` is damaged", path.display()))
}
