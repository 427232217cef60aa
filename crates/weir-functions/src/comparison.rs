//! Comparison of floating-point numbers by IEEE 754: 0.0 equals -0.0, and NaN is neither equal to, less than nor
//! greater than anything.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type};
use datafusion_common::{Result, internal_err};
use datafusion_expr::Operator;

use crate::kernel::{Arguments, Kernel};
use crate::registry::Call;

/// Returns the function that compares two arguments of type `of`, or `None` unless it is a comparison of FLOAT or
/// DOUBLE.
pub fn floats(operator: Operator, of: &DataType) -> Option<Call> {
    if !matches!(of, DataType::Float32 | DataType::Float64) || !is_comparison(operator) {
        return None;
    }
    let single = *of == DataType::Float32;
    let kernel = Kernel::new("compare_floats", 2, DataType::Boolean, move |a| {
        if single { compare::<Float32Type>(a, operator) } else { compare::<Float64Type>(a, operator) }
    });
    let call = kernel.variant(format!("{operator} {of}")).into_function();
    Some(Call { function: call, returns: DataType::Boolean })
}

fn is_comparison(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// A column, or a literal that stands in every row.
struct Side<T: ArrowPrimitiveType> {
    values: ScalarBuffer<T::Native>,
    nulls: Option<NullBuffer>,
    literal: bool,
}

impl<T: ArrowPrimitiveType> Side<T> {
    fn new(a: &Arguments, index: usize) -> Result<Self> {
        let literal = a.is_constant(index);
        let array = a.unrepeated(index);
        let Some(array) = array.as_primitive_opt::<T>() else {
            return internal_err!("argument {} is not of type {}", index + 1, T::DATA_TYPE);
        };
        let nulls = match array.nulls() {
            Some(nulls) if literal && nulls.is_null(0) => Some(NullBuffer::new_null(a.rows)),
            Some(nulls) if !literal => Some(nulls.clone()),
            _ => None,
        };
        Ok(Self { values: array.values().clone(), nulls, literal })
    }

    /// Returns how many values stand for so many rows.
    fn count(&self, rows: usize) -> usize {
        if self.literal { 1 } else { rows }
    }
}

/// Tests all rows; generic over the test, and apart for columns and literals, so that each makes a loop of its own
/// without bounds checks.
fn mask<T: ArrowPrimitiveType>(
    rows: usize,
    left: &Side<T>,
    right: &Side<T>,
    test: impl Fn(T::Native, T::Native) -> bool,
) -> BooleanBuffer {
    let (l, r) = (&left.values[..left.count(rows)], &right.values[..right.count(rows)]);
    match (left.literal, right.literal) {
        (false, false) => BooleanBuffer::collect_bool(rows, |row| test(l[row], r[row])),
        (false, true) => {
            let r = r[0];
            BooleanBuffer::collect_bool(rows, |row| test(l[row], r))
        }
        (true, _) => {
            let l = l[0];
            BooleanBuffer::collect_bool(rows, |row| test(l, r[if right.literal { 0 } else { row }]))
        }
    }
}

fn compare<T: ArrowPrimitiveType>(a: &Arguments, operator: Operator) -> Result<ArrayRef>
where
    T::Native: PartialOrd,
{
    let (left, right) = (Side::<T>::new(a, 0)?, Side::<T>::new(a, 1)?);
    let values = match operator {
        Operator::Eq | Operator::IsNotDistinctFrom => mask(a.rows, &left, &right, |l, r| l == r),
        Operator::NotEq | Operator::IsDistinctFrom => mask(a.rows, &left, &right, |l, r| l != r),
        Operator::Lt => mask(a.rows, &left, &right, |l, r| l < r),
        Operator::LtEq => mask(a.rows, &left, &right, |l, r| l <= r),
        Operator::Gt => mask(a.rows, &left, &right, |l, r| l > r),
        Operator::GtEq => mask(a.rows, &left, &right, |l, r| l >= r),
        other => return internal_err!("`{other}` is no comparison"),
    };
    if !matches!(operator, Operator::IsDistinctFrom | Operator::IsNotDistinctFrom) {
        let nulls = NullBuffer::union(left.nulls.as_ref(), right.nulls.as_ref());
        return Ok(Arc::new(BooleanArray::new(values, nulls)));
    }
    let is_null = |side: &Side<T>, row| side.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    let distinct = operator == Operator::IsDistinctFrom;
    let values =
        BooleanBuffer::collect_bool(a.rows, |row| match (is_null(&left, row), is_null(&right, row)) {
            (false, false) => values.value(row),
            (one, other) => (one != other) == distinct,
        });
    Ok(Arc::new(BooleanArray::new(values, None)))
}
