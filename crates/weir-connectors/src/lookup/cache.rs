//! A cache in front of a dimension table: the answers of the last look-ups, those without rows included.
//!
//! Answers are kept as bytes of Arrow's row format, apart from the batches they came in: one row that stays
//! must not keep a whole batch alive. All subtasks of a job share the cache of a table.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::Rows;
use async_trait::async_trait;
use weir_base::clock::Clock;
use weir_base::time::Timestamp;
use weir_engine::error::ConnectorError;
use weir_engine::lookup::{LookedUp, LookupConnector, SharedLookup, row_converter, rows_of};

use super::lru::Lru;

/// Bytes that the answers of one table may take however few they are: a key with very many rows must not
/// bring the worker down.
const MAX_BYTES: usize = 256 << 20;
/// Bytes of an answer besides its key and rows: the slot, the entry of the index, the allocations.
const ENTRY_BYTES: usize = 160;

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOptions {
    /// The most answers.
    pub entries: usize,
    /// How long an answer is good.
    pub time_to_live: Duration,
}

impl CacheOptions {
    /// Returns whether nothing is kept at all.
    pub fn is_off(&self) -> bool {
        self.entries == 0 || self.time_to_live.is_zero()
    }
}

/// A table with a cache in front of it.
pub struct CachedLookup {
    table: SharedLookup,
    options: CacheOptions,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: Lru<Answer>,
    bytes: usize,
    /// The sets of columns that have been asked by; the index of a set begins the keys of its answers.
    key_sets: Vec<Vec<usize>>,
}

struct Answer {
    rows: Arc<AnswerRows>,
    until: Timestamp,
    bytes: usize,
}

/// The rows of one key, one after the other.
struct AnswerRows {
    bytes: Box<[u8]>,
    ends: Box<[usize]>,
}

impl AnswerRows {
    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends.iter().copied()).map(|(start, end)| &self.bytes[start..end])
    }
}

