//! Literals: numbers, strings, points in time and intervals.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use sqlparser::ast::{
    DataType as SqlType, DateTimeField, Expr as SqlExpr, Interval, TypedString, UnaryOperator, Value,
    ValueWithSpan,
};
use weir_base::text;

use super::bound::Bound;
use super::refuse::{Checked, Place, hinted};

/// Reads a literal that is one token.
pub(super) fn value(literal: &ValueWithSpan, place: Place) -> Checked<Bound> {
    let place = Place::of(literal.span, place);
    match &literal.value {
        Value::Number(digits, _) => number(digits, false, place),
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Ok(Bound::text(text)),
        Value::Boolean(truth) => Ok(Bound::scalar(ScalarValue::Boolean(Some(*truth)))),
        Value::Null => Ok(Bound::scalar(ScalarValue::Null)),
        other => Err(place.unavailable(&format!("the literal `{other}`"))),
    }
}

/// Reads a number: `12` INT or BIGINT, `1.50` DECIMAL, `1.5E0` DOUBLE.
pub(super) fn number(digits: &str, negative: bool, place: Place) -> Checked<Bound> {
    let signed = if negative { format!("-{digits}") } else { digits.to_string() };
    let too_big = || place.refuse(format!("the number `{digits}` is out of range"));
    let scalar = if digits.contains(['e', 'E']) {
        ScalarValue::Float64(Some(text::parse_float(&signed).ok_or_else(too_big)?))
    } else if let Some((whole, fraction)) = digits.split_once('.') {
        let scale = i8::try_from(fraction.len()).map_err(|_| too_big())?;
        let precision =
            whole.trim_start_matches('0').len().max(usize::from(fraction.is_empty())) + fraction.len();
        // `0.05` is DECIMAL(3,2) by its digits, as `1.50` is.
        let precision = precision.max(whole.len().min(1) + fraction.len());
        let precision = u8::try_from(precision).ok().filter(|p| *p <= 38).ok_or_else(too_big)?;
        let unscaled = text::parse_decimal(&signed, precision, scale).ok_or_else(too_big)?;
        ScalarValue::Decimal128(Some(unscaled), precision, scale)
    } else if let Ok(small) = signed.parse::<i32>() {
        ScalarValue::Int32(Some(small))
    } else {
        ScalarValue::Int64(Some(signed.parse::<i64>().map_err(|_| too_big())?))
    };
    Ok(Bound::scalar(scalar))
}

/// Reads `DATE '...'`, `TIME '...'`, `TIMESTAMP '...'`.
pub(super) fn typed_string(literal: &TypedString, place: Place) -> Checked<Bound> {
    let place = Place::of(literal.value.span, place);
    let Some(written) = literal.value.value.clone().into_string() else {
        return Err(place.refuse("a string is expected here"));
    };
    let written = written.trim();
    let (scalar, form) = match &literal.data_type {
        SqlType::Date => (text::parse_date(written).map(|d| ScalarValue::Date32(Some(d))), "yyyy-MM-dd"),
        SqlType::Time(..) => {
            (text::parse_time(written).map(|t| ScalarValue::Time32Millisecond(Some(t))), "HH:mm:ss[.SSS]")
        }
        SqlType::Timestamp(..) => (
            text::parse_plain_timestamp(written).map(|t| ScalarValue::TimestampMillisecond(Some(t), None)),
            "yyyy-MM-dd HH:mm:ss[.SSS]",
        ),
        other => return Err(place.unavailable(&format!("a literal of type `{other}`"))),
    };
    match scalar {
        Some(scalar) => Ok(Bound::scalar(scalar)),
        None => Err(hinted(
            place.refuse(format!("`{written}` is not a valid {}", literal.data_type)),
            Some(format!("write it as `{form}`")),
        )),
    }
}

/// Reads an interval.
pub(super) fn interval(literal: &Interval, place: Place) -> Checked<Bound> {
    let (negative, written, place) = interval_text(&literal.value, place)?;
    let Some(leading) = literal.leading_field.as_ref() else {
        return Err(hinted(
            place.refuse("the interval has no unit"),
            Some("write `INTERVAL '5' MINUTE`".into()),
        ));
    };
    let last = literal.last_field.as_ref().unwrap_or(leading);
    let wrong = || place.refuse(format!("`{written}` is not an interval of {}", range_name(leading, last)));
    let (body, negative) = match written.strip_prefix('-') {
        Some(body) => (body, !negative),
        None => (written.strip_prefix('+').unwrap_or(&written), negative),
    };
    let scalar = match (rank(leading), rank(last)) {
        (Some(first @ 0..=1), Some(end @ 0..=1)) if first <= end => {
            let months = year_month(body, first, end).ok_or_else(wrong)?;
            ScalarValue::IntervalYearMonth(Some(if negative { -months } else { months }))
        }
        (Some(first @ 2..), Some(end @ 2..)) if first <= end => {
            let millis = day_time(body, first, end).ok_or_else(wrong)?;
            ScalarValue::DurationMillisecond(Some(if negative { -millis } else { millis }))
        }
        _ => return Err(place.refuse(format!("an interval of {} does not exist", range_name(leading, last)))),
    };
    Ok(Bound::scalar(scalar))
}

