//! Functions of dates and times, and the kernels behind `EXTRACT` and `FLOOR(t TO unit)`.
//!
//! A TIMESTAMP is a wall clock without zone, held as milliseconds. A day-time interval is a
//! `Duration(Millisecond)`, a year-month interval an `Interval(YearMonth)`.

use std::ops::RangeInclusive;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, DurationMillisecondType, Int32Type, Int64Type,
    IntervalYearMonthType, Time32MillisecondType, TimeUnit, TimestampMillisecondType,
};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime};
use datafusion_common::{Result, exec_datafusion_err, internal_err};
use weir_base::text::{self, Zone, parse_plain_timestamp};

use crate::conversion::{DAY_MS, timestamp_type};
use crate::interval::add_months;
use crate::kernel::{Arguments, Kernel, primitives};
use crate::registry::Parameter::{BigInt, DatePattern, Day, Text, Time};
use crate::registry::{Call, Context, Family, Function, Parameter};
use crate::{clock, date_pattern};

const fn temporal(
    name: &'static str,
    synopsis: &'static str,
    meaning: &'static str,
    parameters: &'static [Parameter],
    build: fn(&[DataType], &Context) -> Call,
) -> Function {
    Function::new(Family::Temporal, name, synopsis, meaning, parameters, build)
}

/// The temporal functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    temporal("QUARTER", "QUARTER(d)", "Quarter of the year, 1 to 4.", &[Day], |t, _| {
        extract(Unit::Quarter, &t[0])
    }),
    temporal("YEAR", "YEAR(d)", "Year.", &[Day], |t, _| part("year", Unit::Year, &t[0])),
    temporal("MONTH", "MONTH(d)", "Month, 1 to 12.", &[Day], |t, _| part("month", Unit::Month, &t[0])),
    temporal("WEEK", "WEEK(d)", "ISO week of the year.", &[Day], |t, _| part("week", Unit::Week, &t[0])),
    temporal("DAYOFYEAR", "DAYOFYEAR(d)", "Day of the year, from 1.", &[Day], |t, _| {
        part("dayofyear", Unit::DayOfYear, &t[0])
    }),
    temporal("DAYOFMONTH", "DAYOFMONTH(d)", "Day of the month, from 1.", &[Day], |t, _| {
        part("dayofmonth", Unit::Day, &t[0])
    }),
    temporal("DAYOFWEEK", "DAYOFWEEK(d)", "Day of the week, Sunday is 1.", &[Day], |t, _| {
        part("dayofweek", Unit::DayOfWeek, &t[0])
    }),
    temporal("HOUR", "HOUR(t)", "Hour, 0 to 23.", &[Time], |t, _| part("hour", Unit::Hour, &t[0])),
    temporal("MINUTE", "MINUTE(t)", "Minute, 0 to 59.", &[Time], |t, _| part("minute", Unit::Minute, &t[0])),
    temporal("SECOND", "SECOND(t)", "Second, 0 to 59.", &[Time], |t, _| part("second", Unit::Second, &t[0])),
    temporal(
        "TO_TIMESTAMP",
        "TO_TIMESTAMP(ms)",
        "Milliseconds since the epoch to the wall clock in the job's time zone.",
        &[BigInt],
        |_, context| to_timestamp(context),
    ),
    temporal(
        "TO_LOCALTIMESTAMP",
        "TO_LOCALTIMESTAMP(ms)",
        "The same as TO_TIMESTAMP.",
        &[BigInt],
        |_, context| to_timestamp(context),
    ),
    temporal(
        "UNIX_TIMESTAMP",
        "UNIX_TIMESTAMP([s [, pattern]])",
        "Seconds since the epoch of a text in the job's time zone, `yyyy-MM-dd HH:mm:ss` without a pattern; NULL \
         when it does not match; without a text that of the processing instant.",
        &[Text, DatePattern],
        |types, context| unix_timestamp("unix_timestamp", types.len(), context, 1000),
    )
    .optional(2),
    temporal(
        "UNIX_TIMESTAMP_MS",
        "UNIX_TIMESTAMP_MS([s [, pattern]])",
        "The same in milliseconds, of `yyyy-MM-dd HH:mm:ss[.SSS]` without a pattern.",
        &[Text, DatePattern],
        |types, context| unix_timestamp("unix_timestamp_ms", types.len(), context, 1),
    )
    .optional(2),
    temporal(
        "DATE_FORMAT",
        "DATE_FORMAT(t, pattern)",
        "A date or timestamp as text, by a pattern of yyyy yy MM M dd d HH H hh h mm m ss s SSS a E EEEE Z XXX.",
        &[Day, DatePattern],
        |types, context| date_pattern::date_format(&types[0], context),
    ),
];

