//! How the values of one column type are told apart, ordered, kept and given back.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringArray};
use arrow::datatypes::{ArrowNativeTypeOp, DataType, ToByteSlice};
use arrow::row::{RowConverter, SortField};
use datafusion_common::ScalarValue;

use super::wrong_type;
use crate::operator::OperatorError;

/// The values of a column type. Floats are told apart and ordered by their bits: NaN equals itself and is the
/// greatest, as in the keys of groups.
pub(super) trait Values: Clone + Send + Sync + 'static {
    /// A value as it is looked up.
    type Key: Ord + Hash + ?Sized;
    /// A value as it is kept.
    type Value: Borrow<Self::Key> + Ord + Hash + Clone + Send + 'static;

    /// Hands the value of a row, which is not NULL, to `use_it`.
    fn with<R>(
        &self,
        column: &ArrayRef,
        row: usize,
        use_it: impl FnOnce(&Self::Key) -> R,
    ) -> Result<R, OperatorError>;

    /// Returns the value to keep.
    fn keep(key: &Self::Key) -> Self::Value;

    /// Returns a value for a result, NULL for none.
    fn scalar(&self, value: Option<&Self::Value>) -> Result<ScalarValue, OperatorError>;

    /// Returns values as a column.
    fn column<'a>(&self, values: impl Iterator<Item = &'a Self::Value>) -> Result<ArrayRef, OperatorError>;

    /// Returns the bytes that a kept value has outside itself.
    fn outside(value: &Self::Value) -> usize;
}

/// Numbers and times.
pub(super) struct Primitives<T: ArrowPrimitiveType> {
    data_type: DataType,
    scalar: fn(Option<T::Native>, &DataType) -> ScalarValue,
}

impl<T: ArrowPrimitiveType> Primitives<T> {
    pub(super) fn new(data_type: &DataType, scalar: fn(Option<T::Native>, &DataType) -> ScalarValue) -> Self {
        Self { data_type: data_type.clone(), scalar }
    }
}

impl<T: ArrowPrimitiveType> Clone for Primitives<T> {
    fn clone(&self) -> Self {
        Self::new(&self.data_type, self.scalar)
    }
}

/// Returns a value of a DECIMAL type.
pub(super) fn decimal(value: Option<i128>, data_type: &DataType) -> ScalarValue {
    match data_type {
        DataType::Decimal128(precision, scale) => ScalarValue::Decimal128(value, *precision, *scale),
        _ => ScalarValue::Null,
    }
}

/// A number in the total order of its type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Native<N>(pub(super) N);

impl<N: ArrowNativeTypeOp> PartialEq for Native<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_eq(other.0)
    }
}

impl<N: ArrowNativeTypeOp> Eq for Native<N> {}

impl<N: ArrowNativeTypeOp> PartialOrd for Native<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<N: ArrowNativeTypeOp> Ord for Native<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.compare(other.0)
    }
}

impl<N: ArrowNativeTypeOp> Hash for Native<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0.to_byte_slice());
    }
}

impl<T: ArrowPrimitiveType> Values for Primitives<T>
where
    T::Native: ArrowNativeTypeOp,
{
    type Key = Native<T::Native>;
    type Value = Native<T::Native>;

    fn with<R>(
        &self,
        column: &ArrayRef,
        row: usize,
        use_it: impl FnOnce(&Self::Key) -> R,
    ) -> Result<R, OperatorError> {
        let values = column.as_primitive_opt::<T>().ok_or_else(|| wrong_type(column))?;
        Ok(use_it(&Native(values.value(row))))
    }

    fn keep(key: &Self::Key) -> Self::Value {
        *key
    }

    fn scalar(&self, value: Option<&Self::Value>) -> Result<ScalarValue, OperatorError> {
        Ok((self.scalar)(value.map(|value| value.0), &self.data_type))
    }

    fn column<'a>(&self, values: impl Iterator<Item = &'a Self::Value>) -> Result<ArrayRef, OperatorError> {
        let values = PrimitiveArray::<T>::from_iter_values(values.map(|value| value.0));
        Ok(Arc::new(values.with_data_type(self.data_type.clone())))
    }

    fn outside(_value: &Self::Value) -> usize {
        0
    }
}

/// Text.
#[derive(Clone)]
pub(super) struct Texts;

impl Values for Texts {
    type Key = str;
    type Value = Box<str>;

