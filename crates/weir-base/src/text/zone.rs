//! Time zones: the step between an instant and the wall clock of a job.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

const MS_PER_SECOND: i64 = 1_000;
const MS_PER_HOUR: i64 = 3_600_000;

/// The last instant, either side of the epoch, for which zone rules are looked up: about 200,000 years.
/// The calendar library stops at 262,000 years; further out the offset of this instant is used.
const LAST_INSTANT_WITH_RULES: i64 = 6_000_000_000_000_000;

/// A time zone: a fixed offset or an IANA zone with its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Seconds east of UTC.
    Fixed(i32),
    /// A zone of the IANA data base.
    Named(Tz),
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone::Fixed(0);

    /// Parses an IANA name (`Asia/Shanghai`), `UTC`, `GMT`, `Z`, or an offset with or without `GMT` or
    /// `UTC` before it (`+08:00`, `GMT+08:00`, `UTC-3`). Returns `None` when it is none of them.
    pub fn parse(text: &str) -> Option<Zone> {
        let text = text.trim();
        if matches!(text, "UTC" | "GMT" | "Z" | "utc" | "gmt" | "z") {
            return Some(Zone::UTC);
        }
        let offset =
            ["GMT", "UTC", "gmt", "utc"].iter().find_map(|name| text.strip_prefix(name)).unwrap_or(text);
        if let Some(seconds) = parse_offset(offset.as_bytes()) {
            return Some(Zone::Fixed(seconds));
        }
        Tz::from_str(text).ok().map(Zone::Named)
    }

    /// Returns the wall clock that the zone shows at an instant, both in milliseconds since the epoch.
    pub fn instant_to_wall(&self, instant_ms: i64) -> i64 {
        match self {
            Zone::Fixed(seconds) => instant_ms.saturating_add(i64::from(*seconds) * MS_PER_SECOND),
            Zone::Named(zone) => instant_ms.saturating_add(offset_at(zone, instant_ms)),
        }
    }

    /// Returns the instant at which the zone shows a wall clock, both in milliseconds since the epoch.
    ///
    /// Of a wall clock that occurs twice the earlier instant is taken; one that is skipped is moved
    /// forward by the length of the gap.
    pub fn wall_to_instant(&self, wall_ms: i64) -> i64 {
        match self {
            Zone::Fixed(seconds) => wall_ms.saturating_sub(i64::from(*seconds) * MS_PER_SECOND),
            Zone::Named(zone) => wall_ms.saturating_sub(offset_for_wall(zone, wall_ms)),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Fixed(0) => f.write_str("UTC"),
            Zone::Fixed(seconds) => {
                let sign = if *seconds < 0 { '-' } else { '+' };
                let minutes = seconds.abs() / 60;
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Zone::Named(zone) => f.write_str(zone.name()),
        }
    }
}

/// Parses `+hh`, `+h`, `+hhmm` or `+hh:mm` (or with `-`) to seconds, at most 18 hours either way.
pub(super) fn parse_offset(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let digit = |i: usize| digits.get(i).filter(|b| b.is_ascii_digit()).map(|b| i32::from(b - b'0'));
    let two = |i: usize| Some(digit(i)? * 10 + digit(i + 1)?);
    let (hours, minutes) = match digits.len() {
        1 => (digit(0)?, 0),
        2 => (two(0)?, 0),
        4 if digits[1] == b':' => (digit(0)?, two(2)?),
        4 => (two(0)?, two(2)?),
        5 if digits[2] == b':' => (two(0)?, two(3)?),
        _ => return None,
    };
    let seconds = hours * 3_600 + minutes * 60;
    (minutes < 60 && seconds <= 18 * 3_600).then_some(sign * seconds)
}

fn offset_at(zone: &Tz, instant_ms: i64) -> i64 {
    let utc = calendar(instant_ms);
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * MS_PER_SECOND
}

fn offset_for_wall(zone: &Tz, wall_ms: i64) -> i64 {
    let seconds =
        |offset: <Tz as TimeZone>::Offset| i64::from(offset.fix().local_minus_utc()) * MS_PER_SECOND;
    match zone.offset_from_local_datetime(&calendar(wall_ms)) {
        LocalResult::Single(offset) => seconds(offset),
        LocalResult::Ambiguous(earlier, _) => seconds(earlier),
        // No gap is longer than a day: before it the old offset holds.
        LocalResult::None => offset_at(zone, wall_ms.saturating_sub(26 * MS_PER_HOUR)),
    }
}

fn calendar(ms: i64) -> NaiveDateTime {
    DateTime::from_timestamp_millis(ms.clamp(-LAST_INSTANT_WITH_RULES, LAST_INSTANT_WITH_RULES))
        .expect("the clamped instant is within the range of the calendar")
        .naive_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_names_and_offsets() {
        for (text, shown) in [
            ("UTC", "UTC"),
            ("Z", "UTC"),
            ("GMT+08:00", "+08:00"),
            ("UTC-3", "-03:00"),
            ("+08:00", "+08:00"),
            ("-0330", "-03:30"),
            (" Asia/Shanghai ", "Asia/Shanghai"),
        ] {
            assert_eq!(Zone::parse(text).expect(text).to_string(), shown);
        }
        for text in ["", "+", "+19:00", "+08:60", "Mars/Base", "08:00", "GMT+", "+1:2:3"] {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }

    #[test]
    fn converts_between_instants_and_wall_clocks() {
        let shanghai = Zone::parse("Asia/Shanghai").expect("zone");
        assert_eq!(shanghai.wall_to_instant(1_514_764_801_000), 1_514_736_001_000);
        assert_eq!(shanghai.instant_to_wall(1_514_736_001_000), 1_514_764_801_000);
        assert_eq!(Zone::Fixed(8 * 3_600).wall_to_instant(1_514_764_801_000), 1_514_736_001_000);
    }

    #[test]
    fn skipped_and_repeated_wall_clocks_follow_the_rule() {
        let berlin = Zone::parse("Europe/Berlin").expect("zone");
        // 2024-03-31 02:30 does not exist there; it becomes 03:30 summer time, 01:30 UTC.
        let skipped = 1_711_852_200_000;
        assert_eq!(berlin.wall_to_instant(skipped), 1_711_848_600_000);
        // 2024-10-27 02:30 occurs twice; the first is 00:30 UTC.
        let repeated = 1_729_996_200_000;
        assert_eq!(berlin.wall_to_instant(repeated), 1_729_989_000_000);
    }

    #[test]
    fn extremes_do_not_panic() {
        for zone in [Zone::UTC, Zone::Fixed(-64_800), Zone::parse("America/New_York").expect("zone")] {
            for ms in [i64::MIN, i64::MIN + 1, i64::MAX] {
                zone.instant_to_wall(ms);
                zone.wall_to_instant(ms);
            }
        }
    }
}