impl CachedLookup {
    /// Puts a cache in front of a table.
    pub fn new(table: SharedLookup, options: CacheOptions, clock: Arc<dyn Clock>) -> Self {
        Self { table, options, clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the answers that are there, by key, and the keys without one.
    fn probe(&self, key_columns: &[usize], keys: &Rows) -> (Vec<(u32, Arc<AnswerRows>)>, Vec<u32>) {
        let now = self.clock.now();
        let (mut known, mut missing) = (Vec::new(), Vec::new());
        let mut state = self.state();
        let mut key = state.key_prefix(key_columns);
        let prefix = key.len();
        for (row, index) in keys.iter().zip(0u32..) {
            key.truncate(prefix);
            key.extend_from_slice(row.as_ref());
            match state.get(&key, now) {
                Some(rows) => known.push((index, rows)),
                None => missing.push(index),
            }
        }
        (known, missing)
    }

    /// Keeps the answers to keys that were missing.
    fn keep(
        &self,
        key_columns: &[usize],
        keys: &Rows,
        missing: &[u32],
        fetched: &LookedUp,
    ) -> Result<(), ArrowError> {
        let (_, rows) = rows_of(&fetched.rows)?;
        let mut by_key: Vec<Vec<usize>> = vec![Vec::new(); missing.len()];
        for (row, key) in fetched.keys.iter().enumerate() {
            by_key[*key as usize].push(row);
        }
        let until = self.clock.now().plus(self.options.time_to_live);
        let mut state = self.state();
        let mut key = state.key_prefix(key_columns);
        let prefix = key.len();
        for (at, index) in missing.iter().enumerate() {
            if fetched.faults.iter().any(|fault| fault.key as usize == at) {
                continue;
            }
            key.truncate(prefix);
            key.extend_from_slice(keys.row(*index as usize).as_ref());
            let mut bytes = Vec::new();
            let mut ends = Vec::with_capacity(by_key[at].len());
            for row in &by_key[at] {
                bytes.extend_from_slice(rows.row(*row).as_ref());
                ends.push(bytes.len());
            }
            let size = ENTRY_BYTES + key.len() + bytes.len() + size_of_val(ends.as_slice());
            let rows = Arc::new(AnswerRows { bytes: bytes.into(), ends: ends.into() });
            state.put(&key, Answer { rows, until, bytes: size }, self.options.entries);
        }
        Ok(())
    }

    /// Puts the answers that were known and those just fetched together.
    fn combine(
        &self,
        known: &[(u32, Arc<AnswerRows>)],
        missing: &[u32],
        fetched: LookedUp,
    ) -> Result<LookedUp, ArrowError> {
        let schema = self.schema();
        let mut keys = Vec::new();
        let converter = row_converter(&schema)?;
        let parser = converter.parser();
        let mut rows = Vec::new();
        for (key, answer) in known {
            for row in answer.iter() {
                keys.push(*key);
                rows.push(parser.parse(row));
            }
        }
        let known = match rows.is_empty() {
            true => RecordBatch::new_empty(Arc::clone(&schema)),
            false => RecordBatch::try_new(Arc::clone(&schema), converter.convert_rows(rows)?)?,
        };
        keys.extend(fetched.keys.iter().map(|key| missing[*key as usize]));
        let mut faults = fetched.faults;
        faults.iter_mut().for_each(|fault| fault.key = missing[fault.key as usize]);
        Ok(LookedUp { rows: concat_batches(&schema, [&known, &fetched.rows])?, keys, faults })
    }
}

impl State {
    fn key_prefix(&mut self, key_columns: &[usize]) -> Vec<u8> {
        let set = self.key_sets.iter().position(|set| set == key_columns).unwrap_or_else(|| {
            self.key_sets.push(key_columns.to_vec());
            self.key_sets.len() - 1
        });
        set.to_le_bytes().to_vec()
    }

    fn get(&mut self, key: &[u8], now: Timestamp) -> Option<Arc<AnswerRows>> {
        let answer = self.answers.get(key)?;
        if now < answer.until {
            return Some(Arc::clone(&answer.rows));
        }
        let old = self.answers.remove(key);
        self.forget(old);
        None
    }

    fn put(&mut self, key: &[u8], answer: Answer, most: usize) {
        if answer.bytes > MAX_BYTES {
            let old = self.answers.remove(key);
            return self.forget(old);
        }
        self.bytes += answer.bytes;
        let old = self.answers.put(key, answer);
        self.forget(old);
        while self.answers.len() > most || self.bytes > MAX_BYTES {
            let oldest = self.answers.remove_oldest().map(|(_, answer)| answer);
            self.forget(oldest);
        }
    }

    fn forget(&mut self, answer: Option<Answer>) {
        self.bytes -= answer.map_or(0, |answer| answer.bytes);
    }
}

#[async_trait]
impl LookupConnector for CachedLookup {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    async fn look_up(&self, key_columns: &[usize], keys: &RecordBatch) -> Result<LookedUp, ConnectorError> {
        let failed = |error: ArrowError| ConnectorError::permanent(format!("cache of look-ups: {error}"));
        let (_, rows) = rows_of(keys).map_err(failed)?;
        let (known, missing) = self.probe(key_columns, &rows);
        if missing.is_empty() {
            return self.combine(&known, &missing, LookedUp::nothing(self.schema())).map_err(failed);
        }
        let asked = match missing.len() == keys.num_rows() {
            true => keys.clone(),
            false => take_record_batch(keys, &UInt32Array::from(missing.clone())).map_err(failed)?,
        };
        let fetched = self.table.look_up(key_columns, &asked).await?;
        self.keep(key_columns, &rows, &missing, &fetched).map_err(failed)?;
        if known.is_empty() {
            return Ok(fetched);
        }
        self.combine(&known, &missing, fetched).map_err(failed)
    }

    fn cached_bytes(&self) -> usize {
        self.state().bytes + self.table.cached_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use futures::FutureExt;
    use proptest::prelude::*;
    use weir_base::clock::ManualClock;
    use weir_engine::lookup::KeyFault;

    use super::*;

    /// The rows of each key; a key with the value `bad` is a fault.
    type Content = BTreeMap<i64, Vec<String>>;

    #[derive(Default)]
    struct Table {
        content: Mutex<Content>,
        asked: Mutex<Vec<i64>>,
    }

    fn schema() -> SchemaRef {
        let fields = [Field::new("k", DataType::Int64, true), Field::new("v", DataType::Utf8, true)];
        Arc::new(Schema::new(fields.to_vec()))
    }

    fn keys_of(keys: &[i64]) -> RecordBatch {
        let schema = Arc::new(Schema::new(vec![Field::new("k", DataType::Int64, true)]));
        RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(keys.to_vec()))]).unwrap()
    }

    #[async_trait]
    impl LookupConnector for Table {
        fn schema(&self) -> SchemaRef {
            schema()
        }

        async fn look_up(&self, _columns: &[usize], keys: &RecordBatch) -> Result<LookedUp, ConnectorError> {
            let content = self.content.lock().unwrap();
            let (mut k, mut v, mut found, mut faults) = (vec![], vec![], vec![], vec![]);
            for (index, key) in keys.column(0).as_primitive::<Int64Type>().values().iter().enumerate() {
                self.asked.lock().unwrap().push(*key);
                for value in content.get(key).into_iter().flatten() {
                    if value == "bad" {
                        faults.push(KeyFault { key: index as u32, reason: "bad".to_string() });
                        continue;
                    }
                    k.push(*key);
                    v.push(value.clone());
                    found.push(index as u32);
                }
            }
            let columns: Vec<arrow::array::ArrayRef> =
                vec![Arc::new(Int64Array::from(k)), Arc::new(StringArray::from(v))];
            Ok(LookedUp { rows: RecordBatch::try_new(schema(), columns).unwrap(), keys: found, faults })
        }
    }

    fn ask(cache: &CachedLookup, keys: &[i64]) -> (Content, Vec<i64>) {
        let answer = cache.look_up(&[0], &keys_of(keys)).now_or_never().unwrap().unwrap();
        let mut content: Content = BTreeMap::new();
        let (k, v) =
            (answer.rows.column(0).as_primitive::<Int64Type>(), answer.rows.column(1).as_string::<i32>());
        for (row, key) in answer.keys.iter().enumerate() {
            assert_eq!(k.value(row), keys[*key as usize], "the row answers the key it is told to");
            content.entry(k.value(row)).or_default().push(v.value(row).to_string());
        }
        (content, answer.faults.iter().map(|fault| keys[fault.key as usize]).collect())
    }

