//! Functions of standard SQL whose arguments are separated by words: `EXTRACT(unit FROM t)` and its kin.

use sqlparser::ast::{CeilFloorKind, DateTimeField, Expr, ExtractSyntax, TrimWhereField};

use super::cursor::Parser;
use super::token::TokenKind;
use crate::CheckError;

const PARTS: &str =
    "a unit: `YEAR`, `QUARTER`, `MONTH`, `WEEK`, `DAY`, `DOY`, `DOW`, `HOUR`, `MINUTE` or `SECOND`";
/// The number of a day is a part of a date, but no unit to round to.
const UNITS: &str = "a unit: `YEAR`, `QUARTER`, `MONTH`, `WEEK`, `DAY`, `HOUR`, `MINUTE` or `SECOND`";

impl Parser<'_> {
    /// Parses `EXTRACT(unit FROM expression)`.
    pub(super) fn extract(&mut self) -> Result<Expr, CheckError> {
        self.take();
        self.expect_symbol("(")?;
        let field = self.time_unit(PARTS)?;
        self.expect_word("FROM")?;
        let expr = Box::new(self.expression()?);
        self.expect_symbol(")")?;
        Ok(Expr::Extract { field, syntax: ExtractSyntax::From, expr })
    }

    /// Parses `FLOOR(expression [TO unit])`, `CEIL(...)` and its synonym `CEILING(...)`.
    pub(super) fn rounding(&mut self) -> Result<Expr, CheckError> {
        let is_floor = self.take().is_word("FLOOR");
        self.expect_symbol("(")?;
        let expr = Box::new(self.expression()?);
        let unit = match self.take_word("TO") {
            true => self.time_unit(UNITS)?,
            false => DateTimeField::NoDateTime,
        };
        self.expect_symbol_or(")", "`TO` or ")?;
        let field = CeilFloorKind::DateTimeField(unit);
        Ok(if is_floor { Expr::Floor { expr, field } } else { Expr::Ceil { expr, field } })
    }

    /// Parses `SUBSTRING(s FROM p [FOR n])` and `SUBSTRING(s, p [, n])`.
    pub(super) fn substring(&mut self) -> Result<Expr, CheckError> {
        self.take();
        self.expect_symbol("(")?;
        let expr = Box::new(self.expression()?);
        let special = self.take_symbol(",");
        if !special && !self.take_word("FROM") {
            return Err(self.expected("`FROM` or `,`"));
        }
        let substring_from = Some(Box::new(self.expression()?));
        let more = if special { self.take_symbol(",") } else { self.take_word("FOR") };
        let substring_for = match more {
            true => Some(Box::new(self.expression()?)),
            false => None,
        };
        self.expect_symbol(")")?;
        Ok(Expr::Substring { expr, substring_from, substring_for, special, shorthand: false })
    }

    /// Parses `TRIM([[BOTH | LEADING | TRAILING] [what] FROM] s)`.
    pub(super) fn trim(&mut self) -> Result<Expr, CheckError> {
        self.take();
        self.expect_symbol("(")?;
        let trim_where = [
            ("BOTH", TrimWhereField::Both),
            ("LEADING", TrimWhereField::Leading),
            ("TRAILING", TrimWhereField::Trailing),
        ]
        .into_iter()
        .find_map(|(word, place)| self.take_word(word).then_some(place));
        let (trim_what, expr) = match trim_where.is_some() && self.take_word("FROM") {
            true => (None, self.expression()?),
            false => {
                let first = self.expression()?;
                match self.take_word("FROM") {
                    true => (Some(Box::new(first)), self.expression()?),
                    false if trim_where.is_some() => return Err(self.expected("`FROM`")),
                    false => (None, first),
                }
            }
        };
        self.expect_symbol(")")?;
        Ok(Expr::Trim { trim_where, trim_what, expr: Box::new(expr), trim_characters: None })
    }

    /// Parses `POSITION(x IN s)`.
    pub(super) fn position(&mut self) -> Result<Expr, CheckError> {
        self.take();
        self.expect_symbol("(")?;
        // `x IN (s)` would be a predicate, so the first operand is parsed without predicates.
        let expr = Box::new(self.nested(Self::sum)?);
        self.expect_word("IN")?;
        let container = Box::new(self.expression()?);
        self.expect_symbol(")")?;
        Ok(Expr::Position { expr, r#in: container })
    }

    /// Parses `OVERLAY(s PLACING r FROM p [FOR n])`.
    pub(super) fn overlay(&mut self) -> Result<Expr, CheckError> {
        self.take();
        self.expect_symbol("(")?;
        let expr = Box::new(self.expression()?);
        self.expect_word("PLACING")?;
        let overlay_what = Box::new(self.expression()?);
        self.expect_word("FROM")?;
        let overlay_from = Box::new(self.expression()?);
        let overlay_for = match self.take_word("FOR") {
            true => Some(Box::new(self.expression()?)),
            false => None,
        };
        self.expect_symbol(")")?;
        Ok(Expr::Overlay { expr, overlay_what, overlay_from, overlay_for })
    }

    fn time_unit(&mut self, expected: &str) -> Result<DateTimeField, CheckError> {
        let token = self.peek();
        let field = match token.text.to_ascii_uppercase().as_str() {
            _ if token.kind != TokenKind::Word => None,
            "YEAR" | "YEARS" => Some(DateTimeField::Year),
            "QUARTER" => Some(DateTimeField::Quarter),
            "MONTH" | "MONTHS" => Some(DateTimeField::Month),
            "WEEK" => Some(DateTimeField::Week(None)),
            "DAY" | "DAYS" => Some(DateTimeField::Day),
            "DOY" => Some(DateTimeField::Doy),
            "DOW" => Some(DateTimeField::Dow),
            "HOUR" | "HOURS" => Some(DateTimeField::Hour),
            "MINUTE" | "MINUTES" => Some(DateTimeField::Minute),
            "SECOND" | "SECONDS" => Some(DateTimeField::Second),
            "MILLISECOND" | "MILLISECONDS" => Some(DateTimeField::Millisecond),
            _ => None,
        };
        let field = field.ok_or_else(|| self.expected(expected))?;
        self.take();
        Ok(field)
    }
}
