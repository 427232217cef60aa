//! Reads event times out of a column.

use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMillisecondType};
use arrow::error::ArrowError;
use weir_base::text::Zone;

/// A column that holds event times: TIMESTAMP (a wall clock of the job's zone) or BIGINT (milliseconds
/// since the epoch).
#[derive(Debug, Clone)]
pub struct TimeColumn {
    /// Index of the column.
    pub index: usize,
    /// Zone of the wall clock.
    pub zone: Zone,
}

impl TimeColumn {
    /// Returns the instants of a batch in milliseconds since the epoch. No copy is made for
    /// BIGINT, nor for TIMESTAMP in UTC.
    pub fn times(&self, batch: &RecordBatch) -> Result<Int64Array, ArrowError> {
        let values = self.values(batch)?;
        match batch.column(self.index).data_type() {
            DataType::Timestamp(..) if self.zone != Zone::UTC => {
                Ok(values.unary(|wall| self.zone.wall_to_instant(wall)))
            }
            _ => Ok(values),
        }
    }

    /// Returns the times as the column holds them: wall clocks of the zone for TIMESTAMP, instants for BIGINT.
    pub(crate) fn values(&self, batch: &RecordBatch) -> Result<Int64Array, ArrowError> {
        let column = batch.column(self.index);
        match column.data_type() {
            DataType::Int64 => Ok(column.as_primitive::<Int64Type>().clone()),
            DataType::Timestamp(TimeUnit::Millisecond, None) => {
                Ok(column.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>())
            }
            other => Err(ArrowError::InvalidArgumentError(format!(
                "event time column `{}` has type {other}",
                batch.schema().field(self.index).name()
            ))),
        }
    }
}
