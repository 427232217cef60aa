//! Comparison of values and of rows, `BETWEEN`, `IN`, and `OVERLAPS`.
//!
//! A row stands either as its fields, `(a, b)` or `ROW(a, b)`, or is a value of type ROW. Rows are compared by the
//! scalars that they consist of, however deeply they are nested.

use arrow::datatypes::DataType;
use datafusion_expr::expr::Case;
use datafusion_expr::{Expr, Operator};
use sqlparser::ast::{BinaryOperator, Expr as SqlExpr, FunctionArg, FunctionArgExpr, FunctionArguments};
use weir_functions::collection;
use weir_functions::conversion::type_name;
use weir_functions::interval::Sign;

use super::bound::Bound;
use super::expr::{Binder, unified};
use super::operator;
use super::refuse::{Checked, Place};
use super::types::{is_interval, is_temporal};

/// Rows of more scalars are not ordered: the condition would be too deep.
const MAX_ORDERED: usize = 16;

/// One side of a comparison.
#[derive(Clone)]
pub(super) enum Side {
    /// A value of any type.
    Value(Bound),
    /// The fields of a row that is written out; it is never NULL.
    Fields(Vec<Side>),
}

impl Side {
    fn described(&self) -> String {
        match self {
            Side::Value(value) => type_name(&value.data_type),
            Side::Fields(fields) => format!("a row of {} fields", fields.len()),
        }
    }

    fn is_row(&self) -> bool {
        match self {
            Side::Value(value) => matches!(value.data_type, DataType::Struct(_)),
            Side::Fields(_) => true,
        }
    }

    /// Returns whether it is NULL.
    fn is_null(&self) -> Bound {
        match self {
            Side::Value(value) => Bound::boolean(value.expr.clone().is_null()),
            Side::Fields(_) => Bound::scalar(false.into()),
        }
    }

    /// Returns the fields of a row.
    fn into_fields(self) -> Option<Vec<Side>> {
        match self {
            Side::Fields(fields) => Some(fields),
            Side::Value(Bound { expr, data_type: DataType::Struct(fields), .. }) => {
                let field = |(index, field)| {
                    Side::Value(Bound::call(collection::row_field(field, index), vec![expr.clone()]))
                };
                Some(fields.iter().enumerate().map(field).collect())
            }
            Side::Value(_) => None,
        }
    }
}

/// Returns the fields of a row that is written out.
fn written_fields(sql: &SqlExpr) -> Option<Vec<&SqlExpr>> {
    match sql {
        SqlExpr::Nested(inner) => written_fields(inner),
        SqlExpr::Tuple(values) => Some(values.iter().collect()),
        SqlExpr::Function(call) if call.name.to_string().eq_ignore_ascii_case("ROW") => {
            let FunctionArguments::List(list) = &call.args else { return None };
            let field = |argument| match argument {
                &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref field)) => Some(field),
                _ => None,
            };
            list.args.iter().map(field).collect()
        }
        _ => None,
    }
}

/// Returns the comparison that an operator of the text is.
pub(super) fn comparison(operator: &BinaryOperator) -> Option<Operator> {
    Some(match operator {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => return None,
    })
}

impl Binder<'_> {
    fn side(&self, sql: &SqlExpr) -> Checked<Side> {
        match written_fields(sql) {
            Some(fields) => {
                Ok(Side::Fields(fields.into_iter().map(|field| self.side(field)).collect::<Checked<_>>()?))
            }
            None => self.expression(sql).map(Side::Value),
        }
    }

    /// Checks a comparison of two values or two rows.
    pub(super) fn compare(
        &self,
        left: &SqlExpr,
        operator: Operator,
        right: &SqlExpr,
        place: Place,
    ) -> Checked<Bound> {
        compare_sides(self.side(left)?, operator, self.side(right)?, place)
    }

    /// Checks `BETWEEN`.
    pub(super) fn between(
        &self,
        value: &SqlExpr,
        negated: bool,
        low: &SqlExpr,
        high: &SqlExpr,
        place: Place,
    ) -> Checked<Bound> {
        let value = self.side(value)?;
        let above = compare_sides(value.clone(), Operator::GtEq, self.side(low)?, place)?;
        let below = compare_sides(value, Operator::LtEq, self.side(high)?, place)?;
        let inside = above.expr.and(below.expr);
        Ok(Bound::boolean(if negated { Expr::Not(Box::new(inside)) } else { inside }))
    }

    /// Checks `IN` with a list.
    pub(super) fn in_list(
        &self,
        value: &SqlExpr,
        list: &[SqlExpr],
        negated: bool,
        place: Place,
    ) -> Checked<Bound> {
        let value = self.side(value)?;
        if let Side::Value(value) = &value
            && !matches!(value.data_type, DataType::Struct(_))
        {
            let list = list.iter().map(|item| self.expression(item)).collect::<Checked<Vec<_>>>()?;
            return operator::in_list(value.clone(), list, negated, place);
        }
        let equal = |item| Ok(compare_sides(value.clone(), Operator::Eq, self.side(item)?, place)?.expr);
        let any = joined(list.iter().map(equal).collect::<Checked<_>>()?, Operator::Or);
        let any = any.ok_or_else(|| place.refuse("`IN` needs a list of values"))?;
        Ok(Bound::boolean(if negated { Expr::Not(Box::new(any)) } else { any }))
    }

    /// Checks `(start, end) OVERLAPS (start, end)`, where an end may be given as an interval from the start.
    pub(super) fn overlaps(&self, left: &SqlExpr, right: &SqlExpr, place: Place) -> Checked<Bound> {
        let (left_start, left_end) = self.period(left)?;
        let (right_start, right_end) = self.period(right)?;
        let first = operator::compare(left_end, Operator::GtEq, right_start, place)?;
        let second = operator::compare(right_end, Operator::GtEq, left_start, place)?;
        Ok(Bound::boolean(first.expr.and(second.expr)))
    }

    fn period(&self, sql: &SqlExpr) -> Checked<(Bound, Bound)> {
        let place = self.at(sql);
        let fields = written_fields(sql).unwrap_or_default();
        let [start, end] = fields.as_slice() else {
            return Err(place.refuse("`OVERLAPS` needs `(start, end)` or `(start, interval)` on both sides"));
        };
        let (begin, stop) = (self.expression(start)?, self.expression(end)?);
        let written = self.at(*end);
        if !is_temporal(&begin.data_type) {
            let given = type_name(&begin.data_type);
            let text = format!("`OVERLAPS` compares DATE, TIME or TIMESTAMP, not {given}");
            return Err(self.at(*start).refuse(text));
        }
        let stop = match is_interval(&stop.data_type) {
            true => operator::add(begin.clone(), Sign::Plus, stop, written)?,
            false => stop,
        };
        // The ends may stand in either order.
        let forward = operator::compare(begin.clone(), Operator::LtEq, stop.clone(), written)?.expr;
        let values = vec![(begin, written), (stop, written)];
        let (ends, data_type) = unified(values, "the ends of `OVERLAPS`", written)?;
        let [begin, stop] = ends.as_slice() else { return Err(written.refuse("`OVERLAPS` needs two ends")) };
        let either = |first: &Expr, second: &Expr| {
            let branch = (Box::new(forward.clone()), Box::new(first.clone()));
            let case = Case::new(None, vec![branch], Some(Box::new(second.clone())));
            Bound::new(Expr::Case(case), data_type.clone())
        };
        Ok((either(begin, stop), either(stop, begin)))
    }
}