fn interval_text(value: &SqlExpr, place: Place) -> Checked<(bool, String, Place)> {
    match value {
        SqlExpr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            let (negative, text, place) = interval_text(expr, place)?;
            Ok((!negative, text, place))
        }
        SqlExpr::Nested(inner) => interval_text(inner, place),
        SqlExpr::Value(literal) => {
            let place = Place::of(literal.span, place);
            match &literal.value {
                Value::Number(digits, _) => Ok((false, digits.clone(), place)),
                other => match other.clone().into_string() {
                    Some(text) => Ok((false, text.trim().to_string(), place)),
                    None => Err(place.refuse("an interval is a string or an integer and a unit")),
                },
            }
        }
        _ => Err(place.refuse("an interval is a constant: a string or an integer and a unit")),
    }
}

/// Orders the units; `None` for one that intervals do not have.
fn rank(unit: &DateTimeField) -> Option<u8> {
    let name = unit.to_string().to_ascii_uppercase();
    Some(match name.strip_suffix('S').unwrap_or(&name) {
        "YEAR" => 0,
        "MONTH" => 1,
        "DAY" => 2,
        "HOUR" => 3,
        "MINUTE" => 4,
        "SECOND" => 5,
        "MILLISECOND" => 6,
        _ => return None,
    })
}

fn range_name(leading: &DateTimeField, last: &DateTimeField) -> String {
    if leading == last { format!("`{leading}`") } else { format!("`{leading} TO {last}`") }
}

fn year_month(body: &str, first: u8, end: u8) -> Option<i32> {
    let whole = |text: &str| text.trim().parse::<u32>().ok().and_then(|n| i32::try_from(n).ok());
    match (first, end) {
        (0, 0) => whole(body)?.checked_mul(12),
        (1, 1) => whole(body),
        _ => {
            let (years, months) = body.split_once('-')?;
            let months = whole(months).filter(|months| *months < 12)?;
            whole(years)?.checked_mul(12)?.checked_add(months)
        }
    }
}

/// Milliseconds of the units DAY, HOUR, MINUTE, SECOND, MILLISECOND.
const UNIT_MS: [i64; 5] = [86_400_000, 3_600_000, 60_000, 1_000, 1];

fn day_time(body: &str, first: u8, end: u8) -> Option<i64> {
    let mut parts: Vec<&str> = Vec::new();
    let clock = if first == 2 && end > 2 {
        let (days, clock) = body.split_once(' ')?;
        parts.push(days.trim());
        clock.trim()
    } else {
        body
    };
    parts.extend(clock.split(':').map(str::trim));
    if parts.len() != usize::from(end - first) + 1 {
        return None;
    }
    let mut total = 0i64;
    for (index, part) in parts.iter().enumerate() {
        let unit = usize::from(first) - 2 + index;
        let (whole, millis) = match part.split_once('.') {
            Some((whole, fraction)) if unit == 3 => (whole, fraction_ms(fraction)?),
            Some(_) => return None,
            None => (*part, 0),
        };
        if whole.is_empty() || !whole.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let count = whole.parse::<i64>().ok()?;
        let limit = [i64::MAX, 24, 60, 60, 1000][unit];
        if index > 0 && count >= limit {
            return None;
        }
        total = total.checked_add(count.checked_mul(UNIT_MS[unit])?)?.checked_add(millis)?;
    }
    Some(total)
}

fn fraction_ms(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<3}")[..3].parse().ok()
}

/// Returns the length of a constant day-time interval.
pub(super) fn constant_millis(bound: &Bound) -> Option<i64> {
    match &bound.expr {
        Expr::Literal(ScalarValue::DurationMillisecond(millis), _) => *millis,
        _ => None,
    }
}

/// Tells whether the type is that of a year-month interval.
pub(super) fn is_year_month(of: &DataType) -> bool {
    matches!(of, DataType::Interval(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_time_intervals_are_cut_to_their_range() {
        for (body, first, end, expected) in [
            ("1 02:03:04.005", 2, 5, Some(93_784_005)),
            ("10", 5, 5, Some(10_000)),
            ("1.5", 5, 5, Some(1_500)),
            ("90", 4, 4, Some(5_400_000)),
            ("2:30", 3, 4, Some(9_000_000)),
            ("1 5", 2, 3, Some(104_400_000)),
            ("250", 6, 6, Some(250)),
            ("2:60", 3, 4, None),
            ("1", 3, 4, None),
            ("", 5, 5, None),
            ("1.5", 4, 4, None),
        ] {
            assert_eq!(day_time(body, first, end), expected, "{body}");
        }
    }

    #[test]
    fn year_month_intervals() {
        assert_eq!(year_month("2-10", 0, 1), Some(34));
        assert_eq!(year_month("3", 0, 0), Some(36));
        assert_eq!(year_month("2-12", 0, 1), None);
    }
}
