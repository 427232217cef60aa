//! Rounding that keeps the type of its argument: ABS, CEIL, FLOOR, SIGN, ROUND, truncation.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion_common::{Result, exec_datafusion_err, internal_err};

use crate::kernel::{Arguments, Kernel, primitives};
use crate::registry::Call;

/// A function of one number that keeps its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// ABS.
    Absolute,
    /// CEIL.
    Up,
    /// FLOOR.
    Down,
    /// SIGN.
    Sign,
    /// ROUND.
    Nearest,
}

/// Returns the type that holds every result for a type of numbers: a DECIMAL may need one more digit.
fn widened(of: &DataType, rounding: Rounding) -> DataType {
    let DataType::Decimal128(precision, scale) = of else { return of.clone() };
    let precision = match rounding {
        Rounding::Absolute => *precision,
        Rounding::Up | Rounding::Down if *scale == 0 => *precision,
        Rounding::Up | Rounding::Down | Rounding::Nearest => precision + 1,
        Rounding::Sign => (*precision).max(scale.unsigned_abs() + 1),
    };
    DataType::Decimal128(precision.min(DECIMAL128_MAX_PRECISION), *scale)
}

/// Returns the function for a type.
pub(crate) fn call(name: &'static str, of: &DataType, rounding: Rounding) -> Call {
    let numeric = widened(of, rounding);
    let returns = numeric.clone();
    let kernel = Kernel::new(name, 1, returns.clone(), move |a| {
        let array = a.array(0)?;
        match &numeric {
            DataType::Int8 => integer::<Int8Type>(&array, rounding),
            DataType::Int16 => integer::<Int16Type>(&array, rounding),
            DataType::Int32 => integer::<Int32Type>(&array, rounding),
            DataType::Int64 => integer::<Int64Type>(&array, rounding),
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>();
                Ok(Arc::new(values.unary::<_, Float32Type>(|n| double(f64::from(n), rounding) as f32)))
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>();
                Ok(Arc::new(values.unary::<_, Float64Type>(|n| double(n, rounding))))
            }
            DataType::Decimal128(precision, scale) => {
                let one = 10i128.pow(u32::from(scale.unsigned_abs()));
                let values = array.as_primitive::<Decimal128Type>();
                let result = values.unary::<_, Decimal128Type>(|n| decimal(n, one, rounding));
                let result = result.with_precision_and_scale(*precision, *scale)?;
                result.validate_decimal_precision(*precision)?;
                Ok(Arc::new(result))
            }
            other => internal_err!("{other} is not numeric"),
        }
    });
    Call { function: kernel.variant(of).into_function(), returns }
}

fn integer<T: ArrowPrimitiveType>(array: &ArrayRef, rounding: Rounding) -> Result<ArrayRef>
where
    T::Native: TryFrom<i64> + Into<i64>,
{
    let values = array.as_primitive::<T>();
    let result = values.try_unary::<_, T, _>(|n| {
        let wide: i64 = n.into();
        let result = match rounding {
            Rounding::Absolute => wide.checked_abs(),
            Rounding::Up | Rounding::Down | Rounding::Nearest => Some(wide),
            Rounding::Sign => Some(wide.signum()),
        };
        result
            .and_then(|n| T::Native::try_from(n).ok())
            .ok_or_else(|| exec_datafusion_err!("the absolute value of {wide} is out of range"))
    })?;
    Ok(Arc::new(result))
}

fn double(n: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::Absolute => n.abs(),
        Rounding::Up => n.ceil(),
        Rounding::Down => n.floor(),
        Rounding::Nearest => n.round(),
        Rounding::Sign if n == 0.0 || n.is_nan() => n,
        Rounding::Sign => n.signum(),
    }
}

fn decimal(n: i128, one: i128, rounding: Rounding) -> i128 {
    let down = n.div_euclid(one) * one;
    match rounding {
        Rounding::Absolute => n.abs(),
        Rounding::Down => down,
        Rounding::Up if down == n => n,
        Rounding::Up => down + one,
        Rounding::Sign => n.signum() * one,
        Rounding::Nearest => (n + n.signum() * (one / 2)) / one * one,
    }
}