    fn with<R>(
        &self,
        column: &ArrayRef,
        row: usize,
        use_it: impl FnOnce(&Self::Key) -> R,
    ) -> Result<R, OperatorError> {
        let values = column.as_string_opt::<i32>().ok_or_else(|| wrong_type(column))?;
        Ok(use_it(values.value(row)))
    }

    fn keep(key: &Self::Key) -> Self::Value {
        key.into()
    }

    fn scalar(&self, value: Option<&Self::Value>) -> Result<ScalarValue, OperatorError> {
        Ok(ScalarValue::Utf8(value.map(|value| value.to_string())))
    }

    fn column<'a>(&self, values: impl Iterator<Item = &'a Self::Value>) -> Result<ArrayRef, OperatorError> {
        Ok(Arc::new(StringArray::from_iter_values(values)))
    }

    fn outside(value: &Self::Value) -> usize {
        value.len()
    }
}

/// Values of any other type, in row format.
#[derive(Clone)]
pub(super) struct Encoded {
    converter: Arc<RowConverter>,
    data_type: DataType,
}

impl Encoded {
    pub(super) fn new(data_type: &DataType) -> Result<Self, OperatorError> {
        let converter = Arc::new(RowConverter::new(vec![SortField::new(data_type.clone())])?);
        Ok(Self { converter, data_type: data_type.clone() })
    }
}

impl Values for Encoded {
    type Key = [u8];
    type Value = Box<[u8]>;

    fn with<R>(
        &self,
        column: &ArrayRef,
        row: usize,
        use_it: impl FnOnce(&Self::Key) -> R,
    ) -> Result<R, OperatorError> {
        if column.data_type() != &self.data_type {
            return Err(wrong_type(column));
        }
        let rows = self.converter.convert_columns(&[column.slice(row, 1)])?;
        Ok(use_it(rows.row(0).as_ref()))
    }

    fn keep(key: &Self::Key) -> Self::Value {
        key.into()
    }

    fn scalar(&self, value: Option<&Self::Value>) -> Result<ScalarValue, OperatorError> {
        match value {
            Some(_) => Ok(ScalarValue::try_from_array(&self.column(value.into_iter())?, 0)?),
            None => Ok(ScalarValue::try_from(&self.data_type)?),
        }
    }

    fn column<'a>(&self, values: impl Iterator<Item = &'a Self::Value>) -> Result<ArrayRef, OperatorError> {
        let parser = self.converter.parser();
        let mut columns = self.converter.convert_rows(values.map(|value| parser.parse(value)))?;
        columns.pop().ok_or_else(|| OperatorError::State("a row without a value".to_string()))
    }

    fn outside(value: &Self::Value) -> usize {
        value.len()
    }
}

/// Evaluates an expression with the [`Values`] of a data type.
macro_rules! with_values {
    ($data_type:expr, |$values:ident| $body:expr) => {{
        use arrow::datatypes::{self as types, TimeUnit};
        use $crate::operator::running::values::{Encoded, Primitives, Texts, decimal};
        let data_type: &DataType = $data_type;
        macro_rules! primitive {
            ($native:ty, $scalar:expr) => {{
                let $values = Primitives::<$native>::new(data_type, $scalar);
                $body
            }};
        }
        match data_type {
            DataType::Int8 => primitive!(types::Int8Type, |value, _| ScalarValue::Int8(value)),
            DataType::Int16 => primitive!(types::Int16Type, |value, _| ScalarValue::Int16(value)),
            DataType::Int32 => primitive!(types::Int32Type, |value, _| ScalarValue::Int32(value)),
            DataType::Int64 => primitive!(types::Int64Type, |value, _| ScalarValue::Int64(value)),
            DataType::Float32 => primitive!(types::Float32Type, |value, _| ScalarValue::Float32(value)),
            DataType::Float64 => primitive!(types::Float64Type, |value, _| ScalarValue::Float64(value)),
            DataType::Decimal128(..) => primitive!(types::Decimal128Type, decimal),
            DataType::Date32 => primitive!(types::Date32Type, |value, _| ScalarValue::Date32(value)),
            DataType::Time32(TimeUnit::Millisecond) => {
                primitive!(types::Time32MillisecondType, |value, _| ScalarValue::Time32Millisecond(value))
            }
            DataType::Timestamp(TimeUnit::Millisecond, None) => {
                primitive!(types::TimestampMillisecondType, |value, _| {
                    ScalarValue::TimestampMillisecond(value, None)
                })
            }
            DataType::Utf8 => {
                let $values = Texts;
                $body
            }
            other => {
                let $values = Encoded::new(other)?;
                $body
            }
        }
    }};
}

pub(super) use with_values;
