//! Expressions as Flink SQL.

use arrow::datatypes::DataType;
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::{Expr, ExprSchemable, Operator};

use weir_functions::variant_of;

use super::function;
use super::literal::{constant, text_constant};
use super::plan::OutColumn;
use super::types::type_text;
use super::{FlinkOptions, NotInFlink, Translated};
use crate::TIME_ATTRIBUTE;

/// The columns that an expression reads.
pub(super) struct Scope<'a> {
    schema: &'a DFSchema,
    columns: &'a [OutColumn],
    pub(super) options: &'a FlinkOptions,
}

impl<'a> Scope<'a> {
    pub(super) fn new(schema: &'a DFSchema, columns: &'a [OutColumn], options: &'a FlinkOptions) -> Self {
        Self { schema, columns, options }
    }

    /// Makes the scope of constants.
    pub(super) fn empty(options: &'a FlinkOptions) -> Self {
        static NOTHING: std::sync::LazyLock<DFSchema> = std::sync::LazyLock::new(DFSchema::empty);
        Self { schema: &NOTHING, columns: &[], options }
    }

    /// Returns the column that an expression is, when it is nothing more.
    pub(super) fn column_of(&self, expr: &Expr) -> Option<&'a OutColumn> {
        match expr {
            Expr::Alias(alias) => self.column_of(&alias.expr),
            Expr::Column(column) => self.columns.get(self.schema.index_of_column(column).ok()?),
            _ => None,
        }
    }

    /// Returns the time attribute that a column is.
    pub(super) fn time_of(&self, expr: &Expr) -> Translated<String> {
        match self.column_of(expr) {
            Some(column) => Ok(column.rowtime.clone().unwrap_or_else(|| column.name.clone())),
            None => {
                Err(NotInFlink::new(format!("the time `{expr}` is no plain column; select it as one below")))
            }
        }
    }

    /// Returns whether a time attribute is event time.
    pub(super) fn is_event_time(&self, expr: &Expr) -> bool {
        let Expr::Column(column) = expr else { return false };
        let field = self.schema.index_of_column(column).map(|index| self.schema.field(index));
        field.is_ok_and(|field| field.metadata().get(TIME_ATTRIBUTE).is_none_or(|kind| kind == "rowtime"))
    }

    /// Returns the type of an expression.
    pub(super) fn type_of(&self, expr: &Expr) -> Translated<DataType> {
        expr.get_type(self.schema).map_err(|error| NotInFlink::new(error.strip_backtrace()))
    }
}

