//! Functions of times as Flink SQL.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use datafusion_expr::expr::ScalarFunction;

use super::cast_int;
use crate::flink::expression::Scope;
use crate::flink::literal::text_constant;
use crate::flink::zone::{millis_of_utc, seconds_of_utc, utc_of_millis, utc_of_wall, wall_of_utc};
use crate::flink::{NotInFlink, Translated};

/// The processing instant as the wall clock of UTC, which is the zone of Flink's session.
const NOW: &str = "CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3))";

/// Returns a call, or `None` when the function is not one of times.
pub(super) fn time(
    call: &ScalarFunction,
    variant: &str,
    arguments: &[String],
    scope: &Scope<'_>,
) -> Option<Translated<String>> {
    Some(Ok(match (call.func.name(), arguments) {
        ("extract", [time]) => format!("CAST(EXTRACT({} FROM {time}) AS INT)", unit(variant)),
        ("time_to_unit", [time]) => {
            let mut words = variant.split(' ');
            let direction = if words.next() == Some("Up") { "CEIL" } else { "FLOOR" };
            format!("{direction}({time} TO {})", unit(words.next().unwrap_or_default()))
        }
        ("add_interval", [time, interval]) => {
            format!("({time} {} {interval})", if variant.starts_with("Minus") { "-" } else { "+" })
        }
        ("combine_intervals", [one, other]) => {
            format!("({one} {} {other})", if variant.starts_with("Minus") { "-" } else { "+" })
        }
        ("timestampadd", [count, time]) => {
            format!("TIMESTAMPADD({}, {}, {time})", unit(variant), cast_int(count))
        }
        ("timestampdiff", [from, to]) => format!("TIMESTAMPDIFF({}, {from}, {to})", unit(variant)),
        ("to_timestamp", [millis]) => wall_of_utc(&utc_of_millis(millis), scope.options),
        ("unix_timestamp", []) => seconds_of_utc(NOW),
        ("unix_timestamp_ms", []) => millis_of_utc(NOW),
        (name @ ("unix_timestamp" | "unix_timestamp_ms"), [text, pattern @ ..]) => {
            return Some(instant(name == "unix_timestamp", text, pattern.first(), call, scope));
        }
        ("date_format", [time, pattern]) => return Some(date_format(time, pattern, call, scope)),
        ("current_timestamp", []) => NOW.to_string(),
        ("current_date", []) => format!("CAST({NOW} AS DATE)"),
        ("current_time", []) => format!("CAST({NOW} AS TIME(3))"),
        ("localtimestamp", []) => wall_of_utc(NOW, scope.options),
        ("localtime", []) => format!("CAST({} AS TIME(3))", wall_of_utc(NOW, scope.options)),
        _ => return None,
    }))
}

fn unit(variant: &str) -> String {
    let name = variant.split(' ').next().unwrap_or_default();
    match name {
        "DayOfWeek" => "DOW".to_string(),
        "DayOfYear" => "DOY".to_string(),
        other => other.to_uppercase(),
    }
}

/// Returns UNIX_TIMESTAMP or UNIX_TIMESTAMP_MS of a text. Flink's own has a number for what is no time; TO_TIMESTAMP has NULL.
fn instant(
    seconds: bool,
    text: &str,
    pattern: Option<&String>,
    call: &ScalarFunction,
    scope: &Scope<'_>,
) -> Translated<String> {
    let pattern = match (pattern, call.args.get(1)) {
        (Some(_), Some(Expr::Literal(ScalarValue::Utf8(Some(pattern)), _))) if has_offset(pattern) => {
            return Err(NotInFlink::of(
                call.func.name(),
                "Flink does not read the offsets that `Z` and `XXX` stand for; leave them out of the pattern",
            ));
        }
        (Some(pattern), _) => pattern.clone(),
        (None, _) if seconds => text_constant("yyyy-MM-dd HH:mm:ss"),
        (None, _) => text_constant("yyyy-MM-dd HH:mm:ss[.SSS]"),
    };
    let wall = format!("TO_TIMESTAMP({text}, {pattern})");
    let utc = utc_of_wall(&wall, scope.options);
    Ok(if seconds { seconds_of_utc(&utc) } else { millis_of_utc(&utc) })
}

/// Returns DATE_FORMAT. Flink has no offset for a TIMESTAMP, so that of UTC is written as text.
fn date_format(time: &str, pattern: &str, call: &ScalarFunction, scope: &Scope<'_>) -> Translated<String> {
    let time = match scope.type_of(&call.args[0])? {
        DataType::Date32 => format!("CAST({time} AS TIMESTAMP(3))"),
        _ => time.to_string(),
    };
    let pattern = match call.args.get(1) {
        Some(Expr::Literal(ScalarValue::Utf8(Some(pattern)), _)) if has_offset(pattern) => {
            if !scope.options.is_utc() {
                return Err(NotInFlink::of(
                    "DATE_FORMAT",
                    "Flink has no offset for a TIMESTAMP; leave `Z` and `XXX` out of the pattern",
                ));
            }
            text_constant(&with_offset_of_utc(pattern))
        }
        _ => pattern.to_string(),
    };
    Ok(format!("DATE_FORMAT({time}, {pattern})"))
}

fn has_offset(pattern: &str) -> bool {
    with_offset_of_utc(pattern) != pattern
}

/// Replaces the letters that stand for an offset by that of UTC, as text in quotes.
fn with_offset_of_utc(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut quoted = false;
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        let (replaced, length) = match character {
            'Z' if !quoted => ("'+0000'", 1),
            'X' if !quoted => ("'Z'", rest.chars().take_while(|c| *c == 'X').count()),
            _ => ("", character.len_utf8()),
        };
        quoted ^= character == '\'';
        written.push_str(if replaced.is_empty() { &rest[..length] } else { replaced });
        rest = &rest[length..];
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_text_unless_they_are() {
        assert_eq!(with_offset_of_utc("HH:mm Z XXX"), "HH:mm '+0000' 'Z'");
        assert_eq!(with_offset_of_utc("yyyy-MM-dd'TZ'HH"), "yyyy-MM-dd'TZ'HH");
        assert!(!has_offset("dd/MM/yyyy 'XXX'"));
    }
}
