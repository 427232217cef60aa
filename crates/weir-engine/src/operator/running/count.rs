//! COUNT.

use arrow::array::{Array, ArrayRef};
use datafusion_common::ScalarValue;

use super::{RunningAggregate, wrong_state};
use crate::operator::OperatorError;

/// Counts rows whose argument has a value.
#[derive(Debug, Default)]
pub(super) struct Count {
    rows: i64,
}

impl RunningAggregate for Count {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        self.rows += i64::from(arguments[0].is_valid(row));
        Ok(())
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        self.rows -= i64::from(arguments[0].is_valid(row));
        Ok(())
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        Ok(ScalarValue::Int64(Some(self.rows)))
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        Ok(vec![self.value()?])
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        let [ScalarValue::Int64(Some(rows))] = state else { return Err(wrong_state()) };
        self.rows = *rows;
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}
