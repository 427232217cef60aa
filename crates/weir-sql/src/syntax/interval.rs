//! Interval literals: `INTERVAL '1 02:03:04.005' DAY TO SECOND`, `INTERVAL 20 SECOND`.

use std::time::Duration;

use sqlparser::ast::{DateTimeField, Expr, Interval, UnaryOperator, Value};

use super::cursor::Parser;
use super::literal::string_text;
use super::token::{Token, TokenKind};
use crate::CheckError;

const UNITS: &str = "a unit: `YEAR`, `MONTH`, `DAY`, `HOUR`, `MINUTE`, `SECOND` or `MILLISECOND`";

/// The value of an interval literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IntervalValue {
    /// A year-month interval.
    Months(i32),
    /// A day-time interval.
    Milliseconds(i64),
}

/// A unit of intervals, from the greatest to the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Unit {
    fn of_word(word: &str) -> Option<Unit> {
        Some(match word.to_ascii_uppercase().as_str() {
            "YEAR" | "YEARS" => Unit::Year,
            "MONTH" | "MONTHS" => Unit::Month,
            "DAY" | "DAYS" => Unit::Day,
            "HOUR" | "HOURS" => Unit::Hour,
            "MINUTE" | "MINUTES" => Unit::Minute,
            "SECOND" | "SECONDS" => Unit::Second,
            "MILLISECOND" | "MILLISECONDS" => Unit::Millisecond,
            _ => return None,
        })
    }

    fn field(self) -> DateTimeField {
        match self {
            Unit::Year => DateTimeField::Year,
            Unit::Month => DateTimeField::Month,
            Unit::Day => DateTimeField::Day,
            Unit::Hour => DateTimeField::Hour,
            Unit::Minute => DateTimeField::Minute,
            Unit::Second => DateTimeField::Second,
            Unit::Millisecond => DateTimeField::Millisecond,
        }
    }

    fn milliseconds(self) -> i64 {
        match self {
            Unit::Year | Unit::Month => 0,
            Unit::Day => 86_400_000,
            Unit::Hour => 3_600_000,
            Unit::Minute => 60_000,
            Unit::Second => 1_000,
            Unit::Millisecond => 1,
        }
    }

    /// How many of this unit make one of the next greater unit.
    fn limit(self) -> i64 {
        match self {
            Unit::Month => 12,
            Unit::Hour => 24,
            Unit::Minute | Unit::Second => 60,
            _ => i64::MAX,
        }
    }
}

impl<'a> Parser<'a> {
    /// Parses an interval literal of a query; `INTERVAL` has not been taken.
    pub(super) fn interval(&mut self) -> Result<Interval, CheckError> {
        self.interval_literal().map(tree_of)
    }

    /// Parses an interval literal of a query that must be a length of time: of fixed length and not below zero.
    pub(super) fn length_of_time(&mut self, what: &str) -> Result<Interval, CheckError> {
        self.fixed_length(what).map(|(literal, _)| tree_of(literal))
    }

    /// Parses an interval literal of a watermark clause.
    pub(super) fn duration(&mut self, what: &str) -> Result<Duration, CheckError> {
        self.fixed_length(what).map(|(_, duration)| duration)
    }

    fn fixed_length(&mut self, what: &str) -> Result<(Literal<'a>, Duration), CheckError> {
        let start = self.peek();
        let literal = self.interval_literal()?;
        match literal.evaluated {
            IntervalValue::Milliseconds(milliseconds) => match u64::try_from(milliseconds) {
                Ok(milliseconds) => Ok((literal, Duration::from_millis(milliseconds))),
                Err(_) => Err(start.error(format!("{what} is negative")).hint("expected zero or more")),
            },
            IntervalValue::Months(_) => Err(start
                .error(format!("{what} is an interval of years or months, which have no fixed length"))
                .hint("expected `DAY`, `HOUR`, `MINUTE`, `SECOND` or `MILLISECOND`")),
        }
    }

