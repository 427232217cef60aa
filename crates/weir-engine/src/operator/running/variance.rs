//! Variance and standard deviation.
//!
//! Of whole numbers they are computed from exact sums: the dialect cuts the fraction off those of integers,
//! and 3.9999999999999996 in place of 4 would become 3. Other numbers use Welford's method, which can take values back.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use datafusion_common::ScalarValue;

use super::{RunningAggregate, wrong_state, wrong_type};
use crate::operator::OperatorError;

/// Which measure is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    SampleVariance,
    PopulationVariance,
    SampleDeviation,
    PopulationDeviation,
}

/// Up to this every whole number is a float.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Sums of whole numbers and of their squares. They wrap, so they are right again when great values have left.
#[derive(Debug, Clone, Copy, Default)]
struct WholeSums {
    sum: i128,
    squares: i128,
    /// No whole number held is greater than this.
    bound: f64,
}

/// The variance of floats.
#[derive(Debug)]
pub(super) struct Variance {
    spread: Spread,
    count: i64,
    mean: f64,
    /// Sum of the squared distances from the mean.
    distances: f64,
    whole: WholeSums,
    /// Values held that are not whole, or too great.
    fractions: i64,
    /// Values held that are infinite or NaN.
    undefined: i64,
}

impl Variance {
    pub(super) fn new(spread: Spread) -> Self {
        Self {
            spread,
            count: 0,
            mean: 0.0,
            distances: 0.0,
            whole: WholeSums::default(),
            fractions: 0,
            undefined: 0,
        }
    }

    fn value_of(arguments: &[ArrayRef], row: usize) -> Result<Option<f64>, OperatorError> {
        let column = arguments[0].as_primitive_opt::<Float64Type>();
        let column = column.ok_or_else(|| wrong_type(&arguments[0]))?;
        Ok(column.is_valid(row).then(|| column.value(row)))
    }

    /// Adds a value, or takes it back when `by` is -1.
    fn change(&mut self, value: f64, by: i64) {
        self.count += by;
        if self.count == 0 {
            *self = Self::new(self.spread);
            return;
        }
        if !value.is_finite() {
            self.undefined += by;
            return;
        }
        if value.fract() == 0.0 && value.abs() <= WHOLE {
            let whole = value as i128;
            self.whole.sum = self.whole.sum.wrapping_add(whole * i128::from(by));
            self.whole.squares = self.whole.squares.wrapping_add(whole * whole * i128::from(by));
            self.whole.bound = self.whole.bound.max(value.abs());
        } else {
            self.fractions += by;
        }
        self.change_distances(value, by);
    }

    fn change_distances(&mut self, value: f64, by: i64) {
        let finite = self.count - self.undefined;
        if finite == 0 {
            (self.mean, self.distances) = (0.0, 0.0);
            return;
        }
        let before = value - self.mean;
        self.mean += before * by as f64 / finite as f64;
        let distance = before * (value - self.mean) * by as f64;
        self.distances = (self.distances + distance).max(0.0);
    }

    /// Returns the variance from the exact sums, or `None` when they are not those of all values.
    fn exact(&self, divisor: i64) -> Option<f64> {
        /// The sum of squares fits below this.
        const LIMIT: f64 = (1_u128 << 126) as f64;
        if self.fractions > 0 || self.count as f64 * self.whole.bound * self.whole.bound > LIMIT {
            return None;
        }
        let count = i128::from(self.count);
        let squares = count.checked_mul(self.whole.squares)?;
        let numerator = squares.checked_sub(self.whole.sum.checked_mul(self.whole.sum)?)?;
        let denominator = count * i128::from(divisor);
        let rest = numerator % denominator;
        Some((numerator / denominator) as f64 + rest as f64 / denominator as f64)
    }
}

impl RunningAggregate for Variance {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if let Some(value) = Self::value_of(arguments, row)? {
            self.change(value, 1);
        }
        Ok(())
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if let Some(value) = Self::value_of(arguments, row)? {
            self.change(value, -1);
        }
        Ok(())
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        let divisor = match self.spread {
            Spread::SampleVariance | Spread::SampleDeviation => self.count - 1,
            Spread::PopulationVariance | Spread::PopulationDeviation => self.count,
        };
        if divisor < 1 {
            return Ok(ScalarValue::Float64(None));
        }
        let variance = match self.undefined {
            0 => self.exact(divisor).unwrap_or(self.distances / divisor as f64),
            _ => f64::NAN,
        };
        Ok(ScalarValue::Float64(Some(match self.spread {
            Spread::SampleVariance | Spread::PopulationVariance => variance,
            Spread::SampleDeviation | Spread::PopulationDeviation => variance.sqrt(),
        })))
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        let counts = [self.count, self.fractions, self.undefined];
        let mut state: Vec<_> = counts.into_iter().map(|count| ScalarValue::Int64(Some(count))).collect();
        state.extend(
            [self.mean, self.distances, self.whole.bound].map(|number| ScalarValue::Float64(Some(number))),
        );
        for sum in [self.whole.sum, self.whole.squares] {
            state.push(ScalarValue::Decimal128(Some(sum), 38, 0));
        }
        Ok(state)
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        let [
            ScalarValue::Int64(Some(count)),
            ScalarValue::Int64(Some(fractions)),
            ScalarValue::Int64(Some(undefined)),
            ScalarValue::Float64(Some(mean)),
            ScalarValue::Float64(Some(distances)),
            ScalarValue::Float64(Some(bound)),
            ScalarValue::Decimal128(Some(sum), ..),
            ScalarValue::Decimal128(Some(squares), ..),
        ] = state
        else {
            return Err(wrong_state());
        };
        *self = Self {
            spread: self.spread,
            count: *count,
            mean: *mean,
            distances: *distances,
            whole: WholeSums { sum: *sum, squares: *squares, bound: *bound },
            fractions: *fractions,
            undefined: *undefined,
        };
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}