/// Returns the function `ROUND` for a number and an optional count of decimals.
pub(crate) fn round(types: &[DataType]) -> Call {
    let numeric = widened(&types[0], Rounding::Nearest);
    let returns = numeric.clone();
    let kernel = Kernel::new("round", types.len(), returns.clone(), move |a| match &numeric {
        DataType::Int8 => round_integer::<Int8Type>(a),
        DataType::Int16 => round_integer::<Int16Type>(a),
        DataType::Int32 => round_integer::<Int32Type>(a),
        DataType::Int64 => round_integer::<Int64Type>(a),
        DataType::Float32 => {
            let values = a.primitive::<Float32Type>(0)?;
            primitives::<Float32Type>(a.rows, |row| {
                let (Some(n), Some(d)) = (values.get(row), decimals(a, row)?) else { return Ok(None) };
                Ok(Some(round_text(&n.to_string(), f64::from(n), d) as f32))
            })
        }
        DataType::Float64 => {
            let values = a.primitive::<Float64Type>(0)?;
            primitives::<Float64Type>(a.rows, |row| {
                let (Some(n), Some(d)) = (values.get(row), decimals(a, row)?) else { return Ok(None) };
                Ok(Some(round_double(n, d)))
            })
        }
        DataType::Decimal128(precision, scale) => {
            let values = a.primitive::<Decimal128Type>(0)?;
            let result = primitives::<Decimal128Type>(a.rows, |row| {
                let (Some(n), Some(d)) = (values.get(row), decimals(a, row)?) else { return Ok(None) };
                Ok(Some(round_unscaled(n, i64::from(*scale).saturating_sub(d))?))
            })?;
            let result = result.as_primitive::<Decimal128Type>().clone();
            let result = result.with_precision_and_scale(*precision, *scale)?;
            result.validate_decimal_precision(*precision)?;
            Ok(Arc::new(result))
        }
        other => internal_err!("{other} is not numeric"),
    });
    Call { function: kernel.variant(&types[0]).into_function(), returns }
}

fn decimals(a: &Arguments, row: usize) -> Result<Option<i64>> {
    if a.len() < 2 { Ok(Some(0)) } else { Ok(a.primitive::<Int64Type>(1)?.get(row)) }
}

fn round_integer<T: ArrowPrimitiveType>(a: &Arguments) -> Result<ArrayRef>
where
    T::Native: TryFrom<i128> + Into<i64>,
{
    let values = a.primitive::<T>(0)?;
    primitives::<T>(a.rows, |row| {
        let (Some(n), Some(d)) = (values.get(row), decimals(a, row)?) else { return Ok(None) };
        let wide: i64 = n.into();
        let rounded = round_unscaled(i128::from(wide), d.saturating_neg())?;
        match T::Native::try_from(rounded) {
            Ok(rounded) => Ok(Some(rounded)),
            Err(_) => Err(exec_datafusion_err!("{wide} rounded to {d} decimals is out of range")),
        }
    })
}

/// Sets the last `digits` digits to zero, rounding half away from zero.
fn round_unscaled(n: i128, digits: i64) -> Result<i128> {
    let Ok(digits) = u32::try_from(digits) else { return Ok(n) };
    let Some(unit) = 10i128.checked_pow(digits) else { return Ok(0) };
    let half = if n < 0 { -(unit / 2) } else { unit / 2 };
    let carried = n.checked_add(half).ok_or_else(|| exec_datafusion_err!("{n} is out of range for ROUND"))?;
    Ok(if digits == 0 { n } else { carried / unit * unit })
}

/// Rounds by the digits that the number is written with. Nearly always the product with a power of ten, which is
/// exact up to the 22nd, tells on which side of the half it is; only close to the half the digits are needed.
fn round_double(n: f64, d: i64) -> f64 {
    if let Ok(exponent @ 0..=22) = i32::try_from(d) {
        let power = 10f64.powi(exponent);
        let scaled = n * power;
        // Below 2^36 the product is off by less than 2^-17.
        if scaled.abs() < 68_719_476_736.0 && (scaled.fract().abs() - 0.5).abs() > 1e-4 {
            return scaled.round() / power;
        }
    }
    round_text(&n.to_string(), n, d)
}

