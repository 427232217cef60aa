//! Operators: comparison, logic, arithmetic, intervals, pattern matching.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::expr::{InList, Like};
use datafusion_expr::{BinaryExpr, Expr, Operator};
use sqlparser::ast::BinaryOperator;
use weir_functions::conversion::type_name;
use weir_functions::interval::{self, Sign};
use weir_functions::{math, pattern};

use super::bound::Bound;
use super::convert::convert;
use super::refuse::{Checked, Place, hinted};
use super::row::joined;
use super::types::{
    as_decimal, common_numeric, comparable, decimal_result, is_integer, is_interval, is_numeric, is_temporal,
};

fn binary(left: Bound, operator: Operator, right: Bound) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left.expr), operator, Box::new(right.expr)))
}

/// Applies a binary operator that is no comparison.
pub(super) fn apply(left: Bound, operator: &BinaryOperator, right: Bound, place: Place) -> Checked<Bound> {
    match operator {
        BinaryOperator::And => logical(left, Operator::And, right, place),
        BinaryOperator::Or => logical(left, Operator::Or, right, place),
        BinaryOperator::Plus => add(left, Sign::Plus, right, place),
        BinaryOperator::Minus => add(left, Sign::Minus, right, place),
        BinaryOperator::Multiply => arithmetic(left, Operator::Multiply, right, place),
        BinaryOperator::Divide => divide(left, right, place),
        BinaryOperator::Modulo => modulo(left, right, "%", place),
        BinaryOperator::StringConcat => concatenate(left, right, place),
        other => Err(place.unavailable(&format!("the operator `{other}`"))),
    }
}

/// Compares after converting both sides to one type: a string and a number as DOUBLE.
pub(super) fn compare(left: Bound, operator: Operator, right: Bound, place: Place) -> Checked<Bound> {
    let (a, b) = (type_name(&left.data_type), type_name(&right.data_type));
    let both = comparable(&left.data_type, &right.data_type)
        .and_then(|to| Some((convert(left, &to)?, convert(right, &to)?)));
    match both {
        Some((left, right)) => Ok(Bound::boolean(binary(left, operator, right))),
        None => {
            let error = place.refuse(format!("{a} cannot be compared with {b}"));
            Err(hinted(error, Some("give both one type with `CAST`".to_string())))
        }
    }
}

/// Requires a condition.
pub(super) fn condition(value: Bound, what: &str, place: Place) -> Checked<Bound> {
    let given = type_name(&value.data_type);
    match value.data_type {
        DataType::Boolean | DataType::Null => convert(value, &DataType::Boolean),
        _ => None,
    }
    .ok_or_else(|| {
        let error = place.refuse(format!("{what} needs a BOOLEAN, not {given}"));
        hinted(error, Some("write a condition, such as a comparison".to_string()))
    })
}

fn logical(left: Bound, operator: Operator, right: Bound, place: Place) -> Checked<Bound> {
    let name = format!("`{operator}`");
    let left = condition(left, &name, place)?;
    let right = condition(right, &name, place)?;
    Ok(Bound::boolean(binary(left, operator, right)))
}

/// Requires a number; a string is told to be one only after a `CAST`.
fn numeric(value: Bound, operator: &str, place: Place) -> Checked<Bound> {
    if value.data_type == DataType::Null {
        return Ok(convert(value, &DataType::Int32).unwrap_or_else(|| Bound::scalar(Some(0i32).into())));
    }
    if is_numeric(&value.data_type) {
        return Ok(value);
    }
    let given = type_name(&value.data_type);
    let error = place.refuse(format!("`{operator}` needs numbers, not {given}"));
    let hint = match value.data_type {
        DataType::Utf8 => Some("`||` joins text, `CAST(... AS DOUBLE)` reads a number from it".to_string()),
        _ => None,
    };
    Err(hinted(error, hint))
}

fn symbol(sign: Sign) -> &'static str {
    if sign == Sign::Plus { "+" } else { "-" }
}