    fn interval_literal(&mut self) -> Result<Literal<'a>, CheckError> {
        self.expect_word("INTERVAL")?;
        let negative = self.take_symbol("-");
        let value = self.peek();
        let text = match value.kind {
            TokenKind::String { .. } => string_text(&value)?,
            TokenKind::Number if value.text.bytes().all(|byte| byte.is_ascii_digit()) => {
                value.text.to_string()
            }
            _ => return Err(self.expected("a string or a whole number, such as `INTERVAL '5' MINUTE`")),
        };
        self.take();
        let first = self.unit()?;
        let last = match self.take_word("TO") {
            true => self.unit()?,
            false => first,
        };
        let evaluated =
            evaluate(negative, &text, first, last).map_err(|(text, hint)| value.error(text).hint(hint))?;
        Ok(Literal { negative, value, text, first, last, evaluated })
    }

    fn unit(&mut self) -> Result<Unit, CheckError> {
        let token = self.peek();
        match Unit::of_word(token.text) {
            Some(unit) if token.kind == TokenKind::Word => {
                self.take();
                Ok(unit)
            }
            _ => Err(self.expected(UNITS)),
        }
    }
}

struct Literal<'a> {
    negative: bool,
    value: Token<'a>,
    text: String,
    first: Unit,
    last: Unit,
    evaluated: IntervalValue,
}

fn tree_of(literal: Literal<'_>) -> Interval {
    let value = match literal.value.kind {
        TokenKind::Number => Value::Number(literal.text, false),
        _ => Value::SingleQuotedString(literal.text),
    };
    let value = Expr::Value(value.with_span(literal.value.span()));
    let value = match literal.negative {
        true => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(value) },
        false => value,
    };
    Interval {
        value: Box::new(value),
        leading_field: Some(literal.first.field()),
        leading_precision: None,
        last_field: (literal.last != literal.first).then(|| literal.last.field()),
        fractional_seconds_precision: None,
    }
}

