//! Reads a text by a pattern.
//!
//! A number may have fewer digits than its letters, except where another number follows at once, and
//! milliseconds always have three. Values must exist: 30 February, or a weekday that the date does not have, is
//! no match. Text after what the pattern describes does not count, as in Java. What the pattern does not have is
//! that of 1970-01-01 00:00:00.

use chrono::{Datelike, NaiveDate};
use weir_base::text::Zone;

use super::{DatePattern, HALVES, Number, Piece, WEEKDAYS};

/// What has been read so far.
#[derive(Default)]
struct Found {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    hour: Option<u32>,
    half_day_hour: Option<u32>,
    afternoon: Option<bool>,
    minute: Option<u32>,
    second: Option<u32>,
    millisecond: Option<u32>,
    /// Days from Monday.
    weekday: Option<u32>,
    /// Minutes east of UTC.
    offset: Option<i64>,
}

impl DatePattern {
    /// Returns the instant in milliseconds that the text begins with, or `None` when it does not match.
    /// Without an offset in the text it is a wall clock of `zone`.
    pub(super) fn read(&self, text: &str, zone: &Zone) -> Option<i64> {
        let mut found = Found::default();
        let mut rest = text;
        for (index, piece) in self.pieces.iter().enumerate() {
            let exact = matches!(self.pieces.get(index + 1), Some(Piece::Number(..)));
            rest = found.piece(piece, exact, rest)?;
        }
        let wall = found.wall()?;
        Some(match found.offset {
            Some(minutes) => wall - minutes * 60_000,
            None => zone.wall_to_instant(wall),
        })
    }
}

impl Found {
    /// Reads one piece and returns what follows it.
    fn piece<'t>(&mut self, piece: &Piece, exact: bool, text: &'t str) -> Option<&'t str> {
        match piece {
            Piece::Text(expected) => text.strip_prefix(expected.as_str()),
            Piece::Number(number, width) => {
                let (value, rest) = digits(*number, *width, exact, text)?;
                self.put(*number, value)?;
                Some(rest)
            }
            Piece::Half => {
                let (half, rest) = one_of(&HALVES, 2, text)?;
                self.afternoon = Some(half == 1);
                Some(rest)
            }
            Piece::ShortWeekday | Piece::Weekday => {
                let longest = if *piece == Piece::Weekday { usize::MAX } else { 3 };
                let (weekday, rest) = one_of(&WEEKDAYS, longest, text)?;
                self.weekday = Some(weekday);
                Some(rest)
            }
            Piece::Offset => self.offset("", text),
            Piece::ColonOffset => match text.strip_prefix('Z') {
                Some(rest) => {
                    self.offset = Some(0);
                    Some(rest)
                }
                None => self.offset(":", text),
            },
        }
    }

    fn put(&mut self, number: Number, value: u32) -> Option<()> {
        let (slot, allowed) = match number {
            Number::Year => (&mut self.year, 0..=9_999),
            Number::ShortYear => {
                // The pivot of POSIX: 69 is 1969, 68 is 2068.
                let century = if value >= 69 { 1_900 } else { 2_000 };
                return set(&mut self.year, century + value);
            }
            Number::Month => (&mut self.month, 1..=12),
            Number::Day => (&mut self.day, 1..=31),
            Number::Hour => (&mut self.hour, 0..=23),
            Number::HalfDayHour => (&mut self.half_day_hour, 1..=12),
            Number::Minute => (&mut self.minute, 0..=59),
            Number::Second => (&mut self.second, 0..=59),
            Number::Millisecond => (&mut self.millisecond, 0..=999),
        };
        if allowed.contains(&value) { set(slot, value) } else { None }
    }

    fn offset<'t>(&mut self, between: &str, text: &'t str) -> Option<&'t str> {
        let (sign, rest) = match text.strip_prefix('+') {
            Some(rest) => (1, rest),
            None => (-1, text.strip_prefix('-')?),
        };
        let (hours, rest) = fixed_digits(2, rest)?;
        let (minutes, rest) = fixed_digits(2, rest.strip_prefix(between)?)?;
        let total = i64::from(hours) * 60 + i64::from(minutes);
        if minutes > 59 || total > 18 * 60 {
            return None;
        }
        self.offset = Some(sign * total);
        Some(rest)
    }

    /// Returns the wall clock when its parts agree.
    fn wall(&self) -> Option<i64> {
        let year = i32::try_from(self.year.unwrap_or(1970)).ok()?;
        let date = NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?;
        if self.weekday.is_some_and(|weekday| weekday != date.weekday().num_days_from_monday()) {
            return None;
        }
        let half = |hour: u32| hour % 12 + if self.afternoon == Some(true) { 12 } else { 0 };
        let hour = match (self.hour, self.half_day_hour) {
            (Some(hour), Some(twelve)) if (hour + 11) % 12 + 1 != twelve => return None,
            (Some(hour), _) if self.afternoon.is_some_and(|afternoon| afternoon != (hour >= 12)) => {
                return None;
            }
            (Some(hour), _) => hour,
            (None, Some(twelve)) => half(twelve),
            // The half alone says no more than noon or midnight.
            (None, None) => half(0),
        };
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        let time = date.and_hms_milli_opt(hour, minute, second, self.millisecond.unwrap_or(0))?;
        Some(time.and_utc().timestamp_millis())
    }
}

