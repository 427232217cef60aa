//! Arithmetic functions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::kernels::numeric::rem;
use arrow::compute::{binary, cast};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion_common::Result;
use datafusion_expr::ScalarUDF;

use crate::kernel::{Kernel, row_error};
use crate::random;
use crate::registry::Parameter::{Double, Integer, Number};
use crate::registry::{Call, Context, Family, Function, Parameter};
use crate::rounding::{self, Rounding};

const fn math(
    name: &'static str,
    synopsis: &'static str,
    meaning: &'static str,
    parameters: &'static [Parameter],
    build: fn(&[DataType], &Context) -> Call,
) -> Function {
    Function::new(Family::Math, name, synopsis, meaning, parameters, build)
}

/// The arithmetic functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    math("ABS", "ABS(n)", "Absolute value.", &[Number], |t, _| {
        rounding::call("abs", &t[0], Rounding::Absolute)
    }),
    math("CEIL", "CEIL(n)", "Smallest integral value not below n.", &[Number], |t, _| {
        rounding::call("ceil", &t[0], Rounding::Up)
    }),
    math("CEILING", "CEILING(n)", "Smallest integral value not below n.", &[Number], |t, _| {
        rounding::call("ceil", &t[0], Rounding::Up)
    }),
    math("FLOOR", "FLOOR(n)", "Greatest integral value not above n.", &[Number], |t, _| {
        rounding::call("floor", &t[0], Rounding::Down)
    }),
    math("SIGN", "SIGN(n)", "1, 0 or -1 by the sign of n.", &[Number], |t, _| {
        rounding::call("sign", &t[0], Rounding::Sign)
    }),
    math(
        "ROUND",
        "ROUND(n [, d])",
        "Rounds half away from zero to d decimals.",
        &[Number, Integer],
        |t, _| rounding::round(t),
    )
    .optional(1),
    math("POWER", "POWER(a, b)", "a raised to b.", &[Double; 2], |_, _| double2("power", f64::powf)),
    math("SQRT", "SQRT(n)", "Square root; NaN for a negative n.", &[Double], |_, _| {
        double1("sqrt", f64::sqrt)
    }),
    math("LN", "LN(n)", "Natural logarithm.", &[Double], |_, _| double1("ln", f64::ln)),
    math("LOG10", "LOG10(n)", "Logarithm to base 10.", &[Double], |_, _| double1("log10", f64::log10)),
    math("LOG2", "LOG2(n)", "Logarithm to base 2.", &[Double], |_, _| double1("log2", f64::log2)),
    math("LOG", "LOG([b,] n)", "Logarithm of n to base b, or to base e.", &[Double, Double], |types, _| {
        if types.len() == 1 { double1("ln", f64::ln) } else { double2("log", logarithm) }
    })
    .optional(1),
    math("EXP", "EXP(n)", "e raised to n.", &[Double], |_, _| double1("exp", f64::exp)),
    math("SIN", "SIN(n)", "Sine of n radians.", &[Double], |_, _| double1("sin", f64::sin)),
    math("COS", "COS(n)", "Cosine of n radians.", &[Double], |_, _| double1("cos", f64::cos)),
    math("TAN", "TAN(n)", "Tangent of n radians.", &[Double], |_, _| double1("tan", f64::tan)),
    math("COT", "COT(n)", "Cotangent of n radians; Infinity for 0.", &[Double], |_, _| {
        double1("cot", |n| 1.0 / n.tan())
    }),
    math("ASIN", "ASIN(n)", "Arc sine in radians.", &[Double], |_, _| double1("asin", f64::asin)),
    math("ACOS", "ACOS(n)", "Arc cosine in radians.", &[Double], |_, _| double1("acos", f64::acos)),
    math("ATAN", "ATAN(n)", "Arc tangent in radians.", &[Double], |_, _| double1("atan", f64::atan)),
    math("ATAN2", "ATAN2(y, x)", "Angle of the point (x, y) in radians.", &[Double; 2], |_, _| {
        double2("atan2", f64::atan2)
    }),
    math("SINH", "SINH(n)", "Hyperbolic sine.", &[Double], |_, _| double1("sinh", f64::sinh)),
    math("COSH", "COSH(n)", "Hyperbolic cosine.", &[Double], |_, _| double1("cosh", f64::cosh)),
    math("TANH", "TANH(n)", "Hyperbolic tangent.", &[Double], |_, _| double1("tanh", f64::tanh)),
    math("DEGREES", "DEGREES(n)", "Radians to degrees.", &[Double], |_, _| {
        double1("degrees", f64::to_degrees)
    }),
    math("RADIANS", "RADIANS(n)", "Degrees to radians.", &[Double], |_, _| {
        double1("radians", f64::to_radians)
    }),
    math("PI", "PI()", "The constant pi.", &[], |_, _| constant("pi", std::f64::consts::PI)),
    math("E", "E()", "The constant e.", &[], |_, _| constant("e", std::f64::consts::E)),
    math(
        "RAND",
        "RAND([seed])",
        "A random DOUBLE from 0 to below 1; a literal seed fixes the sequence of the job.",
        &[Integer],
        |types, _| random::rand_double(types.len()),
    )
    .optional(1),
    math(
        "RAND_INTEGER",
        "RAND_INTEGER([seed,] bound)",
        "A random INT from 0 to below the bound; a literal seed fixes the sequence of the job.",
        &[Integer, Integer],
        |types, _| random::rand_integer(types.len()),
    )
    .optional(1),
];

