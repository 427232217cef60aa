//! SUM and AVG.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DECIMAL256_MAX_PRECISION, Decimal128Type, Float64Type, Int64Type, i256};
use datafusion_common::ScalarValue;

use super::{RunningAggregate, wrong_state, wrong_type};
use crate::operator::OperatorError;

/// The sum of integers; wraps, like that of windows.
#[derive(Debug, Default)]
pub(super) struct IntegerSum {
    sum: i64,
    count: i64,
}

impl IntegerSum {
    fn value_of(arguments: &[ArrayRef], row: usize) -> Result<Option<i64>, OperatorError> {
        let column = arguments[0].as_primitive_opt::<Int64Type>().ok_or_else(|| wrong_type(&arguments[0]))?;
        Ok(column.is_valid(row).then(|| column.value(row)))
    }
}

impl RunningAggregate for IntegerSum {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if let Some(value) = Self::value_of(arguments, row)? {
            self.sum = self.sum.wrapping_add(value);
            self.count += 1;
        }
        Ok(())
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if let Some(value) = Self::value_of(arguments, row)? {
            self.sum = self.sum.wrapping_sub(value);
            self.count -= 1;
        }
        Ok(())
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        Ok(ScalarValue::Int64((self.count > 0).then_some(self.sum)))
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        Ok(vec![ScalarValue::Int64(Some(self.sum)), ScalarValue::Int64(Some(self.count))])
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        let [ScalarValue::Int64(Some(sum)), ScalarValue::Int64(Some(count))] = state else {
            return Err(wrong_state());
        };
        (self.sum, self.count) = (*sum, *count);
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// The sum of decimals, NULL when it has more digits than its type.
#[derive(Debug)]
pub(super) struct DecimalSum {
    precision: u8,
    scale: i8,
    /// Wider than a DECIMAL, so that a sum that was too great for a while is right again.
    sum: i256,
    count: i64,
}

impl DecimalSum {
    pub(super) fn new(precision: u8, scale: i8) -> Self {
        Self { precision, scale, sum: i256::ZERO, count: 0 }
    }

    fn value_of(arguments: &[ArrayRef], row: usize) -> Result<Option<i256>, OperatorError> {
        let column = arguments[0].as_primitive_opt::<Decimal128Type>();
        let column = column.ok_or_else(|| wrong_type(&arguments[0]))?;
        Ok(column.is_valid(row).then(|| i256::from_i128(column.value(row))))
    }
}

impl RunningAggregate for DecimalSum {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if let Some(value) = Self::value_of(arguments, row)? {
            self.sum = self.sum.wrapping_add(value);
            self.count += 1;
        }
        Ok(())
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if let Some(value) = Self::value_of(arguments, row)? {
            self.sum = self.sum.wrapping_sub(value);
            self.count -= 1;
        }
        Ok(())
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        let fits = |sum: &i128| sum.unsigned_abs() < 10_u128.pow(u32::from(self.precision));
        let sum = (self.count > 0).then(|| self.sum.to_i128()).flatten().filter(fits);
        Ok(ScalarValue::Decimal128(sum, self.precision, self.scale))
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        let sum = ScalarValue::Decimal256(Some(self.sum), DECIMAL256_MAX_PRECISION, self.scale);
        Ok(vec![sum, ScalarValue::Int64(Some(self.count))])
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        let [ScalarValue::Decimal256(Some(sum), ..), ScalarValue::Int64(Some(count))] = state else {
            return Err(wrong_state());
        };
        (self.sum, self.count) = (*sum, *count);
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// The sum of floats.
///
/// As long as rows are only added it is the plain sum in their order. The rounding errors are summed up beside it
/// (Neumaier, 1974), and once a row was taken back they correct it: otherwise what a large value that
/// came and went has rounded away would be missing for good. Infinities and NaN are counted apart, so that they
/// can leave again.
#[derive(Debug, Default)]
pub(super) struct FloatSum {
    count: i64,
    sum: f64,
    error: f64,
    corrected: bool,
    nan: i64,
    positive: i64,
    negative: i64,
}

impl FloatSum {
    fn value_of(arguments: &[ArrayRef], row: usize) -> Result<Option<f64>, OperatorError> {
        let column = arguments[0].as_primitive_opt::<Float64Type>();
        let column = column.ok_or_else(|| wrong_type(&arguments[0]))?;
        Ok(column.is_valid(row).then(|| column.value(row)))
    }

