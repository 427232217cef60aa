//! The frame that turns a function over Arrow arrays into a scalar function of a plan.
//!
//! The planner gives every argument exactly the type that the kernel asks for, so a kernel does no
//! coercion of its own. Arguments that are constant arrive as arrays of one row.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use arrow::array::{BooleanArray, PrimitiveArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType};
use datafusion_common::{Result, ScalarValue, exec_datafusion_err, internal_err};
use datafusion_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// A function over whole columns.
pub(crate) type Evaluate = dyn Fn(&Arguments) -> Result<ArrayRef> + Send + Sync;

/// A scalar function with fixed argument and return types.
pub(crate) struct Kernel {
    name: &'static str,
    /// What else the result depends on, such as the time zone or the target of a cast.
    variant: String,
    returns: DataType,
    signature: Signature,
    evaluate: Arc<Evaluate>,
    /// Makes the kernel anew, of one that remembers what it has given.
    begin: Option<Arc<Begin>>,
}

/// Makes a function that has not been called yet.
type Begin = dyn Fn() -> Arc<ScalarUDF> + Send + Sync;

impl Kernel {
    /// Makes a kernel that gives the same result for the same arguments.
    pub(crate) fn new(
        name: &'static str,
        arguments: usize,
        returns: DataType,
        evaluate: impl Fn(&Arguments) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            variant: String::new(),
            returns,
            signature: signature(arguments, Volatility::Immutable),
            evaluate: Arc::new(evaluate),
            begin: None,
        }
    }

    /// Tells kernels of one name apart.
    pub(crate) fn variant(mut self, variant: impl fmt::Display) -> Self {
        self.variant = variant.to_string();
        self
    }

    /// Marks a kernel whose result differs from row to row for the same arguments.
    pub(crate) fn volatile(mut self, arguments: usize) -> Self {
        self.signature = signature(arguments, Volatility::Volatile);
        self
    }

    /// Marks a kernel without arguments whose result depends on when a batch is evaluated: it is the same
    /// for all rows of a batch, but must not be computed when the query is planned.
    pub(crate) fn stable(mut self) -> Self {
        self.signature = signature(0, Volatility::Stable);
        self
    }

    /// Marks a kernel that remembers what it has given, such as where a sequence stands. `begin` makes another that
    /// remembers nothing.
    pub(crate) fn remembering(mut self, begin: impl Fn() -> Arc<ScalarUDF> + Send + Sync + 'static) -> Self {
        self.begin = Some(Arc::new(begin));
        self
    }

    /// Returns the kernel as a function of a plan.
    pub(crate) fn into_function(self) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::new_from_impl(self))
    }
}

/// Returns what else than its arguments the result of a function of this crate depends on, such as the unit of an
/// `EXTRACT`; empty when there is nothing.
pub fn variant_of(function: &ScalarUDF) -> String {
    // A kernel shows itself as its name, followed by the variant in square brackets.
    let shown = format!("{:?}", function.inner());
    let variant =
        shown.strip_prefix(function.name()).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
    variant.unwrap_or_default().to_string()
}

/// Returns what a run of a job must call in the place of a function that remembers what it has given: one that begins.
/// `None` when the function remembers nothing.
pub fn begun(function: &ScalarUDF) -> Option<Arc<ScalarUDF>> {
    function.inner().downcast_ref::<Kernel>()?.begin.as_ref().map(|begin| begin())
}

fn signature(arguments: usize, volatility: Volatility) -> Signature {
    if arguments == 0 { Signature::nullary(volatility) } else { Signature::any(arguments, volatility) }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.variant.as_str() {
            "" => f.write_str(self.name),
            variant => write!(f, "{}[{variant}]", self.name),
        }
    }
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.variant == other.variant
            && self.returns == other.returns
            && self.signature == other.signature
    }
}

impl Eq for Kernel {}

impl Hash for Kernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.variant.hash(state);
        self.returns.hash(state);
    }
}

impl ScalarUDFImpl for Kernel {
    fn name(&self) -> &str {
        self.name
    }

    fn display_name(&self, arguments: &[Expr]) -> Result<String> {
        let shown: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        Ok(format!("{self:?}({})", shown.join(",")))
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let shown: Vec<_> = arguments.iter().map(|argument| argument.schema_name().to_string()).collect();
        Ok(format!("{self:?}({})", shown.join(",")))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _argument_types: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let volatile = self.signature.volatility == Volatility::Volatile;
        let constant =
            !volatile && call.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { call.number_rows };
        let columns = call
            .args
            .into_iter()
            .map(|argument| match argument {
                ColumnarValue::Array(array) => Ok(Argument { array, constant: false }),
                ColumnarValue::Scalar(value) => Ok(Argument { array: value.to_array()?, constant: true }),
            })
            .collect::<Result<Vec<_>>>()?;
        let result = (self.evaluate)(&Arguments { columns, rows })?;
        if result.len() != rows {
            return internal_err!("`{}` made {} rows of {rows}", self.name, result.len());
        }
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }
}

