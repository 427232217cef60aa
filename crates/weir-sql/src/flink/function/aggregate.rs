//! Aggregates as Flink SQL.

use arrow::datatypes::DataType;
use datafusion_expr::Expr;
use datafusion_expr::expr::{AggregateFunction, Case};

use super::not_there;
use crate::flink::expression::{Scope, expression};
use crate::flink::{NotInFlink, Translated};

/// Returns a call of an aggregate.
pub(in crate::flink) fn aggregate(call: &AggregateFunction, scope: &Scope<'_>) -> Translated<String> {
    let name = match call.func.name() {
        "count" => "COUNT",
        "sum" => "SUM",
        "avg" => "AVG",
        "min" => "MIN",
        "max" => "MAX",
        "stddev" => "STDDEV_SAMP",
        "stddev_pop" => "STDDEV_POP",
        "var" => "VAR_SAMP",
        "var_pop" => "VAR_POP",
        "array_agg" => "ARRAY_AGG",
        other => return Err(not_there(&other.to_uppercase())),
    };
    let [argument] = call.params.args.as_slice() else {
        return Err(NotInFlink::of(name, "Flink takes one argument there"));
    };
    if name == "COUNT" && matches!(argument, Expr::Literal(..)) {
        return Ok("COUNT(*)".to_string());
    }
    if name == "ARRAY_AGG" {
        let value = expression(argument, scope)?;
        return Ok(format!("ARRAY_AGG({value}) FILTER (WHERE {value} IS NOT NULL)"));
    }
    let distinct = if call.params.distinct { "DISTINCT " } else { "" };
    let value = match scope.type_of(argument)? {
        DataType::Struct(_) if call.params.distinct => tuple_text(argument, scope)?,
        _ => expression(argument, scope)?,
    };
    Ok(format!("{name}({distinct}{value})"))
}

/// Returns a text that is different for different rows: Flink does not count different rows, but different texts.
fn tuple_text(argument: &Expr, scope: &Scope<'_>) -> Translated<String> {
    let refused = || {
        NotInFlink::of(
            "COUNT",
            "Flink does not count different rows; count their fields together, joined as a text",
        )
    };
    let Expr::Case(Case { expr: None, when_then_expr, else_expr: Some(row) }) = argument else {
        return Err(refused());
    };
    let (Expr::ScalarFunction(row), [(missing, _)]) = (row.as_ref(), when_then_expr.as_slice()) else {
        return Err(refused());
    };
    let values = row.args.iter().map(|value| expression(value, scope)).collect::<Translated<Vec<_>>>()?;
    Ok(format!(
        "CASE WHEN {} THEN CAST(NULL AS STRING) ELSE JSON_ARRAY({} NULL ON NULL) END",
        expression(missing, scope)?,
        values.join(", ")
    ))
}
