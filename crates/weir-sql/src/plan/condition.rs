//! Takes the conditions of joins apart: what must be equal, how far apart times may be, and the rest.
//!
//! Comparisons of two time attributes, each with a constant interval added or not, are recognised as they are
//! written, before they become calls of functions: only there a time attribute can be told from a value computed
//! from one.

use arrow::datatypes::DataType;
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::{BinaryExpr, Expr, Operator};
use sqlparser::ast::{BinaryOperator, Expr as SqlExpr};

use super::bound::TimeAttribute;
use super::expr::Binder;
use super::literal::constant_millis;
use super::operator;
use super::refuse::{Checked, Place, hinted};
use super::scope::{Scope, ScopeColumn};
use super::types::is_integer;
use crate::nodes::TimeBounds;

/// One of the parts that must all hold.
#[derive(Debug, Clone)]
pub(super) struct Conjunct {
    pub(super) expr: Expr,
    pub(super) place: Place,
    /// What it says about two time attributes, if that is what it is.
    pub(super) times: Option<TimeComparison>,
}

/// `right - left` compared with a number of milliseconds, both being columns that were time attributes when they were
/// read.
#[derive(Debug, Clone)]
pub(super) struct TimeComparison {
    pub(super) left: Column,
    pub(super) right: Column,
    pub(super) operator: Operator,
    pub(super) millis: i64,
}

/// A time attribute and what is added to it.
struct TimeTerm {
    column: Column,
    millis: i64,
}

impl Conjunct {
    /// Returns whether it must be evaluated where it stands: it reads no column, or gives another value each time.
    pub(super) fn is_fixed(&self) -> bool {
        self.expr.is_volatile() || self.expr.column_refs().is_empty()
    }
}

impl TimeComparison {
    /// Returns the same with the two sides changed.
    pub(super) fn mirrored(self) -> Option<Self> {
        Some(Self {
            left: self.right,
            right: self.left,
            operator: self.operator.swap()?,
            millis: self.millis.checked_neg()?,
        })
    }

    /// Returns the least and the greatest difference that it allows.
    pub(super) fn bounds(&self) -> (Option<i64>, Option<i64>) {
        let millis = self.millis;
        match self.operator {
            Operator::Gt => (millis.checked_add(1), None),
            Operator::GtEq => (Some(millis), None),
            Operator::Lt => (None, millis.checked_sub(1)),
            Operator::LtEq => (None, Some(millis)),
            _ => (Some(millis), Some(millis)),
        }
    }
}