/// Applies `+` or `-` to numbers, times and intervals.
pub(super) fn add(left: Bound, sign: Sign, right: Bound, place: Place) -> Checked<Bound> {
    let mismatch = |left: &Bound, right: &Bound| {
        let (a, b) = (type_name(&left.data_type), type_name(&right.data_type));
        Err(place.refuse(format!("`{}` does not apply to {a} and {b}", symbol(sign))))
    };
    let (a, b) = (&left.data_type, &right.data_type);
    if is_temporal(a) && is_interval(b) {
        return match interval::add_interval(sign, a, b) {
            Some(call) => Ok(Bound::call(call, vec![left.expr, right.expr])),
            None => mismatch(&left, &right),
        };
    }
    if is_interval(a) && is_temporal(b) && sign == Sign::Plus {
        return add(right, sign, left, place);
    }
    if is_interval(a) && a == b {
        return match interval::combine_intervals(sign, a) {
            Some(call) => Ok(Bound::call(call, vec![left.expr, right.expr])),
            None => mismatch(&left, &right),
        };
    }
    if is_temporal(a) || is_temporal(b) || is_interval(a) || is_interval(b) {
        return mismatch(&left, &right);
    }
    let operator = if sign == Sign::Plus { Operator::Plus } else { Operator::Minus };
    arithmetic(left, operator, right, place)
}

fn arithmetic(left: Bound, operator: Operator, right: Bound, place: Place) -> Checked<Bound> {
    let name = operator.to_string();
    let (left, right) = (numeric(left, &name, place)?, numeric(right, &name, place)?);
    let (a, b) = (left.data_type.clone(), right.data_type.clone());
    let bug = || place.refuse(format!("`{name}` does not apply to {} and {}", type_name(&a), type_name(&b)));
    let decimals = match (&a, &b) {
        (DataType::Decimal128(..), _) | (_, DataType::Decimal128(..)) => as_decimal(&a).zip(as_decimal(&b)),
        _ => None,
    };
    let Some((p, q)) = decimals else {
        let to = common_numeric(&a, &b).ok_or_else(bug)?;
        let (left, right) = convert(left, &to).zip(convert(right, &to)).ok_or_else(bug)?;
        return Ok(Bound::new(binary(left, operator, right), to));
    };
    let (result, cut) = decimal_result(operator == Operator::Multiply, p, q);
    // With more digits than DECIMAL holds the exact result is computed in a wider type and cut.
    let operand = |(precision, scale): (u8, i8)| {
        if cut { DataType::Decimal256(precision, scale) } else { DataType::Decimal128(precision, scale) }
    };
    let (left, right) = convert(left, &operand(p)).zip(convert(right, &operand(q))).ok_or_else(bug)?;
    let exact = Bound::new(
        binary(left, operator, right),
        if cut { DataType::Decimal256(76, 0) } else { result.clone() },
    );
    convert(exact, &result).ok_or_else(bug)
}

fn divide(left: Bound, right: Bound, place: Place) -> Checked<Bound> {
    let (left, right) = (numeric(left, "/", place)?, numeric(right, "/", place)?);
    let both = convert(left, &DataType::Float64).zip(convert(right, &DataType::Float64));
    let (left, right) = both.ok_or_else(|| place.refuse("`/` needs numbers"))?;
    Ok(Bound::new(binary(left, Operator::Divide, right), DataType::Float64))
}

/// Applies `MOD` or `%`.
pub(super) fn modulo(left: Bound, right: Bound, name: &str, place: Place) -> Checked<Bound> {
    let (left, right) = (numeric(left, name, place)?, numeric(right, name, place)?);
    let to = common_numeric(&left.data_type, &right.data_type);
    let both = to.and_then(|to| Some((convert(left, &to)?, convert(right, &to)?, to)));
    let (left, right, to) = both.ok_or_else(|| place.refuse(format!("`{name}` needs numbers")))?;
    Ok(Bound::call(math::modulo(&to), vec![left.expr, right.expr]))
}

/// Requires a string.
pub(super) fn text(value: Bound, what: &str, place: Place) -> Checked<Bound> {
    let given = type_name(&value.data_type);
    match value.data_type {
        DataType::Utf8 | DataType::Null => convert(value, &DataType::Utf8),
        _ => None,
    }
    .ok_or_else(|| place.refuse(format!("{what} needs a STRING, not {given}")))
}

fn concatenate(left: Bound, right: Bound, place: Place) -> Checked<Bound> {
    let (left, right) = (text(left, "`||`", place)?, text(right, "`||`", place)?);
    Ok(Bound::new(binary(left, Operator::StringConcat, right), DataType::Utf8))
}