    /// What a cache must do, said plainly: a list in the order of use.
    struct Model {
        entries: Vec<(i64, Vec<String>, i64)>,
        most: usize,
        time_to_live: i64,
    }

    impl Model {
        fn ask(&mut self, keys: &[i64], content: &Content, now: i64) -> (Content, Vec<i64>, Vec<i64>) {
            let (mut answer, mut asked, mut faults) = (Content::new(), Vec::new(), Vec::new());
            for key in keys {
                let entry = self.entries.iter().position(|(other, _, _)| other == key);
                let entry = entry.map(|at| self.entries.remove(at)).filter(|(_, _, until)| now < *until);
                match entry {
                    Some(entry) => {
                        answer.insert(*key, entry.1.clone());
                        self.entries.push(entry);
                    }
                    None => asked.push(*key),
                }
            }
            for key in &asked {
                let rows = content.get(key).cloned().unwrap_or_default();
                if rows.iter().any(|row| row == "bad") {
                    faults.push(*key);
                } else {
                    self.entries.push((*key, rows.clone(), now + self.time_to_live));
                }
                answer.insert(*key, rows.into_iter().filter(|row| row != "bad").collect());
            }
            while self.entries.len() > self.most {
                self.entries.remove(0);
            }
            answer.retain(|_, rows| !rows.is_empty());
            (answer, asked, faults)
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Ask(Vec<i64>),
        Change(i64, Vec<String>),
        Wait(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let value = prop_oneof![9 => "[a-c]{0,2}", 1 => Just("bad".to_string())];
        prop_oneof![
            3 => prop::sample::subsequence((0..10).collect::<Vec<i64>>(), 1..6).prop_shuffle().prop_map(Step::Ask),
            2 => (0..10i64, prop::collection::vec(value, 0..3)).prop_map(|(key, rows)| Step::Change(key, rows)),
            1 => (1..30i64).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #[test]
        fn answers_and_asks_like_the_naive_model(
            steps in prop::collection::vec(step(), 1..40),
            most in 1..6usize,
        ) {
            let (table, clock) = (Arc::new(Table::default()), ManualClock::new(Timestamp(0)));
            let options = CacheOptions { entries: most, time_to_live: Duration::from_millis(40) };
            let cache = CachedLookup::new(table.clone(), options, Arc::new(clock.clone()));
            let mut model = Model { entries: Vec::new(), most, time_to_live: 40 };
            for step in steps {
                match step {
                    Step::Change(key, rows) => { table.content.lock().unwrap().insert(key, rows); }
                    Step::Wait(ms) => clock.advance(Duration::from_millis(ms as u64)),
                    Step::Ask(keys) => {
                        let content = table.content.lock().unwrap().clone();
                        let (answer, asked, faults) = model.ask(&keys, &content, clock.now().0);
                        let (given, mut bad) = ask(&cache, &keys);
                        bad.dedup();
                        prop_assert_eq!(given, answer);
                        prop_assert_eq!(bad, faults);
                        prop_assert_eq!(std::mem::take(&mut *table.asked.lock().unwrap()), asked);
                    }
                }
                prop_assert_eq!(cache.state().answers.len(), model.entries.len());
                prop_assert_eq!(cache.cached_bytes() == 0, model.entries.is_empty());
            }
        }
    }

    #[test]
    fn keys_of_different_columns_are_told_apart() {
        let (table, clock) = (Arc::new(Table::default()), ManualClock::default());
        let options = CacheOptions { entries: 10, time_to_live: Duration::from_secs(1) };
        let cache = CachedLookup::new(table.clone(), options, Arc::new(clock));
        for columns in [[0], [1], [0], [1]] {
            cache.look_up(&columns, &keys_of(&[5])).now_or_never().unwrap().unwrap();
        }
        assert_eq!(*table.asked.lock().unwrap(), [5, 5]);
    }

    #[test]
    fn an_answer_too_large_to_keep_is_given_and_not_kept() {
        let (table, clock) = (Arc::new(Table::default()), ManualClock::default());
        let options = CacheOptions { entries: 10, time_to_live: Duration::from_secs(1) };
        let cache = CachedLookup::new(table, options, Arc::new(clock));
        let rows = Arc::new(AnswerRows { bytes: Box::default(), ends: Box::default() });
        let answer = |bytes| Answer { rows: Arc::clone(&rows), until: Timestamp::MAX, bytes };
        let mut state = cache.state();
        state.put(b"a", answer(MAX_BYTES / 2), 10);
        state.put(b"b", answer(MAX_BYTES + 1), 10);
        assert_eq!((state.answers.len(), state.bytes), (1, MAX_BYTES / 2));
        state.put(b"c", answer(MAX_BYTES / 2 + 1), 10);
        assert_eq!((state.answers.len(), state.bytes), (1, MAX_BYTES / 2 + 1), "the oldest made room");
    }
}
