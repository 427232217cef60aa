//! Conditions that look at the neighbours of a row: computed once, when the neighbours are there.

use arrow::array::{RecordBatch, RecordBatchOptions};

use super::definitions::{Definitions, Part};
use super::partition::Partitions;
use super::value::{RowValue, Verdict, judge};
use crate::operator::OperatorError;
use crate::operator::row_store::{RowRef, RowStore};

/// A row of a partition, by place.
pub(super) type RowOf = (u32, u32);

impl Definitions {
    /// Computes what conditions say about rows and their neighbours.
    pub(super) fn look_near(
        &self,
        rows: &[RowOf],
        partitions: &mut Partitions,
        store: &RowStore,
    ) -> Result<(), OperatorError> {
        for (number, definition) in self.list.iter().enumerate() {
            let Some(near) = &definition.near else { continue };
            let bit = 1_u64 << number;
            let open = |(partition, row): &&RowOf| {
                let partition = partitions.get(*partition);
                partition.is_some_and(|partition| partition.rows[*row as usize].fits & bit != 0)
            };
            let open: Vec<RowOf> = rows.iter().filter(open).copied().collect();
            look(near, bit, &open, partitions, store)?;
        }
        Ok(())
    }
}

fn look(
    near: &Part<(RowValue, i64)>,
    bit: u64,
    rows: &[RowOf],
    partitions: &mut Partitions,
    store: &RowStore,
) -> Result<(), OperatorError> {
    if rows.is_empty() {
        return Ok(());
    }
    let batch = batch(near, rows, partitions, store);
    let mut found = |(partition, row): RowOf, verdict: Verdict| {
        let Some(partition) = partitions.get_mut(partition) else { return };
        let row = &mut partition.rows[row as usize];
        match verdict {
            Verdict::Yes => {}
            Verdict::No => row.fits &= !bit,
            Verdict::Failed(_) => row.doubts |= bit,
        }
    };
    match batch {
        Ok(batch) => {
            judge(&near.expression, &batch, &mut |row, verdict| found(rows[row], verdict));
            Ok(())
        }
        Err(OperatorError::Kernel(error)) if rows.len() == 1 => {
            found(rows[0], Verdict::Failed(error));
            Ok(())
        }
        Err(OperatorError::Kernel(_)) => {
            let (first, second) = rows.split_at(rows.len() / 2);
            look(near, bit, first, partitions, store)?;
            look(near, bit, second, partitions, store)
        }
        Err(error) => Err(error),
    }
}

/// Returns what the condition reads, one row for each row in question.
fn batch(
    near: &Part<(RowValue, i64)>,
    rows: &[RowOf],
    partitions: &Partitions,
    store: &RowStore,
) -> Result<RecordBatch, OperatorError> {
    let mut columns = Vec::with_capacity(near.slots.len());
    for (value, offset) in &near.slots {
        let neighbours: Vec<Option<RowRef>> = rows
            .iter()
            .map(|(partition, row)| {
                let place = usize::try_from(i64::from(*row) + offset).ok()?;
                Some(partitions.get(*partition)?.rows.get(place)?.at)
            })
            .collect();
        columns.push(value.column(store, &store.picks(&neighbours))?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(near.schema.clone(), columns, &options)?)
}