struct Argument {
    array: ArrayRef,
    constant: bool,
}

/// The arguments of one call for one batch.
pub(crate) struct Arguments {
    columns: Vec<Argument>,
    /// How many rows the result must have.
    pub(crate) rows: usize,
}

impl Arguments {
    /// Returns how many arguments there are.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Tells whether an argument is the same in every row by its form: a literal.
    pub(crate) fn is_constant(&self, index: usize) -> bool {
        self.columns[index].constant
    }

    /// Returns an argument as it came: an array of one row when it is constant.
    pub(crate) fn unrepeated(&self, index: usize) -> &ArrayRef {
        &self.columns[index].array
    }

    /// Returns an argument as an array of [`Arguments::rows`] rows.
    pub(crate) fn array(&self, index: usize) -> Result<ArrayRef> {
        let column = &self.columns[index];
        if column.constant && self.rows != 1 {
            return ScalarValue::try_from_array(&column.array, 0)?.to_array_of_size(self.rows);
        }
        Ok(Arc::clone(&column.array))
    }

    /// Returns an argument as strings.
    pub(crate) fn text(&self, index: usize) -> Result<Text<'_>> {
        let column = &self.columns[index];
        let Some(array) = column.array.as_string_opt::<i32>() else {
            return internal_err!("argument {} is not a string", index + 1);
        };
        Ok(Text { array, constant: column.constant })
    }

    /// Returns an argument as values of a primitive type.
    pub(crate) fn primitive<T: ArrowPrimitiveType>(&self, index: usize) -> Result<Primitive<'_, T>> {
        let column = &self.columns[index];
        let Some(array) = column.array.as_primitive_opt::<T>() else {
            return internal_err!("argument {} is not of type {}", index + 1, T::DATA_TYPE);
        };
        Ok(Primitive { array, constant: column.constant })
    }
}

/// A string argument.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    array: &'a StringArray,
    constant: bool,
}

impl<'a> Text<'a> {
    /// Returns the value of a row.
    pub(crate) fn get(self, row: usize) -> Option<&'a str> {
        let row = if self.constant { 0 } else { row };
        (!self.array.is_null(row)).then(|| self.array.value(row))
    }
}

/// A numeric or temporal argument.
#[derive(Clone, Copy)]
pub(crate) struct Primitive<'a, T: ArrowPrimitiveType> {
    array: &'a PrimitiveArray<T>,
    constant: bool,
}

impl<T: ArrowPrimitiveType> Primitive<'_, T> {
    /// Returns the value of a row.
    pub(crate) fn get(&self, row: usize) -> Option<T::Native> {
        let row = if self.constant { 0 } else { row };
        (!self.array.is_null(row)).then(|| self.array.value(row))
    }
}

/// Collects the strings that `value` makes of each row.
pub(crate) fn strings<S: AsRef<str>>(
    rows: usize,
    mut value: impl FnMut(usize) -> Result<Option<S>>,
) -> Result<ArrayRef> {
    let mut builder = StringBuilder::with_capacity(rows, rows * 16);
    for row in 0..rows {
        builder.append_option(value(row)?);
    }
    Ok(Arc::new(builder.finish()))
}

/// Collects the strings that `write` makes of each row; it returns `false` for NULL. One buffer serves all rows.
pub(crate) fn written(
    rows: usize,
    mut write: impl FnMut(usize, &mut String) -> Result<bool>,
) -> Result<ArrayRef> {
    let mut builder = StringBuilder::with_capacity(rows, rows * 16);
    let mut text = String::new();
    for row in 0..rows {
        text.clear();
        match write(row, &mut text)? {
            true => builder.append_value(&text),
            false => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Collects the numbers or times that `value` makes of each row.
pub(crate) fn primitives<T: ArrowPrimitiveType>(
    rows: usize,
    mut value: impl FnMut(usize) -> Result<Option<T::Native>>,
) -> Result<ArrayRef> {
    let mut builder = arrow::array::PrimitiveBuilder::<T>::with_capacity(rows);
    for row in 0..rows {
        builder.append_option(value(row)?);
    }
    Ok(Arc::new(builder.finish()))
}

/// Collects the truth values that `value` makes of each row.
pub(crate) fn booleans(
    rows: usize,
    mut value: impl FnMut(usize) -> Result<Option<bool>>,
) -> Result<ArrayRef> {
    let values = (0..rows).map(&mut value).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(BooleanArray::from(values)))
}

/// Makes the error of a row that an expression cannot be evaluated on.
pub(crate) fn row_error<T>(text: String) -> Result<T> {
    Err(exec_datafusion_err!("{text}"))
}
