//! Date patterns in the style of Java: `yyyy-MM-dd HH:mm:ss`. Behind `DATE_FORMAT` and `UNIX_TIMESTAMP(s, pattern)`.
//!
//! A pattern is compiled once to its pieces. Known are `yyyy yy MM M dd d HH H hh h mm m ss s SSS a E EEEE Z XXX`;
//! text stands in single quotes, and two of them are one quote. Any other letter is refused.

mod read;
mod write;

use std::sync::LazyLock;

use arrow::datatypes::{DataType, Int64Type};
use weir_base::text::Zone;

use crate::compiled::Compiled;
use crate::kernel::{Kernel, primitives, written};
use crate::registry::{Call, Context};
use crate::temporal::{Times, zone};

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HALVES: [&str; 2] = ["AM", "PM"];

/// A part of a time that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Year,
    /// The last two digits of the year.
    ShortYear,
    Month,
    Day,
    /// 0 to 23.
    Hour,
    /// 1 to 12.
    HalfDayHour,
    Minute,
    Second,
    Millisecond,
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A number with at least so many digits.
    Number(Number, usize),
    /// AM or PM.
    Half,
    /// `Fri`
    ShortWeekday,
    /// `Friday`
    Weekday,
    /// `+0800`
    Offset,
    /// `+08:00`, or `Z` for zero.
    ColonOffset,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePattern {
    pieces: Vec<Piece>,
}

impl DatePattern {
    /// Compiles a pattern, or says what is wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let (piece, length) = match first {
                '\'' => quoted(rest)
                    .ok_or_else(|| format!("a quote in the date pattern `{pattern}` is not closed"))?,
                letter if letter.is_ascii_alphabetic() => {
                    let length = rest.bytes().take_while(|byte| char::from(*byte) == letter).count();
                    let known = field(&rest[..length]);
                    (known.ok_or_else(|| unknown(pattern, &rest[..length]))?, length)
                }
                other => (Piece::Text(other.to_string()), other.len_utf8()),
            };
            match (pieces.last_mut(), piece) {
                (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
                (_, piece) => pieces.push(piece),
            }
            rest = &rest[length..];
        }
        Ok(Self { pieces })
    }
}

fn unknown(pattern: &str, letters: &str) -> String {
    format!(
        "`{letters}` in the date pattern `{pattern}` is unknown; known are yyyy yy MM M dd d HH H hh h mm m ss s SSS \
         a E EEEE Z XXX, and text in single quotes"
    )
}

fn field(letters: &str) -> Option<Piece> {
    let width = letters.len();
    Some(match letters {
        "yyyy" => Piece::Number(Number::Year, 4),
        "yy" => Piece::Number(Number::ShortYear, 2),
        "MM" | "M" => Piece::Number(Number::Month, width),
        "dd" | "d" => Piece::Number(Number::Day, width),
        "HH" | "H" => Piece::Number(Number::Hour, width),
        "hh" | "h" => Piece::Number(Number::HalfDayHour, width),
        "mm" | "m" => Piece::Number(Number::Minute, width),
        "ss" | "s" => Piece::Number(Number::Second, width),
        "SSS" => Piece::Number(Number::Millisecond, 3),
        "a" => Piece::Half,
        "E" => Piece::ShortWeekday,
        "EEEE" => Piece::Weekday,
        "Z" => Piece::Offset,
        "XXX" => Piece::ColonOffset,
        _ => return None,
    })
}

/// Reads text in single quotes at the start. Returns also how long it is with its quotes.
fn quoted(rest: &str) -> Option<(Piece, usize)> {
    if rest.starts_with("''") {
        return Some((Piece::Text("'".to_string()), 2));
    }
    let mut text = String::new();
    let mut at = 1;
    loop {
        let end = at + rest[at..].find('\'')?;
        text.push_str(&rest[at..end]);
        if !rest[end + 1..].starts_with('\'') {
            return Some((Piece::Text(text), end + 1));
        }
        text.push('\'');
        at = end + 2;
    }
}

