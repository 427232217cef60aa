//! FLOAT and DOUBLE as text.

use super::number::NumberParts;
use super::written;

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Parses a decimal number with an optional exponent; `None` when it is anything else or out of range.
pub fn parse_float(text: impl AsRef<[u8]>) -> Option<f64> {
    let bytes = text.as_ref();
    let parts = NumberParts::split(bytes)?;
    if let Some((mantissa, exponent)) = short_form(&parts)
        && let Some(value) = scale_double(mantissa, exponent)
    {
        return Some(if parts.negative { -value } else { value });
    }
    std::str::from_utf8(bytes).ok()?.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Parses a decimal number to single precision, rounding once; `None` as for [`parse_float`].
pub fn parse_single(text: impl AsRef<[u8]>) -> Option<f32> {
    let bytes = text.as_ref();
    let parts = NumberParts::split(bytes)?;
    if let Some((mantissa, exponent)) = short_form(&parts)
        && let Some(value) = scale_single(mantissa, exponent)
    {
        return Some(if parts.negative { -value } else { value });
    }
    std::str::from_utf8(bytes).ok()?.parse().ok().filter(|value: &f32| value.is_finite())
}

/// Returns `mantissa * 10^exponent` when one exact operation gives the correctly rounded result.
#[inline]
pub fn scale_double(mantissa: u64, exponent: i64) -> Option<f64> {
    if mantissa > 1 << 53 {
        return None;
    }
    let power = EXACT_POWERS.get(usize::try_from(exponent.unsigned_abs()).ok()?)?;
    Some(if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power })
}

/// The form of [`scale_double`] for single precision, which holds powers up to ten exactly.
#[inline]
pub fn scale_single(mantissa: u64, exponent: i64) -> Option<f32> {
    if mantissa > 1 << 24 || exponent.unsigned_abs() > 10 {
        return None;
    }
    let power = EXACT_POWERS[exponent.unsigned_abs() as usize] as f32;
    Some(if exponent < 0 { mantissa as f32 / power } else { mantissa as f32 * power })
}

/// Returns the digits as one number and its exponent, when there are at most 19 of them.
fn short_form(parts: &NumberParts<'_>) -> Option<(u64, i64)> {
    if parts.integer.len() + parts.fraction.len() > 19 {
        return None;
    }
    let digits = parts.integer.iter().chain(parts.fraction);
    let mantissa = digits.fold(0_u64, |value, b| value * 10 + u64::from(b - b'0'));
    Some((mantissa, parts.exponent - parts.fraction.len() as i64))
}

/// Appends a double in the shortest form that reads back equal: at least one decimal, `1.0E10` outside
/// `1e-3 <= |x| < 1e7`, `NaN`, `Infinity`.
pub fn write_double(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        return write_special(value, out);
    }
    let plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    write_shortest(ryu::Buffer::new().format_finite(value), plain, out);
}

/// Appends a single-precision number by the rules of [`write_double`].
pub fn write_float(value: f32, out: &mut Vec<u8>) {
    if !value.is_finite() {
        return write_special(f64::from(value), out);
    }
    let plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    write_shortest(ryu::Buffer::new().format_finite(value), plain, out);
}

/// Returns a double in the form of [`write_double`].
pub fn format_double(value: f64) -> String {
    written(|out| write_double(value, out))
}

/// Returns a single-precision number in the form of [`write_float`].
pub fn format_float(value: f32) -> String {
    written(|out| write_float(value, out))
}

fn write_special(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(match value {
        value if value.is_nan() => b"NaN",
        value if value > 0.0 => b"Infinity",
        _ => b"-Infinity",
    });
}

/// Appends shortest digits, which come as `123.45`, `0.00123`, `1.5e20` or `1e-7`.
fn write_shortest(text: &str, plain: bool, out: &mut Vec<u8>) {
    // In the plain range the digits come without an exponent and always with a decimal.
    if plain {
        return out.extend_from_slice(text.as_bytes());
    }
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (number, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: Vec<u8> = integer.bytes().chain(fraction.bytes()).collect();
    let first = digits.iter().position(|b| *b != b'0').unwrap_or(0);
    let last = digits.iter().rposition(|b| *b != b'0').unwrap_or(0);
    if negative {
        out.push(b'-');
    }
    out.push(digits[first]);
    out.push(b'.');
    match &digits[first + 1..=last.max(first)] {
        [] => out.push(b'0'),
        rest => out.extend_from_slice(rest),
    }
    out.push(b'E');
    super::write_integer(i64::from(exponent) + integer.len() as i64 - 1 - first as i64, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_the_dialect_accepts() {
        for (text, value) in [
            ("1", Some(1.0)),
            ("-1.5", Some(-1.5)),
            ("+.5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e-3", Some(0.001)),
            ("1E+22", Some(1e22)),
            ("123456789012345678901234567890", Some(1.234_567_890_123_456_8e29)),
            ("0.1234567890123456789", Some(0.123_456_789_012_345_68)),
            ("-0.0", Some(-0.0)),
            ("1e999", None),
            ("NaN", None),
            ("Infinity", None),
            ("NA", None),
            ("", None),
            ("-", None),
            ("1e", None),
            ("0x10", None),
            ("1 ", None),
        ] {
            assert_eq!(parse_float(text).map(f64::to_bits), value.map(f64::to_bits), "{text}");
        }
        assert_eq!(parse_single("0.1"), Some(0.1_f32));
        assert_eq!(parse_single("1e39"), None);
    }

    #[test]
    fn writes_as_java_does() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.001, "0.001"),
            (0.000_999, "9.99E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1e10, "1.0E10"),
            (-1.234e-7, "-1.234E-7"),
            (123_456_789.125, "1.23456789125E8"),
            (5e-324, "5.0E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (1e16, "1.0E16"),
            (1e17, "1.0E17"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(format_double(value), text);
        }
        assert_eq!(format_float(0.1), "0.1");
        assert_eq!(format_float(3.4e38), "3.4E38");
        assert_eq!(format_float(1.5e7), "1.5E7");
    }

    #[test]
    fn written_numbers_read_back_equal() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let double = f64::from_bits(bits);
            if double.is_finite() {
                assert_eq!(parse_float(format_double(double)), Some(double));
            }
            let single = f32::from_bits((bits >> 32) as u32);
            if single.is_finite() {
                assert_eq!(parse_single(format_float(single)), Some(single));
            }
        }
    }
}