impl Binder<'_> {
    /// Checks a condition and takes it apart at its `AND`s. Parts that always hold are left out.
    pub(super) fn conjuncts(
        &self,
        condition: &SqlExpr,
        what: &str,
        parts: &mut Vec<Conjunct>,
    ) -> Checked<()> {
        match condition {
            SqlExpr::Nested(inner) => self.conjuncts(inner, what, parts),
            SqlExpr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.conjuncts(left, what, parts)?;
                self.conjuncts(right, what, parts)
            }
            SqlExpr::Between { expr, negated: false, low, high } => {
                let above = self.time_comparison(expr, Operator::GtEq, low)?;
                let below = self.time_comparison(expr, Operator::LtEq, high)?;
                if above.is_none() && below.is_none() {
                    return self.whole(condition, what, parts);
                }
                for (operator, bound, times) in [(Operator::GtEq, low, above), (Operator::LtEq, high, below)]
                {
                    let place = self.at(condition);
                    let compared = operator::compare(self.bind(expr)?, operator, self.bind(bound)?, place)?;
                    parts.push(Conjunct { expr: super::fold::fold(compared.expr), place, times });
                }
                Ok(())
            }
            other => self.whole(other, what, parts),
        }
    }

    fn whole(&self, condition: &SqlExpr, what: &str, parts: &mut Vec<Conjunct>) -> Checked<()> {
        let expr = self.bind_condition(condition, what)?;
        let times = match condition {
            SqlExpr::BinaryOp { left, op, right } => match comparison(op) {
                Some(operator) => self.time_comparison(left, operator, right)?,
                None => None,
            },
            _ => None,
        };
        let place = self.at(condition);
        // A comparison of rows is one written part, but several equalities.
        for part in datafusion_expr::utils::split_conjunction_owned(expr) {
            if part != Expr::Literal(ScalarValue::Boolean(Some(true)), None) {
                parts.push(Conjunct { expr: part, place, times: times.clone() });
            }
        }
        Ok(())
    }

    /// Reads a comparison of two different time attributes.
    fn time_comparison(
        &self,
        left: &SqlExpr,
        operator: Operator,
        right: &SqlExpr,
    ) -> Checked<Option<TimeComparison>> {
        let (Some(left), Some(right)) = (self.time_term(left)?, self.time_term(right)?) else {
            return Ok(None);
        };
        // left + a OP right + b  is  right - left OP' a - b
        let (Some(millis), Some(operator)) = (left.millis.checked_sub(right.millis), operator.swap()) else {
            return Ok(None);
        };
        let (left, right) = (left.column, right.column);
        Ok((left != right).then_some(TimeComparison { left, right, operator, millis }))
    }

    /// Reads a time attribute with constant intervals added to it or subtracted from it.
    fn time_term(&self, sql: &SqlExpr) -> Checked<Option<TimeTerm>> {
        match sql {
            SqlExpr::Nested(inner) => self.time_term(inner),
            SqlExpr::Identifier(_) | SqlExpr::CompoundIdentifier(_) => {
                let value = self.bind(sql)?;
                Ok(match (value.time, value.expr) {
                    (Some(_), Expr::Column(column)) => Some(TimeTerm { column, millis: 0 }),
                    _ => None,
                })
            }
            SqlExpr::BinaryOp { left, op: op @ (BinaryOperator::Plus | BinaryOperator::Minus), right } => {
                let is_sum = *op == BinaryOperator::Plus;
                if let Some(term) = self.time_term(left)? {
                    let added = self.constant_offset(right)?;
                    let added = if is_sum { added } else { added.and_then(i64::checked_neg) };
                    return Ok(added.and_then(|added| term.plus(added)));
                }
                match self.time_term(right)? {
                    Some(term) if is_sum => {
                        Ok(self.constant_offset(left)?.and_then(|added| term.plus(added)))
                    }
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// Returns the milliseconds of a constant interval, or the value of a constant integer: event times may be BIGINT.
    fn constant_offset(&self, sql: &SqlExpr) -> Checked<Option<i64>> {
        let value = self.bind(sql)?;
        if !is_integer(&value.data_type) {
            return Ok(constant_millis(&value));
        }
        Ok(match value.expr {
            Expr::Literal(scalar, _) => match scalar.cast_to(&DataType::Int64) {
                Ok(ScalarValue::Int64(number)) => number,
                _ => None,
            },
            _ => None,
        })
    }
}

impl TimeTerm {
    fn plus(self, millis: i64) -> Option<Self> {
        Some(Self { millis: self.millis.checked_add(millis)?, ..self })
    }
}

fn comparison(operator: &BinaryOperator) -> Option<Operator> {
    Some(match operator {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => return None,
    })
}

/// Returns the two sides of an equality.
pub(super) fn equality(expr: &Expr) -> Option<(&Expr, &Expr)> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => Some((left, right)),
        _ => None,
    }
}

/// The condition of a join of two streams, sorted.
pub(super) struct Condition {
    pub(super) keys: Vec<(Expr, Expr)>,
    pub(super) bounds: Option<TimeBounds>,
    pub(super) residual: Vec<Expr>,
    /// Which bound is missing when times are bounded on one side only.
    pub(super) one_sided: Option<&'static str>,
}

/// What the parts of a condition say about one pair of time attributes.
struct Pair {
    bounds: TimeBounds,
    lower: Option<i64>,
    upper: Option<i64>,
    parts: Vec<usize>,
}

impl Condition {
    /// Sorts the parts of a condition.
    pub(super) fn of(left: &Scope, right: &Scope, on: Vec<Conjunct>) -> Checked<Self> {
        let mut pairs: Vec<Pair> = Vec::new();
        for (index, part) in on.iter().enumerate() {
            let Some(times) = &part.times else { continue };
            if let Some((comparison, bounds)) = oriented(left, right, times, part.place)? {
                note(&mut pairs, index, &comparison, bounds);
            }
        }
        let complete = pairs.iter().position(|pair| pair.lower.is_some() && pair.upper.is_some());
        let one_sided = match (complete, pairs.first()) {
            (None, Some(pair)) => Some(if pair.lower.is_none() { "lower" } else { "upper" }),
            _ => None,
        };
        let pair = complete.map(|index| pairs.swap_remove(index));
        let mut keys = Vec::new();
        let mut residual = Vec::new();
        for (index, part) in on.into_iter().enumerate() {
            if let Some(key) = key_of(left, right, &part.expr) {
                keys.push(key);
            } else if !pair.as_ref().is_some_and(|pair| pair.parts.contains(&index)) {
                residual.push(part.expr);
            }
        }
        let bounds = pair.map(|pair| TimeBounds {
            lower: pair.lower.unwrap_or(i64::MIN),
            upper: pair.upper.unwrap_or(i64::MAX),
            ..pair.bounds
        });
        Ok(Self { keys, bounds, residual, one_sided })
    }
}

/// Turns a comparison so that its left column is one of the left input. `None` when both are of one input, or when one
/// is no time attribute any more.
fn oriented(
    left: &Scope,
    right: &Scope,
    times: &TimeComparison,
    place: Place,
) -> Checked<Option<(TimeComparison, TimeBounds)>> {
    let is_of = |scope: &Scope, column: &Column| scope.columns.iter().any(|own| own.column == *column);
    let turned = match is_of(left, &times.left) && is_of(right, &times.right) {
        true => Some(times.clone()),
        false => times.clone().mirrored().filter(|t| is_of(left, &t.left) && is_of(right, &t.right)),
    };
    let Some(turned) = turned else { return Ok(None) };
    let time_of = |scope: &Scope, column: &Column| {
        scope.columns.iter().find(|own| own.column == *column).and_then(|own| own.time)
    };
    let (Some(a), Some(b)) = (time_of(left, &turned.left), time_of(right, &turned.right)) else {
        return Ok(None);
    };
    if a != b {
        let (event, processing) = match a {
            TimeAttribute::Rowtime => (&turned.left, &turned.right),
            TimeAttribute::Proctime => (&turned.right, &turned.left),
        };
        let text = format!("`{event}` is an event time and `{processing}` a processing time");
        let hint = "the bounds of a join need the same kind of time on both sides; to compare the values, write one of them as `CAST(... AS TIMESTAMP)`";
        return Err(hinted(place.refuse(text), Some(hint.to_string())));
    }
    let bounds = TimeBounds {
        left: turned.left.clone(),
        right: turned.right.clone(),
        event_time: a == TimeAttribute::Rowtime,
        lower: 0,
        upper: 0,
    };
    Ok(Some((turned, bounds)))
}

/// Adds what one comparison says to what is known of its pair.
fn note(pairs: &mut Vec<Pair>, index: usize, comparison: &TimeComparison, bounds: TimeBounds) {
    let known = pairs.iter().position(|pair| pair.bounds == bounds);
    let at = known.unwrap_or_else(|| {
        pairs.push(Pair { bounds, lower: None, upper: None, parts: Vec::new() });
        pairs.len() - 1
    });
    let pair = &mut pairs[at];
    let (lower, upper) = comparison.bounds();
    pair.lower = pair.lower.max(lower);
    pair.upper = match (pair.upper, upper) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    pair.parts.push(index);
}

/// Returns what must be equal in the left and in the right input, if a condition is such an equality.
fn key_of(left: &Scope, right: &Scope, expr: &Expr) -> Option<(Expr, Expr)> {
    let (a, b) = equality(expr)?;
    let reads = |scope: &Scope, expr: &Expr| {
        let read = expr.column_refs();
        !read.is_empty()
            && !expr.is_volatile()
            && read.into_iter().all(|column| is_among(&scope.columns, column))
    };
    if reads(left, a) && reads(right, b) {
        Some((a.clone(), b.clone()))
    } else if reads(left, b) && reads(right, a) {
        Some((b.clone(), a.clone()))
    } else {
        None
    }
}

/// Tells whether a column of the plan is one of these.
pub(super) fn is_among(columns: &[ScopeColumn], column: &Column) -> bool {
    columns.iter().any(|own| own.column == *column)
}
