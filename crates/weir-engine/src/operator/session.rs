//! Session windows: rows of a key that follow each other within a gap.
//!
//! Every session owns one or more *slots*: groups of accumulators. New slots are made in a live generation;
//! when a session ends, the live generation is sealed into a state batch, and the states of the slots
//! of the ended sessions are merged and evaluated together. So kernels always work on columns, although
//! sessions end one by one and may merge.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::row::{RowConverter, SortField};
use weir_base::time::Timestamp;

use super::session_state::{Slot, Slots};
use super::window_common::{WindowInput, WindowKind, WindowPlan, key_hashes, own_watermark};
use super::{KeyRange, Operator, OperatorError, Output};
use crate::message::{TARGET_BATCH_ROWS, TimeDomain};
use crate::state;

/// A key in row format.
type Key = Arc<[u8]>;

/// What the values of a key of a number or two take, with the counters of who shares them.
const KEY_BYTES: usize = 32;

/// Rows of one key at most a gap apart.
#[derive(Debug)]
struct Session {
    start: i64,
    last: i64,
    slots: Vec<Slot>,
}

/// The open sessions of one key, in order of time.
#[derive(Debug, Default)]
struct KeySessions {
    sessions: Vec<Session>,
    /// Time of the one valid entry of the key in the schedule: at or before the earliest end.
    scheduled: i64,
}

impl KeySessions {
    /// Lets a session take a row, and merges the sessions that it now reaches.
    fn extend(&mut self, at: usize, time: i64, gap: i64) {
        let session = &mut self.sessions[at];
        session.start = session.start.min(time);
        session.last = session.last.max(time);
        while let Some(next) = self.sessions.get(at + 1) {
            if next.start > self.sessions[at].last.saturating_add(gap) {
                break;
            }
            let next = self.sessions.remove(at + 1);
            let session = &mut self.sessions[at];
            session.last = session.last.max(next.last);
            session.slots.extend(next.slots);
        }
    }
}

/// Aggregates rows into sessions.
///
/// A row exactly one gap after the last one still belongs to the session; the session ends at
/// the time of its last row plus the gap, and is complete when the watermark reaches that - 1 ms.
pub struct SessionWindow {
    plan: WindowPlan,
    gap: i64,
    converter: RowConverter,
    sessions: HashMap<Key, KeySessions>,
    /// When to look at which key, earliest first. Entries that a key no longer means are skipped.
    schedule: BinaryHeap<Reverse<(i64, Key)>>,
    slots: Slots,
    watermark: i64,
    /// The watermark under way, which goes on when the sessions that it completes have been given out.
    passing: Option<(TimeDomain, Timestamp)>,
}

impl SessionWindow {
    /// Makes the operator; the kind of the plan must be a session.
    pub fn new(plan: WindowPlan) -> Result<Self, OperatorError> {
        let WindowKind::Session { gap } = plan.spec.kind else {
            return Err(OperatorError::State("a window of fixed length is not a session".to_string()));
        };
        let fields = plan.shape.keys.fields().iter().map(|f| SortField::new(f.data_type().clone())).collect();
        let slots = Slots::new(&plan.shape)?;
        Ok(Self {
            plan,
            gap,
            converter: RowConverter::new(fields)?,
            sessions: HashMap::new(),
            schedule: BinaryHeap::new(),
            slots,
            watermark: i64::MIN,
            passing: None,
        })
    }

    /// Returns the live group of the session that takes a row, or `None` when the row is late.
    fn group_for(&mut self, key: &[u8], time: i64, watermark: i64) -> Option<usize> {
        let gap = self.gap;
        let is_late = time.saturating_add(gap) - 1 <= watermark;
        let Some(of_key) = self.sessions.get_mut(key) else {
            return (!is_late).then(|| self.open_first(key, time));
        };
        // A session that was complete when the row was read takes no more rows, although it has
        // not been given out yet.
        let takes = |session: &Session| {
            session.last.saturating_add(gap) - 1 > watermark
                && time <= session.last.saturating_add(gap)
                && session.start <= time.saturating_add(gap)
        };
        let Some(at) = of_key.sessions.iter().position(takes) else {
            if is_late {
                return None;
            }
            let at = of_key.sessions.partition_point(|session| session.start <= time);
            let slot = self.slots.allocate();
            of_key.sessions.insert(at, Session { start: time, last: time, slots: vec![slot] });
            let end = time.saturating_add(gap);
            if end < of_key.scheduled {
                of_key.scheduled = end;
                self.schedule.push(Reverse((end, key.into())));
            }
            return Some(slot.group);
        };
        of_key.extend(at, time, gap);
        let session = &mut of_key.sessions[at];
        if let Some(slot) = session.slots.iter().find(|slot| self.slots.is_live(slot)) {
            return Some(slot.group);
        }
        let slot = self.slots.allocate();
        session.slots.push(slot);
        Some(slot.group)
    }