/// The pattern of a text without one, with milliseconds and without.
static USUAL: LazyLock<Vec<DatePattern>> = LazyLock::new(|| {
    let patterns = ["yyyy-MM-dd HH:mm:ss.SSS", "yyyy-MM-dd HH:mm:ss"];
    patterns.into_iter().filter_map(|pattern| DatePattern::parse(pattern).ok()).collect()
});

/// Returns the instant in milliseconds that a text of the usual form begins with.
pub(crate) fn read_usual(s: &str, zone: &Zone) -> Option<i64> {
    USUAL.iter().find_map(|pattern| pattern.read(s, zone))
}

/// Returns the function `DATE_FORMAT` for a DATE or TIMESTAMP and a pattern.
pub(crate) fn date_format(of: &DataType, context: &Context) -> Call {
    let (own, variant) = (context.clone(), format!("{of} {}", context.time_zone));
    let patterns = Compiled::new(DatePattern::parse);
    let kernel = Kernel::new("date_format", 2, DataType::Utf8, move |a| {
        let zone = zone(&own.time_zone)?;
        let (times, pattern) = (Times::of(a.array(0)?)?, a.text(1)?);
        let mut patterns = patterns.batch();
        written(a.rows, |row, out| {
            let (Some(wall), Some(pattern)) = (times.get(row), pattern.get(row)) else { return Ok(false) };
            patterns.get(pattern)?.write(wall, &zone, out)?;
            Ok(true)
        })
    });
    Call { function: kernel.variant(variant).into_function(), returns: DataType::Utf8 }
}

/// Returns `UNIX_TIMESTAMP(s, pattern)` or its relative: the instant that a text stands for in units of `unit_ms`.
pub(crate) fn epoch(name: &'static str, context: &Context, unit_ms: i64) -> Call {
    let (own, variant) = (context.clone(), context.time_zone.clone());
    let patterns = Compiled::new(DatePattern::parse);
    let kernel = Kernel::new(name, 2, DataType::Int64, move |a| {
        let zone: Zone = zone(&own.time_zone)?;
        let (s, pattern) = (a.text(0)?, a.text(1)?);
        let mut patterns = patterns.batch();
        primitives::<Int64Type>(a.rows, |row| {
            let (Some(s), Some(pattern)) = (s.get(row), pattern.get(row)) else { return Ok(None) };
            let instant = patterns.get(pattern)?.read(s.trim(), &zone);
            Ok(instant.map(|instant| instant.div_euclid(unit_ms)))
        })
    });
    Call { function: kernel.variant(variant).into_function(), returns: DataType::Int64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_string())
    }

    #[test]
    fn a_pattern_is_cut_into_pieces() {
        let parsed = DatePattern::parse("d.M.yy'T'''HH''h").expect("a pattern");
        assert_eq!(
            parsed.pieces,
            [
                Piece::Number(Number::Day, 1),
                text("."),
                Piece::Number(Number::Month, 1),
                text("."),
                Piece::Number(Number::ShortYear, 2),
                text("T'"),
                Piece::Number(Number::Hour, 2),
                text("'"),
                Piece::Number(Number::HalfDayHour, 1),
            ]
        );
        assert_eq!(DatePattern::parse("'o''clock'").expect("a pattern").pieces, [text("o'clock")]);
        assert_eq!(DatePattern::parse("").expect("a pattern").pieces, []);
        assert_eq!(DatePattern::parse("年M").expect("a pattern").pieces.len(), 2);
    }

    #[test]
    fn other_letters_and_open_quotes_are_refused() {
        for (pattern, letters) in [("yyyy-QQ", "`QQ`"), ("yyyyy", "`yyyyy`"), ("MMM", "`MMM`"), ("S", "`S`")]
        {
            let error = DatePattern::parse(pattern).expect_err(pattern);
            assert!(error.contains(letters), "{error}");
        }
        for pattern in ["yyyy'T", "'", "'''"] {
            assert!(DatePattern::parse(pattern).expect_err(pattern).contains("not closed"));
        }
    }
}
