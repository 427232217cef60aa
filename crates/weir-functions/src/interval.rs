//! Moving times by intervals and counting the units between them: `t + INTERVAL`, `TIMESTAMPADD`,
//! `TIMESTAMPDIFF`, sums of intervals.

use arrow::datatypes::{
    DataType, DurationMillisecondType, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, TimeUnit,
    TimestampMillisecondType,
};
use chrono::{Datelike, Months, NaiveDate};
use datafusion_common::{Result, exec_datafusion_err};

use crate::kernel::{Kernel, primitives};
use crate::registry::Call;
use crate::temporal::{Times, Unit, millis, out_of_range, wall};

/// Moves a wall clock by months; a day that the month does not have becomes its last.
pub(crate) fn add_months(ms: i64, months: i64) -> Result<i64> {
    let start = wall(ms)?;
    let count = u32::try_from(months.unsigned_abs()).or_else(|_| out_of_range())?;
    let moved = if months < 0 {
        start.checked_sub_months(Months::new(count))
    } else {
        start.checked_add_months(Months::new(count))
    };
    moved.map_or_else(out_of_range, |wall| Ok(millis(wall)))
}

fn add_ms(ms: i64, more: i64) -> Result<i64> {
    ms.checked_add(more).map_or_else(out_of_range, Ok)
}

/// Whether an interval is added or taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// Returns the function behind `t + interval` and `t - interval`, or `None` when the types do not go
/// together (a TIME and months).
pub fn add_interval(sign: Sign, time: &DataType, interval: &DataType) -> Option<Call> {
    let factor = if sign == Sign::Plus { 1 } else { -1 };
    let kernel = match interval {
        DataType::Duration(TimeUnit::Millisecond) => Kernel::new("add_interval", 2, time.clone(), move |a| {
            let times = Times::of(a.array(0)?)?;
            let step = times.step();
            let interval = a.primitive::<DurationMillisecondType>(1)?;
            times.rebuild(a.rows, |row| match (times.get(row), interval.get(row)) {
                (Some(ms), Some(more)) => {
                    let more = (more / step * step).checked_mul(factor);
                    more.map_or_else(out_of_range, |more| add_ms(ms, more)).map(Some)
                }
                _ => Ok(None),
            })
        }),
        DataType::Interval(IntervalUnit::YearMonth) if !matches!(time, DataType::Time32(_)) => {
            Kernel::new("add_interval", 2, time.clone(), move |a| {
                let times = Times::of(a.array(0)?)?;
                let interval = a.primitive::<IntervalYearMonthType>(1)?;
                times.rebuild(a.rows, |row| match (times.get(row), interval.get(row)) {
                    (Some(ms), Some(months)) => add_months(ms, i64::from(months) * factor).map(Some),
                    _ => Ok(None),
                })
            })
        }
        _ => return None,
    };
    let kernel = kernel.variant(format!("{sign:?} {time} {interval}"));
    Some(Call { function: kernel.into_function(), returns: time.clone() })
}

/// Returns the function behind `TIMESTAMPADD(unit, n, t)`; its arguments are n as BIGINT and t.
/// `None` when the unit does not go with the type.
pub fn timestamp_add(unit: Unit, of: &DataType) -> Option<Call> {
    let by_months = unit.months();
    if unit.fixed_ms().is_none() && (by_months.is_none() || matches!(of, DataType::Time32(_))) {
        return None;
    }
    let kernel = Kernel::new("timestampadd", 2, of.clone(), move |a| {
        let count = a.primitive::<Int64Type>(0)?;
        let times = Times::of(a.array(1)?)?;
        let step = times.step();
        times.rebuild(a.rows, |row| {
            let (Some(count), Some(ms)) = (count.get(row), times.get(row)) else { return Ok(None) };
            let scaled = |by: i64| count.checked_mul(by).map_or_else(out_of_range, Ok);
            match (by_months, unit.fixed_ms()) {
                (Some(months), _) => add_months(ms, scaled(months)?).map(Some),
                (None, fixed) => add_ms(ms, scaled(fixed.unwrap_or(0))? / step * step).map(Some),
            }
        })
    });
    Some(Call { function: kernel.variant(format!("{unit:?} {of}")).into_function(), returns: of.clone() })
}