    fn open_first(&mut self, key: &[u8], time: i64) -> usize {
        let key: Key = key.into();
        let slot = self.slots.allocate();
        let end = time.saturating_add(self.gap);
        let session = Session { start: time, last: time, slots: vec![slot] };
        self.schedule.push(Reverse((end, key.clone())));
        self.sessions.insert(key, KeySessions { sessions: vec![session], scheduled: end });
        slot.group
    }

    fn add(&mut self, input: &WindowInput, output: &mut Output) -> Result<(), OperatorError> {
        let rows = input.times.len();
        let keys = match input.keys.is_empty() {
            true => None,
            false => Some(self.converter.convert_columns(&input.keys)?),
        };
        let mut kept = Vec::with_capacity(rows);
        let mut groups = Vec::with_capacity(rows);
        for row in 0..rows {
            let watermark = match &input.row_watermarks {
                Some(watermarks) => self.watermark.max(watermarks.value(row)),
                None => self.watermark,
            };
            let key = keys.as_ref().map(|keys| keys.row(row));
            let key = key.as_ref().map_or(&[][..], |key| key.as_ref());
            match self.group_for(key, input.times.value(row), watermark) {
                Some(group) => {
                    kept.push(row as u32);
                    groups.push(group);
                }
                None => self.plan.note_late(input, row, output),
            }
        }
        self.slots.update(&input.arguments, &kept, rows, &groups)?;
        Ok(())
    }

    /// Gives out the sessions that a watermark completes, in order of their end, until the output is full. Returns whether
    /// all are given out.
    fn fire(&mut self, watermark: i64, output: &mut Output) -> Result<bool, OperatorError> {
        loop {
            let ended = self.ended(watermark);
            if ended.is_empty() {
                break;
            }
            self.give_out(&ended, output)?;
            if output.is_full() {
                return Ok(false);
            }
        }
        self.watermark = self.watermark.max(watermark);
        Ok(true)
    }

    /// Takes complete sessions out of the state: the next ones in order of their end, as many as make a batch.
    fn ended(&mut self, watermark: i64) -> Vec<(Key, Session)> {
        let gap = self.gap;
        let mut ended = Vec::new();
        while ended.len() < TARGET_BATCH_ROWS
            && let Some(Reverse((end, _))) = self.schedule.peek()
            && *end - 1 <= watermark
        {
            let Some(Reverse((end, key))) = self.schedule.pop() else { break };
            let Some(of_key) = self.sessions.get_mut(&key).filter(|of_key| of_key.scheduled == end) else {
                continue;
            };
            // Those of the key that end before any of another key. None when the first has grown since: it ends later.
            let others = self.schedule.peek().map_or(i64::MAX, |Reverse((next, _))| *next);
            let is_next = |session: &&Session| {
                let ends = session.last.saturating_add(gap);
                ends == end || (ends < others && ends - 1 <= watermark)
            };
            let room = TARGET_BATCH_ROWS - ended.len();
            let count = of_key.sessions.iter().take(room).take_while(is_next).count();
            ended.extend(of_key.sessions.drain(..count).map(|session| (key.clone(), session)));
            match of_key.sessions.first().map(|session| session.last.saturating_add(gap)) {
                Some(next) => {
                    of_key.scheduled = next;
                    self.schedule.push(Reverse((next, key)));
                }
                None => {
                    self.sessions.remove(&key);
                }
            }
        }
        ended
    }

    fn give_out(&mut self, ended: &[(Key, Session)], output: &mut Output) -> Result<(), OperatorError> {
        let slots: Vec<&[Slot]> = ended.iter().map(|(_, session)| session.slots.as_slice()).collect();
        let results = self.slots.evaluate(&self.plan.shape, &slots)?;
        let key_columns = self.key_columns(ended.iter().map(|(key, _)| key))?;
        let starts = ended.iter().map(|(_, session)| session.start).collect();
        let ends = ended.iter().map(|(_, session)| session.last.saturating_add(self.gap)).collect();
        output.emit(self.plan.rows(key_columns, starts, ends, results)?);
        self.slots.release(ended.iter().flat_map(|(_, session)| session.slots.iter()));
        if self.slots.wants_compaction() {
            self.compact()?;
        }
        Ok(())
    }

    fn key_columns<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> Result<Vec<ArrayRef>, OperatorError> {
        if self.plan.shape.keys.fields().is_empty() {
            return Ok(Vec::new());
        }
        let parser = self.converter.parser();
        Ok(self.converter.convert_rows(keys.map(|key| parser.parse(key)))?)
    }

