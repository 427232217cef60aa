//! Expressions of the plan in the words of the dialect, for the descriptions of operators.

use std::collections::HashMap;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_common::ScalarValue;
use datafusion_expr::expr::{AggregateFunction, Case, ScalarFunction};
use datafusion_expr::{Expr, Operator};
use weir_functions::conversion::type_name;
use weir_functions::window::{WindowKind, window_of};

/// Writes expressions. Remembers what the columns hold that operators below compute, as the plan names those columns by
/// the inner form of the expression.
#[derive(Debug, Default)]
pub struct Texts {
    computed: HashMap<String, String>,
}

impl Texts {
    /// Notes that columns hold these expressions from here on.
    pub fn computes<'a>(&mut self, expressions: impl IntoIterator<Item = &'a Expr>) {
        for expression in expressions {
            self.names(expression.schema_name().to_string(), expression);
        }
    }

    /// Notes that a column holds an expression from here on.
    pub fn names(&mut self, column: String, expression: &Expr) {
        let text = self.of(expression);
        self.computed.insert(column, text);
    }

    /// Writes expressions, with commas between them.
    pub fn list<'a>(&self, of: impl IntoIterator<Item = &'a Expr>) -> String {
        of.into_iter().map(|expression| self.of(expression)).collect::<Vec<_>>().join(", ")
    }

    /// Writes an expression.
    pub fn of(&self, expression: &Expr) -> String {
        let test = |inner: &Expr, what: &str| format!("{} {what}", self.operand(inner));
        match expression {
            Expr::Alias(alias) => match self.of(&alias.expr) {
                text if text == alias.name => text,
                text => format!("{text} AS {}", alias.name),
            },
            Expr::Column(column) => match self.computed.get(&column.name) {
                Some(text) => text.clone(),
                None => column.flat_name(),
            },
            Expr::Literal(value, _) => constant(value),
            Expr::BinaryExpr(binary) => {
                let side = |side: &Expr| match side {
                    // Of these the order does not matter.
                    Expr::BinaryExpr(inner)
                        if inner.op == binary.op && [Operator::And, Operator::Or].contains(&binary.op) =>
                    {
                        self.of(side)
                    }
                    side => self.operand(side),
                };
                let operator =
                    if binary.op == Operator::NotEq { "<>".to_string() } else { binary.op.to_string() };
                format!("{} {operator} {}", side(&binary.left), side(&binary.right))
            }
            Expr::Not(inner) => format!("NOT {}", self.operand(inner)),
            Expr::Negative(inner) => format!("-{}", self.operand(inner)),
            Expr::IsNull(inner) => test(inner, "IS NULL"),
            Expr::IsNotNull(inner) => test(inner, "IS NOT NULL"),
            Expr::IsTrue(inner) => test(inner, "IS TRUE"),
            Expr::IsNotTrue(inner) => test(inner, "IS NOT TRUE"),
            Expr::IsFalse(inner) => test(inner, "IS FALSE"),
            Expr::IsNotFalse(inner) => test(inner, "IS NOT FALSE"),
            Expr::IsUnknown(inner) => test(inner, "IS UNKNOWN"),
            Expr::IsNotUnknown(inner) => test(inner, "IS NOT UNKNOWN"),
            Expr::InList(list) => {
                let not = if list.negated { "NOT " } else { "" };
                format!("{} {not}IN ({})", self.operand(&list.expr), self.list(&list.list))
            }
            Expr::Like(like) => {
                let not = if like.negated { "NOT " } else { "" };
                format!("{} {not}LIKE {}", self.operand(&like.expr), self.operand(&like.pattern))
            }
            Expr::Case(case) => self.case(case),
            Expr::Cast(cast) => {
                format!("CAST({} AS {})", self.of(&cast.expr), type_name(cast.field.data_type()))
            }
            Expr::ScalarFunction(call) => match window_of(expression) {
                Some((kind, time)) => window(kind, &self.of(&time)),
                None => self.call(call),
            },
            Expr::AggregateFunction(call) => self.aggregate(call),
            other => other.to_string(),
        }
    }

    /// Writes an expression that stands beside an operator.
    fn operand(&self, expression: &Expr) -> String {
        match expression {
            Expr::BinaryExpr(_) | Expr::Not(_) | Expr::InList(_) | Expr::Like(_) => {
                format!("({})", self.of(expression))
            }
            _ => self.of(expression),
        }
    }

    fn case(&self, case: &Case) -> String {
        let mut text = "CASE".to_string();
        if let Some(operand) = &case.expr {
            text.push_str(&format!(" {}", self.of(operand)));
        }
        for (when, then) in &case.when_then_expr {
            text.push_str(&format!(" WHEN {} THEN {}", self.of(when), self.of(then)));
        }
        if let Some(otherwise) = &case.else_expr {
            text.push_str(&format!(" ELSE {}", self.of(otherwise)));
        }
        text.push_str(" END");
        text
    }

    fn call(&self, call: &ScalarFunction) -> String {
        let (name, arguments) = (call.func.name(), self.list(&call.args));
        // WINDOW_END(TUMBLE(...)) is TUMBLE_END(...) in the dialect.
        if let Some(of) = name.strip_prefix("window_")
            && let Some((window, rest)) = arguments.split_once('(')
            && ["TUMBLE", "HOP", "SESSION"].contains(&window)
        {
            return format!("{window}_{}({rest}", of.to_uppercase());
        }
        // The conversions of the dialect always have one type.
        match call.func.return_type(&[]) {
            Ok(to) if name.starts_with("cast_") => format!("CAST({arguments} AS {})", type_name(&to)),
            _ => format!("{}({arguments})", name.to_uppercase()),
        }
    }

    fn aggregate(&self, call: &AggregateFunction) -> String {
        let name = call.func.name();
        let distinct = if call.params.distinct { "DISTINCT " } else { "" };
        // COUNT(*) counts a constant in the plan.
        if name == "count" && matches!(call.params.args[..], [Expr::Literal(..)]) {
            return "COUNT(*)".to_string();
        }
        format!("{}({distinct}{})", name.to_uppercase(), self.list(&call.params.args))
    }
}