/// Stores a value; one that stands twice in a text must be the same.
fn set(slot: &mut Option<u32>, value: u32) -> Option<()> {
    match slot {
        Some(before) if *before != value => None,
        _ => {
            *slot = Some(value);
            Some(())
        }
    }
}

fn digits(number: Number, width: usize, exact: bool, text: &str) -> Option<(u32, &str)> {
    let greatest = match number {
        Number::Year => 4,
        Number::Millisecond => 3,
        _ => 2,
    };
    if exact || matches!(number, Number::ShortYear | Number::Millisecond) {
        return fixed_digits(width, text);
    }
    let present = text.bytes().take(greatest).take_while(u8::is_ascii_digit).count();
    fixed_digits(present, text)
}

fn fixed_digits(width: usize, text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(width)?;
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if all { Some((digits.parse().ok()?, rest)) } else { None }
}

/// Finds which of the names, cut to `longest` letters, the text begins with, in any case.
fn one_of<'t>(names: &[&str], longest: usize, text: &'t str) -> Option<(u32, &'t str)> {
    names.iter().zip(0..).find_map(|(name, index)| {
        let name = &name[..name.len().min(longest)];
        let (head, rest) = text.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name).then_some((index, rest))
    })
}

#[cfg(test)]
mod tests {
    use weir_base::text::{format_timestamp, parse_plain_timestamp};

    use super::*;

    /// Returns the UTC wall clock of what a text stands for.
    fn read(pattern: &str, text: &str, zone: &str) -> Option<String> {
        let zone = Zone::parse(zone).expect("a zone");
        DatePattern::parse(pattern).expect("a pattern").read(text, &zone).map(format_timestamp)
    }

    #[test]
    fn texts_that_match() {
        for (pattern, text, expected) in [
            ("dd/MM/yyyy HH:mm", "15/03/2024 10:20", "2024-03-15 10:20:00"),
            ("d/M/yyyy", "5/3/2024", "2024-03-05 00:00:00"),
            ("dd/MM/yyyy", "5/3/2024", "2024-03-05 00:00:00"),
            ("yyyyMMddHHmmssSSS", "20240315102030250", "2024-03-15 10:20:30.250"),
            ("yyMMdd", "690315", "1969-03-15 00:00:00"),
            ("yyMMdd", "680315", "2068-03-15 00:00:00"),
            ("hh:mm a", "12:05 am", "1970-01-01 00:05:00"),
            ("h a", "12 PM", "1970-01-01 12:00:00"),
            ("h a", "1 pm", "1970-01-01 13:00:00"),
            ("HH:mm", "7:05", "1970-01-01 07:05:00"),
            ("E, d MM yyyy", "fri, 15 03 2024", "2024-03-15 00:00:00"),
            ("EEEE yyyy-MM-dd", "Friday 2024-03-15", "2024-03-15 00:00:00"),
            ("yyyy-MM-dd'T'HH:mmXXX", "2024-03-15T10:20+08:00", "2024-03-15 02:20:00"),
            ("yyyy-MM-dd'T'HH:mmXXX", "2024-03-15T10:20Z", "2024-03-15 10:20:00"),
            ("yyyy-MM-dd HH:mm Z", "2024-03-15 10:20 -0330", "2024-03-15 13:50:00"),
            ("yyyy年M月", "2024年3月", "2024-03-01 00:00:00"),
            ("yyyy yyyy", "2024 2024", "2024-01-01 00:00:00"),
            ("yyyy-MM-dd", "2024-02-29", "2024-02-29 00:00:00"),
            ("yyyy-MM-dd", "2024-03-15 10:00", "2024-03-15 00:00:00"),
            ("yyyy-MM-dd'T'HH:mm:ss", "2024-03-15T10:20:30.250Z", "2024-03-15 10:20:30"),
            ("", "", "1970-01-01 00:00:00"),
        ] {
            assert_eq!(read(pattern, text, "UTC").as_deref(), Some(expected), "{pattern}: {text}");
        }
    }

