//! Makes up the values of one column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    PrimitiveArray, StringBuilder, Time32MillisecondArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit};

use crate::generate::{Dice, LETTERS, Words, letters};

const MS_PER_DAY: u64 = 86_400_000;

/// The options about values.
#[derive(Debug, Clone)]
pub(crate) struct Ranges {
    pub min: f64,
    pub max: f64,
    pub length: usize,
    pub distinct: u64,
    pub start_ms: i64,
    pub step_ms: i64,
}

/// How one column is made.
pub(crate) struct Column {
    data_type: DataType,
    is_sequence: bool,
    is_rowtime: bool,
    ranges: Ranges,
    words: Words,
}

impl Column {
    /// Checks whether values of a type can be made up.
    pub fn new(
        data_type: &DataType,
        is_sequence: bool,
        is_rowtime: bool,
        ranges: &Ranges,
    ) -> Result<Self, String> {
        let is_integer = data_type.is_integer();
        let can_count = is_integer || data_type.is_floating() || *data_type == DataType::Utf8;
        if is_sequence && !can_count {
            return Err("only numeric and STRING columns can be a sequence".to_string());
        }
        let is_known = is_integer
            || matches!(
                data_type,
                DataType::Utf8
                    | DataType::Boolean
                    | DataType::Float32
                    | DataType::Float64
                    | DataType::Decimal128(..)
                    | DataType::Date32
                    | DataType::Time32(TimeUnit::Millisecond)
                    | DataType::Timestamp(TimeUnit::Millisecond, None)
            );
        if !is_known {
            return Err("ARRAY, MAP and ROW cannot be made up; build them in the query".to_string());
        }
        let words = Words::new(ranges.distinct, ranges.length);
        Ok(Self { data_type: data_type.clone(), is_sequence, is_rowtime, ranges: ranges.clone(), words })
    }

    /// Makes the values of some rows.
    pub fn make(&self, seed: u64, lane: u64, rows: &[u64]) -> ArrayRef {
        match &self.data_type {
            DataType::Int8 => self.integers::<Int8Type>(seed, lane, rows),
            DataType::Int16 => self.integers::<Int16Type>(seed, lane, rows),
            DataType::Int32 => self.integers::<Int32Type>(seed, lane, rows),
            DataType::Int64 if self.is_rowtime => Arc::new(PrimitiveArray::<Int64Type>::from_iter_values(
                rows.iter().map(|row| self.time(*row)),
            )),
            DataType::Int64 => self.integers::<Int64Type>(seed, lane, rows),
            DataType::Float32 => Arc::new(Float32Array::from_iter_values(
                rows.iter().map(|row| self.float(seed, lane, *row) as f32),
            )),
            DataType::Float64 => {
                Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| self.float(seed, lane, *row))))
            }
            DataType::Decimal128(precision, scale) => self.decimals(seed, lane, rows, *precision, *scale),
            DataType::Boolean => Arc::new(BooleanArray::from_iter(
                rows.iter().map(|row| Some(Dice::new(seed, *row).roll(lane) & 1 == 1)),
            )),
            DataType::Date32 => Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| {
                i32::try_from(self.time(*row).div_euclid(MS_PER_DAY as i64)).unwrap_or(i32::MAX)
            }))),
            DataType::Time32(_) => Arc::new(Time32MillisecondArray::from_iter_values(
                rows.iter().map(|row| self.time(*row).rem_euclid(MS_PER_DAY as i64) as i32),
            )),
            DataType::Timestamp(..) => {
                Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| self.time(*row))))
            }
            _ => self.strings(seed, lane, rows),
        }
    }

    fn time(&self, row: u64) -> i64 {
        let steps = i64::try_from(row).unwrap_or(i64::MAX);
        self.ranges.start_ms.saturating_add(steps.saturating_mul(self.ranges.step_ms))
    }

    fn float(&self, seed: u64, lane: u64, row: u64) -> f64 {
        let Ranges { min, max, .. } = self.ranges;
        match self.is_sequence {
            true => row as f64,
            false => min + Dice::new(seed, row).fraction(lane) * (max - min),
        }
    }

    fn integers<T: ArrowPrimitiveType>(&self, seed: u64, lane: u64, rows: &[u64]) -> ArrayRef
    where
        T::Native: TryFrom<i64> + Default,
    {
        // A sequence starts anew when it leaves its type.
        let greatest = (1i128 << (8 * std::mem::size_of::<T::Native>() - 1)) - 1;
        let (least, most) = (-greatest - 1, greatest);
        let min = (self.ranges.min.ceil() as i128).clamp(least, most);
        let max = (self.ranges.max.floor() as i128).clamp(min, most);
        let value = |row: &u64| {
            let value = match self.is_sequence {
                true => i128::from(*row) % (greatest + 1),
                false => {
                    let span = u64::try_from(max - min).unwrap_or(u64::MAX).saturating_add(1);
                    min + i128::from(Dice::new(seed, *row).below(lane, span))
                }
            };
            i64::try_from(value).ok().and_then(|value| T::Native::try_from(value).ok()).unwrap_or_default()
        };
        Arc::new(PrimitiveArray::<T>::from_iter_values(rows.iter().map(value)))
    }

    fn decimals(&self, seed: u64, lane: u64, rows: &[u64], precision: u8, scale: i8) -> ArrayRef {
        let limit = 10i128.checked_pow(u32::from(precision)).map_or(i128::MAX, |limit| limit - 1);
        let factor = 10f64.powi(i32::from(scale));
        let value = |row: &u64| ((self.float(seed, lane, *row) * factor) as i128).clamp(-limit, limit);
        let values = Decimal128Array::from_iter_values(rows.iter().map(value));
        Arc::new(values.with_data_type(DataType::Decimal128(precision, scale)))
    }

    fn strings(&self, seed: u64, lane: u64, rows: &[u64]) -> ArrayRef {
        use std::fmt::Write;
        let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * self.ranges.length);
        for row in rows {
            if self.is_sequence {
                // Writing to memory cannot fail.
                let _ = write!(builder, "{row}");
                builder.append_value("");
                continue;
            }
            let random = match self.ranges.distinct {
                0 => Dice::new(seed, *row).roll(lane),
                distinct => Dice::new(seed, Dice::new(seed, *row).below(lane, distinct)).roll(lane),
            };
            // The first letters tell values apart, a piece of text fills the rest.
            let length = self.ranges.length;
            let spelled = letters(random);
            // Letters are ASCII, and writing to memory cannot fail.
            let _ =
                builder.write_str(std::str::from_utf8(&spelled[..length.min(LETTERS)]).unwrap_or_default());
            builder.append_value(self.words.piece(random, length.saturating_sub(LETTERS)));
        }
        Arc::new(builder.finish())
    }
}
