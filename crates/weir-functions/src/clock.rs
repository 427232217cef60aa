//! The processing instant, and the functions that read it: `CURRENT_TIMESTAMP` and its relatives.
//!
//! An expression has no clock of its own. Whoever evaluates a batch says with [`at_instant`] when that is, so
//! that a job with a repeatable clock gives the same result every time.

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, Time32MillisecondArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::tree_node::TreeNode;
use datafusion_common::{Result, internal_err};
use datafusion_expr::{Expr, Volatility};
use weir_base::text::Zone;
use weir_base::time::Timestamp;

use crate::conversion::{DAY_MS, timestamp_type};
use crate::kernel::Kernel;
use crate::registry::{Call, Context, Family, Function};
use crate::temporal::zone;

thread_local! {
    static INSTANT: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// Evaluates expressions on this thread at a processing instant.
pub fn at_instant<R>(instant: Timestamp, evaluate: impl FnOnce() -> R) -> R {
    /// Puts the former instant back, also when the evaluation panics.
    struct Former(Option<Timestamp>);
    impl Drop for Former {
        fn drop(&mut self) {
            INSTANT.set(self.0);
        }
    }
    let _former = Former(INSTANT.replace(Some(instant)));
    evaluate()
}

/// Tells whether an expression reads the clock.
pub fn reads_clock(expr: &Expr) -> bool {
    let reads = expr.exists(|node| match node {
        Expr::ScalarFunction(call) => Ok(call.func.signature().volatility == Volatility::Stable),
        _ => Ok(false),
    });
    reads.unwrap_or(false)
}

fn processing_instant() -> Result<i64> {
    match INSTANT.get() {
        Some(instant) => Ok(instant.0),
        None => {
            internal_err!("an expression that reads the clock was evaluated without a processing instant")
        }
    }
}

const fn clock(
    name: &'static str,
    meaning: &'static str,
    build: fn(&[DataType], &Context) -> Call,
) -> Function {
    Function::new(Family::Temporal, name, name, meaning, &[], build)
}

/// The functions of the processing instant; they are written without brackets.
pub(crate) static FUNCTIONS: &[Function] = &[
    clock("CURRENT_DATE", "The date of the processing instant in UTC.", |_, _| {
        reading("current_date", DataType::Date32, &Zone::UTC.to_string(), |instant| {
            match i32::try_from(instant.div_euclid(DAY_MS)) {
                Ok(days) => Ok(Arc::new(Date32Array::from(vec![days]))),
                Err(_) => internal_err!("the clock shows no date"),
            }
        })
    }),
    clock("CURRENT_TIME", "The time of day of the processing instant in UTC.", |_, _| {
        time_of_day("current_time", &Zone::UTC.to_string())
    }),
    clock("CURRENT_TIMESTAMP", "The wall clock of the processing instant in UTC.", |_, _| {
        wall_clock("current_timestamp", &Zone::UTC.to_string())
    }),
    clock("LOCALTIME", "The time of day of the processing instant in the job's time zone.", |_, context| {
        time_of_day("localtime", &context.time_zone)
    }),
    clock(
        "LOCALTIMESTAMP",
        "The wall clock of the processing instant in the job's time zone.",
        |_, context| wall_clock("localtimestamp", &context.time_zone),
    ),
];

/// Makes a function of the wall clock that a zone shows at the processing instant.
fn reading(
    name: &'static str,
    returns: DataType,
    time_zone: &str,
    read: impl Fn(i64) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Call {
    let own = time_zone.to_string();
    let kernel = Kernel::new(name, 0, returns.clone(), move |_| {
        read(zone(&own)?.instant_to_wall(processing_instant()?))
    });
    Call { function: kernel.variant(time_zone).stable().into_function(), returns }
}

fn time_of_day(name: &'static str, time_zone: &str) -> Call {
    reading(name, DataType::Time32(TimeUnit::Millisecond), time_zone, |wall| {
        let ms = i32::try_from(wall.rem_euclid(DAY_MS)).unwrap_or_default();
        Ok(Arc::new(Time32MillisecondArray::from(vec![ms])))
    })
}

fn wall_clock(name: &'static str, time_zone: &str) -> Call {
    reading(name, timestamp_type(), time_zone, |wall| {
        Ok(Arc::new(TimestampMillisecondArray::from(vec![wall])))
    })
}

/// Returns `UNIX_TIMESTAMP()` or `UNIX_TIMESTAMP_MS()`: the processing instant in units of `unit_ms`.
pub(crate) fn epoch(name: &'static str, unit_ms: i64) -> Call {
    reading(name, DataType::Int64, &Zone::UTC.to_string(), move |instant| {
        Ok(Arc::new(Int64Array::from(vec![instant.div_euclid(unit_ms)])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instant_holds_inside_and_is_put_back_afterwards() {
        assert!(processing_instant().is_err());
        at_instant(Timestamp(1), || {
            at_instant(Timestamp(2), || assert_eq!(processing_instant().expect("set"), 2));
            assert_eq!(processing_instant().expect("set"), 1);
        });
        assert!(processing_instant().is_err());
    }

    #[test]
    fn a_panic_puts_the_instant_back() {
        let panicked = std::panic::catch_unwind(|| at_instant(Timestamp(1), || panic!("on purpose")));
        assert!(panicked.is_err() && processing_instant().is_err());
    }
}
