//! Conversions: the casts that a query asks for, and those that operators and INSERT add.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::{Cast, Expr};
use weir_functions::{collection, conversion};

use super::bound::Bound;
use super::types::{is_numeric, is_temporal, same};

/// Converts without asking whether the query may; `None` when there is no such conversion.
pub(super) fn convert(value: Bound, to: &DataType) -> Option<Bound> {
    if value.data_type == *to {
        return Some(value);
    }
    let from = value.data_type.clone();
    if from == DataType::Null {
        let null = ScalarValue::try_from(to).ok()?;
        return Some(Bound::new(Expr::Literal(null, None), to.clone()));
    }
    let exact = match (&from, to) {
        (DataType::Float32 | DataType::Float64, DataType::Decimal128(..)) => {
            conversion::float_to_decimal(&from, to)
        }
        (DataType::Decimal128(..), DataType::Float32 | DataType::Float64) => {
            conversion::decimal_to_float(&from, to)
        }
        (DataType::Float64, DataType::Float32) => Some(conversion::double_to_float()),
        _ => None,
    };
    if let Some(call) = exact {
        return Some(Bound::call(call, vec![value.expr]));
    }
    if is_numeric(&from) && (is_numeric(to) || matches!(to, DataType::Decimal256(..)))
        || matches!(from, DataType::Decimal256(..)) && is_numeric(to)
    {
        return Some(Bound::new(Expr::Cast(Cast::new(Box::new(value.expr), to.clone())), to.clone()));
    }
    let call = match (&from, to) {
        (_, DataType::Utf8) => conversion::to_text(&from)?,
        (DataType::Utf8, _) => conversion::from_text(to)?,
        _ if is_temporal(&from) && is_temporal(to) => conversion::between_times(&from, to)?,
        _ if same(&from, to) => collection::retype(to),
        _ => return None,
    };
    Some(Bound::call(call, vec![value.expr]))
}

/// Converts a value for INSERT: numbers to numbers, DATE to TIMESTAMP, NULL to anything.
pub(super) fn assign(value: Bound, to: &DataType) -> Option<Bound> {
    let from = &value.data_type;
    let allowed = *from == DataType::Null
        || same(from, to)
        || is_numeric(from) && is_numeric(to)
        || matches!((from, to), (DataType::Date32, DataType::Timestamp(..)));
    if allowed { convert(value, to) } else { None }
}
