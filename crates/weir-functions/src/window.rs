//! Group windows in a plan: marker functions that stand for the window, and functions of its bounds.
//!
//! `tumble(time, size)`, `hop(time, slide, size)` and `session(time, gap)`, in milliseconds, are
//! group expressions of an `Aggregate`. They are never evaluated: the engine replaces the node. Their
//! value is `Struct{start, end}`, and the functions `window_*` read it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit, TimestampMillisecondType};
use datafusion_common::{Result, ScalarValue, exec_err, internal_err};
use datafusion_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};

use crate::temporal::in_range;

/// The metadata key of a field that is a time attribute; the value is `rowtime` or `proctime`.
pub const TIME_ATTRIBUTE: &str = "weir.time";

/// The metadata key of a field whose wall clocks are always of UTC, whatever the zone of the job.
pub const UTC_CLOCK: &str = "weir.utc";

/// Returns the metadata of a column with wall clocks of UTC; it is a time attribute when `attribute` says which.
pub fn utc_metadata(attribute: Option<&str>) -> HashMap<String, String> {
    let clock = (UTC_CLOCK.to_string(), String::new());
    let attribute = attribute.map(|value| (TIME_ATTRIBUTE.to_string(), value.to_string()));
    std::iter::once(clock).chain(attribute).collect()
}

/// Tells whether the wall clocks of a column are of UTC: bounds and times of windows, and processing times. Those of
/// every other column are of the zone of the job.
pub fn has_utc_clock(field: &Field) -> bool {
    field.metadata().contains_key(UTC_CLOCK)
}

/// A group window, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// Adjacent windows of one size.
    Tumble {
        /// Length of a window.
        size_ms: i64,
    },
    /// Windows of one size, started every slide.
    Hop {
        /// Time between the starts of two windows.
        slide_ms: i64,
        /// Length of a window.
        size_ms: i64,
    },
    /// Windows that end when no row arrives for the gap.
    Session {
        /// Greatest time between two rows of one window.
        gap_ms: i64,
    },
}

impl WindowKind {
    /// Returns the group expression for a time attribute.
    pub fn marker(self, time: Expr) -> Expr {
        match self {
            WindowKind::Tumble { size_ms } => TUMBLE.call(vec![time, lit(size_ms)]),
            WindowKind::Hop { slide_ms, size_ms } => HOP.call(vec![time, lit(slide_ms), lit(size_ms)]),
            WindowKind::Session { gap_ms } => SESSION.call(vec![time, lit(gap_ms)]),
        }
    }
}

/// Returns the type of a window: its start (inclusive) and its end (exclusive).
pub fn window_type() -> DataType {
    DataType::Struct(window_fields())
}

/// Returns the fields of [`window_type`].
pub fn window_fields() -> Fields {
    let instant = DataType::Timestamp(TimeUnit::Millisecond, None);
    Fields::from(vec![Field::new("start", instant.clone(), true), Field::new("end", instant, true)])
}

/// Returns the window that a group expression stands for and the expression of its time attribute,
/// or `None` when it is an ordinary key.
pub fn window_of(expression: &Expr) -> Option<(WindowKind, Expr)> {
    let call = match expression {
        Expr::Alias(alias) => return window_of(&alias.expr),
        Expr::ScalarFunction(call) => call,
        _ => return None,
    };
    let millis = |index: usize| match call.args.get(index) {
        Some(Expr::Literal(ScalarValue::Int64(Some(value)), _)) => Some(*value),
        _ => None,
    };
    let kind = match call.func.name() {
        "tumble" => WindowKind::Tumble { size_ms: millis(1)? },
        "hop" => WindowKind::Hop { slide_ms: millis(1)?, size_ms: millis(2)? },
        "session" => WindowKind::Session { gap_ms: millis(1)? },
        _ => return None,
    };
    Some((kind, call.args.first()?.clone()))
}

/// What a function reads from a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// The inclusive start.
    Start,
    /// The exclusive end.
    End,
    /// The event time of the result: one millisecond before the end.
    Rowtime,
    /// The processing time of the result: the end, when the window fires.
    Proctime,
}

