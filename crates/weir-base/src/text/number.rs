//! BOOLEAN, the integer types and DECIMAL as text.

use super::written;

/// Parses `true` or `false` in any case.
pub fn parse_boolean(text: impl AsRef<[u8]>) -> Option<bool> {
    let bytes = text.as_ref();
    if bytes.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if bytes.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}

/// An integer type of the dialect: `i8`, `i16`, `i32` or `i64`.
pub trait Integer: Copy {
    /// Narrows a value, `None` when it is out of range.
    fn narrow(value: i64) -> Option<Self>;
}

macro_rules! integers {
    ($($type:ty),*) => {
        $(impl Integer for $type {
            #[inline]
            fn narrow(value: i64) -> Option<Self> {
                Self::try_from(value).ok()
            }
        })*
    };
}
integers!(i8, i16, i32, i64);

/// Why a text is not an integer of the wanted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegerError {
    /// It is not an optional sign and digits.
    Malformed,
    /// It is an integer, but too large or too small.
    OutOfRange,
}

/// Parses an optional sign and digits; `None` when it is anything else or out of range.
pub fn parse_integer<T: Integer>(text: impl AsRef<[u8]>) -> Option<T> {
    try_parse_integer(text).ok()
}

/// Parses an optional sign and digits, telling malformed text from a value out of range.
pub fn try_parse_integer<T: Integer>(text: impl AsRef<[u8]>) -> Result<T, IntegerError> {
    let bytes = text.as_ref();
    let (negative, digits) = split_sign(bytes);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(IntegerError::Malformed);
    }
    let mut value: i64 = 0;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        // Counted down from zero for negative numbers, so that the smallest one fits.
        let next = value
            .checked_mul(10)
            .and_then(|v| if negative { v.checked_sub(digit) } else { v.checked_add(digit) });
        value = next.ok_or(IntegerError::OutOfRange)?;
    }
    T::narrow(value).ok_or(IntegerError::OutOfRange)
}

/// Parses a decimal number with an optional exponent to its unscaled value, rounded half up to `scale`.
///
/// Returns `None` when the text is not a number or does not fit `precision` digits.
pub fn parse_decimal(text: impl AsRef<[u8]>, precision: u8, scale: i8) -> Option<i128> {
    let parts = NumberParts::split(text.as_ref())?;
    let limit = 10_i128.checked_pow(u32::from(precision))?;
    let digits = parts.integer.len() + parts.fraction.len();
    let digit = |i: usize| match i.checked_sub(parts.integer.len()) {
        None => parts.integer[i] - b'0',
        Some(i) => parts.fraction.get(i).map_or(0, |b| b - b'0'),
    };
    let Some(first) = (0..digits).find(|i| digit(*i) != 0) else { return Some(0) };
    // How many of the digits (with zeros after them) stand before the point of the unscaled value.
    let kept = parts.integer.len() as i64 + parts.exponent + i64::from(scale);
    let Ok(kept) = usize::try_from(kept) else { return Some(0) };
    if kept.saturating_sub(first) > 38 {
        return None;
    }
    let mut value: i128 = 0;
    for i in first..kept {
        value = value * 10 + i128::from(digit(i));
    }
    if kept < digits && digit(kept) >= 5 {
        value += 1;
    }
    (value < limit).then_some(if parts.negative { -value } else { value })
}

/// Returns whether the text is a decimal number with an optional exponent, whatever its size.
pub fn is_number(text: impl AsRef<[u8]>) -> bool {
    NumberParts::split(text.as_ref()).is_some()
}

/// The parts of a decimal number.
pub(super) struct NumberParts<'a> {
    pub negative: bool,
    pub integer: &'a [u8],
    pub fraction: &'a [u8],
    pub exponent: i64,
}

impl<'a> NumberParts<'a> {
    /// Splits `[+-]digits[.digits][e[+-]digits]`; one side of the point may be empty, not both.
    pub fn split(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = split_sign(text);
        let (integer, rest) = split_digits(rest);
        let (fraction, rest) = match rest.strip_prefix(b".") {
            Some(rest) => split_digits(rest),
            None => (&rest[..0], rest),
        };
        if integer.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest.split_first() {
            None => 0,
            Some((b'e' | b'E', exponent)) => parse_exponent(exponent)?,
            Some(_) => return None,
        };
        Some(Self { negative, integer, fraction, exponent })
    }
}

/// Parses an exponent; far beyond any number that fits a type it is held at a billion.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = split_sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0_i64, |value, b| (value * 10 + i64::from(b - b'0')).min(1_000_000_000));
    Some(if negative { -value } else { value })
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|b| b.is_ascii_digit()).count())
}

