//! MIN and MAX.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use datafusion_common::ScalarValue;

use super::values::Values;
use super::{Make, Retractions, RunningAggregate, elements, list, wrong_state};
use crate::operator::OperatorError;

/// Which end of the order is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Smallest,
    Greatest,
}

/// Returns what makes a MIN or MAX over these values.
pub(super) fn make<V: Values>(values: V, end: End, retractions: Retractions) -> Make {
    match retractions {
        Retractions::Never => Box::new(move || Box::new(Best { values: values.clone(), end, best: None })),
        Retractions::Possible => Box::new(move || {
            Box::new(Ordered { values: values.clone(), end, counts: BTreeMap::new(), outside: 0 })
        }),
    }
}

/// The extreme of rows that are only added.
struct Best<V: Values> {
    values: V,
    end: End,
    best: Option<V::Value>,
}

impl<V: Values> RunningAggregate for Best<V> {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if arguments[0].is_null(row) {
            return Ok(());
        }
        let (best, end) = (&self.best, self.end);
        let better = self.values.with(&arguments[0], row, |value| {
            let better = best.as_ref().is_none_or(|best| match end {
                End::Smallest => value < Borrow::<V::Key>::borrow(best),
                End::Greatest => value > Borrow::<V::Key>::borrow(best),
            });
            better.then(|| V::keep(value))
        })?;
        if better.is_some() {
            self.best = better;
        }
        Ok(())
    }

    fn retract(&mut self, _arguments: &[ArrayRef], _row: usize) -> Result<(), OperatorError> {
        Err(OperatorError::State("a row of an append-only input was withdrawn".to_string()))
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        self.values.scalar(self.best.as_ref())
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        Ok(vec![self.value()?])
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        let [best] = state else { return Err(wrong_state()) };
        let column = best.to_array()?;
        self.best = match column.is_null(0) {
            true => None,
            false => Some(self.values.with(&column, 0, V::keep)?),
        };
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.best.as_ref().map_or(0, V::outside)
    }
}

/// The extreme of rows that may be taken back: all values in order, each with the number of its rows.
struct Ordered<V: Values> {
    values: V,
    end: End,
    counts: BTreeMap<V::Value, i64>,
    outside: usize,
}

/// What an entry of a tree of small values takes beside key and value: nodes are two thirds full on average.
const TREE_ENTRY: usize = 8;

impl<V: Values> RunningAggregate for Ordered<V> {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if arguments[0].is_null(row) {
            return Ok(());
        }
        let (counts, outside) = (&mut self.counts, &mut self.outside);
        self.values.with(&arguments[0], row, |value| match counts.get_mut(value) {
            Some(count) => *count += 1,
            None => {
                let value = V::keep(value);
                *outside += V::outside(&value);
                counts.insert(value, 1);
            }
        })
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if arguments[0].is_null(row) {
            return Ok(());
        }
        let (counts, outside) = (&mut self.counts, &mut self.outside);
        self.values.with(&arguments[0], row, |value| match counts.get_mut(value) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => {
                if let Some((value, _)) = counts.remove_entry(value) {
                    *outside -= V::outside(&value);
                }
            }
            None => {}
        })
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        let entry = match self.end {
            End::Smallest => self.counts.first_key_value(),
            End::Greatest => self.counts.last_key_value(),
        };
        self.values.scalar(entry.map(|(value, _)| value))
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        let counts: Int64Array = self.counts.values().copied().collect();
        Ok(vec![list(self.values.column(self.counts.keys())?), list(Arc::new(counts))])
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        let [values, counts] = state else { return Err(wrong_state()) };
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
        let entry = size_of::<V::Value>() + size_of::<i64>() + TREE_ENTRY;
        size_of::<Self>() + self.outside + self.counts.len() * entry
    }
}