/// Compares two values, or two rows by their scalars.
fn compare_sides(left: Side, operator: Operator, right: Side, place: Place) -> Checked<Bound> {
    if let (Side::Value(left), Side::Value(right)) = (&left, &right)
        && !matches!((&left.data_type, &right.data_type), (DataType::Struct(_), DataType::Struct(_)))
    {
        return operator::compare(left.clone(), operator, right.clone(), place);
    }
    let null_safe = matches!(operator, Operator::IsDistinctFrom | Operator::IsNotDistinctFrom);
    let mut pairs = Vec::new();
    pair_up(left, right, null_safe, place, &mut pairs)?;
    let compared = |pair: (Bound, Bound)| Ok(operator::compare(pair.0, operator, pair.1, place)?.expr);
    let condition = match operator {
        Operator::Eq | Operator::IsNotDistinctFrom => {
            joined(pairs.into_iter().map(compared).collect::<Checked<_>>()?, Operator::And)
        }
        Operator::NotEq | Operator::IsDistinctFrom => {
            joined(pairs.into_iter().map(compared).collect::<Checked<_>>()?, Operator::Or)
        }
        _ => ordered(pairs, operator, place)?,
    };
    condition.map(Bound::boolean).ok_or_else(|| place.refuse("rows without fields cannot be compared"))
}

/// Collects the scalars of two rows side by side.
fn pair_up(
    left: Side,
    right: Side,
    null_safe: bool,
    place: Place,
    pairs: &mut Vec<(Bound, Bound)>,
) -> Checked<()> {
    let (a, b) = (left.described(), right.described());
    let refused = || place.refuse(format!("{a} cannot be compared with {b}"));
    if !left.is_row() || !right.is_row() {
        return match (left, right) {
            (Side::Value(left), Side::Value(right)) => {
                pairs.push((left, right));
                Ok(())
            }
            _ => Err(refused()),
        };
    }
    if null_safe {
        // A row that is NULL differs from one whose fields are.
        pairs.push((left.is_null(), right.is_null()));
    }
    let fields = left.into_fields().zip(right.into_fields());
    let (left, right) = fields.filter(|(a, b)| a.len() == b.len()).ok_or_else(refused)?;
    for (left, right) in left.into_iter().zip(right) {
        pair_up(left, right, null_safe, place, pairs)?;
    }
    Ok(())
}

/// Orders rows by the first scalars that differ.
fn ordered(pairs: Vec<(Bound, Bound)>, operator: Operator, place: Place) -> Checked<Option<Expr>> {
    if pairs.len() > MAX_ORDERED {
        return Err(place.refuse(format!("rows of more than {MAX_ORDERED} fields cannot be ordered")));
    }
    let strict = match operator {
        Operator::LtEq => Operator::Lt,
        Operator::GtEq => Operator::Gt,
        other => other,
    };
    let mut rest: Option<Expr> = None;
    for (left, right) in pairs.into_iter().rev() {
        rest = Some(match rest {
            None => operator::compare(left, operator, right, place)?.expr,
            Some(rest) => {
                let before = operator::compare(left.clone(), strict, right.clone(), place)?.expr;
                let equal = operator::compare(left, Operator::Eq, right, place)?.expr;
                before.or(equal.and(rest))
            }
        });
    }
    Ok(rest)
}

/// Joins conditions by AND or OR into a tree of least height; `None` when there are none.
pub(super) fn joined(mut conditions: Vec<Expr>, operator: Operator) -> Option<Expr> {
    while conditions.len() > 1 {
        let mut rest = conditions.into_iter();
        let mut halved = Vec::with_capacity(rest.len().div_ceil(2));
        while let Some(first) = rest.next() {
            halved.push(match rest.next() {
                Some(second) if operator == Operator::And => first.and(second),
                Some(second) => first.or(second),
                None => first,
            });
        }
        conditions = halved;
    }
    conditions.pop()
}