/// Appends an integer.
pub fn write_integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    write_digits(u128::from(value.unsigned_abs()), 1, out);
}

/// Appends a decimal with exactly `scale` digits after the point; a negative scale appends zeros.
pub fn write_decimal(unscaled: i128, scale: i8, out: &mut Vec<u8>) {
    if unscaled < 0 {
        out.push(b'-');
    }
    let magnitude = unscaled.unsigned_abs();
    let Ok(scale) = usize::try_from(scale) else {
        write_digits(magnitude, 1, out);
        if magnitude != 0 {
            out.resize(out.len() + usize::from(scale.unsigned_abs()), b'0');
        }
        return;
    };
    write_digits(magnitude, scale + 1, out);
    if scale > 0 {
        let point = out.len() - scale;
        out.insert(point, b'.');
    }
}

/// Returns a decimal with exactly `scale` digits after the point.
pub fn format_decimal(unscaled: i128, scale: i8) -> String {
    written(|out| write_decimal(unscaled, scale, out))
}

/// Appends a magnitude with at least `width` digits. `width` is at most 129: a scale is an `i8`.
fn write_digits(mut value: u128, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 130];
    let mut start = digits.len();
    // Division of 64 bits is many times cheaper than of 128.
    while value > u128::from(u64::MAX) {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    let mut value = value as u64;
    while value != 0 {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    let start = start.min(digits.len() - width.min(digits.len()));
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans() {
        for (text, value) in
            [("true", Some(true)), ("FALSE", Some(false)), ("True", Some(true)), ("yes", None), ("1", None)]
        {
            assert_eq!(parse_boolean(text), value, "{text}");
        }
    }

    #[test]
    fn integers() {
        assert_eq!(try_parse_integer::<i8>("-128"), Ok(-128));
        assert_eq!(try_parse_integer::<i8>("128"), Err(IntegerError::OutOfRange));
        assert_eq!(try_parse_integer::<i16>("+0032767"), Ok(32_767));
        assert_eq!(try_parse_integer::<i32>("99999999999"), Err(IntegerError::OutOfRange));
        assert_eq!(try_parse_integer::<i64>("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(try_parse_integer::<i64>("9223372036854775808"), Err(IntegerError::OutOfRange));
        for text in ["", "-", "+", "x2", "1.0", "1e3", " 1", "1_000", "99999999999999999999x"] {
            assert_eq!(try_parse_integer::<i64>(text), Err(IntegerError::Malformed), "{text}");
        }
    }

    #[test]
    fn decimals() {
        for (text, precision, scale, value) in [
            ("1.005", 10, 2, Some(101)),
            ("-1.005", 10, 2, Some(-101)),
            ("1.0049", 10, 2, Some(100)),
            ("12", 10, 2, Some(1_200)),
            ("1.5e3", 10, 2, Some(150_000)),
            ("15e-3", 10, 2, Some(2)),
            ("4e-3", 10, 2, Some(0)),
            (".5", 1, 0, Some(1)),
            ("5.", 1, 0, Some(5)),
            ("9.995", 3, 2, None),
            ("1000", 3, 0, None),
            ("0e999999999999", 3, 0, Some(0)),
            ("1e999999999999", 3, 0, None),
            ("1e-999999999999", 3, 0, Some(0)),
            ("99999999999999999999999999999999999999", 38, 0, Some(10_i128.pow(38) - 1)),
            ("100000000000000000000000000000000000000", 38, 0, None),
            ("0.00000000000000000000000000000000000000001", 38, 18, Some(0)),
            ("0.5e-2", 10, 2, Some(1)),
            ("", 10, 2, None),
            (".", 10, 2, None),
            ("1e", 10, 2, None),
            ("1.2.3", 10, 2, None),
            ("NaN", 10, 2, None),
        ] {
            assert_eq!(parse_decimal(text, precision, scale), value, "{text}");
        }
    }

    #[test]
    fn decimals_are_written_with_their_scale() {
        assert_eq!(format_decimal(-5, 2), "-0.05");
        assert_eq!(format_decimal(12_345, 2), "123.45");
        assert_eq!(format_decimal(0, 3), "0.000");
        assert_eq!(format_decimal(7, 0), "7");
        assert_eq!(format_decimal(7, -2), "700");
        assert_eq!(format_decimal(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
        let mut out = Vec::new();
        write_integer(i64::MIN, &mut out);
        assert_eq!(out, b"-9223372036854775808");
    }
}
