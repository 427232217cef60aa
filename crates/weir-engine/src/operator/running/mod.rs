//! Aggregates whose result is wanted after every row, and that may take rows back.
//!
//! Group windows aggregate whole batches and ask for the results once. OVER windows, changelogs and patterns
//! ask after every row, and a row may leave again; for them each group or frame has one
//! [`RunningAggregate`] per call. The result of a call depends only on the rows it holds, not on those that came
//! and went: sums keep their rounding errors, variances of whole numbers are exact.

mod collect;
mod count;
mod distinct;
mod extreme;
mod results;
mod sum;
#[cfg(test)]
mod tests;
mod values;
mod variance;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::ScalarValue;

use super::{AggregateCall, OperatorError};
pub(crate) use results::Results;
use values::with_values;
use variance::Spread;

/// The aggregate of the rows that one group or frame holds. NULL arguments are skipped.
pub(crate) trait RunningAggregate: Send {
    /// Takes a row; `arguments` are the argument columns of the call.
    fn add(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError>;

    /// Takes a row back that was added before; a row equal to it may stand for it.
    fn retract(&mut self, arguments: &[ArrayRef], row: usize) -> Result<(), OperatorError>;

    /// Returns the result over the rows held.
    fn value(&self) -> Result<ScalarValue, OperatorError>;

    /// Returns what is needed to go on later; as many values of the same types each time.
    fn state(&self) -> Result<Vec<ScalarValue>, OperatorError>;

    /// Goes on from a state.
    fn restore(&mut self, state: &[ScalarValue]) -> Result<(), OperatorError>;

    /// Returns the bytes held, its own included.
    fn bytes(&self) -> usize;
}

/// Whether rows may be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retractions {
    /// They are only added; MIN and MAX need not keep all values.
    Never,
    /// They may be taken back.
    Possible,
}

type Make = Box<dyn Fn() -> Box<dyn RunningAggregate> + Send + Sync>;

/// One aggregate call of a query, from which the aggregate of each group or frame is made.
pub(crate) struct RunningCall {
    make: Make,
    state: Vec<DataType>,
    result: DataType,
}

impl RunningCall {
    /// Prepares a call over rows of the schema `input`.
    pub(crate) fn new(
        call: &AggregateCall,
        input: &Schema,
        retractions: Retractions,
    ) -> Result<Self, OperatorError> {
        let arguments = call
            .arguments()
            .iter()
            .map(|argument| argument.data_type(input))
            .collect::<Result<Vec<_>, _>>()?;
        let function = call.function.fun().name();
        let of = match arguments.as_slice() {
            [of] => of.clone(),
            _ => return Err(unknown(function, &arguments)),
        };
        let plain = plain(function, &of, call.function.field().data_type(), retractions)?;
        // The extremes of different values are those of all values.
        let make = match call.function.is_distinct() && !matches!(function, "min" | "max") {
            true => with_values!(&of, |values| distinct::make(plain, values)),
            false => plain,
        };
        let empty = make();
        let state = empty.state()?.iter().map(ScalarValue::data_type).collect();
        let result = empty.value()?.data_type();
        Ok(Self { make, state, result })
    }

    /// Makes the aggregate of a new group or frame, with no row.
    pub(crate) fn aggregate(&self) -> Box<dyn RunningAggregate> {
        (self.make)()
    }

    /// Returns a place for so many results.
    pub(crate) fn results(&self, rows: usize) -> Results {
        Results::new(&self.result, rows)
    }

    /// Returns the types of the values of a state.
    pub(crate) fn state_types(&self) -> &[DataType] {
        &self.state
    }
}

/// Returns what makes the aggregate of a function, DISTINCT left out.
fn plain(
    function: &str,
    of: &DataType,
    result: &DataType,
    retractions: Retractions,
) -> Result<Make, OperatorError> {
    let spread = |spread| -> Make { Box::new(move || Box::new(variance::Variance::new(spread))) };
    Ok(match (function, of) {
        ("count", _) => Box::new(|| Box::new(count::Count::default())),
        ("sum", DataType::Int64) => Box::new(|| Box::new(sum::IntegerSum::default())),
        ("sum", DataType::Float64) => Box::new(|| Box::new(sum::FloatSum::default())),
        ("sum", DataType::Decimal128(..)) => {
            let DataType::Decimal128(precision, scale) = *result else {
                return Err(unknown(function, std::slice::from_ref(of)));
            };
            Box::new(move || Box::new(sum::DecimalSum::new(precision, scale)))
        }
        ("avg", DataType::Float64) => Box::new(|| Box::new(sum::Mean::default())),
        ("avg", DataType::Decimal128(_, scale)) => {
            let DataType::Decimal128(precision, result_scale) = *result else {
                return Err(unknown(function, std::slice::from_ref(of)));
            };
            let scale = *scale;
            Box::new(move || Box::new(sum::DecimalMean::new(scale, precision, result_scale)))
        }
        ("var", DataType::Float64) => spread(Spread::SampleVariance),
        ("var_pop", DataType::Float64) => spread(Spread::PopulationVariance),
        ("stddev", DataType::Float64) => spread(Spread::SampleDeviation),
        ("stddev_pop", DataType::Float64) => spread(Spread::PopulationDeviation),
        ("min" | "max", _) => {
            let end = if function == "max" { extreme::End::Greatest } else { extreme::End::Smallest };
            with_values!(of, |values| extreme::make(values, end, retractions))
        }
        ("array_agg", _) => with_values!(of, |values| collect::make(values)),
        _ => return Err(unknown(function, std::slice::from_ref(of))),
    })
}

fn unknown(function: &str, arguments: &[DataType]) -> OperatorError {
    let types: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    OperatorError::State(format!("the aggregate `{function}` cannot follow rows of ({})", types.join(", ")))
}

/// Returns a list with these elements.
fn list(values: ArrayRef) -> ScalarValue {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let lengths = OffsetBuffer::from_lengths([values.len()]);
    ScalarValue::List(Arc::new(ListArray::new(field, lengths, values, None)))
}

/// Returns the elements of a list made by [`list`].
fn elements(state: &ScalarValue) -> Result<ArrayRef, OperatorError> {
    match state {
        ScalarValue::List(list) if list.len() == 1 => Ok(list.value(0)),
        _ => Err(wrong_state()),
    }
}

fn wrong_state() -> OperatorError {
    OperatorError::State("the saved aggregates are not those of the job".to_string())
}

fn wrong_type(column: &dyn Array) -> OperatorError {
    OperatorError::State(format!("an aggregate was given a column of {}", column.data_type()))
}
