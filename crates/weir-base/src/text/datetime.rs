//! DATE, TIME and TIMESTAMP as text. Dates are days, times and timestamps milliseconds, since 1970-01-01.

use super::number::{parse_integer, write_integer};
use super::written;
use super::zone::{Zone, parse_offset};

const MS_PER_DAY: i64 = 86_400_000;

/// Parses `yyyy-MM-dd` (years 0000 to 9999) to days since the epoch.
pub fn parse_date(text: impl AsRef<[u8]>) -> Option<i32> {
    let bytes: &[u8; 10] = text.as_ref().try_into().ok()?;
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = two_digits(bytes, 0)? * 100 + two_digits(bytes, 2)?;
    let (month, day) = (two_digits(bytes, 5)?, two_digits(bytes, 8)?);
    (1..=12).contains(&month).then_some(())?;
    (1..=days_in_month(year, month)).contains(&day).then(|| days_from_civil(year, month, day))
}

/// Parses `HH:mm:ss` with an optional fraction of one to three digits to milliseconds of the day.
pub fn parse_time(text: impl AsRef<[u8]>) -> Option<i32> {
    let bytes = text.as_ref();
    let (seconds, rest) = parse_clock(bytes)?;
    let (ms, rest) = parse_fraction(rest, 3)?;
    rest.is_empty().then_some(seconds * 1_000 + ms)
}

/// Parses `yyyy-MM-dd HH:mm:ss` with an optional fraction of one to three digits: the form that CAST takes.
pub fn parse_plain_timestamp(text: impl AsRef<[u8]>) -> Option<i64> {
    let bytes = text.as_ref();
    if bytes.get(10) != Some(&b' ') {
        return None;
    }
    let days = parse_date(&bytes[..10])?;
    Some(i64::from(days) * MS_PER_DAY + i64::from(parse_time(&bytes[11..])?))
}

/// Parses the timestamp of a record to the wall clock of the job's zone.
///
/// Accepted are the form of [`parse_plain_timestamp`], ISO 8601 with `T` (seconds, fraction and offset
/// optional; with an offset or `Z` it is an instant), and an integer of milliseconds since the epoch.
pub fn parse_timestamp(text: impl AsRef<[u8]>, zone: &Zone) -> Option<i64> {
    let bytes = text.as_ref();
    match bytes.get(10) {
        Some(b' ') => parse_plain_timestamp(bytes),
        Some(b'T' | b't') => parse_iso_timestamp(bytes, zone),
        _ => parse_integer::<i64>(bytes).map(|instant| zone.instant_to_wall(instant)),
    }
}

fn parse_iso_timestamp(bytes: &[u8], zone: &Zone) -> Option<i64> {
    let days = parse_date(&bytes[..10])?;
    let clock = &bytes[11..];
    let (ms, rest) = match clock.get(5) {
        Some(b':') => {
            let (seconds, rest) = parse_clock(clock)?;
            let (ms, rest) = parse_fraction(rest, 9)?;
            (seconds * 1_000 + ms, rest)
        }
        _ => (parse_minutes(clock)? * 60_000, &clock[5..]),
    };
    let wall = i64::from(days) * MS_PER_DAY + i64::from(ms);
    let offset = match rest {
        b"" => return Some(wall),
        b"Z" | b"z" => 0,
        // `+8` is a zone in options but not in ISO 8601.
        other if other.len() >= 3 => parse_offset(other)?,
        _ => return None,
    };
    Some(zone.instant_to_wall(wall - i64::from(offset) * 1_000))
}

/// Parses `HH:mm` at the start to minutes of the day.
fn parse_minutes(bytes: &[u8]) -> Option<i32> {
    if bytes.len() < 5 || bytes[2] != b':' {
        return None;
    }
    let (hour, minute) = (two_digits(bytes, 0)?, two_digits(bytes, 3)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// Parses `HH:mm:ss` at the start to seconds of the day; returns also what follows.
fn parse_clock(bytes: &[u8]) -> Option<(i32, &[u8])> {
    if bytes.len() < 8 || bytes[5] != b':' {
        return None;
    }
    let second = two_digits(bytes, 6)?;
    let seconds = parse_minutes(bytes)? * 60 + second;
    (second < 60).then_some((seconds, &bytes[8..]))
}

/// Parses an optional `.` with one to `longest` digits to milliseconds, cutting finer digits off.
fn parse_fraction(bytes: &[u8], longest: usize) -> Option<(i32, &[u8])> {
    let Some(rest) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 || count > longest {
        return None;
    }
    let digit = |i: usize| if i < count { i32::from(rest[i] - b'0') } else { 0 };
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), &rest[count..]))
}

