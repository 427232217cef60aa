//! Stamps rows with the processing time in the middle of a job: a temp stream with `proctime`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::SchemaRef;
use weir_base::clock::Clock;
use weir_base::time::Timestamp;

use super::{Operator, OperatorContext, OperatorError, OperatorSpec, Output};
use crate::message::TimeDomain;

/// Inserts a column with the instant at which rows arrive.
pub struct AssignProctime {
    schema: SchemaRef,
    position: usize,
    clock: Arc<dyn Clock>,
    watermark: Timestamp,
}

impl AssignProctime {
    /// Makes the operator. `schema` is that of the output, whose column `position` is the new one.
    pub fn new(schema: SchemaRef, position: usize, clock: Arc<dyn Clock>) -> Self {
        Self { schema, position, clock, watermark: Timestamp(0) }
    }
}

/// The description of [`AssignProctime`].
#[derive(Debug, Clone)]
pub struct AssignProctimeSpec {
    /// Index of the new column.
    pub position: usize,
    /// Columns given out.
    pub schema: SchemaRef,
}

impl OperatorSpec for AssignProctimeSpec {
    fn name(&self) -> &'static str {
        "Proctime"
    }

    fn operator(&self, context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(AssignProctime::new(self.schema.clone(), self.position, context.clock.clone())))
    }
}

impl Operator for AssignProctime {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        // Never at or before a watermark that has passed: windows up to it have been given out.
        let earliest = self.watermark.0.saturating_add(1);
        let now = self.clock.now().0.max(earliest);
        let mut columns = batch.columns().to_vec();
        let times = TimestampMillisecondArray::from(vec![now; batch.num_rows()]);
        columns.insert(self.position, Arc::new(times) as ArrayRef);
        output.emit(RecordBatch::try_new(self.schema.clone(), columns)?);
        Ok(())
    }

    fn watermark(
        &mut self,
        domain: TimeDomain,
        watermark: Timestamp,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        if domain == TimeDomain::Processing && watermark < Timestamp::MAX {
            self.watermark = self.watermark.max(watermark);
        }
        output.watermark(domain, watermark);
        Ok(())
    }
}