/// Returns an expression; it needs no brackets around it.
pub(super) fn expression(expr: &Expr, scope: &Scope<'_>) -> Translated<String> {
    let text = |expr: &Expr| expression(expr, scope);
    let test = |expr: &Expr, what: &str| Ok(format!("({} {what})", expression(expr, scope)?));
    match expr {
        Expr::Alias(alias) => text(&alias.expr),
        Expr::Column(column) => match scope.column_of(expr) {
            Some(column) if column.window.is_none() => Ok(column.name.clone()),
            _ => Err(NotInFlink::new(format!("column `{}` is not to be had here", column.name))),
        },
        Expr::Literal(value, _) => constant(value),
        Expr::BinaryExpr(binary) => {
            let (left, right) = (text(&binary.left)?, text(&binary.right)?);
            Ok(format!("({left} {} {right})", operator(binary.op)?))
        }
        Expr::Not(inner) => Ok(format!("(NOT {})", text(inner)?)),
        Expr::Negative(inner) => Ok(format!("(- {})", text(inner)?)),
        Expr::IsNull(inner) => test(inner, "IS NULL"),
        Expr::IsNotNull(inner) => test(inner, "IS NOT NULL"),
        Expr::IsTrue(inner) => test(inner, "IS TRUE"),
        Expr::IsNotTrue(inner) => test(inner, "IS NOT TRUE"),
        Expr::IsFalse(inner) => test(inner, "IS FALSE"),
        Expr::IsNotFalse(inner) => test(inner, "IS NOT FALSE"),
        Expr::IsUnknown(inner) => test(inner, "IS UNKNOWN"),
        Expr::IsNotUnknown(inner) => test(inner, "IS NOT UNKNOWN"),
        Expr::InList(list) => {
            // Spelled out, because Flink refuses a NULL in a list.
            let value = text(&list.expr)?;
            let equal = list.list.iter().map(|item| Ok(format!("{value} = {}", text(item)?)));
            let any = equal.collect::<Translated<Vec<_>>>()?.join(" OR ");
            Ok(if list.negated { format!("(NOT ({any}))") } else { format!("({any})") })
        }
        Expr::Case(case) => {
            let mut written = "CASE".to_string();
            if let Some(operand) = &case.expr {
                written.push_str(&format!(" {}", text(operand)?));
            }
            for (when, then) in &case.when_then_expr {
                written.push_str(&format!(" WHEN {} THEN {}", text(when)?, text(then)?));
            }
            if let Some(otherwise) = &case.else_expr {
                written.push_str(&format!(" ELSE {}", text(otherwise)?));
            }
            Ok(format!("{written} END"))
        }
        Expr::Cast(cast) => {
            let to = cast.field.data_type();
            if matches!(to, DataType::Decimal256(..)) {
                return Err(NotInFlink::new(
                    "decimal arithmetic with more than 38 digits on the way; CAST an operand to fewer",
                ));
            }
            Ok(format!("CAST({} AS {})", text(&cast.expr)?, type_text(to)?))
        }
        Expr::Like(like) => {
            let word = if like.negated { "NOT LIKE" } else { "LIKE" };
            let (value, (pattern, escape)) = (text(&like.expr)?, like_pattern(&like.pattern, scope)?);
            Ok(format!("({value} {word} {pattern}{escape})"))
        }
        Expr::ScalarFunction(call) => function::scalar(call, scope),
        Expr::AggregateFunction(call) => function::aggregate(call, scope),
        other => Err(NotInFlink::new(format!("the expression `{other}`"))),
    }
}

/// Returns a pattern in which a backslash escapes in Flink's form, and the clause that names its escape. Flink
/// cannot escape with a backslash, so another character that the pattern does not have takes its place.
fn like_pattern(pattern: &Expr, scope: &Scope<'_>) -> Translated<(String, String)> {
    match pattern {
        Expr::Literal(ScalarValue::Utf8(Some(pattern)), _) if pattern.contains('\\') => {
            let free = ['!', '#', '^', '~', '@'].into_iter().find(|escape| !pattern.contains(*escape));
            let Some(escape) = free else {
                return Err(NotInFlink::of(
                    "LIKE",
                    "the pattern uses every character that Flink could escape with; use SIMILAR TO",
                ));
            };
            let mut written = String::with_capacity(pattern.len());
            let mut characters = pattern.chars();
            while let Some(character) = characters.next() {
                match (character, character == '\\') {
                    // A backslash that stands for itself needs no escape here.
                    (_, true) => match characters.next() {
                        Some(special @ ('%' | '_')) => written.extend([escape, special]),
                        Some(other) => written.push(other),
                        None => written.push('\\'),
                    },
                    (other, false) => written.push(other),
                }
            }
            Ok((text_constant(&written), format!(" ESCAPE '{escape}'")))
        }
        Expr::Literal(ScalarValue::Utf8(Some(pattern)), _) => Ok((text_constant(pattern), String::new())),
        Expr::ScalarFunction(call) if call.func.name() == "like_pattern" && call.args.len() == 1 => {
            let escape = function::escape(&variant_of(&call.func));
            Ok((expression(&call.args[0], scope)?, escape))
        }
        _ => Err(NotInFlink::of("LIKE", "Flink is given the pattern as a constant or as it is written")),
    }
}

fn operator(of: Operator) -> Translated<&'static str> {
    Ok(match of {
        Operator::Eq => "=",
        Operator::NotEq => "<>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        Operator::And => "AND",
        Operator::Or => "OR",
        Operator::Plus => "+",
        Operator::Minus => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::StringConcat => "||",
        Operator::IsDistinctFrom => "IS DISTINCT FROM",
        Operator::IsNotDistinctFrom => "IS NOT DISTINCT FROM",
        other => return Err(NotInFlink::new(format!("the operator `{other}`"))),
    })
}
