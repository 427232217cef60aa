//! Prints rows into the log, a bounded number a second.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use weir_base::clock::Clock;
use weir_base::text::Zone;
use weir_base::time::Timestamp;
use weir_engine::RowKind;
use weir_engine::error::ConnectorError;
use weir_formats::{Encode, EncodedRecords, FormatOptions};

use super::PrintTarget;

/// Rows a second that reach the log; a person reads no more, and the log must not fill the disk.
const ROWS_PER_SECOND: u64 = 100;
/// Bytes of a row that reach the log.
const ROW_BYTES: usize = 2_000;

/// Writes rows as JSON lines to the log of the process; of many rows only some.
pub struct LogPrint {
    clock: Arc<dyn Clock>,
    budget: Mutex<Budget>,
}

#[derive(Default)]
struct Budget {
    second: i64,
    shown: u64,
    left_out: u64,
}

impl LogPrint {
    /// Makes a target that measures its rate with `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, budget: Mutex::default() }
    }

    /// Returns how many of `rows` may be shown now, and how many were left out in the time before.
    fn allow(&self, rows: u64) -> (u64, u64) {
        let Timestamp(now) = self.clock.now();
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left_out_before = 0;
        if budget.second != now.div_euclid(1_000) {
            left_out_before = budget.left_out;
            *budget = Budget { second: now.div_euclid(1_000), ..Budget::default() };
        }
        let shown = rows.min(ROWS_PER_SECOND.saturating_sub(budget.shown));
        budget.shown += shown;
        budget.left_out += rows - shown;
        (shown, left_out_before)
    }
}

impl PrintTarget for LogPrint {
    fn print(
        &self,
        stream: &str,
        rows: &RecordBatch,
        kinds: Option<&[RowKind]>,
    ) -> Result<u64, ConnectorError> {
        let (shown, left_out) = self.allow(rows.num_rows() as u64);
        if left_out > 0 {
            tracing::info!(stream, rows = left_out, "printed rows left out of the log");
        }
        if shown == 0 {
            return Ok(0);
        }
        let options = FormatOptions { encode: Encode::Json, zone: Zone::UTC, ..FormatOptions::default() };
        let failed = |error| ConnectorError::permanent(format!("stream `{stream}`: {error}"));
        let mut encoder = weir_formats::encoder(rows.schema(), &options).map_err(failed)?;
        let mut records = EncodedRecords::default();
        encoder.encode(&rows.slice(0, shown as usize), &mut records).map_err(failed)?;
        for (place, record) in records.iter().enumerate() {
            let row = String::from_utf8_lossy(&record[..record.len().min(ROW_BYTES)]);
            let kind = kinds.and_then(|kinds| kinds.get(place)).map(|kind| kind.sign());
            tracing::info!(stream, kind, %row, "row");
        }
        Ok(records.bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use weir_base::clock::ManualClock;

    #[test]
    fn shows_a_bounded_number_a_second() {
        let clock = ManualClock::new(Timestamp(0));
        let target = LogPrint::new(Arc::new(clock.clone()));
        assert_eq!(target.allow(60), (60, 0));
        assert_eq!(target.allow(60), (40, 0));
        assert_eq!(target.allow(5), (0, 0));
        clock.advance(Duration::from_secs(1));
        assert_eq!(target.allow(5), (5, 25));
    }
}