    /// Merges the slots of every session into one, in a single state batch.
    fn compact(&mut self) -> Result<(), OperatorError> {
        let slots: Vec<&[Slot]> = self
            .sessions
            .values()
            .flat_map(|of_key| &of_key.sessions)
            .map(|session| session.slots.as_slice())
            .collect();
        let (count, merged) = (slots.len(), self.slots.merged_state(&self.plan.shape, &slots)?);
        let generation = self.slots.replace_all(merged, count);
        for (group, session) in self.sessions.values_mut().flat_map(|of_key| &mut of_key.sessions).enumerate()
        {
            session.slots = vec![Slot { generation, group }];
        }
        Ok(())
    }
}

impl Operator for SessionWindow {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        match self.plan.input(batch, output)? {
            Some(input) => self.add(&input, output),
            None => Ok(()),
        }
    }

    fn watermark(
        &mut self,
        domain: TimeDomain,
        watermark: Timestamp,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        self.passing = Some((domain, watermark));
        self.resume(output)
    }

    fn resume(&mut self, output: &mut Output) -> Result<(), OperatorError> {
        let Some((domain, watermark)) = self.passing else { return Ok(()) };
        if domain == self.plan.spec.domain && !self.fire(watermark.0, output)? {
            output.leave_rest();
            return Ok(());
        }
        self.passing = None;
        output.watermark(domain, watermark);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        self.compact()?;
        let mut batches = Vec::new();
        if let Some(states) = self.slots.sealed_columns() {
            let keys =
                self.sessions.iter().flat_map(|(key, of_key)| of_key.sessions.iter().map(move |_| key));
            let mut columns = self.key_columns(keys)?;
            columns.extend(states.iter().cloned());
            let all = || self.sessions.values().flat_map(|of_key| &of_key.sessions);
            let starts: Int64Array = all().map(|session| session.start).collect();
            let lasts: Int64Array = all().map(|session| session.last).collect();
            let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(starts.len()));
            let batch = RecordBatch::try_new_with_options(self.plan.shape.state.clone(), columns, &options)?;
            let batch = state::with_column(&batch, "start", Arc::new(starts))?;
            batches.push(state::with_column(&batch, "last", Arc::new(lasts))?);
        }
        state::encode(&self.watermark, &batches)
    }

    fn restore(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        let mut watermark: Option<i64> = None;
        let key_count = self.plan.shape.keys.fields().len();
        for bytes in states.iter().filter(|bytes| !bytes.is_empty()) {
            let (saved, batches) = state::decode::<i64>(bytes)?;
            watermark = Some(watermark.map_or(saved, |w| w.min(saved)));
            for batch in batches {
                let hashes = key_hashes(&batch.columns()[..key_count], batch.num_rows())?;
                let batch = state::keep_rows(&batch, |row| range.contains(hashes[row]))?;
                self.restore_batch(&batch, key_count)?;
            }
        }
        self.watermark = own_watermark(states, range)?.or(watermark).unwrap_or(i64::MIN);
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        if self.sessions.is_empty() {
            return self.slots.bytes();
        }
        // A place of the table has one more byte.
        let place = size_of::<(Key, KeySessions)>() + 1;
        let of_key = KEY_BYTES + size_of::<Session>() + size_of::<Slot>();
        self.slots.bytes()
            + self.sessions.capacity() * place
            + self.sessions.len() * of_key
            + self.schedule.capacity() * size_of::<Reverse<(i64, Key)>>()
    }
}

impl SessionWindow {
    fn restore_batch(&mut self, batch: &RecordBatch, key_count: usize) -> Result<(), OperatorError> {
        let columns = batch.columns();
        let [.., starts, lasts] = columns else {
            return Err(OperatorError::State("session bounds are missing".to_string()));
        };
        let starts = starts.as_primitive::<Int64Type>();
        let lasts = lasts.as_primitive::<Int64Type>();
        let keys = match key_count {
            0 => None,
            _ => Some(self.converter.convert_columns(&columns[..key_count])?),
        };
        let generation =
            self.slots.add_sealed(columns[key_count..columns.len() - 2].to_vec(), batch.num_rows());
        for row in 0..batch.num_rows() {
            let key: Key =
                keys.as_ref().map_or_else(|| Key::from([]), |keys| Key::from(keys.row(row).as_ref()));
            let slots = vec![Slot { generation, group: row }];
            let session = Session { start: starts.value(row), last: lasts.value(row), slots };
            let end = session.last.saturating_add(self.gap);
            let of_key = self
                .sessions
                .entry(key.clone())
                .or_insert_with(|| KeySessions { sessions: Vec::new(), scheduled: i64::MAX });
            let at = of_key.sessions.partition_point(|other| other.start <= session.start);
            of_key.sessions.insert(at, session);
            if end < of_key.scheduled {
                of_key.scheduled = end;
                self.schedule.push(Reverse((end, key)));
            }
        }
        Ok(())
    }
}