    #[test]
    fn texts_that_do_not_match() {
        for (pattern, text) in [
            ("yyyy-MM-dd", "2024-02-30"),
            ("yyyy-MM-dd", "2023-02-29"),
            ("yyyy-MM-dd", "2024-04-31"),
            ("yyyy-MM-dd", "2024-13-01"),
            ("yyyy-MM-dd", "2024-03"),
            ("yyyy-MM-dd", ""),
            ("yyyyMMdd", "2024315"),
            ("HH:mm", "24:00"),
            ("HH:mm", "10:60"),
            ("hh a", "13 PM"),
            ("hh a", "0 PM"),
            ("HH a", "10 PM"),
            ("ss.SSS", "30.5"),
            ("E yyyy-MM-dd", "Mon 2024-03-15"),
            ("yyyy yyyy", "2024 2025"),
            ("XXX", "+8:00"),
            ("XXX", "+19:00"),
            ("Z", "+08:00"),
            ("'T'", "t"),
            ("dd", "é"),
            ("E", "日本"),
        ] {
            assert_eq!(read(pattern, text, "UTC"), None, "{pattern}: {text}");
        }
    }

    #[test]
    fn the_zone_counts_unless_the_text_has_an_offset() {
        assert_eq!(read("yyyyMMdd HH", "20240315 08", "GMT+08:00").as_deref(), Some("2024-03-15 00:00:00"));
        assert_eq!(
            read("yyyyMMdd HH Z", "20240315 08 +0000", "GMT+08:00").as_deref(),
            Some("2024-03-15 08:00:00")
        );
        // 02:30 is skipped in Berlin on this day, and occurs twice on the other.
        assert_eq!(
            read("yyyyMMddHHmm", "202403310230", "Europe/Berlin").as_deref(),
            Some("2024-03-31 01:30:00")
        );
        assert_eq!(
            read("yyyyMMddHHmm", "202410270230", "Europe/Berlin").as_deref(),
            Some("2024-10-27 00:30:00")
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        let zone = Zone::parse("-03:30").expect("a zone");
        for pattern in [
            "yyyy-MM-dd HH:mm:ss.SSS",
            "E d.M.yyyy h:m:s.SSS a",
            "yyyyMMddHHmmssSSS",
            "EEEE dd/MM/yyyy HHmmss SSS Z",
        ] {
            let compiled = DatePattern::parse(pattern).expect("a pattern");
            for time in [
                "2024-03-15 10:20:30.250",
                "1970-01-01 00:00:00",
                "9999-12-31 23:59:59.999",
                "0000-01-01 12:00:00.001",
            ] {
                let wall = parse_plain_timestamp(time).expect("a time");
                let mut text = String::new();
                compiled.write(wall, &zone, &mut text).expect("in range");
                assert_eq!(
                    compiled.read(&text, &zone),
                    Some(zone.wall_to_instant(wall)),
                    "{pattern}: {text}"
                );
            }
        }
    }
}
