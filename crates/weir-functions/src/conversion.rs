//! `CAST` between strings and other types, and between the types of time.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Time32MillisecondArray, TimestampMillisecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimeUnit, TimestampMillisecondType,
};
use datafusion_common::{Result, internal_err};
use weir_base::text;

use crate::kernel::{Arguments, Kernel, booleans, primitives, row_error, strings};
use crate::registry::Call;

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
        strings(a.rows, |row| Ok((!array.is_null(row)).then(|| value_text(array.as_ref(), row))))
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

/// Returns the text of a value that is not NULL. Elements that are NULL are written `null`, except
/// that a ROW leaves them empty.
fn value_text(array: &dyn Array, row: usize) -> String {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_string(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float32 => text::format_float(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => text::format_double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            text::format_decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)
        }
        DataType::Date32 => text::format_date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Time32(_) => text::format_time(array.as_primitive::<Time32MillisecondType>().value(row)),
        DataType::Timestamp(..) => {
            text::format_timestamp(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        DataType::Struct(_) => {
            let columns = array.as_struct().columns();
            let fields: Vec<_> = columns
                .iter()
                .map(
                    |column| {
                        if column.is_null(row) { String::new() } else { value_text(column.as_ref(), row) }
                    },
                )
                .collect();
            fields.join(",")
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let items: Vec<_> = (0..items.len()).map(|index| element_text(items.as_ref(), index)).collect();
            format!("[{}]", items.join(", "))
        }
        DataType::Map(..) => {
            let pairs = array.as_map().value(row);
            let (keys, values) = (pairs.column(0), pairs.column(1));
            let pairs: Vec<_> = (0..pairs.len())
                .map(|index| {
                    format!("{}={}", element_text(keys.as_ref(), index), element_text(values.as_ref(), index))
                })
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        _ => String::new(),
    }
}

fn element_text(array: &dyn Array, index: usize) -> String {
    if array.is_null(index) { "null".to_string() } else { value_text(array, index) }
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
        DataType::Int8 => {
            primitives::<Int8Type>(a.rows, |row| parsed(a, row, to, |s| text::parse_integer(s)))
        }
        DataType::Int16 => {
            primitives::<Int16Type>(a.rows, |row| parsed(a, row, to, |s| text::parse_integer(s)))
        }
        DataType::Int32 => {
            primitives::<Int32Type>(a.rows, |row| parsed(a, row, to, |s| text::parse_integer(s)))
        }
        DataType::Int64 => {
            primitives::<Int64Type>(a.rows, |row| parsed(a, row, to, |s| text::parse_integer(s)))
        }
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

/// Returns the function that converts between DATE, TIME and TIMESTAMP, or `None` when there is none.
pub fn between_times(from: &DataType, to: &DataType) -> Option<Call> {
    let convert: fn(&Arguments) -> Result<ArrayRef> = match (from, to) {
        (DataType::Timestamp(..), DataType::Date32) => |a| {
            let array = a.array(0)?;
            let days: Date32Array = array
                .as_primitive::<TimestampMillisecondType>()
                .unary(|ms| i32::try_from(ms.div_euclid(DAY_MS)).unwrap_or_default());
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