/// A unit of time in `EXTRACT`, `FLOOR ... TO` and their relatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Years.
    Year,
    /// Quarters of a year.
    Quarter,
    /// Months.
    Month,
    /// ISO weeks.
    Week,
    /// Days.
    Day,
    /// The day of the year.
    DayOfYear,
    /// The day of the week, Sunday is 1.
    DayOfWeek,
    /// Hours.
    Hour,
    /// Minutes.
    Minute,
    /// Seconds.
    Second,
}

impl Unit {
    /// Returns a unit by its name, singular or plural, in any case.
    pub fn parse(name: &str) -> Option<Unit> {
        let name = name.to_ascii_uppercase();
        Some(match name.strip_suffix('S').unwrap_or(&name) {
            "YEAR" => Unit::Year,
            "QUARTER" => Unit::Quarter,
            "MONTH" => Unit::Month,
            "WEEK" => Unit::Week,
            "DAY" => Unit::Day,
            "DOY" | "DAYOFYEAR" => Unit::DayOfYear,
            "DOW" | "DAYOFWEEK" => Unit::DayOfWeek,
            "HOUR" => Unit::Hour,
            "MINUTE" => Unit::Minute,
            "SECOND" => Unit::Second,
            _ => return None,
        })
    }

    pub(crate) fn fixed_ms(self) -> Option<i64> {
        match self {
            Unit::Week => Some(7 * DAY_MS),
            Unit::Day => Some(DAY_MS),
            Unit::Hour => Some(3_600_000),
            Unit::Minute => Some(60_000),
            Unit::Second => Some(1_000),
            _ => None,
        }
    }

    pub(crate) fn months(self) -> Option<i64> {
        match self {
            Unit::Year => Some(12),
            Unit::Quarter => Some(3),
            Unit::Month => Some(1),
            _ => None,
        }
    }
}

pub(crate) fn wall(ms: i64) -> Result<NaiveDateTime> {
    match DateTime::from_timestamp_millis(ms) {
        Some(instant) => Ok(instant.naive_utc()),
        None => out_of_range(),
    }
}

/// The first and the last millisecond of the years that a DATE or TIMESTAMP can have, 0000 to 9999.
const TIMES: RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

pub(crate) fn out_of_range<T>() -> Result<T> {
    Err(exec_datafusion_err!("a time is out of range: it is not in the years 0000 to 9999"))
}

/// Makes a time that was computed the error of its row when no DATE or TIMESTAMP can be it.
pub(crate) fn in_range(ms: i64) -> Result<i64> {
    if TIMES.contains(&ms) {
        return Ok(ms);
    }
    // Farther away there are no dates to show.
    match DateTime::from_timestamp_millis(ms) {
        Some(_) => Err(exec_datafusion_err!(
            "a time is out of range: {} is not in the years 0000 to 9999",
            text::format_timestamp(ms)
        )),
        None => out_of_range(),
    }
}

pub(crate) fn millis(wall: NaiveDateTime) -> i64 {
    wall.and_utc().timestamp_millis()
}

/// Reads DATE, TIME and TIMESTAMP as milliseconds.
pub(crate) enum Times {
    Date(ArrayRef),
    Time(ArrayRef),
    Timestamp(ArrayRef),
}

impl Times {
    pub(crate) fn of(array: ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Date32 => Ok(Times::Date(array)),
            DataType::Time32(TimeUnit::Millisecond) => Ok(Times::Time(array)),
            DataType::Timestamp(TimeUnit::Millisecond, _) => Ok(Times::Timestamp(array)),
            other => internal_err!("{other} is not a time"),
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        fn at<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> Option<T::Native> {
            let array = array.as_primitive::<T>();
            arrow::array::Array::is_valid(array, row).then(|| array.value(row))
        }
        match self {
            Times::Date(array) => at::<Date32Type>(array, row).map(|days| i64::from(days) * DAY_MS),
            Times::Time(array) => at::<Time32MillisecondType>(array, row).map(i64::from),
            Times::Timestamp(array) => at::<TimestampMillisecondType>(array, row),
        }
    }

    /// Returns the milliseconds between two values of the type: an interval moves a DATE by its whole days.
    pub(crate) fn step(&self) -> i64 {
        if matches!(self, Times::Date(_)) { DAY_MS } else { 1 }
    }

