//! Checks expressions: names, operators and special forms. Calls are in `call`, group windows in `window`.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::{Expr, Operator};
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CeilFloorKind, DateTimeField, Expr as SqlExpr, Ident, Spanned, TrimWhereField,
    UnaryOperator, Value, ValueWithSpan,
};
use weir_functions::conversion::type_name;
use weir_functions::temporal::{self, Direction, Unit};
use weir_functions::text;

use super::bound::Bound;
use super::convert::convert;
use super::grouping::Grouping;
use super::matching::PatternStage;
use super::refuse::{Checked, Place, hinted};
use super::scope::Scope;
use super::types::{cast_target, common, is_integer, is_temporal};
use super::{PlanOptions, literal, operator, row};

/// What an expression may use besides columns.
#[derive(Clone, Copy)]
pub(super) enum Stage<'a> {
    /// Rows of the input: no aggregates, and why not.
    Row(&'static str),
    /// The select list of a SELECT without GROUP BY: aggregates with OVER, or plain ones over the group of all rows.
    Select(&'a Grouping),
    /// The results of a GROUP BY: aggregates, and the functions of its window and groupings; and why no OVER.
    Group(&'a Grouping, &'static str),
    /// Definitions and measures of a pattern: aggregates over its variables, and navigation.
    Pattern(&'a PatternStage<'a>),
}

/// Checks expressions over one input.
pub(super) struct Binder<'a> {
    pub(super) scope: &'a Scope,
    /// The columns that are named without a qualifier, when those of `scope` cannot be.
    pub(super) plain: Option<&'a Scope>,
    pub(super) stage: Stage<'a>,
    pub(super) options: &'a PlanOptions,
    /// The place of whatever the parser gives no place to.
    pub(super) otherwise: Place,
}