/// Returns the function behind `TIMESTAMPDIFF(unit, t1, t2)` for times converted to TIMESTAMP, or
/// `None` when the unit cannot be counted.
pub fn timestamp_diff(unit: Unit) -> Option<Call> {
    if unit.fixed_ms().is_none() && unit.months().is_none() {
        return None;
    }
    let kernel = Kernel::new("timestampdiff", 2, DataType::Int32, move |a| {
        let (from, to) =
            (a.primitive::<TimestampMillisecondType>(0)?, a.primitive::<TimestampMillisecondType>(1)?);
        primitives::<Int32Type>(a.rows, |row| {
            let (Some(from), Some(to)) = (from.get(row), to.get(row)) else { return Ok(None) };
            let units = match (unit.fixed_ms(), unit.months()) {
                (Some(fixed), _) => to.saturating_sub(from) / fixed,
                (None, months) => months_between(from, to)? / months.unwrap_or(1),
            };
            match i32::try_from(units) {
                Ok(units) => Ok(Some(units)),
                Err(_) => {
                    Err(exec_datafusion_err!("TIMESTAMPDIFF is out of range: {units} does not fit INT"))
                }
            }
        })
    });
    Some(Call { function: kernel.variant(format!("{unit:?}")).into_function(), returns: DataType::Int32 })
}

/// Counts whole months. They are counted on from the earlier time, so that `a` to `b` is as many as `b` to `a`.
fn months_between(from: i64, to: i64) -> Result<i64> {
    if from > to {
        return Ok(-months_between(to, from)?);
    }
    let (start, end) = (wall(from)?.date(), wall(to)?.date());
    let index = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
    let months = index(end) - index(start);
    Ok(if add_months(from, months)? > to { months - 1 } else { months })
}

fn interval_out_of_range<T>() -> Result<T> {
    Err(exec_datafusion_err!("an interval is out of range"))
}

/// Returns the function that adds or subtracts two intervals of one kind, or `None` for other types.
pub fn combine_intervals(sign: Sign, of: &DataType) -> Option<Call> {
    let kernel = match of {
        DataType::Duration(TimeUnit::Millisecond) => {
            Kernel::new("combine_intervals", 2, of.clone(), move |a| {
                let (left, right) =
                    (a.primitive::<DurationMillisecondType>(0)?, a.primitive::<DurationMillisecondType>(1)?);
                primitives::<DurationMillisecondType>(a.rows, |row| match (left.get(row), right.get(row)) {
                    (Some(left), Some(right)) => {
                        let plus = sign == Sign::Plus;
                        let sum = if plus { left.checked_add(right) } else { left.checked_sub(right) };
                        sum.map(Some).map_or_else(interval_out_of_range, Ok)
                    }
                    _ => Ok(None),
                })
            })
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            Kernel::new("combine_intervals", 2, of.clone(), move |a| {
                let (left, right) =
                    (a.primitive::<IntervalYearMonthType>(0)?, a.primitive::<IntervalYearMonthType>(1)?);
                primitives::<IntervalYearMonthType>(a.rows, |row| match (left.get(row), right.get(row)) {
                    (Some(left), Some(right)) => {
                        let plus = sign == Sign::Plus;
                        let sum = if plus { left.checked_add(right) } else { left.checked_sub(right) };
                        sum.map(Some).map_or_else(interval_out_of_range, Ok)
                    }
                    _ => Ok(None),
                })
            })
        }
        _ => return None,
    };
    Some(Call { function: kernel.variant(format!("{sign:?} {of}")).into_function(), returns: of.clone() })
}

#[cfg(test)]
mod tests {
    use weir_base::text::parse_plain_timestamp;

    use super::*;

    fn at(text: &str) -> i64 {
        parse_plain_timestamp(text).expect("a valid time")
    }

    #[test]
    fn months_between_counts_whole_months_toward_zero() {
        let (a, b) = (at("2024-01-31 12:00:00"), at("2024-03-31 11:59:59"));
        assert_eq!(months_between(a, b).expect("in range"), 1);
        assert_eq!(months_between(b, a).expect("in range"), -1);
        assert_eq!(months_between(a, a).expect("in range"), 0);
        let (january, february) = (at("2024-01-31 00:00:00"), at("2024-02-29 00:00:00"));
        assert_eq!(months_between(january, february).expect("in range"), 1);
        assert_eq!(months_between(february, january).expect("in range"), -1);
    }

    #[test]
    fn the_end_of_a_month_stays_inside_the_month() {
        assert_eq!(add_months(at("2024-01-31 00:00:00"), 1).expect("in range"), at("2024-02-29 00:00:00"));
    }
}
