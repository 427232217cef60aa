//! Rows that an operator keeps: columnar, addressed one by one, freed when nobody refers to them.
//!
//! Joins, OVER windows and patterns keep rows for as long as each single one may still be needed. A store
//! holds them in the batches in which they came and counts how many rows of each are live. When most of
//! what it holds is dead the owner lets it [`RowStore::compact`], so memory stays within twice the live rows.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{interleave, interleave_record_batch};
use arrow::datatypes::SchemaRef;

use super::OperatorError;

/// The address of a row in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowRef {
    batch: u32,
    row: u32,
}

struct Stored {
    rows: RecordBatch,
    live: usize,
}

/// Rows of one schema. Every live row is owned by exactly one holder of its address.
pub(crate) struct RowStore {
    schema: SchemaRef,
    batches: Vec<Option<Stored>>,
    free: Vec<u32>,
    live: usize,
    held: usize,
}

/// Where rows stand that are looked at column by column. A row that is missing has NULL in every column.
pub(crate) struct Picks {
    batches: Vec<u32>,
    /// Batch and row; what is missing stands behind the last batch.
    places: Vec<(usize, usize)>,
    any_missing: bool,
}

impl Picks {
    /// Returns the number of rows.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns which rows are missing, or `None` when none is.
    pub(crate) fn missing(&self) -> Option<BooleanArray> {
        let missing = |place: &(usize, usize)| Some(place.0 == self.batches.len());
        self.any_missing.then(|| self.places.iter().map(missing).collect())
    }
}

/// Dead rows that are held without complaint; below this compaction is not worth its copy.
const SLACK_ROWS: usize = 8_192;

/// Batches that are held without complaint: more make every look-up of a batch slower and hold more headers than rows.
const SLACK_BATCHES: usize = 256;

impl RowStore {
    /// Makes an empty store.
    pub(crate) fn new(schema: SchemaRef) -> Self {
        Self { schema, batches: Vec::new(), free: Vec::new(), live: 0, held: 0 }
    }

    /// Keeps all rows of a batch and returns their addresses, in order.
    pub(crate) fn insert(&mut self, rows: RecordBatch) -> impl ExactSizeIterator<Item = RowRef> + use<> {
        let count = rows.num_rows();
        let mut batch = 0;
        if count > 0 {
            self.live += count;
            self.held += count;
            let stored = Some(Stored { rows, live: count });
            batch = match self.free.pop() {
                Some(slot) => {
                    self.batches[slot as usize] = stored;
                    slot
                }
                None => {
                    self.batches.push(stored);
                    (self.batches.len() - 1) as u32
                }
            };
        }
        // A batch has far fewer rows than a u32 counts.
        (0..count as u32 as usize).map(move |row| RowRef { batch, row: row as u32 })
    }

    /// Gives a row back. Its address must not be used any more.
    pub(crate) fn release(&mut self, at: RowRef) {
        let slot = &mut self.batches[at.batch as usize];
        let Some(stored) = slot else { return };
        stored.live -= 1;
        self.live -= 1;
        if stored.live == 0 {
            self.held -= stored.rows.num_rows();
            *slot = None;
            self.free.push(at.batch);
        }
    }

    /// Returns the batch that holds a row, and its place there.
    pub(crate) fn row(&self, at: RowRef) -> Result<(&RecordBatch, usize), OperatorError> {
        match self.batches.get(at.batch as usize) {
            Some(Some(stored)) => Ok((&stored.rows, at.row as usize)),
            _ => Err(OperatorError::State("a kept row is gone".to_string())),
        }
    }

