//! Types: what is numeric, what two types have in common, and the types of a `CAST`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use sqlparser::ast::{ArrayElemTypeDef, DataType as SqlType, ExactNumberInfo, StructField};
use weir_functions::collection::map_type;

/// The greatest precision of a DECIMAL.
const MAX_PRECISION: u8 = 38;

/// The Arrow type of TIMESTAMP.
pub(super) const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);
/// The Arrow type of TIME.
pub(super) const TIME: DataType = DataType::Time32(TimeUnit::Millisecond);

/// Tells whether values of the type are whole numbers.
pub(super) fn is_integer(of: &DataType) -> bool {
    of.is_signed_integer()
}

/// Tells whether values of the type are numbers.
pub(super) fn is_numeric(of: &DataType) -> bool {
    is_integer(of) || matches!(of, DataType::Float32 | DataType::Float64 | DataType::Decimal128(..))
}

/// Tells whether values of the type are points in time.
pub(super) fn is_temporal(of: &DataType) -> bool {
    matches!(of, DataType::Date32 | DataType::Time32(_) | DataType::Timestamp(..))
}

/// Tells whether values of the type are intervals.
pub(super) fn is_interval(of: &DataType) -> bool {
    matches!(of, DataType::Duration(_) | DataType::Interval(_))
}

/// Returns the precision and scale that hold every value of an integer or DECIMAL type.
pub(super) fn as_decimal(of: &DataType) -> Option<(u8, i8)> {
    Some(match of {
        DataType::Int8 => (3, 0),
        DataType::Int16 => (5, 0),
        DataType::Int32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::Decimal128(precision, scale) => (*precision, *scale),
        _ => return None,
    })
}

fn integer_rank(of: &DataType) -> Option<u8> {
    Some(match of {
        DataType::Int8 => 1,
        DataType::Int16 => 2,
        DataType::Int32 => 3,
        DataType::Int64 => 4,
        _ => return None,
    })
}

/// Returns the numeric type that both are widened to.
pub(super) fn common_numeric(a: &DataType, b: &DataType) -> Option<DataType> {
    if !is_numeric(a) || !is_numeric(b) {
        return None;
    }
    if let (Some(left), Some(right)) = (integer_rank(a), integer_rank(b)) {
        return Some(if left >= right { a.clone() } else { b.clone() });
    }
    if let (Some((p1, s1)), Some((p2, s2))) = (as_decimal(a), as_decimal(b)) {
        let scale = s1.max(s2);
        let whole = (i16::from(p1) - i16::from(s1)).max(i16::from(p2) - i16::from(s2));
        return Some(limited(whole + i16::from(scale), scale).0);
    }
    let floats_only = |of: &DataType| *of == DataType::Float32 || is_integer(of);
    Some(if floats_only(a) && floats_only(b) { DataType::Float32 } else { DataType::Float64 })
}

/// Cuts a precision to 38 digits: whole digits are kept, the scale shrinks, but not below
/// `min(scale, 6)`. The flag tells whether anything was cut.
fn limited(precision: i16, scale: i8) -> (DataType, bool) {
    let most = i16::from(MAX_PRECISION);
    if precision <= most {
        return (DataType::Decimal128(u8::try_from(precision.max(1)).unwrap_or(MAX_PRECISION), scale), false);
    }
    let whole = precision - i16::from(scale);
    let kept = (most - whole).max(i16::from(scale.min(6)));
    (DataType::Decimal128(MAX_PRECISION, i8::try_from(kept).unwrap_or(0)), true)
}

/// Returns the type of the sum, difference or product of two DECIMALs and whether digits may be cut.
pub(super) fn decimal_result(product: bool, a: (u8, i8), b: (u8, i8)) -> (DataType, bool) {
    let (p1, s1, p2, s2) = (i16::from(a.0), i16::from(a.1), i16::from(b.0), i16::from(b.1));
    let (precision, scale) = if product {
        (p1 + p2 + 1, s1 + s2)
    } else {
        let scale = s1.max(s2);
        ((p1 - s1).max(p2 - s2) + scale + 1, scale)
    };
    limited(precision, i8::try_from(scale).unwrap_or(i8::MAX))
}

/// Returns the type that the results of CASE, COALESCE and the like have in common.
pub(super) fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        _ if same(a, b) => Some(a.clone()),
        _ => common_numeric(a, b),
    }
}

/// Returns the type that two sides of a comparison are converted to.
pub(super) fn comparable(a: &DataType, b: &DataType) -> Option<DataType> {
    let simple = |of: &DataType| {
        is_numeric(of)
            || is_temporal(of)
            || is_interval(of)
            || matches!(of, DataType::Utf8 | DataType::Boolean)
    };
    match (a, b) {
        (DataType::Null, DataType::Null) => Some(DataType::Boolean),
        // Made below of two DECIMALs; with anything else it counts as one.
        (DataType::Decimal256(..), other) | (other, DataType::Decimal256(..))
            if as_decimal(other).is_none() =>
        {
            comparable(&DataType::Decimal128(MAX_PRECISION, 0), other)
        }
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (DataType::Utf8, number) | (number, DataType::Utf8) if is_numeric(number) => Some(DataType::Float64),
        (DataType::Date32, DataType::Timestamp(..)) | (DataType::Timestamp(..), DataType::Date32) => {
            Some(TIMESTAMP)
        }
        (DataType::Float32, other) | (other, DataType::Float32)
            if is_numeric(other) && other != &DataType::Float32 =>
        {
            Some(DataType::Float64)
        }
        _ if a == b && simple(a) => Some(a.clone()),
        _ => comparable_decimals(a, b).or_else(|| common_numeric(a, b)),
    }
}