impl Binder<'_> {
    /// Returns the place of a part of the query.
    pub(super) fn at(&self, part: &impl Spanned) -> Place {
        Place::at(part, self.otherwise)
    }

    /// Returns the columns that are named without a qualifier.
    pub(super) fn plain(&self) -> &Scope {
        self.plain.unwrap_or(self.scope)
    }

    /// Returns the expression of a column by its name, of one input when `of` names it.
    pub(super) fn column(&self, of: Option<&str>, name: &Ident, place: Place) -> Checked<Bound> {
        let scope = if of.is_some() { self.scope } else { self.plain() };
        // What stands before a column of a pattern is a variable, and all of them have the columns of the input.
        let input = self.plain.map(|_| "the input of the pattern");
        scope.column(of, name, input, place)
    }

    /// Checks an expression and computes its constant parts.
    pub(super) fn bind(&self, sql: &SqlExpr) -> Checked<Bound> {
        let bound = self.expression(sql)?;
        Ok(Bound { expr: super::fold::fold(bound.expr), ..bound })
    }

    /// Checks a condition of WHERE or HAVING.
    pub(super) fn bind_condition(&self, sql: &SqlExpr, what: &str) -> Checked<Expr> {
        Ok(operator::condition(self.bind(sql)?, what, self.at(sql))?.expr)
    }

    pub(super) fn expression(&self, sql: &SqlExpr) -> Checked<Bound> {
        let place = self.at(sql);
        match sql {
            SqlExpr::Identifier(name) => self.column(None, name, place),
            SqlExpr::CompoundIdentifier(names) => self.path(names),
            SqlExpr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            SqlExpr::Nested(inner) => self.expression(inner),
            SqlExpr::Value(value) => literal::value(value, place),
            SqlExpr::TypedString(typed) => literal::typed_string(typed, place),
            SqlExpr::Interval(interval) => literal::interval(interval, place),
            SqlExpr::UnaryOp { op, expr } => self.unary(*op, expr, place),
            SqlExpr::BinaryOp { left, op, right } => match (row::comparison(op), op) {
                (Some(comparison), _) => self.compare(left, comparison, right, place),
                (None, BinaryOperator::Overlaps) => self.overlaps(left, right, place),
                (None, _) => operator::apply(self.expression(left)?, op, self.expression(right)?, place),
            },
            SqlExpr::IsNull(inner) => Ok(Bound::boolean(self.expression(inner)?.expr.is_null())),
            SqlExpr::IsNotNull(inner) => Ok(Bound::boolean(self.expression(inner)?.expr.is_not_null())),
            SqlExpr::IsTrue(inner) => self.truth(inner, Expr::is_true),
            SqlExpr::IsNotTrue(inner) => self.truth(inner, Expr::is_not_true),
            SqlExpr::IsFalse(inner) => self.truth(inner, Expr::is_false),
            SqlExpr::IsNotFalse(inner) => self.truth(inner, Expr::is_not_false),
            SqlExpr::IsUnknown(inner) => self.truth(inner, Expr::is_unknown),
            SqlExpr::IsNotUnknown(inner) => self.truth(inner, Expr::is_not_unknown),
            SqlExpr::IsDistinctFrom(left, right) => {
                self.compare(left, Operator::IsDistinctFrom, right, place)
            }
            SqlExpr::IsNotDistinctFrom(left, right) => {
                self.compare(left, Operator::IsNotDistinctFrom, right, place)
            }
            SqlExpr::Between { expr, negated, low, high } => self.between(expr, *negated, low, high, place),
            SqlExpr::InList { expr, list, negated } => self.in_list(expr, list, *negated, place),
            SqlExpr::Like { negated, any: false, expr, pattern, escape_char } => operator::like(
                self.expression(expr)?,
                self.expression(pattern)?,
                escape(escape_char.as_ref(), place)?,
                *negated,
                place,
            ),
            SqlExpr::SimilarTo { negated, expr, pattern, escape_char } => operator::similar(
                self.expression(expr)?,
                self.expression(pattern)?,
                escape(escape_char.as_ref(), place)?,
                *negated,
                place,
            ),
            SqlExpr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), place)
            }
            SqlExpr::Cast { expr, data_type, .. } => self.cast(expr, data_type, place),
            _ => self.form(sql, place),
        }
    }

    /// Checks the forms of functions that have a syntax of their own.
    fn form(&self, sql: &SqlExpr, place: Place) -> Checked<Bound> {
        match sql {
            SqlExpr::Function(function) => self.function(function),
            SqlExpr::Extract { field, expr, .. } => self.extract(field, expr, place),
            SqlExpr::Ceil { expr, field } => self.rounded("CEIL", Direction::Up, expr, field, place),
            SqlExpr::Floor { expr, field } => self.rounded("FLOOR", Direction::Down, expr, field, place),
            SqlExpr::Position { expr, r#in } => self.call("POSITION", &[expr.as_ref(), r#in.as_ref()], place),
            SqlExpr::Substring { expr, substring_from, substring_for, .. } => {
                let mut arguments = vec![expr.as_ref()];
                arguments.extend(substring_from.as_deref());
                arguments.extend(substring_for.as_deref());
                self.call("SUBSTRING", &arguments, place)
            }
            SqlExpr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut arguments = vec![expr.as_ref(), overlay_what.as_ref(), overlay_from.as_ref()];
                arguments.extend(overlay_for.as_deref());
                self.call("OVERLAY", &arguments, place)
            }
            SqlExpr::Trim { expr, trim_where, trim_what, trim_characters: None } => {
                self.trim(expr, *trim_where, trim_what.as_deref(), place)
            }
            SqlExpr::Array(array) => self.array(&array.elem.iter().collect::<Vec<_>>(), place),
            SqlExpr::Tuple(values) => self.row(&values.iter().collect::<Vec<_>>(), place),
            SqlExpr::Map(map) => {
                let entries: Vec<&SqlExpr> =
                    map.entries.iter().flat_map(|entry| [entry.key.as_ref(), entry.value.as_ref()]).collect();
                self.map(&entries, place)
            }
            SqlExpr::InSubquery { .. } | SqlExpr::Exists { .. } | SqlExpr::Subquery(_) => {
                Err(place.unavailable("a sub-query in an expression"))
            }
            SqlExpr::GroupingSets(_) | SqlExpr::Cube(_) | SqlExpr::Rollup(_) => {
                Err(place.unavailable("`GROUPING SETS`, `CUBE` and `ROLLUP`"))
            }
            other => Err(place.unavailable(&format!("the expression `{other}`"))),
        }
    }

    fn truth(&self, inner: &SqlExpr, test: fn(Expr) -> Expr) -> Checked<Bound> {
        let value = operator::condition(self.expression(inner)?, "this test", self.at(inner))?;
        Ok(Bound::boolean(test(value.expr)))
    }

    fn unary(&self, op: UnaryOperator, inner: &SqlExpr, place: Place) -> Checked<Bound> {
        match (op, inner) {
            (UnaryOperator::Minus, SqlExpr::Value(ValueWithSpan { value: Value::Number(digits, _), .. })) => {
                literal::number(digits, true, self.at(inner))
            }
            (UnaryOperator::Minus, _) => operator::negate(self.expression(inner)?, place),
            (UnaryOperator::Plus, _) => operator::identity(self.expression(inner)?, place),
            (UnaryOperator::Not, _) => {
                let value = operator::condition(self.expression(inner)?, "`NOT`", place)?;
                Ok(Bound::boolean(Expr::Not(Box::new(value.expr))))
            }
            _ => Err(place.unavailable(&format!("the operator `{op}`"))),
        }
    }

    fn case(
        &self,
        operand: Option<&SqlExpr>,
        branches: &[CaseWhen],
        otherwise: Option<&SqlExpr>,
        place: Place,
    ) -> Checked<Bound> {
        let operand = operand.map(|operand| self.expression(operand)).transpose()?;
        let mut conditions = Vec::with_capacity(branches.len());
        let mut results = Vec::with_capacity(branches.len() + 1);
        for branch in branches {
            conditions.push(self.when(operand.as_ref(), &branch.condition)?);
            results.push((self.expression(&branch.result)?, self.at(&branch.result)));
        }
        if let Some(result) = otherwise {
            results.push((self.expression(result)?, self.at(result)));
        }
        let (mut results, data_type) = unified(results, "the results of `CASE`", place)?;
        let last = if otherwise.is_some() { results.pop() } else { None };
        let branches =
            conditions.into_iter().zip(results).map(|(when, then)| (Box::new(when), Box::new(then)));
        let case = datafusion_expr::expr::Case::new(None, branches.collect(), last.map(Box::new));
        Ok(Bound::new(Expr::Case(case), data_type))
    }

    /// Checks what follows WHEN: a condition, or one or more values of the operand.
    fn when(&self, operand: Option<&Bound>, condition: &SqlExpr) -> Checked<Expr> {
        let place = self.at(condition);
        let Some(operand) = operand else {
            return Ok(operator::condition(self.expression(condition)?, "`WHEN`", place)?.expr);
        };
        let values = match condition {
            SqlExpr::Tuple(values) => values.iter().collect(),
            single => vec![single],
        };
        let mut any: Option<Expr> = None;
        for value in values {
            let equal =
                operator::compare(operand.clone(), Operator::Eq, self.expression(value)?, place)?.expr;
            any = Some(match any {
                Some(before) => before.or(equal),
                None => equal,
            });
        }
        any.ok_or_else(|| place.refuse("`WHEN` needs a value"))
    }

    fn cast(&self, inner: &SqlExpr, named: &sqlparser::ast::DataType, place: Place) -> Checked<Bound> {
        let value = self.expression(inner)?;
        let Some(target) = cast_target(named) else {
            return Err(place.refuse("a `CAST` cannot give this type"));
        };
        let from = type_name(&value.data_type);
        let is_number_of_time = is_integer(&value.data_type) && is_temporal(&target);
        match convert(value, &target) {
            Some(value) => Ok(Bound { time: None, ..value }),
            None => {
                let hint = is_number_of_time
                    .then(|| "use `TO_TIMESTAMP` for milliseconds since the epoch".to_string());
                Err(hinted(place.refuse(format!("{from} cannot be cast to {}", type_name(&target))), hint))
            }
        }
    }

    fn extract(&self, field: &DateTimeField, inner: &SqlExpr, place: Place) -> Checked<Bound> {
        let value = self.expression(inner)?;
        let of = &value.data_type;
        let Some(unit) = Unit::parse(&field.to_string()) else {
            return Err(place.refuse(format!("`EXTRACT` does not know the unit `{field}`")));
        };
        let fits = match of {
            DataType::Date32 | DataType::Timestamp(..) | DataType::Duration(_) | DataType::Interval(_) => {
                true
            }
            DataType::Time32(_) => matches!(unit, Unit::Hour | Unit::Minute | Unit::Second),
            _ => false,
        };
        if !fits {
            return Err(
                place.refuse(format!("`EXTRACT({field} FROM ...)` does not apply to {}", type_name(of)))
            );
        }
        Ok(Bound::call(temporal::extract(unit, of), vec![value.expr]))
    }

    fn rounded(
        &self,
        name: &'static str,
        direction: Direction,
        inner: &SqlExpr,
        field: &CeilFloorKind,
        place: Place,
    ) -> Checked<Bound> {
        let field = match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {
                return self.call(name, &[inner], place);
            }
            CeilFloorKind::DateTimeField(field) => field,
            CeilFloorKind::Scale(_) => return Err(place.refuse(format!("`{name}` takes one number"))),
        };
        let value = self.expression(inner)?;
        let of = &value.data_type;
        let unit = Unit::parse(&field.to_string())
            .filter(|unit| !matches!(unit, Unit::DayOfWeek | Unit::DayOfYear))
            .filter(|unit| {
                !matches!(of, DataType::Time32(_)) || matches!(unit, Unit::Hour | Unit::Minute | Unit::Second)
            });
        match unit {
            Some(unit) if is_temporal(of) => {
                Ok(Bound::call(temporal::to_unit(direction, unit, of), vec![value.expr]))
            }
            _ => {
                let error =
                    place.refuse(format!("`{name}(... TO {field})` does not apply to {}", type_name(of)));
                let units = match of {
                    DataType::Time32(_) => Some("`HOUR`, `MINUTE` and `SECOND`"),
                    of if is_temporal(of) => {
                        Some("`YEAR`, `QUARTER`, `MONTH`, `WEEK`, `DAY`, `HOUR`, `MINUTE` and `SECOND`")
                    }
                    _ => None,
                };
                let hint = units.map(|units| format!("its units are {units}"));
                Err(hinted(error, hint.or_else(|| Some("it rounds DATE, TIME and TIMESTAMP".to_string()))))
            }
        }
    }

    fn trim(
        &self,
        inner: &SqlExpr,
        side: Option<TrimWhereField>,
        what: Option<&SqlExpr>,
        place: Place,
    ) -> Checked<Bound> {
        let value = operator::text(self.expression(inner)?, "`TRIM`", place)?;
        let what = match what {
            Some(what) => operator::text(self.expression(what)?, "`TRIM`", place)?,
            None => Bound::text(" "),
        };
        let side = match side {
            None | Some(TrimWhereField::Both) => text::TrimSide::Both,
            Some(TrimWhereField::Leading) => text::TrimSide::Leading,
            Some(TrimWhereField::Trailing) => text::TrimSide::Trailing,
        };
        Ok(Bound::call(text::trim(side), vec![value.expr, what.expr]))
    }
}