/// Changes the sign of a number or an interval.
pub(super) fn negate(value: Bound, place: Place) -> Checked<Bound> {
    if is_interval(&value.data_type) {
        let call = interval::combine_intervals(Sign::Minus, &value.data_type);
        return match (zero_like(&value.data_type), call) {
            (Some(zero), Some(call)) => Ok(Bound::call(call, vec![zero, value.expr])),
            _ => Err(place.refuse("`-` does not apply to this interval")),
        };
    }
    let value = numeric(value, "-", place)?;
    if is_integer(&value.data_type) {
        // Subtraction notices the one value that has no positive counterpart.
        let zero = convert(Bound::scalar(ScalarValue::Int8(Some(0))), &value.data_type);
        let zero = zero.ok_or_else(|| place.refuse("`-` needs a number"))?;
        return arithmetic(zero, Operator::Minus, value, place);
    }
    let data_type = value.data_type.clone();
    Ok(Bound::new(Expr::Negative(Box::new(value.expr)), data_type))
}

fn zero_like(of: &DataType) -> Option<Expr> {
    Some(Expr::Literal(ScalarValue::new_zero(of).ok()?, None))
}

/// Applies unary plus.
pub(super) fn identity(value: Bound, place: Place) -> Checked<Bound> {
    Ok(Bound { time: None, ..numeric(value, "+", place)? })
}

/// Applies `LIKE`. Only the character after `ESCAPE` escapes.
pub(super) fn like(
    value: Bound,
    matched: Bound,
    escape: Option<char>,
    negated: bool,
    place: Place,
) -> Checked<Bound> {
    let (value, matched) = (text(value, "`LIKE`", place)?, text(matched, "`LIKE`", place)?);
    let arrow_pattern = Bound::call(pattern::like_pattern(escape), vec![matched.expr]);
    Ok(Bound::boolean(Expr::Like(Like::new(
        negated,
        Box::new(value.expr),
        Box::new(super::fold::fold(arrow_pattern.expr)),
        None,
        false,
    ))))
}

/// Applies `SIMILAR TO`.
pub(super) fn similar(
    value: Bound,
    matched: Bound,
    escape: Option<char>,
    negated: bool,
    place: Place,
) -> Checked<Bound> {
    let (value, matched) = (text(value, "`SIMILAR TO`", place)?, text(matched, "`SIMILAR TO`", place)?);
    let matched = super::fold::fold(matched.expr);
    if let Some(pattern) = literal_text(&matched) {
        pattern::check_similar(pattern, escape).map_err(|text| place.refuse(text))?;
    }
    let found = Bound::call(pattern::similar(escape), vec![value.expr, matched]);
    Ok(if negated { Bound::boolean(Expr::Not(Box::new(found.expr))) } else { found })
}

/// Returns the text of a string literal.
pub(super) fn literal_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text),
        _ => None,
    }
}

/// Applies `IN` to a list of values.
pub(super) fn in_list(value: Bound, list: Vec<Bound>, negated: bool, place: Place) -> Checked<Bound> {
    let mut to = value.data_type.clone();
    for item in &list {
        to = comparable(&to, &item.data_type).ok_or_else(|| {
            place.refuse(format!("{} cannot be compared with {}", type_name(&to), type_name(&item.data_type)))
        })?;
    }
    let refused = || place.refuse(format!("`IN` does not apply to {}", type_name(&to)));
    let value = convert(value, &to).ok_or_else(refused)?;
    let list = list
        .into_iter()
        .map(|item| convert(item, &to).map(|item| super::fold::fold(item.expr)).ok_or_else(refused))
        .collect::<Checked<Vec<_>>>()?;
    let constant = list.iter().all(|item| matches!(item, Expr::Literal(..)));
    if to.is_floating() || !constant {
        // The set behind a list tells 0.0 from -0.0, which `=` does not; and it takes an expression for a constant
        // when that gives one over no rows, as a CASE may.
        let equal = list.into_iter().map(|item| value.expr.clone().eq(item)).collect();
        let any = joined(equal, Operator::Or).ok_or_else(refused)?;
        return Ok(Bound::boolean(if negated { Expr::Not(Box::new(any)) } else { any }));
    }
    Ok(Bound::boolean(Expr::InList(InList::new(Box::new(value.expr), list, negated))))
}