/// Returns the type in which two DECIMALs or integers are compared digit by digit when no DECIMAL holds the
/// digits of both.
fn comparable_decimals(a: &DataType, b: &DataType) -> Option<DataType> {
    let wide = |of: &DataType| match of {
        DataType::Decimal256(precision, scale) => Some((*precision, *scale)),
        of => as_decimal(of),
    };
    let ((p1, s1), (p2, s2)) = (wide(a)?, wide(b)?);
    let scale = s1.max(s2);
    let whole = (i16::from(p1) - i16::from(s1)).max(i16::from(p2) - i16::from(s2));
    let precision = u8::try_from(whole + i16::from(scale)).ok()?;
    (precision > MAX_PRECISION).then_some(DataType::Decimal256(precision, scale))
}

/// Tells whether two types are the same but for the names of fields and elements.
pub(super) fn same(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (DataType::List(a), DataType::List(b)) => same(a.data_type(), b.data_type()),
        (DataType::Map(a, _), DataType::Map(b, _)) => same(a.data_type(), b.data_type()),
        (DataType::Struct(a), DataType::Struct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a.data_type(), b.data_type()))
        }
        _ => a == b,
    }
}

/// Returns the Arrow type that a `CAST` names, or `None` when a `CAST` cannot give it.
pub(super) fn cast_target(named: &SqlType) -> Option<DataType> {
    Some(match named {
        SqlType::String(_) | SqlType::Varchar(_) | SqlType::Char(_) => DataType::Utf8,
        SqlType::CharVarying(_) | SqlType::Character(_) | SqlType::CharacterVarying(_) => DataType::Utf8,
        SqlType::Boolean | SqlType::Bool => DataType::Boolean,
        SqlType::TinyInt(_) => DataType::Int8,
        SqlType::SmallInt(_) => DataType::Int16,
        SqlType::Int(_) | SqlType::Integer(_) => DataType::Int32,
        SqlType::BigInt(_) => DataType::Int64,
        SqlType::Float(_) | SqlType::Real => DataType::Float32,
        SqlType::Double(_) | SqlType::DoublePrecision => DataType::Float64,
        SqlType::Decimal(info) | SqlType::Dec(info) | SqlType::Numeric(info) => decimal(info)?,
        SqlType::Date => DataType::Date32,
        SqlType::Time(..) => TIME,
        SqlType::Timestamp(..) => TIMESTAMP,
        SqlType::Array(ArrayElemTypeDef::SquareBracket(item, None)) => {
            DataType::List(Arc::new(Field::new_list_field(cast_target(item)?, true)))
        }
        SqlType::Map(key, value) => map_type(&cast_target(key)?, &cast_target(value)?),
        SqlType::Struct(fields, _) => {
            let field = |field: &StructField| {
                let name = field.field_name.as_ref()?;
                Some(Field::new(&name.value, cast_target(&field.field_type)?, true))
            };
            DataType::Struct(fields.iter().map(field).collect::<Option<Fields>>()?)
        }
        SqlType::Custom(name, arguments) if arguments.is_empty() => {
            match name.to_string().to_ascii_uppercase().as_str() {
                "LONG" => DataType::Int64,
                "SHORT" => DataType::Int16,
                "STRING" => DataType::Utf8,
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn decimal(info: &ExactNumberInfo) -> Option<DataType> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => (38, 18),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let (precision, scale) = (u8::try_from(precision).ok()?, i8::try_from(scale).ok()?);
    let fits =
        (1..=MAX_PRECISION).contains(&precision) && scale >= 0 && scale <= i8::try_from(precision).ok()?;
    fits.then_some(DataType::Decimal128(precision, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_whole_digits_when_they_are_cut() {
        assert_eq!(decimal_result(false, (3, 2), (5, 1)), (DataType::Decimal128(7, 2), false));
        assert_eq!(decimal_result(true, (3, 2), (5, 1)), (DataType::Decimal128(9, 3), false));
        assert_eq!(decimal_result(true, (38, 18), (38, 18)), (DataType::Decimal128(38, 6), true));
        assert_eq!(decimal_result(true, (38, 2), (38, 2)), (DataType::Decimal128(38, 4), true));
    }

    #[test]
    fn numbers_widen() {
        use DataType::{Decimal128, Float32, Float64, Int8, Int32, Int64};
        for (a, b, wide) in [
            (Int8, Int32, Int32),
            (Int64, Int8, Int64),
            (Int32, Decimal128(3, 2), Decimal128(12, 2)),
            (Int64, Float32, Float32),
            (Decimal128(3, 2), Float32, Float64),
            (Float32, Float64, Float64),
        ] {
            assert_eq!(common_numeric(&a, &b), Some(wide.clone()));
            assert_eq!(common_numeric(&b, &a), Some(wide));
        }
    }
}
