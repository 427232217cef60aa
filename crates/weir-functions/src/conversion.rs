//! `CAST` between strings and other types, and between the types of time.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Float32Array, StringBuilder, Time32MillisecondArray,
    TimestampMillisecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, TimeUnit, TimestampMillisecondType,
};
use datafusion_common::{Result, exec_datafusion_err, internal_err};
use weir_base::text::{self, Integer, IntegerError};

use crate::kernel::{Arguments, Kernel, booleans, primitives, row_error};
use crate::registry::Call;
use crate::temporal::{in_range, out_of_range};

/// Milliseconds of one day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// The Arrow type of TIMESTAMP.
pub(crate) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, None)
}

/// Returns the name of a type as users write it.
pub fn type_name(of: &DataType) -> String {
    match of {
        DataType::Null => "NULL".to_string(),
        DataType::Utf8 => "STRING".to_string(),
        DataType::Boolean => "BOOLEAN".to_string(),
        DataType::Int8 => "TINYINT".to_string(),
        DataType::Int16 => "SMALLINT".to_string(),
        DataType::Int32 => "INT".to_string(),
        DataType::Int64 => "BIGINT".to_string(),
        DataType::Float32 => "FLOAT".to_string(),
        DataType::Float64 => "DOUBLE".to_string(),
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => format!("DECIMAL({p},{s})"),
        DataType::Date32 => "DATE".to_string(),
        DataType::Time32(_) => "TIME".to_string(),
        DataType::Timestamp(..) => "TIMESTAMP".to_string(),
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL".to_string(),
        DataType::List(item) => format!("ARRAY[{}]", type_name(item.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                format!("MAP[{}, {}]", type_name(pair[0].data_type()), type_name(pair[1].data_type()))
            }
            _ => "MAP".to_string(),
        },
        DataType::Struct(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|f| format!("{} {}", f.name(), type_name(f.data_type()))).collect();
            format!("ROW<{}>", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// Returns the function that turns a value of a type into a string, or `None` when there is none.
pub fn to_text(from: &DataType) -> Option<Call> {
    if !has_text(from) {
        return None;
    }
    let kernel = Kernel::new("cast_to_string", 1, DataType::Utf8, |a| {
        let array = a.array(0)?;
        let mut builder = StringBuilder::with_capacity(a.rows, a.rows * 16);
        let mut text = Vec::new();
        for row in 0..a.rows {
            if array.is_null(row) {
                builder.append_null();
                continue;
            }
            text.clear();
            write_value(array.as_ref(), row, &mut text);
            match std::str::from_utf8(&text) {
                Ok(text) => builder.append_value(text),
                Err(_) => return internal_err!("the text of a value is not UTF-8"),
            }
        }
        Ok(Arc::new(builder.finish()))
    });
    Some(Call { function: kernel.variant(from).into_function(), returns: DataType::Utf8 })
}

fn has_text(of: &DataType) -> bool {
    match of {
        DataType::Struct(fields) => fields.iter().all(|field| has_text(field.data_type())),
        DataType::List(item) => has_text(item.data_type()),
        DataType::Map(entries, _) => has_text(entries.data_type()),
        DataType::Utf8 | DataType::Boolean | DataType::Date32 => true,
        DataType::Time32(TimeUnit::Millisecond) | DataType::Timestamp(TimeUnit::Millisecond, None) => true,
        other => {
            other.is_signed_integer() || other.is_floating() || matches!(other, DataType::Decimal128(..))
        }
    }
}

/// Appends the text of a value that is not NULL. Elements that are NULL are written `null`, except
/// that a ROW leaves them empty.
fn write_value(array: &dyn Array, row: usize, out: &mut Vec<u8>) {
    match array.data_type() {
        DataType::Utf8 => out.extend_from_slice(array.as_string::<i32>().value(row).as_bytes()),
        DataType::Boolean => {
            out.extend_from_slice(if array.as_boolean().value(row) { b"true" } else { b"false" });
        }
        DataType::Int8 => text::write_integer(array.as_primitive::<Int8Type>().value(row).into(), out),
        DataType::Int16 => text::write_integer(array.as_primitive::<Int16Type>().value(row).into(), out),
        DataType::Int32 => text::write_integer(array.as_primitive::<Int32Type>().value(row).into(), out),
        DataType::Int64 => text::write_integer(array.as_primitive::<Int64Type>().value(row), out),
        DataType::Float32 => text::write_float(array.as_primitive::<Float32Type>().value(row), out),
        DataType::Float64 => text::write_double(array.as_primitive::<Float64Type>().value(row), out),
        DataType::Decimal128(_, scale) => {
            text::write_decimal(array.as_primitive::<Decimal128Type>().value(row), *scale, out);
        }
        DataType::Date32 => text::write_date(array.as_primitive::<Date32Type>().value(row), out),
        DataType::Time32(_) => {
            text::write_time(array.as_primitive::<Time32MillisecondType>().value(row), out)
        }
        DataType::Timestamp(..) => {
            let wall = array.as_primitive::<TimestampMillisecondType>().value(row);
            text::write_timestamp(wall, out);
            // A csv sink leaves zeros out; the text of a value has always three digits.
            if wall.rem_euclid(1_000) == 0 {
                out.extend_from_slice(b".000");
            }
        }
        DataType::Struct(_) => {
            for (index, column) in array.as_struct().columns().iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                if !column.is_null(row) {
                    write_value(column.as_ref(), row, out);
                }
            }
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            out.push(b'[');
            for index in 0..items.len() {
                write_separated(index, items.as_ref(), out);
            }
            out.push(b']');
        }
        DataType::Map(..) => {
            let pairs = array.as_map().value(row);
            let (keys, values) = (pairs.column(0), pairs.column(1));
            out.push(b'{');
            for index in 0..pairs.len() {
                write_separated(index, keys.as_ref(), out);
                out.push(b'=');
                write_element(values.as_ref(), index, out);
            }
            out.push(b'}');
        }
        _ => {}
    }
}

fn write_separated(index: usize, array: &dyn Array, out: &mut Vec<u8>) {
    if index > 0 {
        out.extend_from_slice(b", ");
    }
    write_element(array, index, out);
}

fn write_element(array: &dyn Array, index: usize, out: &mut Vec<u8>) {
    if array.is_null(index) { out.extend_from_slice(b"null") } else { write_value(array, index, out) }
}

/// Returns the function that reads a value of a type from a string, or `None` when there is none.
/// A string that does not fit is an error of the row.
pub fn from_text(to: &DataType) -> Option<Call> {
    let fits = match to {
        DataType::Boolean | DataType::Date32 => true,
        DataType::Time32(TimeUnit::Millisecond) | DataType::Timestamp(TimeUnit::Millisecond, None) => true,
        DataType::Decimal128(..) => true,
        other => other.is_signed_integer() || other.is_floating(),
    };
    if !fits {
        return None;
    }
    let target = to.clone();
    let kernel = Kernel::new("cast_from_string", 1, to.clone(), move |a| parse(a, &target));
    Some(Call { function: kernel.variant(to).into_function(), returns: to.clone() })
}

fn parse(a: &Arguments, to: &DataType) -> Result<ArrayRef> {
    match to {
        DataType::Boolean => booleans(a.rows, |row| parsed(a, row, to, |s| text::parse_boolean(s))),
        DataType::Int8 => primitives::<Int8Type>(a.rows, |row| parsed(a, row, to, integer)),
        DataType::Int16 => primitives::<Int16Type>(a.rows, |row| parsed(a, row, to, integer)),
        DataType::Int32 => primitives::<Int32Type>(a.rows, |row| parsed(a, row, to, integer)),
        DataType::Int64 => primitives::<Int64Type>(a.rows, |row| parsed(a, row, to, integer)),
        DataType::Float32 => {
            primitives::<Float32Type>(a.rows, |row| parsed(a, row, to, |s| text::parse_single(s)))
        }
        DataType::Float64 => {
            primitives::<Float64Type>(a.rows, |row| parsed(a, row, to, |s| text::parse_float(s)))
        }
        DataType::Date32 => {
            primitives::<Date32Type>(a.rows, |row| parsed(a, row, to, |s| text::parse_date(s)))
        }
        DataType::Time32(_) => {
            primitives::<Time32MillisecondType>(a.rows, |row| parsed(a, row, to, |s| text::parse_time(s)))
        }
        DataType::Timestamp(..) => primitives::<TimestampMillisecondType>(a.rows, |row| {
            parsed(a, row, to, |s| text::parse_plain_timestamp(s))
        }),
        DataType::Decimal128(precision, scale) => {
            let unscaled = primitives::<Decimal128Type>(a.rows, |row| {
                parsed(a, row, to, |s| text::parse_decimal(s, *precision, *scale))
            })?;
            let unscaled = unscaled.as_primitive::<Decimal128Type>().clone();
            Ok(Arc::new(unscaled.with_precision_and_scale(*precision, *scale)?))
        }
        other => internal_err!("a string cannot become {other}"),
    }
}

/// Reads a number and cuts its fraction off.
fn integer<T: Integer>(s: &str) -> Option<T> {
    match text::try_parse_integer(s) {
        Ok(value) => Some(value),
        Err(IntegerError::OutOfRange) => None,
        Err(IntegerError::Malformed) => truncated(s),
    }
}

fn truncated<T: Integer>(s: &str) -> Option<T> {
    if !text::is_number(s) {
        return None;
    }
    let (mantissa, exponent) = s.split_once(['e', 'E']).unwrap_or((s, "0"));
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    let first = digits.bytes().take_while(|digit| *digit == b'0').count();
    // An exponent too long for this type is far beyond every integer, or makes zero.
    let exponent =
        exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { i64::MIN } else { i64::MAX });
    let end = exponent.saturating_add(i64::try_from(whole.len()).ok()?);
    let Ok(end) = usize::try_from(end) else { return T::narrow(0) };
    if first == digits.len() || end <= first {
        return T::narrow(0);
    }
    // 19 digits hold every BIGINT.
    if end - first > 19 {
        return None;
    }
    let known = &digits[first..end.min(digits.len())];
    text::parse_integer(format!("{sign}{known:0<width$}", width = end - first))
}

fn parsed<T>(
    a: &Arguments,
    row: usize,
    to: &DataType,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    let Some(s) = a.text(0)?.get(row) else { return Ok(None) };
    match read(s.trim_matches([' ', '\t', '\r', '\n'])) {
        Some(value) => Ok(Some(value)),
        None => {
            let shown: String = s.chars().take(60).collect();
            row_error(format!("CAST failed: `{shown}` is not {}", with_article(&type_name(to))))
        }
    }
}

fn with_article(name: &str) -> String {
    let article = if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// Returns the function that makes a DECIMAL of a FLOAT or DOUBLE: of its shortest decimal form, rounded half up.
pub fn float_to_decimal(from: &DataType, to: &DataType) -> Option<Call> {
    let DataType::Decimal128(precision, scale) = *to else { return None };
    let name = type_name(to);
    let kernel = Kernel::new("cast_float_to_decimal", 1, to.clone(), move |a| {
        let array = a.array(0)?;
        let mut shortest = Vec::new();
        let unscaled = primitives::<Decimal128Type>(a.rows, |row| {
            if array.is_null(row) {
                return Ok(None);
            }
            shortest.clear();
            write_value(array.as_ref(), row, &mut shortest);
            match text::parse_decimal(&shortest, precision, scale) {
                Some(unscaled) => Ok(Some(unscaled)),
                None => {
                    let shown = String::from_utf8_lossy(&shortest);
                    row_error(format!("CAST failed: {shown} does not fit {name}"))
                }
            }
        })?;
        let unscaled = unscaled.as_primitive::<Decimal128Type>().clone();
        Ok(Arc::new(unscaled.with_precision_and_scale(precision, scale)?))
    });
    let call = Call { function: kernel.variant(format!("{from}-{to}")).into_function(), returns: to.clone() };
    from.is_floating().then_some(call)
}

/// Returns the function that makes the nearest FLOAT of a DOUBLE. A number beyond the greatest FLOAT is an error of the
/// row; infinity stays what it is.
pub fn double_to_float() -> Call {
    let kernel = Kernel::new("cast_double_to_float", 1, DataType::Float32, |a| {
        let array = a.array(0)?;
        let nearest: Float32Array = array.as_primitive::<Float64Type>().try_unary(|n| {
            let nearest = n as f32;
            match n.is_finite() && nearest.is_infinite() {
                true => Err(exec_datafusion_err!("CAST failed: {n:E} does not fit FLOAT")),
                false => Ok(nearest),
            }
        })?;
        Ok(Arc::new(nearest))
    });
    Call { function: kernel.into_function(), returns: DataType::Float32 }
}

/// Returns the function that makes the nearest DOUBLE or FLOAT of a DECIMAL.
pub fn decimal_to_float(from: &DataType, to: &DataType) -> Option<Call> {
    let DataType::Decimal128(_, scale) = *from else { return None };
    let single = match to {
        DataType::Float32 => true,
        DataType::Float64 => false,
        _ => return None,
    };
    let exponent = -i64::from(scale);
    let kernel = Kernel::new("cast_decimal_to_float", 1, to.clone(), move |a| {
        let array = a.array(0)?;
        let values = array.as_primitive::<Decimal128Type>();
        let short = |n: i128| u64::try_from(n.unsigned_abs()).ok();
        if single {
            return Ok(Arc::new(values.unary::<_, Float32Type>(|n| {
                let nearest = short(n).and_then(|digits| text::scale_single(digits, exponent));
                let nearest = nearest.map(|value| if n < 0 { -value } else { value });
                nearest.or_else(|| text::parse_single(text::format_decimal(n, scale))).unwrap_or_default()
            })) as _);
        }
        Ok(Arc::new(values.unary::<_, Float64Type>(|n| {
            let nearest = short(n).and_then(|digits| text::scale_double(digits, exponent));
            let nearest = nearest.map(|value| if n < 0 { -value } else { value });
            nearest.or_else(|| text::parse_float(text::format_decimal(n, scale))).unwrap_or_default()
        })) as _)
    });
    Some(Call { function: kernel.variant(format!("{from}-{to}")).into_function(), returns: to.clone() })
}

/// Returns the function that converts a number to another type of number. One that does not fit is an error of the row.
pub fn number(from: &DataType, to: &DataType) -> Call {
    let (target, name) = (to.clone(), type_name(to));
    let kernel = Kernel::new("cast_number", 1, to.clone(), move |a| {
        let array = a.array(0)?;
        let exact = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(&array, &target, &exact).or_else(|_| {
            let nulls = cast_with_options(&array, &target, &CastOptions::default())?;
            let first = (0..array.len()).find(|row| array.is_valid(*row) && nulls.is_null(*row));
            let shown = first.map(|row| number_text(array.as_ref(), row)).unwrap_or_default();
            row_error(format!("CAST failed: {shown} does not fit {name}"))
        })
    });
    Call { function: kernel.variant(format!("{from}-{to}")).into_function(), returns: to.clone() }
}

fn number_text(array: &dyn Array, row: usize) -> String {
    if let Some(wide) = array.as_primitive_opt::<Decimal256Type>() {
        return wide.value_as_string(row);
    }
    let mut text = Vec::new();
    write_value(array, row, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Returns the function that converts between DATE, TIME and TIMESTAMP, or `None` when there is none.
pub fn between_times(from: &DataType, to: &DataType) -> Option<Call> {
    let convert: fn(&Arguments) -> Result<ArrayRef> = match (from, to) {
        (DataType::Timestamp(..), DataType::Date32) => |a| {
            let array = a.array(0)?;
            let days: Date32Array = array.as_primitive::<TimestampMillisecondType>().try_unary(|ms| {
                i32::try_from(in_range(ms)?.div_euclid(DAY_MS)).or_else(|_| out_of_range())
            })?;
            Ok(Arc::new(days))
        },
        (DataType::Timestamp(..), DataType::Time32(_)) => |a| {
            let array = a.array(0)?;
            let times: Time32MillisecondArray = array
                .as_primitive::<TimestampMillisecondType>()
                .unary(|ms| i32::try_from(ms.rem_euclid(DAY_MS)).unwrap_or_default());
            Ok(Arc::new(times))
        },
        (DataType::Date32, DataType::Timestamp(..)) => |a| {
            let array = a.array(0)?;
            let instants: TimestampMillisecondArray =
                array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * DAY_MS);
            Ok(Arc::new(instants))
        },
        (DataType::Time32(_), DataType::Timestamp(..)) => |a| {
            let array = a.array(0)?;
            let instants: TimestampMillisecondArray =
                array.as_primitive::<Time32MillisecondType>().unary(i64::from);
            Ok(Arc::new(instants))
        },
        _ => return None,
    };
    let kernel = Kernel::new("cast_time", 1, to.clone(), convert).variant(format!("{from}-{to}"));
    Some(Call { function: kernel.into_function(), returns: to.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_strings_become_integers_without_their_fractions() {
        for (s, expected) in [
            ("1.9", Some(1)),
            ("-1.9", Some(-1)),
            (".5", Some(0)),
            ("7.", Some(7)),
            ("1.25e1", Some(12)),
            ("-2500E-3", Some(-2)),
            ("9.9e-99999999999999999999", Some(0)),
            ("0e99999999999999999999", Some(0)),
            ("000000000000000000000000012.5", Some(12)),
            ("9223372036854775807.9", Some(i64::MAX)),
            ("-9223372036854775808.9", Some(i64::MIN)),
            ("9223372036854775808.0", None),
            ("1e19", None),
            ("1e99999999999999999999", None),
            ("9223372036854775808", None),
            ("1.2.3", None),
            ("e5", None),
            ("0x10", None),
            ("", None),
        ] {
            assert_eq!(integer::<i64>(s), expected, "{s}");
        }
        assert_eq!(integer::<i8>("127.9"), Some(127));
        assert_eq!(integer::<i8>("128.0"), None);
    }
}