/// Evaluates a literal; the error is a text and a hint.
fn evaluate(negative: bool, text: &str, first: Unit, last: Unit) -> Result<IntervalValue, (String, String)> {
    let year_month = first <= Unit::Month;
    if first > last || year_month != (last <= Unit::Month) || (last == Unit::Millisecond && first != last) {
        return Err((
            "this range of units makes no interval".to_string(),
            "expected `YEAR TO MONTH`, or two of `DAY`, `HOUR`, `MINUTE`, `SECOND` from the greater to the smaller"
                .to_string(),
        ));
    }
    let trimmed = text.trim();
    let (own_sign, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let sign = if negative { -own_sign } else { own_sign };
    let form = form(first, last);
    let bad = || (format!("`{text}` is not an interval of this kind"), format!("expected the form `{form}`"));
    match year_month {
        true => months(digits, first, last)
            .and_then(|months| i32::try_from(sign * months).ok())
            .map(IntervalValue::Months)
            .ok_or_else(bad),
        false => milliseconds(digits, first, last)
            .map(|milliseconds| IntervalValue::Milliseconds(sign * milliseconds))
            .ok_or_else(bad),
    }
}

/// Returns how the string of an interval looks, for hints.
fn form(first: Unit, last: Unit) -> String {
    let parts = [
        (Unit::Year, "y"),
        (Unit::Month, "-m"),
        (Unit::Day, "d"),
        (Unit::Hour, " HH"),
        (Unit::Minute, ":mm"),
        (Unit::Second, ":ss[.fff]"),
        (Unit::Millisecond, "n"),
    ];
    let wanted = parts.iter().filter(|(unit, _)| (first..=last).contains(unit)).map(|(_, part)| *part);
    wanted.collect::<String>().trim_start_matches(['-', ' ', ':']).to_string()
}

fn months(text: &str, first: Unit, last: Unit) -> Option<i64> {
    if first == last {
        let scale = if first == Unit::Year { 12 } else { 1 };
        return whole(text)?.checked_mul(scale);
    }
    let (years, months) = text.split_once('-')?;
    let months = whole(months).filter(|months| *months < Unit::Month.limit())?;
    whole(years)?.checked_mul(12)?.checked_add(months)
}

fn milliseconds(text: &str, first: Unit, last: Unit) -> Option<i64> {
    let mut total: i64 = 0;
    let mut rest = text;
    let units = [Unit::Day, Unit::Hour, Unit::Minute, Unit::Second, Unit::Millisecond];
    for unit in units.into_iter().filter(|unit| (first..=last).contains(unit)) {
        let part = match unit == last {
            true => rest,
            false => {
                let (part, after) = rest.split_once(if unit == Unit::Day { ' ' } else { ':' })?;
                rest = after.trim_start();
                part
            }
        };
        let value = match unit {
            Unit::Second => seconds(part)?,
            _ => whole(part)?.checked_mul(unit.milliseconds())?,
        };
        if unit != first && value >= unit.limit().saturating_mul(unit.milliseconds()) {
            return None;
        }
        total = total.checked_add(value)?;
    }
    Some(total)
}

/// Reads `ss[.fff]` as milliseconds.
fn seconds(text: &str) -> Option<i64> {
    let (whole_seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 3 {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(3 - fraction.len()).ok()?);
    whole(whole_seconds)?.checked_mul(1000)?.checked_add(whole(fraction)? * scale)
}

fn whole(text: &str) -> Option<i64> {
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<IntervalValue, CheckError> {
        Parser::new(text, None).interval_literal().map(|literal| literal.evaluated)
    }

    #[test]
    fn every_form_has_its_value() {
        let milliseconds = IntervalValue::Milliseconds;
        for (text, expected) in [
            ("INTERVAL '5' MINUTE", milliseconds(300_000)),
            ("INTERVAL \"5\" MINUTES", milliseconds(300_000)),
            ("INTERVAL 20 SECOND", milliseconds(20_000)),
            ("INTERVAL 250 milliseconds", milliseconds(250)),
            ("INTERVAL '1.5' SECOND", milliseconds(1_500)),
            ("INTERVAL - '5' HOUR", milliseconds(-18_000_000)),
            ("INTERVAL -5 HOURS", milliseconds(-18_000_000)),
            ("INTERVAL -'-5' HOURS", milliseconds(18_000_000)),
            ("INTERVAL '1 02:03:04.005' DAY TO SECOND", milliseconds(93_784_005)),
            ("INTERVAL '90:30' MINUTE TO SECOND", milliseconds(5_430_000)),
            ("INTERVAL '2 3' DAY TO HOUR", milliseconds(183_600_000)),
            ("INTERVAL '2-10' YEAR TO MONTH", IntervalValue::Months(34)),
            ("INTERVAL 3 YEARS", IntervalValue::Months(36)),
            ("INTERVAL '7' MONTH", IntervalValue::Months(7)),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_interval_is_refused_where_it_stands() {
        for (text, column, complaint) in [
            ("INTERVAL '5 MINUTE'", 20, "unexpected end of the text"),
            ("INTERVAL 'x' DAY", 10, "`x` is not an interval of this kind"),
            ("INTERVAL '1:60' HOUR TO MINUTE", 10, "`1:60` is not an interval of this kind"),
            ("INTERVAL '1' SECOND TO DAY", 10, "this range of units makes no interval"),
            ("INTERVAL '1' MONTH TO DAY", 10, "this range of units makes no interval"),
            ("INTERVAL 1.5 SECOND", 10, "unexpected `1.5`"),
            (
                "INTERVAL 99999999999999999999 DAY",
                10,
                "`99999999999999999999` is not an interval of this kind",
            ),
            ("INTERVAL '1' WEEK", 14, "unexpected `WEEK`"),
        ] {
            let error = value(text).unwrap_err();
            assert_eq!(
                (error.message.position.column, error.message.text.as_str()),
                (column, complaint),
                "{text}"
            );
            assert!(error.message.hint.is_some());
        }
    }
}
