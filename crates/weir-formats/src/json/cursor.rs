//! A position in the text of one record, and the grammar of JSON's values.
//!
//! The record is valid UTF-8 before a cursor is made; everything else is checked while it moves, in
//! values that no column wants too, so that what one job accepts another does not find broken.

use weir_base::text;

use super::escapes::unescape;
use super::problem::Problem;
use super::scan::find_special;

/// Objects and arrays may nest this deep in values that are skipped or taken as text. It is serde_json's limit.
const DEEPEST: usize = 127;

pub(crate) struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub position: usize,
}

/// A string: what stands between its quotes.
pub(crate) struct RawString<'a> {
    pub raw: &'a [u8],
    /// Where it starts in the record.
    pub at: usize,
    pub has_escapes: bool,
}

/// A number: its text and its value as `mantissa * 10^exponent`.
pub(crate) struct Number<'a> {
    pub raw: &'a [u8],
    pub negative: bool,
    /// All digits as one number, when there are at most 19 of them.
    pub mantissa: Option<u64>,
    pub exponent: i64,
    /// Neither fraction nor exponent are written.
    pub is_integer: bool,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Skips blanks and returns the next byte without taking it.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.position) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.position += 1,
                other => return other.copied(),
            }
        }
    }

    /// Returns a syntax problem at this place.
    #[cold]
    pub fn problem(&self, message: &'static str) -> Problem {
        Problem::syntax(message, self.position)
    }

    /// Takes `true`, `false` or `null`.
    #[inline]
    pub fn literal(&mut self, literal: &'static [u8]) -> Result<(), Problem> {
        if self.bytes[self.position..].starts_with(literal) {
            self.position += literal.len();
            return Ok(());
        }
        Err(self.problem("expected a value"))
    }

    /// Takes a string; the cursor is at its opening quote. Escape sequences are not looked at.
    #[inline]
    pub fn string(&mut self) -> Result<RawString<'a>, Problem> {
        let at = self.position + 1;
        let mut end = at;
        let mut has_escapes = false;
        loop {
            end = find_special(self.bytes, end);
            match self.bytes.get(end) {
                Some(b'"') => {
                    self.position = end + 1;
                    return Ok(RawString { raw: &self.bytes[at..end], at, has_escapes });
                }
                Some(b'\\') => {
                    has_escapes = true;
                    end += 2;
                }
                Some(_) => return Err(Problem::syntax("a control character in a string", end)),
                None => return Err(Problem::syntax("a string without end", at - 1)),
            }
        }
    }

    /// Takes a number; the cursor is at its first character.
    #[inline]
    pub fn number(&mut self) -> Result<Number<'a>, Problem> {
        let start = self.position;
        let negative = self.bytes[start] == b'-';
        self.position += usize::from(negative);
        let first = self.position;
        let mut value = 0_u64;
        let integer_digits = self.digits(&mut value);
        if integer_digits == 0 || (integer_digits > 1 && self.bytes[first] == b'0') {
            return Err(Problem::syntax("expected a value", start));
        }
        let mut digits = integer_digits;
        let mut exponent = 0_i64;
        let mut is_integer = true;
        if self.bytes.get(self.position) == Some(&b'.') {
            self.position += 1;
            let fraction_digits = self.digits(&mut value);
            if fraction_digits == 0 {
                return Err(self.problem("expected a digit"));
            }
            digits += fraction_digits;
            exponent = -(fraction_digits as i64);
            is_integer = false;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.position) {
            exponent = exponent.saturating_add(self.exponent()?);
            is_integer = false;
        }
        let raw = &self.bytes[start..self.position];
        Ok(Number { raw, negative, mantissa: (digits <= 19).then_some(value), exponent, is_integer })
    }

    /// Takes digits, adds them to `value` (wrapping when there are many) and returns how many they were.
    #[inline]
    fn digits(&mut self, value: &mut u64) -> usize {
        let start = self.position;
        while let Some(byte) = self.bytes.get(self.position) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.position += 1;
        }
        self.position - start
    }

    fn exponent(&mut self) -> Result<i64, Problem> {
        self.position += 1;
        let negative = self.bytes.get(self.position) == Some(&b'-');
        if negative || self.bytes.get(self.position) == Some(&b'+') {
            self.position += 1;
        }
        let mut value = 0;
        let digits = self.digits(&mut value);
        if digits == 0 {
            return Err(self.problem("expected a digit"));
        }
        // No number that fits a type needs more; held here so that additions cannot overflow.
        let value = if digits > 9 { 1_000_000_000 } else { value as i64 };
        Ok(if negative { -value } else { value })
    }

    /// Takes any value and returns its text.
    pub fn raw_value(&mut self) -> Result<&'a [u8], Problem> {
        self.peek();
        let start = self.position;
        self.skip(DEEPEST)?;
        Ok(&self.bytes[start..self.position])
    }

    /// Takes any value.
    #[inline]
    pub fn skip_value(&mut self) -> Result<(), Problem> {
        self.skip(DEEPEST)
    }

    fn skip(&mut self, depth: usize) -> Result<(), Problem> {
        match self.peek() {
            Some(b'"') => self.string().and_then(|string| string.check()),
            Some(b'-' | b'0'..=b'9') => self.number().and_then(|number| number.check()),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'{' | b'[') if depth == 0 => Err(self.problem("nested too deeply")),
            Some(b'{') => self.skip_object(depth - 1),
            Some(b'[') => self.skip_array(depth - 1),
            _ => Err(self.problem("expected a value")),
        }
    }

    fn skip_object(&mut self, depth: usize) -> Result<(), Problem> {
        self.position += 1;
        if self.peek() == Some(b'}') {
            self.position += 1;
            return Ok(());
        }
        loop {
            self.key()?.check()?;
            self.skip(depth)?;
            if !self.comma_or(b'}')? {
                return Ok(());
            }
        }
    }

    fn skip_array(&mut self, depth: usize) -> Result<(), Problem> {
        self.position += 1;
        if self.peek() == Some(b']') {
            self.position += 1;
            return Ok(());
        }
        loop {
            self.skip(depth)?;
            if !self.comma_or(b']')? {
                return Ok(());
            }
        }
    }

    /// Takes a key and the colon after it.
    pub fn key(&mut self) -> Result<RawString<'a>, Problem> {
        if self.peek() != Some(b'"') {
            return Err(self.problem("expected a key in quotes"));
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return Err(self.problem("expected `:`"));
        }
        self.position += 1;
        Ok(key)
    }

    /// Takes a comma and returns true, or the closing bracket and returns false.
    #[inline]
    pub fn comma_or(&mut self, closing: u8) -> Result<bool, Problem> {
        match self.peek() {
            Some(b',') => {
                self.position += 1;
                Ok(true)
            }
            Some(byte) if byte == closing => {
                self.position += 1;
                Ok(false)
            }
            _ if closing == b'}' => Err(self.problem("expected `,` or `}`")),
            _ => Err(self.problem("expected `,` or `]`")),
        }
    }
}

