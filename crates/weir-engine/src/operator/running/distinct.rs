//! DISTINCT inside an aggregate: it is given each value once.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use datafusion_common::ScalarValue;
use hashbrown::HashMap;

use super::values::Values;
use super::{Make, RunningAggregate, elements, list, wrong_state};
use crate::operator::OperatorError;

/// Returns what makes the aggregates of `inner` over the different values.
pub(super) fn make<V: Values>(inner: Make, values: V) -> Make {
    Box::new(move || {
        Box::new(Distinct { inner: inner(), values: values.clone(), counts: HashMap::new(), outside: 0 })
    })
}

/// Hands the first row of a value on, and takes it back when the last row of the value is.
struct Distinct<V: Values> {
    inner: Box<dyn RunningAggregate>,
    values: V,
    counts: HashMap<V::Value, i64>,
    outside: usize,
}

impl<V: Values> RunningAggregate for Distinct<V> {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if arguments[0].is_null(row) {
            return Ok(());
        }
        let (counts, outside) = (&mut self.counts, &mut self.outside);
        let first = self.values.with(&arguments[0], row, |value| match counts.get_mut(value) {
            Some(count) => {
                *count += 1;
                false
            }
            None => {
                let value = V::keep(value);
                *outside += V::outside(&value);
                counts.insert(value, 1);
                true
            }
        })?;
        if first { self.inner.add(arguments, row) } else { Ok(()) }
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if arguments[0].is_null(row) {
            return Ok(());
        }
        let (counts, outside) = (&mut self.counts, &mut self.outside);
        let last = self.values.with(&arguments[0], row, |value| match counts.get_mut(value) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            Some(_) => {
                if let Some((value, _)) = counts.remove_entry(value) {
                    *outside -= V::outside(&value);
                }
                true
            }
            None => false,
        })?;
        if last { self.inner.retract(arguments, row) } else { Ok(()) }
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        self.inner.value()
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        let mut state = self.inner.state()?;
        // Keys and values of a map that does not change come in one order.
        let counts: Int64Array = self.counts.values().copied().collect();
        state.extend([list(self.values.column(self.counts.keys())?), list(Arc::new(counts))]);
        Ok(state)
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        let [inner @ .., values, counts] = state else { return Err(wrong_state()) };
        self.inner.restore(inner)?;
        let (values, counts) = (elements(values)?, elements(counts)?);
        let counts = counts.as_primitive_opt::<Int64Type>().ok_or_else(wrong_state)?;
        if values.len() != counts.len() {
            return Err(wrong_state());
        }
        self.counts.clear();
        self.outside = 0;
        for (row, count) in counts.values().iter().enumerate() {
            let value = self.values.with(&values, row, V::keep)?;
            self.outside += V::outside(&value);
            self.counts.insert(value, *count);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.inner.bytes() + self.outside + self.counts.allocation_size()
    }
}