#[inline]
fn two_digits(bytes: &[u8], at: usize) -> Option<i32> {
    let (tens, ones) = (bytes[at].wrapping_sub(b'0'), bytes[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i32::from(tens) * 10 + i32::from(ones))
}

fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch of a date of the proleptic Gregorian calendar. Years are counted from March, so
/// that the leap day is the last; 146,097 days are 400 years, 719,468 lie between 0000-03-01 and the epoch.
fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// Appends days since the epoch as `yyyy-MM-dd`.
pub fn write_date(days: i32, out: &mut Vec<u8>) {
    write_civil(i64::from(days), out);
}

/// Appends milliseconds of the day as `HH:mm:ss`, with `.SSS` when they are not zero.
pub fn write_time(ms_of_day: i32, out: &mut Vec<u8>) {
    let ms = i64::from(ms_of_day).rem_euclid(MS_PER_DAY) as u32;
    let seconds = ms / 1_000;
    write_two_digits(seconds / 3_600, out);
    out.push(b':');
    write_two_digits(seconds / 60 % 60, out);
    out.push(b':');
    write_two_digits(seconds % 60, out);
    let fraction = ms % 1_000;
    if fraction != 0 {
        out.extend_from_slice(&[b'.', b'0' + (fraction / 100) as u8]);
        write_two_digits(fraction % 100, out);
    }
}

/// Appends a wall clock as `yyyy-MM-dd HH:mm:ss`, with `.SSS` when the milliseconds are not zero.
pub fn write_timestamp(wall_ms: i64, out: &mut Vec<u8>) {
    write_civil(wall_ms.div_euclid(MS_PER_DAY), out);
    out.push(b' ');
    write_time(wall_ms.rem_euclid(MS_PER_DAY) as i32, out);
}

/// Returns days since the epoch as `yyyy-MM-dd`.
pub fn format_date(days: i32) -> String {
    written(|out| write_date(days, out))
}

/// Returns milliseconds of the day as `HH:mm:ss`, with `.SSS` when they are not zero.
pub fn format_time(ms_of_day: i32) -> String {
    written(|out| write_time(ms_of_day, out))
}

/// Returns a wall clock as `yyyy-MM-dd HH:mm:ss`, with `.SSS` when the milliseconds are not zero.
pub fn format_timestamp(wall_ms: i64) -> String {
    written(|out| write_timestamp(wall_ms, out))
}

fn write_civil(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(days);
    match u32::try_from(year) {
        Ok(year @ 0..=9_999) => {
            write_two_digits(year / 100, out);
            write_two_digits(year % 100, out);
        }
        _ => write_integer(year, out),
    }
    out.push(b'-');
    write_two_digits(month, out);
    out.push(b'-');
    write_two_digits(day, out);
}

#[inline]
fn write_two_digits(value: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (text, days) in [
            ("1970-01-01", Some(0)),
            ("2024-02-29", Some(19_782)),
            ("0000-01-01", Some(-719_528)),
            ("9999-12-31", Some(2_932_896)),
            ("2023-02-29", None),
            ("2024-13-01", None),
            ("2024-00-01", None),
            ("2024-1-1", None),
            ("2024-01-01 ", None),
            ("", None),
        ] {
            assert_eq!(parse_date(text), days, "{text}");
        }
    }

    #[test]
    fn every_date_reads_back() {
        for days in -719_528..=2_932_896 {
            let mut out = Vec::new();
            write_date(days, &mut out);
            assert_eq!(parse_date(&out), Some(days));
        }
    }

    #[test]
    fn times() {
        for (text, ms) in [
            ("00:00:00", Some(0)),
            ("23:59:59.999", Some(86_399_999)),
            ("01:02:03.5", Some(3_723_500)),
            ("24:00:00", None),
            ("01:02", None),
            ("01:02:60", None),
            ("01:02:03.", None),
            ("01:02:03.1234", None),
            ("01-02-03", None),
        ] {
            assert_eq!(parse_time(text), ms, "{text}");
        }
        assert_eq!(format_time(3_723_050), "01:02:03.050");
        assert_eq!(format_time(0), "00:00:00");
    }

    #[test]
    fn timestamps() {
        let east = Zone::parse("+08:00").expect("zone");
        for (text, zone, wall) in [
            ("2018-01-01 00:00:01", Zone::UTC, Some(1_514_764_801_000)),
            ("2018-01-01 00:00:01.250", east, Some(1_514_764_801_250)),
            ("2018-01-01T00:00:01", east, Some(1_514_764_801_000)),
            ("2018-01-01T00:00", east, Some(1_514_764_800_000)),
            ("2018-01-01T00:00:01Z", east, Some(1_514_793_601_000)),
            ("2018-01-01T00:00:01.123456789Z", Zone::UTC, Some(1_514_764_801_123)),
            ("2018-01-01T08:00:01+08:00", Zone::UTC, Some(1_514_764_801_000)),
            ("2018-01-01T08:00:01+0800", Zone::UTC, Some(1_514_764_801_000)),
            ("2018-01-01T08:00:01+08", Zone::UTC, Some(1_514_764_801_000)),
            ("2018-01-01T08:00:01+8", Zone::UTC, None),
            ("1514764801000", Zone::UTC, Some(1_514_764_801_000)),
            ("1514736001000", east, Some(1_514_764_801_000)),
            ("-1", Zone::UTC, Some(-1)),
            ("2018-01-01", Zone::UTC, None),
            ("2018-01-01 00:00", Zone::UTC, None),
            ("2018-01-01T", Zone::UTC, None),
            ("2018-01-01 00:00:01Z", Zone::UTC, None),
            ("2018-01-01T00:00:01ZZ", Zone::UTC, None),
            ("yesterday", Zone::UTC, None),
            ("", Zone::UTC, None),
        ] {
            assert_eq!(parse_timestamp(text, &zone), wall, "{text}");
        }
    }

    #[test]
    fn cast_form_is_narrower() {
        assert_eq!(parse_plain_timestamp("2018-01-01 00:00:01"), Some(1_514_764_801_000));
        assert_eq!(parse_plain_timestamp("2018-01-01T00:00:01"), None);
        assert_eq!(parse_plain_timestamp("1514764801000"), None);
    }

    #[test]
    fn timestamps_are_written_with_millis_only_when_needed() {
        assert_eq!(format_timestamp(1_710_460_804_250), "2024-03-15 00:00:04.250");
        assert_eq!(format_timestamp(1_710_460_804_000), "2024-03-15 00:00:04");
        assert_eq!(format_timestamp(-1), "1969-12-31 23:59:59.999");
        assert_eq!(format_timestamp(253_402_300_800_000), "10000-01-01 00:00:00");
        format_timestamp(i64::MIN);
        format_timestamp(i64::MAX);
    }
}
