//! The results of one call, row by row, on their way into a column.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, Int64Builder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;

use crate::operator::OperatorError;

/// Results that have been given so far. The frequent types go straight into their column.
pub(crate) enum Results {
    /// BIGINT.
    Integers(Int64Builder),
    /// DOUBLE.
    Doubles(Float64Builder),
    /// STRING.
    Texts(StringBuilder),
    /// Any other type.
    Others(Vec<ScalarValue>),
}

/// Bytes that a text is expected to have.
const TEXT_BYTES: usize = 16;

impl Results {
    /// Makes room for so many results of a type.
    pub(super) fn new(of: &DataType, rows: usize) -> Self {
        match of {
            DataType::Int64 => Self::Integers(Int64Builder::with_capacity(rows)),
            DataType::Float64 => Self::Doubles(Float64Builder::with_capacity(rows)),
            DataType::Utf8 => Self::Texts(StringBuilder::with_capacity(rows, rows * TEXT_BYTES)),
            _ => Self::Others(Vec::with_capacity(rows)),
        }
    }

    /// Adds the next result.
    pub(crate) fn push(&mut self, value: ScalarValue) -> Result<(), OperatorError> {
        match (self, value) {
            (Self::Integers(column), ScalarValue::Int64(value)) => column.append_option(value),
            (Self::Doubles(column), ScalarValue::Float64(value)) => column.append_option(value),
            (Self::Texts(column), ScalarValue::Utf8(value)) => column.append_option(value),
            (Self::Others(values), value) => values.push(value),
            (_, value) => {
                let of = value.data_type();
                return Err(OperatorError::State(format!("an aggregate gave a {of} among other types")));
            }
        }
        Ok(())
    }

    /// Returns the results as a column.
    pub(crate) fn column(self) -> Result<ArrayRef, OperatorError> {
        Ok(match self {
            Self::Integers(mut column) => Arc::new(column.finish()),
            Self::Doubles(mut column) => Arc::new(column.finish()),
            Self::Texts(mut column) => Arc::new(column.finish()),
            Self::Others(values) => ScalarValue::iter_to_array(values)?,
        })
    }
}