impl RawString<'_> {
    /// Checks the escape sequences.
    #[inline]
    pub fn check(&self) -> Result<(), Problem> {
        if self.has_escapes { unescape(self.raw, self.at, &mut Vec::new()) } else { Ok(()) }
    }
}

impl Number<'_> {
    /// Returns the value in double precision, `None` when it is out of range.
    #[inline]
    pub fn double(&self) -> Option<f64> {
        match self.mantissa.and_then(|mantissa| text::scale_double(mantissa, self.exponent)) {
            Some(value) => Some(if self.negative { -value } else { value }),
            None => text::parse_float(self.raw),
        }
    }

    /// Returns the value in single precision, rounded once, `None` when it is out of range.
    #[inline]
    pub fn single(&self) -> Option<f32> {
        match self.mantissa.and_then(|mantissa| text::scale_single(mantissa, self.exponent)) {
            Some(value) => Some(if self.negative { -value } else { value }),
            None => text::parse_single(self.raw),
        }
    }

    /// Returns the value when it is written without fraction and exponent and fits 64 bits.
    #[inline]
    pub fn integer(&self) -> Option<i64> {
        let magnitude = self.mantissa.filter(|_| self.is_integer)?;
        if self.negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    }

    /// A skipped number may be of any size.
    #[inline]
    fn check(&self) -> Result<(), Problem> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_accepts_what_serde_accepts() {
        for text in [
            "1",
            "-0",
            "0.5",
            "1e5",
            "1E-5",
            "1.5e+3",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "--1",
            "true",
            "tru",
            "null",
            "nulll",
            r#""a""#,
            r#""a"#,
            r#""\u12""#,
            "\"\u{1}\"",
            "[]",
            "[1,2]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{}",
            r#"{"a":1}"#,
            r#"{"a":1,}"#,
            r#"{"a"}"#,
            r#"{a:1}"#,
            r#"{"a":1 "b":2}"#,
            " { \"a\" : [ 1 , { } ] } ",
            "]",
            "",
            r#"{"a":}"#,
            "[[[[]]]]",
            "[[[]",
        ] {
            let mut cursor = Cursor::new(text.as_bytes());
            let accepted = cursor.skip_value().is_ok() && cursor.peek().is_none();
            assert_eq!(accepted, serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Cursor::new(nested(DEEPEST).as_bytes()).skip_value().is_ok());
        assert!(Cursor::new(nested(DEEPEST + 1).as_bytes()).skip_value().is_err());
        assert!(Cursor::new("[".repeat(1_000_000).as_bytes()).skip_value().is_err());
    }
}
