//! COLLECT.

use std::borrow::Borrow;
use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef};
use datafusion_common::ScalarValue;

use super::values::Values;
use super::{Make, RunningAggregate, elements, list, wrong_state};
use crate::operator::OperatorError;

/// Returns what makes a COLLECT of these values.
pub(super) fn make<V: Values>(values: V) -> Make {
    Box::new(move || Box::new(Collect { values: values.clone(), held: VecDeque::new(), outside: 0 }))
}

/// All values in the order of arrival. A value that is taken back is the first one equal to it.
struct Collect<V: Values> {
    values: V,
    held: VecDeque<V::Value>,
    outside: usize,
}

impl<V: Values> RunningAggregate for Collect<V> {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if arguments[0].is_valid(row) {
            let value = self.values.with(&arguments[0], row, V::keep)?;
            self.outside += V::outside(&value);
            self.held.push_back(value);
        }
        Ok(())
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if arguments[0].is_null(row) {
            return Ok(());
        }
        let held = &self.held;
        let position = self.values.with(&arguments[0], row, |value| {
            held.iter().position(|other| Borrow::<V::Key>::borrow(other) == value)
        })?;
        if let Some(value) = position.and_then(|position| self.held.remove(position)) {
            self.outside -= V::outside(&value);
        }
        Ok(())
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        let list = list(self.values.column(self.held.iter())?);
        match self.held.is_empty() {
            true => Ok(ScalarValue::try_from(&list.data_type())?),
            false => Ok(list),
        }
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        Ok(vec![list(self.values.column(self.held.iter())?)])
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        let [values] = state else { return Err(wrong_state()) };
        let values = elements(values)?;
        self.held.clear();
        self.outside = 0;
        for row in 0..values.len() {
            let value = self.values.with(&values, row, V::keep)?;
            self.outside += V::outside(&value);
            self.held.push_back(value);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.outside + self.held.capacity() * size_of::<V::Value>()
    }
}