/// Rounds by the digits that the number is written with, so that 1.005 becomes 1.01.
fn round_text(written: &str, n: f64, d: i64) -> f64 {
    if !n.is_finite() {
        return n;
    }
    let digits = written.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let Ok(fraction_length) = i64::try_from(fraction.len()) else { return n };
    if d >= fraction_length {
        return n;
    }
    let Ok(unscaled) = format!("{whole}{fraction}").parse::<i128>() else {
        // More than 38 digits without zeros before them: a large number, which has no fraction.
        return if d > 0 { n } else { round_large(whole, n, d) };
    };
    let Ok(rounded) = round_unscaled(unscaled, fraction_length.saturating_sub(d)) else { return n };
    let value = format!("{rounded}e-{fraction_length}").parse::<f64>().unwrap_or(n);
    if n.is_sign_negative() { -value } else { value }
}

/// Rounds a number of many digits before the point to a place before the point.
fn round_large(whole: &str, n: f64, d: i64) -> f64 {
    let dropped = usize::try_from(d.unsigned_abs()).unwrap_or(usize::MAX);
    let Some(kept) = whole.len().checked_sub(dropped) else { return 0.0f64.copysign(n) };
    let mut digits = whole.as_bytes()[..kept].to_vec();
    if whole.as_bytes().get(kept).is_some_and(|first| *first >= b'5') {
        let nines = digits.iter().rev().take_while(|digit| **digit == b'9').count();
        digits.truncate(kept - nines);
        match digits.last_mut() {
            Some(last) => *last += 1,
            None => digits.push(b'1'),
        }
        digits.resize(digits.len() + nines, b'0');
    }
    let text = String::from_utf8(digits).unwrap_or_default();
    let value = format!("0{text}e{dropped}").parse::<f64>().unwrap_or(n);
    value.copysign(n)
}

/// Returns the function that cuts the fraction of a DOUBLE off; used for averages of integers.
pub fn truncate() -> Call {
    let kernel = Kernel::new("trunc", 1, DataType::Float64, |a| {
        let array = a.array(0)?;
        Ok(Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::trunc)))
    });
    Call { function: kernel.into_function(), returns: DataType::Float64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_round_by_their_written_digits() {
        for (n, d, expected) in [
            (1.005, 2, 1.01),
            (21.267, 2, 21.27),
            (-2.5, 0, -3.0),
            (1234.5, -2, 1200.0),
            (0.1, 5, 0.1),
            (5e-324, 2, 0.0),
            (1e300, i64::MIN, 0.0),
            (1e300, i64::MAX, 1e300),
            (1e300, -300, 1e300),
            (-9.6e299, -300, -1e300),
            (4.9e299, -300, 0.0),
            (1.25e50, -49, 1.3e50),
            (2.675, 2, 2.68),
            (-0.4, 0, -0.0),
        ] {
            assert_eq!(round_text(&n.to_string(), n, d), expected, "ROUND({n}, {d})");
            assert_eq!(
                round_double(n, d).to_bits(),
                round_text(&n.to_string(), n, d).to_bits(),
                "ROUND({n}, {d})"
            );
        }
    }

    #[test]
    fn the_quick_way_gives_what_the_digits_give() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let n = (state >> 20) as f64 / 1e6 - 5e6;
            let d = (state % 9) as i64;
            let (quick, slow) = (round_double(n, d), round_text(&n.to_string(), n, d));
            assert_eq!(quick.to_bits(), slow.to_bits(), "ROUND({n}, {d}) is {quick} or {slow}");
        }
    }

    #[test]
    fn unscaled_digits_round_half_away_from_zero() {
        for (n, digits, expected) in
            [(25, 1, 30), (-25, 1, -30), (24, 1, 20), (24, 0, 24), (24, -3, 24), (7, 50, 0)]
        {
            assert_eq!(round_unscaled(n, digits).expect("in range"), expected);
        }
    }
}
