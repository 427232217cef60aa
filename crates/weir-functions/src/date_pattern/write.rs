//! Writes a wall clock by a pattern.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDateTime, Timelike};
use datafusion_common::{Result, exec_datafusion_err};
use weir_base::text::Zone;

use super::{DatePattern, HALVES, Number, Piece, WEEKDAYS};
use crate::temporal::wall;

impl DatePattern {
    /// Appends a wall clock in milliseconds; `zone` gives the offset that it has from UTC.
    pub(super) fn write(&self, wall_ms: i64, zone: &Zone, out: &mut String) -> Result<()> {
        let time = wall(wall_ms)?;
        for piece in &self.pieces {
            let written = match piece {
                Piece::Text(text) => out.write_str(text),
                Piece::Number(Number::Year, _) => write_year(time.year(), out),
                Piece::Number(number, width) => write!(out, "{:0width$}", value(*number, &time)),
                Piece::Half => out.write_str(HALVES[usize::from(time.hour() >= 12)]),
                Piece::ShortWeekday => out.write_str(&weekday(&time)[..3]),
                Piece::Weekday => out.write_str(weekday(&time)),
                Piece::Offset => write_offset(wall_ms, zone, "", out),
                Piece::ColonOffset if offset_minutes(wall_ms, zone) == 0 => out.write_str("Z"),
                Piece::ColonOffset => write_offset(wall_ms, zone, ":", out),
            };
            written.map_err(|_| exec_datafusion_err!("a time could not be written"))?;
        }
        Ok(())
    }
}

fn weekday(time: &NaiveDateTime) -> &'static str {
    WEEKDAYS[time.weekday().num_days_from_monday() as usize % 7]
}

fn value(number: Number, time: &NaiveDateTime) -> u32 {
    match number {
        Number::Year => time.year().unsigned_abs(),
        Number::ShortYear => time.year().rem_euclid(100).unsigned_abs(),
        Number::Month => time.month(),
        Number::Day => time.day(),
        Number::Hour => time.hour(),
        Number::HalfDayHour => (time.hour() + 11) % 12 + 1,
        Number::Minute => time.minute(),
        Number::Second => time.second(),
        Number::Millisecond => time.nanosecond() / 1_000_000,
    }
}

fn write_year(year: i32, out: &mut String) -> std::fmt::Result {
    if year < 0 {
        out.write_str("-")?;
    }
    write!(out, "{:04}", year.unsigned_abs())
}

fn offset_minutes(wall_ms: i64, zone: &Zone) -> i64 {
    wall_ms.saturating_sub(zone.wall_to_instant(wall_ms)) / 60_000
}

fn write_offset(wall_ms: i64, zone: &Zone, between: &str, out: &mut String) -> std::fmt::Result {
    let minutes = offset_minutes(wall_ms, zone);
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    write!(out, "{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use weir_base::text::parse_plain_timestamp;

    use super::*;

    fn written(pattern: &str, time: &str, zone: &str) -> String {
        let wall = parse_plain_timestamp(time).expect("a time");
        let zone = Zone::parse(zone).expect("a zone");
        let mut out = String::new();
        DatePattern::parse(pattern).expect("a pattern").write(wall, &zone, &mut out).expect("in range");
        out
    }

    #[test]
    fn every_piece_has_its_form() {
        let time = "2024-03-05 00:07:09.045";
        for (pattern, expected) in [
            ("yyyy yy MM M dd d", "2024 24 03 3 05 5"),
            ("HH H hh h mm m ss s SSS a", "00 0 12 12 07 7 09 9 045 AM"),
            ("E EEEE", "Tue Tuesday"),
            ("yyyyMMdd-HHmm", "20240305-0007"),
            ("'week' d''", "week 5'"),
            ("", ""),
        ] {
            assert_eq!(written(pattern, time, "UTC"), expected, "{pattern}");
        }
        assert_eq!(written("hh a", "2024-03-05 12:00:00", "UTC"), "12 PM");
        assert_eq!(written("h a", "2024-03-05 23:00:00", "UTC"), "11 PM");
    }

    #[test]
    fn the_offset_is_that_of_the_zone_at_that_time() {
        for (time, zone, expected) in [
            ("2024-01-15 00:00:00", "Europe/Berlin", "+0100 +01:00"),
            ("2024-07-15 00:00:00", "Europe/Berlin", "+0200 +02:00"),
            ("2024-07-15 00:00:00", "UTC", "+0000 Z"),
            ("2024-07-15 00:00:00", "-03:30", "-0330 -03:30"),
            ("2024-07-15 00:00:00", "Asia/Kathmandu", "+0545 +05:45"),
        ] {
            assert_eq!(written("Z XXX", time, zone), expected, "{zone}");
        }
    }

    #[test]
    fn years_beyond_four_digits_are_written_in_full() {
        let mut out = String::new();
        let pattern = DatePattern::parse("yyyy").expect("a pattern");
        pattern.write(253_402_300_800_000, &Zone::UTC, &mut out).expect("in range");
        pattern.write(-62_198_755_200_000, &Zone::UTC, &mut out).expect("in range");
        assert_eq!(out, "10000-0001");
        assert!(pattern.write(i64::MAX, &Zone::UTC, &mut out).is_err());
    }
}