    /// Returns rows as a batch, in the order asked for.
    pub(crate) fn gather(&self, rows: &[RowRef]) -> Result<RecordBatch, OperatorError> {
        if self.schema.fields().is_empty() || rows.is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            let columns = RecordBatch::new_empty(self.schema.clone()).columns().to_vec();
            return Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?);
        }
        let mut used: Vec<u32> = rows.iter().map(|at| at.batch).collect();
        used.sort_unstable();
        used.dedup();
        let mut batches = Vec::with_capacity(used.len());
        for batch in &used {
            batches.push(self.row(RowRef { batch: *batch, row: 0 })?.0);
        }
        let picks: Vec<(usize, usize)> = rows
            .iter()
            .map(|at| (used.partition_point(|batch| *batch < at.batch), at.row as usize))
            .collect();
        Ok(interleave_record_batch(&batches, &picks)?)
    }

    /// Returns the columns of the rows.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Finds rows.
    pub(crate) fn picks(&self, rows: &[Option<RowRef>]) -> Picks {
        let mut batches: Vec<u32> = rows.iter().flatten().map(|at| at.batch).collect();
        batches.sort_unstable();
        batches.dedup();
        let place = |at: &Option<RowRef>| match at {
            Some(at) => (batches.partition_point(|batch| *batch < at.batch), at.row as usize),
            None => (batches.len(), 0),
        };
        let places = rows.iter().map(place).collect();
        Picks { places, any_missing: rows.contains(&None), batches }
    }

    /// Returns one column of rows.
    pub(crate) fn column(&self, picks: &Picks, column: usize) -> Result<ArrayRef, OperatorError> {
        let data_type = self.schema.field(column).data_type();
        let nothing = new_null_array(data_type, usize::from(picks.any_missing));
        let mut columns: Vec<&dyn Array> = Vec::with_capacity(picks.batches.len() + 1);
        for batch in &picks.batches {
            columns.push(self.row(RowRef { batch: *batch, row: 0 })?.0.column(column).as_ref());
        }
        if picks.any_missing || columns.is_empty() {
            columns.push(nothing.as_ref());
        }
        Ok(interleave(&columns, &picks.places)?)
    }

    /// Returns how many rows are live.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.live
    }

    /// Returns whether the owner should call [`RowStore::compact`].
    pub(crate) fn wants_compaction(&self) -> bool {
        let batches = self.batches.len() - self.free.len();
        self.held > 2 * self.live + SLACK_ROWS
            || batches > SLACK_BATCHES && batches > 2 * (self.live / SLACK_ROWS + 1)
    }

    /// Copies the live rows together. The owner hands over every address it holds; each is changed to the new one.
    pub(crate) fn compact<'a>(
        &mut self,
        addresses: impl Iterator<Item = &'a mut RowRef>,
    ) -> Result<(), OperatorError> {
        let addresses: Vec<&mut RowRef> = addresses.collect();
        let mut compacted = Self::new(self.schema.clone());
        let mut renewed = Vec::with_capacity(addresses.len());
        let old: Vec<RowRef> = addresses.iter().map(|at| **at).collect();
        for chunk in old.chunks(SLACK_ROWS) {
            renewed.extend(compacted.insert(self.gather(chunk)?));
        }
        for (address, new) in addresses.into_iter().zip(renewed) {
            *address = new;
        }
        *self = compacted;
        Ok(())
    }

    /// Returns the bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.batches.iter().flatten().map(|stored| stored.rows.get_array_memory_size()).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use proptest::prelude::*;

    use super::*;

    fn batch(values: &[i64]) -> RecordBatch {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(values.to_vec()))]).unwrap()
    }

    fn values(rows: &RecordBatch) -> Vec<i64> {
        rows.column(0).as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn dead_batches_are_freed_and_their_places_used_again() {
        let mut store = RowStore::new(batch(&[]).schema());
        let first: Vec<RowRef> = store.insert(batch(&[1, 2])).collect();
        let second: Vec<RowRef> = store.insert(batch(&[3])).collect();
        store.release(first[0]);
        assert_eq!(values(&store.gather(&[second[0], first[1]]).unwrap()), [3, 2]);
        store.release(first[1]);
        assert!(store.row(first[1]).is_err());
        assert_eq!((store.len(), store.held), (1, 1));
        let third: Vec<RowRef> = store.insert(batch(&[4])).collect();
        assert_eq!(third[0].batch, first[0].batch);
    }

    #[test]
    fn mostly_dead_stores_want_compaction() {
        let mut store = RowStore::new(batch(&[]).schema());
        let rows: Vec<RowRef> = store.insert(batch(&vec![7; 3 * SLACK_ROWS])).collect();
        for at in &rows[1..] {
            store.release(*at);
        }
        assert!(store.wants_compaction());
        let mut kept = [rows[0]];
        store.compact(kept.iter_mut()).unwrap();
        assert_eq!((store.held, store.len()), (1, 1));
        assert_eq!(values(&store.gather(&kept).unwrap()), [7]);
    }

    #[test]
    fn missing_rows_are_null() {
        let mut store = RowStore::new(batch(&[]).schema());
        let first: Vec<RowRef> = store.insert(batch(&[1, 2])).collect();
        let second: Vec<RowRef> = store.insert(batch(&[3])).collect();
        let picks = store.picks(&[Some(second[0]), None, Some(first[1])]);
        let column = store.column(&picks, 0).unwrap();
        assert_eq!(column.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(3), None, Some(2)]);
        assert_eq!(picks.missing().unwrap().true_count(), 1);
        assert!(store.column(&store.picks(&[]), 0).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn rows_stay_themselves(steps in prop::collection::vec((0usize..20, any::<bool>(), any::<prop::sample::Index>()), 0..40)) {
            let mut store = RowStore::new(batch(&[]).schema());
            let mut model: Vec<(RowRef, i64)> = Vec::new();
            let mut next = 0;
            for (count, compact, victim) in steps {
                let values: Vec<i64> = (next..next + count as i64).collect();
                next += count as i64;
                model.extend(store.insert(batch(&values)).zip(values));
                if !model.is_empty() {
                    let (at, _) = model.swap_remove(victim.index(model.len()));
                    store.release(at);
                }
                if compact {
                    store.compact(model.iter_mut().map(|(at, _)| at)).unwrap();
                }
                let rows: Vec<RowRef> = model.iter().map(|(at, _)| *at).collect();
                let expected: Vec<i64> = model.iter().map(|(_, value)| *value).collect();
                prop_assert_eq!(self::values(&store.gather(&rows).unwrap()), expected);
                prop_assert_eq!(store.len(), model.len());
            }
        }
    }
}