fn doubles(function: Arc<ScalarUDF>) -> Call {
    Call { function, returns: DataType::Float64 }
}

fn double1(name: &'static str, apply: fn(f64) -> f64) -> Call {
    let kernel = Kernel::new(name, 1, DataType::Float64, move |a| {
        let values = a.array(0)?;
        Ok(Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(apply)))
    });
    doubles(kernel.into_function())
}

fn double2(name: &'static str, apply: fn(f64, f64) -> f64) -> Call {
    let kernel = Kernel::new(name, 2, DataType::Float64, move |a| {
        let (left, right) = (a.array(0)?, a.array(1)?);
        let result: Float64Array =
            binary(left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>(), apply)?;
        Ok(Arc::new(result))
    });
    doubles(kernel.into_function())
}

/// The quotient of two logarithms, corrected when the result is a whole number.
fn logarithm(base: f64, n: f64) -> f64 {
    let quotient = n.ln() / base.ln();
    let whole = quotient.round();
    if whole != quotient && base.powf(whole) == n { whole } else { quotient }
}

fn constant(name: &'static str, value: f64) -> Call {
    let kernel = Kernel::new(name, 0, DataType::Float64, move |a| {
        Ok(Arc::new(Float64Array::from(vec![value; a.rows])) as ArrayRef)
    });
    doubles(kernel.into_function())
}

/// Returns the function behind `MOD` and `%` for two arguments of one numeric type: the remainder
/// with the sign of the first; zero as divisor is an error of the row.
pub fn modulo(of: &DataType) -> Call {
    let returns = of.clone();
    let kernel = Kernel::new("mod", 2, of.clone(), move |a| {
        let (left, right) = (a.array(0)?, a.array(1)?);
        if has_zero(&right, &left) {
            return row_error("MOD by zero".to_string());
        }
        match rem(&left, &right) {
            Ok(result) => cast_back(result, &returns),
            // Integers and decimals notice it themselves.
            Err(arrow::error::ArrowError::DivideByZero) => row_error("MOD by zero".to_string()),
            Err(error) => Err(error.into()),
        }
    });
    Call { function: kernel.variant(of).into_function(), returns: of.clone() }
}

fn cast_back(array: ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if array.data_type() == to { Ok(array) } else { Ok(cast(&array, to)?) }
}

/// Tells whether a row divides a floating number by zero.
fn has_zero(divisor: &ArrayRef, dividend: &ArrayRef) -> bool {
    let divides = |row: usize| !dividend.is_null(row) && !divisor.is_null(row);
    if let Some(values) = divisor.as_primitive_opt::<Float64Type>() {
        return (0..values.len()).any(|row| values.value(row) == 0.0 && divides(row));
    }
    match divisor.as_primitive_opt::<Float32Type>() {
        Some(values) => (0..values.len()).any(|row| values.value(row) == 0.0 && divides(row)),
        None => false,
    }
}