    /// Makes an array of the same type from milliseconds. Times of day begin again after the last; a DATE or TIMESTAMP
    /// outside its years is an error of the row.
    pub(crate) fn rebuild(
        &self,
        rows: usize,
        mut value: impl FnMut(usize) -> Result<Option<i64>>,
    ) -> Result<ArrayRef> {
        match self {
            Times::Date(_) => primitives::<Date32Type>(rows, |row| match value(row)? {
                Some(ms) => {
                    let days = in_range(ms)?.div_euclid(DAY_MS);
                    Ok(Some(i32::try_from(days).or_else(|_| out_of_range())?))
                }
                None => Ok(None),
            }),
            Times::Time(_) => primitives::<Time32MillisecondType>(rows, |row| {
                Ok(value(row)?.map(|ms| i32::try_from(ms.rem_euclid(DAY_MS)).unwrap_or_default()))
            }),
            Times::Timestamp(_) => {
                primitives::<TimestampMillisecondType>(rows, |row| value(row)?.map(in_range).transpose())
            }
        }
    }
}

fn field(unit: Unit, ms: i64) -> Result<i32> {
    let time = ms.rem_euclid(DAY_MS);
    let small = |value: i64| i32::try_from(value).or_else(|_| out_of_range());
    match unit {
        Unit::Hour => return small(time / 3_600_000),
        Unit::Minute => return small(time / 60_000 % 60),
        Unit::Second => return small(time / 1_000 % 60),
        _ => {}
    }
    let date = wall(ms)?.date();
    let count = |value: u32| small(i64::from(value));
    match unit {
        Unit::Year => Ok(date.year()),
        Unit::Quarter => count(date.month0() / 3 + 1),
        Unit::Month => count(date.month()),
        Unit::Week => count(date.iso_week().week()),
        Unit::DayOfYear => count(date.ordinal()),
        Unit::DayOfWeek => count(date.weekday().number_from_sunday()),
        _ => count(date.day()),
    }
}

/// Returns the function behind `EXTRACT(unit FROM t)` for a type of time or a day-time interval.
pub fn extract(unit: Unit, of: &DataType) -> Call {
    let kernel = Kernel::new("extract", 1, DataType::Int32, move |a| {
        let array = a.array(0)?;
        match array.data_type() {
            DataType::Duration(_) => {
                let values = a.primitive::<DurationMillisecondType>(0)?;
                primitives::<Int32Type>(a.rows, |row| {
                    values.get(row).map(|ms| day_time_field(unit, ms)).transpose()
                })
            }
            DataType::Interval(_) => {
                let values = a.primitive::<IntervalYearMonthType>(0)?;
                primitives::<Int32Type>(a.rows, |row| Ok(values.get(row).map(|m| year_month_field(unit, m))))
            }
            _ => {
                let times = Times::of(array)?;
                primitives::<Int32Type>(a.rows, |row| times.get(row).map(|ms| field(unit, ms)).transpose())
            }
        }
    });
    Call { function: kernel.variant(format!("{unit:?} {of}")).into_function(), returns: DataType::Int32 }
}

fn day_time_field(unit: Unit, ms: i64) -> Result<i32> {
    let value = match unit {
        Unit::Day => ms / DAY_MS,
        Unit::Hour => ms / 3_600_000 % 24,
        Unit::Minute => ms / 60_000 % 60,
        Unit::Second => ms / 1_000 % 60,
        _ => 0,
    };
    i32::try_from(value).map_err(|_| exec_datafusion_err!("an interval is out of range"))
}

fn year_month_field(unit: Unit, months: i32) -> i32 {
    match unit {
        Unit::Year => months / 12,
        Unit::Month => months % 12,
        _ => 0,
    }
}

fn part(name: &'static str, unit: Unit, of: &DataType) -> Call {
    let kernel = Kernel::new(name, 1, DataType::Int64, move |a| {
        let times = Times::of(a.array(0)?)?;
        primitives::<Int64Type>(a.rows, |row| {
            times.get(row).map(|ms| Ok(i64::from(field(unit, ms)?))).transpose()
        })
    });
    Call { function: kernel.variant(of).into_function(), returns: DataType::Int64 }
}

/// Returns the boundary at or before a time. Weeks begin on Sunday here, although those that are counted are ISO weeks.
fn floor_ms(unit: Unit, ms: i64) -> Result<i64> {
    if let (Some(fixed), false) = (unit.fixed_ms(), unit == Unit::Week) {
        return ms.checked_sub(ms.rem_euclid(fixed)).map_or_else(out_of_range, Ok);
    }
    let date = wall(ms)?.date();
    let start = match unit {
        Unit::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
        Unit::Quarter => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1),
        Unit::Month => NaiveDate::from_ymd_opt(date.year(), date.month(), 1),
        _ => date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_sunday()))),
    };
    match start {
        Some(date) => Ok(millis(date.and_time(NaiveTime::MIN))),
        None => out_of_range(),
    }
}

