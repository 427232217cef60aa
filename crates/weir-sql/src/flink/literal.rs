//! Constants as Flink SQL writes them.

use arrow::array::Array;
use arrow::datatypes::DataType;
use chrono::DateTime;
use datafusion_common::ScalarValue;

use super::types::type_text;
use super::{NotInFlink, Translated};

/// Returns a constant. Numbers carry their type: Flink would read a small integer as INT and a fraction as DECIMAL.
pub(super) fn constant(value: &ScalarValue) -> Translated<String> {
    if value.is_null() {
        return Ok(match value.data_type() {
            DataType::Null => "NULL".to_string(),
            of => format!("CAST(NULL AS {})", type_text(&of)?),
        });
    }
    Ok(match value {
        ScalarValue::Boolean(Some(value)) => if *value { "TRUE" } else { "FALSE" }.to_string(),
        ScalarValue::Utf8(Some(text)) => text_constant(text),
        ScalarValue::Int32(Some(number)) => number.to_string(),
        ScalarValue::Int8(Some(number)) => format!("CAST({number} AS TINYINT)"),
        ScalarValue::Int16(Some(number)) => format!("CAST({number} AS SMALLINT)"),
        ScalarValue::Int64(Some(number)) => format!("CAST({number} AS BIGINT)"),
        ScalarValue::Float32(Some(number)) => floating(f64::from(*number), "FLOAT"),
        ScalarValue::Float64(Some(number)) => floating(*number, "DOUBLE"),
        ScalarValue::Decimal128(Some(_), _, _) => {
            let (text, of) = (shown(value)?, type_text(&value.data_type())?);
            format!("CAST({text} AS {of})")
        }
        ScalarValue::Date32(Some(_)) => format!("DATE '{}'", shown(value)?),
        ScalarValue::Time32Millisecond(Some(ms)) => format!("TIME '{}'", time_of_day(*ms)),
        ScalarValue::TimestampMillisecond(Some(ms), None) => format!("TIMESTAMP '{}'", wall_clock(*ms)?),
        ScalarValue::DurationMillisecond(Some(ms)) => interval(*ms),
        ScalarValue::IntervalYearMonth(Some(months)) => {
            let sign = if *months < 0 { "-" } else { "" };
            let months = months.unsigned_abs();
            format!("INTERVAL {sign}'{}-{}' YEAR(4) TO MONTH", months / 12, months % 12)
        }
        ScalarValue::List(list) => {
            let items = (0..list.value(0).len())
                .map(|index| {
                    let item = ScalarValue::try_from_array(&list.value(0), index);
                    constant(&item.map_err(|error| NotInFlink::new(error.to_string()))?)
                })
                .collect::<Translated<Vec<_>>>()?;
            format!("ARRAY[{}]", items.join(", "))
        }
        other => return Err(NotInFlink::new(format!("the constant {other} has no form in Flink SQL"))),
    })
}

/// Returns a string constant.
pub(super) fn text_constant(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns an interval of milliseconds.
pub(super) fn interval(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, millis) = (rest / 1_000 % 60, rest % 1_000);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("INTERVAL {sign}'{seconds}.{millis:03}' SECOND(1, 3)"),
        _ => format!(
            "INTERVAL {sign}'{days} {hours:02}:{minutes:02}:{seconds:02}.{millis:03}' DAY({}) TO SECOND(3)",
            days.max(1).to_string().len()
        ),
    }
    .replace("SECOND(1, 3)", if seconds > 9 { "SECOND(2, 3)" } else { "SECOND(1, 3)" })
}

fn floating(number: f64, of: &str) -> String {
    match number.is_finite() {
        true => format!("CAST({number:e} AS {of})").replace('e', "E"),
        false => format!(
            "CAST('{}' AS {of})",
            if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            }
        ),
    }
}

fn shown(value: &ScalarValue) -> Translated<String> {
    let array = value.to_array().map_err(|error| NotInFlink::new(error.to_string()))?;
    arrow::util::display::array_value_to_string(&array, 0).map_err(|error| NotInFlink::new(error.to_string()))
}

fn time_of_day(ms: i32) -> String {
    let seconds = ms / 1_000;
    let text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match ms % 1_000 {
        0 => text,
        millis => format!("{text}.{millis:03}"),
    }
}

fn wall_clock(ms: i64) -> Translated<String> {
    let at = DateTime::from_timestamp_millis(ms)
        .ok_or_else(|| NotInFlink::new(format!("the time {ms} ms is out of range")))?;
    Ok(at.format("%Y-%m-%d %H:%M:%S%.3f").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_keep_their_type() {
        for (value, text) in [
            (ScalarValue::Int32(Some(-4)), "-4"),
            (ScalarValue::Int64(Some(4)), "CAST(4 AS BIGINT)"),
            (ScalarValue::Float64(Some(1.5)), "CAST(1.5E0 AS DOUBLE)"),
            (ScalarValue::Decimal128(Some(150), 3, 2), "CAST(1.50 AS DECIMAL(3, 2))"),
            (ScalarValue::Utf8(Some("it's".into())), "'it''s'"),
            (ScalarValue::Utf8(None), "CAST(NULL AS STRING)"),
            (ScalarValue::Date32(Some(19_797)), "DATE '2024-03-15'"),
            (ScalarValue::TimestampMillisecond(Some(1_005), None), "TIMESTAMP '1970-01-01 00:00:01.005'"),
            (ScalarValue::Time32Millisecond(Some(25_689_000)), "TIME '07:08:09'"),
            (ScalarValue::DurationMillisecond(Some(10_000)), "INTERVAL '10.000' SECOND(2, 3)"),
            (
                ScalarValue::DurationMillisecond(Some(90_061_001)),
                "INTERVAL '1 01:01:01.001' DAY(1) TO SECOND(3)",
            ),
            (ScalarValue::IntervalYearMonth(Some(-14)), "INTERVAL -'1-2' YEAR(4) TO MONTH"),
        ] {
            assert_eq!(constant(&value).unwrap(), text);
        }
    }
}