    fn change(&mut self, value: f64, by: i64) {
        self.count += by;
        if value.is_nan() {
            self.nan += by;
        } else if value == f64::INFINITY {
            self.positive += by;
        } else if value == f64::NEG_INFINITY {
            self.negative += by;
        } else {
            let value = if by < 0 { -value } else { value };
            let sum = self.sum + value;
            self.error += match self.sum.abs() >= value.abs() {
                true => (self.sum - sum) + value,
                false => (value - sum) + self.sum,
            };
            self.sum = sum;
        }
        if self.count == 0 {
            *self = Self::default();
        }
    }

    /// Returns the sum; zero over no rows.
    fn total(&self) -> f64 {
        match (self.nan > 0, self.positive > 0, self.negative > 0) {
            (true, _, _) | (false, true, true) => f64::NAN,
            (false, true, false) => f64::INFINITY,
            (false, false, true) => f64::NEG_INFINITY,
            // The error of a sum that became infinite is not a number.
            (false, false, false) if self.corrected && self.error.is_finite() => self.sum + self.error,
            (false, false, false) => self.sum,
        }
    }
}

impl RunningAggregate for FloatSum {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if let Some(value) = Self::value_of(arguments, row)? {
            self.change(value, 1);
        }
        Ok(())
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        if let Some(value) = Self::value_of(arguments, row)? {
            self.corrected = true;
            self.change(value, -1);
        }
        Ok(())
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        Ok(ScalarValue::Float64((self.count > 0).then(|| self.total())))
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        let mut state = vec![ScalarValue::Float64(Some(self.sum)), ScalarValue::Float64(Some(self.error))];
        let counts = [self.count, i64::from(self.corrected), self.nan, self.positive, self.negative];
        state.extend(counts.map(|count| ScalarValue::Int64(Some(count))));
        Ok(state)
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        let [ScalarValue::Float64(Some(sum)), ScalarValue::Float64(Some(error)), counts @ ..] = state else {
            return Err(wrong_state());
        };
        let [
            ScalarValue::Int64(Some(count)),
            ScalarValue::Int64(Some(corrected)),
            ScalarValue::Int64(Some(nan)),
            ScalarValue::Int64(Some(positive)),
            ScalarValue::Int64(Some(negative)),
        ] = counts
        else {
            return Err(wrong_state());
        };
        *self = Self {
            count: *count,
            sum: *sum,
            error: *error,
            corrected: *corrected != 0,
            nan: *nan,
            positive: *positive,
            negative: *negative,
        };
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// The mean of floats.
#[derive(Debug, Default)]
pub(super) struct Mean {
    sum: FloatSum,
}

impl RunningAggregate for Mean {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        self.sum.add(arguments, row)
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        self.sum.retract(arguments, row)
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        let count = self.sum.count;
        Ok(ScalarValue::Float64((count > 0).then(|| self.sum.total() / count as f64)))
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        self.sum.state()
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        self.sum.restore(state)
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// The mean of decimals, cut to the digits of its type; NULL when it does not fit.
#[derive(Debug)]
pub(super) struct DecimalMean {
    sum: DecimalSum,
    /// How many digits after the point the mean has more than the values.
    more: u32,
}

impl DecimalMean {
    /// Makes the mean of values with `scale` digits after the point, as a DECIMAL with this precision and scale.
    pub(super) fn new(scale: i8, precision: u8, result_scale: i8) -> Self {
        let more = u32::from(result_scale.saturating_sub(scale).unsigned_abs());
        Self { sum: DecimalSum::new(precision, result_scale), more }
    }
}

impl RunningAggregate for DecimalMean {
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        self.sum.add(arguments, row)
    }

    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError> {
        self.sum.retract(arguments, row)
    }

    fn value(&self) -> Result<ScalarValue, OperatorError> {
        let DecimalSum { precision, scale, sum, count } = self.sum;
        let scaled = sum.wrapping_mul(i256::from_i128(10).wrapping_pow(self.more));
        let quotient = (count > 0).then(|| scaled.checked_div(i256::from_i128(count.into()))).flatten();
        let fits = |mean: &i128| mean.unsigned_abs() < 10_u128.pow(u32::from(precision));
        Ok(ScalarValue::Decimal128(quotient.and_then(i256::to_i128).filter(fits), precision, scale))
    }

    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError> {
        self.sum.state()
    }

    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError> {
        self.sum.restore(state)
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}
