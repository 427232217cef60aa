//! A checked expression with its type.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::{Expr, lit};
use weir_functions::Call;

/// Which clock a time attribute follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeAttribute {
    /// Event time.
    Rowtime,
    /// Processing time.
    Proctime,
}

impl TimeAttribute {
    /// Reads the value of the metadata key [`crate::TIME_ATTRIBUTE`].
    pub(super) fn parse(value: &str) -> Option<Self> {
        match value {
            "rowtime" => Some(TimeAttribute::Rowtime),
            "proctime" => Some(TimeAttribute::Proctime),
            _ => None,
        }
    }
}

/// A checked expression.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// The expression; its operands have the types that its operators need.
    pub(super) expr: Expr,
    /// Its type.
    pub(super) data_type: DataType,
    /// Whether it is still a time attribute: a column, or the time of a window.
    pub(super) time: Option<TimeAttribute>,
}

impl Bound {
    pub(super) fn new(expr: Expr, data_type: DataType) -> Self {
        Self { expr, data_type, time: None }
    }

    pub(super) fn boolean(expr: Expr) -> Self {
        Self::new(expr, DataType::Boolean)
    }

    pub(super) fn scalar(value: ScalarValue) -> Self {
        let data_type = value.data_type();
        Self::new(Expr::Literal(value, None), data_type)
    }

    pub(super) fn text(value: &str) -> Self {
        Self::new(lit(value), DataType::Utf8)
    }

    pub(super) fn call(call: Call, arguments: Vec<Expr>) -> Self {
        Self::new(call.function.call(arguments), call.returns)
    }
}