fn window(kind: WindowKind, time: &str) -> String {
    match kind {
        WindowKind::Tumble { size_ms } => format!("TUMBLE({time}, {})", interval(size_ms)),
        WindowKind::Hop { slide_ms, size_ms } => {
            format!("HOP({time}, {}, {})", interval(slide_ms), interval(size_ms))
        }
        WindowKind::Session { gap_ms } => format!("SESSION({time}, {})", interval(gap_ms)),
    }
}

/// Writes a length of time in the greatest unit that measures it whole.
fn interval(millis: i64) -> String {
    for (unit, length) in [("DAY", 86_400_000), ("HOUR", 3_600_000), ("MINUTE", 60_000), ("SECOND", 1000)] {
        if millis % length == 0 {
            return format!("INTERVAL '{}' {unit}", millis / length);
        }
    }
    format!("INTERVAL '{}.{:03}' SECOND", millis / 1000, millis % 1000)
}

fn constant(value: &ScalarValue) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match value {
        value if value.is_null() => "NULL".to_string(),
        ScalarValue::Utf8(Some(text)) => quoted(text),
        ScalarValue::Boolean(Some(of)) => of.to_string().to_uppercase(),
        value => {
            let text = shown(value).unwrap_or_else(|| value.to_string());
            match value {
                ScalarValue::Date32(_) => format!("DATE {}", quoted(&text)),
                ScalarValue::Time32Millisecond(_) => format!("TIME {}", quoted(&text)),
                ScalarValue::TimestampMillisecond(..) => {
                    format!("TIMESTAMP {}", quoted(&text.replace('T', " ")))
                }
                ScalarValue::IntervalYearMonth(_)
                | ScalarValue::IntervalDayTime(_)
                | ScalarValue::IntervalMonthDayNano(_)
                | ScalarValue::DurationMillisecond(_) => format!("INTERVAL {}", quoted(&text)),
                _ => text,
            }
        }
    }
}

fn shown(value: &ScalarValue) -> Option<String> {
    let array = value.to_array().ok()?;
    let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default()).ok()?;
    formatter.value(0).try_to_string().ok()
}