/// Reads the character after ESCAPE.
fn escape(written: Option<&ValueWithSpan>, place: Place) -> Checked<Option<char>> {
    let Some(written) = written else { return Ok(None) };
    let place = Place::of(written.span, place);
    let text = written.value.clone().into_string().unwrap_or_default();
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(escape), None) => Ok(Some(escape)),
        _ => Err(place.refuse("`ESCAPE` needs one character")),
    }
}

/// Converts values to the type they have in common.
pub(super) fn unified(
    values: Vec<(Bound, Place)>,
    what: &str,
    place: Place,
) -> Checked<(Vec<Expr>, DataType)> {
    let mut to = DataType::Null;
    for (value, place) in &values {
        to = common(&to, &value.data_type).ok_or_else(|| {
            let (a, b) = (type_name(&to), type_name(&value.data_type));
            place.refuse(format!("{what} must have one type, not {a} and {b}"))
        })?;
    }
    if to == DataType::Null {
        return Err(place.refuse(format!("{what} are all NULL; give one of them a type with `CAST`")));
    }
    let refused = || place.refuse(format!("{what} must have one type"));
    let values =
        values.into_iter().map(|(value, _)| convert(value, &to).map(|value| value.expr).ok_or_else(refused));
    Ok((values.collect::<Checked<Vec<_>>>()?, to))
}

/// Returns a NULL of a type.
pub(super) fn null_of(of: &DataType) -> Option<Expr> {
    Some(Expr::Literal(ScalarValue::try_from(of).ok()?, None))
}