fn ceil_ms(unit: Unit, ms: i64) -> Result<i64> {
    let floor = floor_ms(unit, ms)?;
    if floor == ms {
        return Ok(ms);
    }
    match (unit.fixed_ms(), unit.months()) {
        (Some(fixed), _) => floor.checked_add(fixed).map_or_else(out_of_range, Ok),
        (None, months) => add_months(floor, months.unwrap_or(0)),
    }
}

/// Whether `FLOOR ... TO` and `CEIL ... TO` go to the earlier or the later boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// FLOOR.
    Down,
    /// CEIL.
    Up,
}

/// Returns the function behind `FLOOR(t TO unit)` and `CEIL(t TO unit)`.
pub fn to_unit(direction: Direction, unit: Unit, of: &DataType) -> Call {
    let kernel = Kernel::new("time_to_unit", 1, of.clone(), move |a| {
        let times = Times::of(a.array(0)?)?;
        times.rebuild(a.rows, |row| {
            let moved = times.get(row).map(|ms| match direction {
                Direction::Down => floor_ms(unit, ms),
                Direction::Up => ceil_ms(unit, ms),
            });
            moved.transpose()
        })
    });
    let kernel = kernel.variant(format!("{direction:?} {unit:?} {of}"));
    Call { function: kernel.into_function(), returns: of.clone() }
}

/// Returns a time zone by its name.
pub(crate) fn zone(name: &str) -> Result<Zone> {
    match Zone::parse(name) {
        Some(zone) => Ok(zone),
        None => Err(exec_datafusion_err!("`{name}` is not a time zone")),
    }
}

fn to_timestamp(context: &Context) -> Call {
    let (own, variant) = (context.clone(), context.time_zone.clone());
    let kernel = Kernel::new("to_timestamp", 1, timestamp_type(), move |a| {
        let zone = zone(&own.time_zone)?;
        let instant = a.primitive::<Int64Type>(0)?;
        primitives::<TimestampMillisecondType>(a.rows, |row| {
            instant.get(row).map(|instant| in_range(zone.instant_to_wall(instant))).transpose()
        })
    });
    Call { function: kernel.variant(variant).into_function(), returns: timestamp_type() }
}

fn unix_timestamp(name: &'static str, arguments: usize, context: &Context, unit_ms: i64) -> Call {
    match arguments {
        0 => return clock::epoch(name, unit_ms),
        2 => return date_pattern::epoch(name, context, unit_ms),
        _ => {}
    }
    let (own, variant) = (context.clone(), context.time_zone.clone());
    let kernel = Kernel::new(name, 1, DataType::Int64, move |a: &Arguments| {
        let zone = zone(&own.time_zone)?;
        let s = a.text(0)?;
        primitives::<Int64Type>(a.rows, |row| {
            let Some(s) = s.get(row).map(str::trim) else { return Ok(None) };
            let instant = match parse_plain_timestamp(s) {
                Some(wall) => Some(zone.wall_to_instant(wall)),
                None => date_pattern::read_usual(s, &zone),
            };
            Ok(instant.map(|instant| instant.div_euclid(unit_ms)))
        })
    });
    Call { function: kernel.variant(variant).into_function(), returns: DataType::Int64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        parse_plain_timestamp(text).expect("a valid time")
    }

    #[test]
    fn boundaries_of_every_unit() {
        let t = at("2024-05-15 10:20:30.400");
        for (unit, floor, ceil) in [
            (Unit::Year, "2024-01-01 00:00:00", "2025-01-01 00:00:00"),
            (Unit::Quarter, "2024-04-01 00:00:00", "2024-07-01 00:00:00"),
            (Unit::Month, "2024-05-01 00:00:00", "2024-06-01 00:00:00"),
            (Unit::Week, "2024-05-12 00:00:00", "2024-05-19 00:00:00"),
            (Unit::Day, "2024-05-15 00:00:00", "2024-05-16 00:00:00"),
            (Unit::Hour, "2024-05-15 10:00:00", "2024-05-15 11:00:00"),
            (Unit::Second, "2024-05-15 10:20:30", "2024-05-15 10:20:31"),
        ] {
            assert_eq!(floor_ms(unit, t).expect("in range"), at(floor), "FLOOR TO {unit:?}");
            assert_eq!(ceil_ms(unit, t).expect("in range"), at(ceil), "CEIL TO {unit:?}");
            assert_eq!(ceil_ms(unit, at(floor)).expect("in range"), at(floor), "CEIL of a boundary");
        }
    }
}