impl Bound {
    /// Returns the call that reads this from an expression of [`window_type`].
    pub fn of(self, window: Expr) -> Expr {
        let function = match self {
            Bound::Start => &WINDOW_START,
            Bound::End => &WINDOW_END,
            Bound::Rowtime => &WINDOW_ROWTIME,
            Bound::Proctime => &WINDOW_PROCTIME,
        };
        function.call(vec![window])
    }
}

static TUMBLE: LazyLock<ScalarUDF> = LazyLock::new(|| ScalarUDF::new_from_impl(Marker::new("tumble", 2)));
static HOP: LazyLock<ScalarUDF> = LazyLock::new(|| ScalarUDF::new_from_impl(Marker::new("hop", 3)));
static SESSION: LazyLock<ScalarUDF> = LazyLock::new(|| ScalarUDF::new_from_impl(Marker::new("session", 2)));
static WINDOW_START: LazyLock<ScalarUDF> = LazyLock::new(|| bound_function("window_start", Bound::Start));
static WINDOW_END: LazyLock<ScalarUDF> = LazyLock::new(|| bound_function("window_end", Bound::End));
static WINDOW_ROWTIME: LazyLock<ScalarUDF> =
    LazyLock::new(|| bound_function("window_rowtime", Bound::Rowtime));
static WINDOW_PROCTIME: LazyLock<ScalarUDF> =
    LazyLock::new(|| bound_function("window_proctime", Bound::Proctime));

fn bound_function(name: &'static str, bound: Bound) -> ScalarUDF {
    ScalarUDF::new_from_impl(BoundFunction {
        name,
        bound,
        signature: Signature::any(1, Volatility::Immutable),
    })
}

/// A function that only names a window.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Marker {
    name: &'static str,
    signature: Signature,
}

impl Marker {
    fn new(name: &'static str, arguments: usize) -> Self {
        // Volatile, so that no rule computes it early or moves it.
        Self { name, signature: Signature::any(arguments, Volatility::Volatile) }
    }
}

impl ScalarUDFImpl for Marker {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _argument_types: &[DataType]) -> Result<DataType> {
        Ok(window_type())
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("`{}` is a group window and has no value of its own", self.name)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct BoundFunction {
    name: &'static str,
    bound: Bound,
    signature: Signature,
}

impl ScalarUDFImpl for BoundFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _argument_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Millisecond, None))
    }

    fn return_field_from_args(&self, _call: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = Field::new(self.name, DataType::Timestamp(TimeUnit::Millisecond, None), true);
        let attribute = match self.bound {
            Bound::Start | Bound::End => None,
            Bound::Rowtime => Some("rowtime"),
            Bound::Proctime => Some("proctime"),
        };
        Ok(Arc::new(field.with_metadata(utc_metadata(attribute))))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [window] = call.args.as_slice() else {
            return internal_err!("`{}` takes one window", self.name);
        };
        let rows = call.number_rows;
        Ok(ColumnarValue::Array(self.read(&window.to_array(rows)?)?))
    }
}

impl BoundFunction {
    fn read(&self, window: &ArrayRef) -> Result<ArrayRef> {
        let Some(window) = window.as_struct_opt() else {
            return internal_err!("`{}` needs a window", self.name);
        };
        let column = window.column(usize::from(self.bound != Bound::Start));
        let times = column.as_primitive::<TimestampMillisecondType>();
        let back = i64::from(self.bound == Bound::Rowtime);
        // Rows of the last day may be in a window that ends after the years that a TIMESTAMP can have.
        let times: TimestampMillisecondArray = times.try_unary(|time| in_range(time.saturating_sub(back)))?;
        Ok(Arc::new(times))
    }
}

#[cfg(test)]
mod tests {
    use datafusion_expr::col;

    use super::*;

    #[test]
    fn a_marker_tells_its_window() {
        for kind in [
            WindowKind::Tumble { size_ms: 10_000 },
            WindowKind::Hop { slide_ms: 5, size_ms: 10 },
            WindowKind::Session { gap_ms: 7 },
        ] {
            let marker = kind.marker(col("ts"));
            assert_eq!(window_of(&marker), Some((kind, col("ts"))));
            assert_eq!(window_of(&marker.alias("w")), Some((kind, col("ts"))));
        }
        assert_eq!(window_of(&col("ts")), None);
    }
}
