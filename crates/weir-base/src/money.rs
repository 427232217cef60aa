//! Money as an exact decimal with six places.
//!
//! A whole number of millionths: sums are exact in every order, both databases add them as they are, and no value
//! has two forms. The price of a second of one SPU is far above a millionth, so that what is smaller can be
//! carried by whoever computes it; see `weir-control`'s pricing.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};
use std::str::FromStr;

/// Places after the point.
const PLACES: usize = 6;
/// Millionths in one.
const ONE: i64 = 1_000_000;

/// An amount, in millionths of the unit of the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

/// What is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnAmount;

impl fmt::Display for NotAnAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected a decimal number with at most {PLACES} places after the point, below 9,000,000,000,000"
        )
    }
}

impl std::error::Error for NotAnAmount {}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Returns an amount of millionths.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the amount in millionths.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the nearest number for JSON, which has no decimals of its own.
    #[allow(clippy::cast_precision_loss)] // Exact up to nine thousand million, and for people beyond.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// Returns the sum, or `None` when it is too large to be kept.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) =
            (self.0.unsigned_abs() / ONE.unsigned_abs(), self.0.unsigned_abs() % ONE.unsigned_abs());
        let digits = format!("{part:06}");
        // At least two places, as money is written.
        let digits = digits.trim_end_matches('0');
        write!(f, "{sign}{whole}.{digits:0<2}")
    }
}

impl FromStr for Money {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || part.len() > PLACES || !is_number(whole) || !is_number(part) {
            return Err(NotAnAmount);
        }
        let whole: i64 = whole.parse().map_err(|_| NotAnAmount)?;
        let part: i64 = format!("{part:0<PLACES$}").parse().map_err(|_| NotAnAmount)?;
        let micros = whole.checked_mul(ONE).and_then(|micros| micros.checked_add(part)).ok_or(NotAnAmount)?;
        Ok(Self(if negative { -micros } else { micros }))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_and_read_as_it_is() {
        for (text, micros) in [
            ("0.00", 0),
            ("0.50", 500_000),
            ("-0.000001", -1),
            ("12.345678", 12_345_678),
            ("7.00", 7_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Money(micros)));
            assert_eq!(Money(micros).to_string(), text);
        }
        assert_eq!("3".parse(), Ok(Money(3_000_000)));
        assert_eq!("0.1".parse(), Ok(Money(100_000)));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "-", ".5", "1e3", "0.0000001", "1,5", "+1", "9999999999999999999", "1.-2", "--1"] {
            assert_eq!(text.parse::<Money>(), Err(NotAnAmount), "{text}");
        }
    }

    #[test]
    fn tenths_add_up() {
        let tenth: Money = "0.1".parse().unwrap();
        let sum: Money = std::iter::repeat_n(tenth, 10).sum();
        assert_eq!(sum, "1".parse().unwrap());
        assert_eq!(sum.as_f64(), 1.0);
    }
}
