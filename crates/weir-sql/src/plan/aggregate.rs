//! Aggregates, and the plan of a GROUP BY.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, DataFusionError};
use datafusion_expr::expr::{AggregateFunction, NullTreatment};
use datafusion_expr::{Aggregate, AggregateUDF, Expr, Extension, LogicalPlan, lit};
use datafusion_functions_aggregate::array_agg::array_agg_udaf;
use datafusion_functions_aggregate::average::avg_udaf;
use datafusion_functions_aggregate::count::count_udaf;
use datafusion_functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion_functions_aggregate::stddev::{stddev_pop_udaf, stddev_udaf};
use datafusion_functions_aggregate::sum::sum_udaf;
use datafusion_functions_aggregate::variance::{var_pop_udaf, var_samp_udaf};
use weir_functions::conversion::type_name;
use weir_functions::{collection, rounding};

use super::bound::Bound;
use super::call::Written;
use super::convert::convert;
use super::expr::{Binder, Stage, null_of};
use super::grouping::Grouping;
use super::refuse::{Checked, Place, hinted};
use super::types::{as_decimal, is_integer, is_numeric, is_temporal};
use crate::nodes::{Expand, GROUPING, key_name};

/// The aggregates.
pub(super) const NAMES: &[&str] =
    &["COUNT", "SUM", "AVG", "MAX", "MIN", "STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP", "COLLECT"];

/// The aggregates that definitions and measures of a pattern may use.
const OF_PATTERNS: &[&str] = &["COUNT", "SUM", "AVG", "MAX", "MIN"];

/// Tells whether a name in upper case is that of an aggregate.
pub(super) fn is_aggregate(name: &str) -> bool {
    NAMES.contains(&name)
}

fn call(function: Arc<AggregateUDF>, arguments: Vec<Expr>, distinct: bool) -> Expr {
    Expr::AggregateFunction(AggregateFunction::new_udf(function, arguments, distinct, None, vec![], None))
}

impl Binder<'_> {
    /// Checks an aggregate.
    pub(super) fn aggregate(&self, name: &str, written: &Written<'_>, place: Place) -> Checked<Bound> {
        if matches!(self.stage, Stage::Pattern(_)) {
            refuse_in_pattern(name, written, place)?;
        }
        let input = Binder { stage: Stage::Row("inside another aggregate"), ..*self };
        let mut arguments =
            written.arguments.iter().map(|argument| input.bind(argument)).collect::<Checked<Vec<_>>>()?;
        if name == "COUNT" {
            return count(arguments, written, place);
        }
        let value = match (arguments.pop(), arguments.is_empty(), written.star) {
            (Some(value), true, false) => value,
            _ => return Err(place.refuse(format!("`{name}` takes 1 argument"))),
        };
        if written.distinct && !matches!(name, "SUM" | "AVG" | "MIN" | "MAX") {
            return Err(place.unavailable(&format!("`DISTINCT` inside `{name}`")));
        }
        let of = value.data_type.clone();
        let refused = || place.refuse(format!("`{name}` does not apply to {}", type_name(&of)));
        match name {
            "MAX" | "MIN" if is_numeric(&of) || is_temporal(&of) || of == DataType::Utf8 => {
                let function = if name == "MAX" { max_udaf() } else { min_udaf() };
                Ok(Bound::new(call(function, vec![value.expr], false), of))
            }
            "SUM" => sum(value, written.distinct).ok_or_else(refused),
            "COLLECT" if of != DataType::Null => {
                let collected = AggregateFunction::new_udf(
                    array_agg_udaf(),
                    vec![value.expr],
                    false,
                    None,
                    vec![],
                    Some(NullTreatment::IgnoreNulls),
                );
                let item = arrow::datatypes::Field::new_list_field(of, true);
                Ok(Bound::new(Expr::AggregateFunction(collected), DataType::List(Arc::new(item))))
            }
            "AVG" => average(value, written.distinct).ok_or_else(refused),
            "STDDEV_POP" => mean(stddev_pop_udaf(), value, false).ok_or_else(refused),
            "STDDEV_SAMP" => mean(stddev_udaf(), value, false).ok_or_else(refused),
            "VAR_POP" => mean(var_pop_udaf(), value, false).ok_or_else(refused),
            "VAR_SAMP" => mean(var_samp_udaf(), value, false).ok_or_else(refused),
            _ => Err(refused()),
        }
    }
}

/// Refuses the aggregates that patterns do not have.
fn refuse_in_pattern(name: &str, written: &Written<'_>, place: Place) -> Checked<()> {
    let refused = if !OF_PATTERNS.contains(&name) {
        format!("the aggregate `{name}`")
    } else if written.distinct {
        format!("`DISTINCT` inside `{name}`")
    } else {
        return Ok(());
    };
    let hint = "a pattern has `COUNT`, `SUM`, `AVG`, `MAX` and `MIN` over the rows of one variable";
    let error = place.refuse(format!("{refused} is not allowed in `MATCH_RECOGNIZE`"));
    Err(hinted(error, Some(hint.to_string())))
}

/// COUNT of rows, of rows in which every argument has a value, or of different tuples of values.
fn count(mut arguments: Vec<Bound>, written: &Written<'_>, place: Place) -> Checked<Bound> {
    if written.star {
        if !arguments.is_empty() || written.distinct {
            return Err(place.refuse("`COUNT(*)` takes nothing else"));
        }
        return Ok(Bound::new(call(count_udaf(), vec![lit(1i64)], false), DataType::Int64));
    }
    if written.distinct && arguments.iter().any(|argument| matches!(argument.data_type, DataType::Map(..))) {
        return Err(place.refuse("`COUNT(DISTINCT ...)` cannot compare MAP values"));
    }
    let Some(last) = arguments.pop() else {
        return Err(place.refuse("`COUNT` needs `*` or an argument"));
    };
    let argument = if arguments.is_empty() {
        last.expr
    } else {
        arguments.push(last);
        tuple(arguments, place)?
    };
    Ok(Bound::new(call(count_udaf(), vec![argument], written.distinct), DataType::Int64))
}

/// Returns a row of the values, NULL when one of them is.
fn tuple(values: Vec<Bound>, place: Place) -> Checked<Expr> {
    let fields: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            arrow::datatypes::Field::new(format!("v{index}"), value.data_type.clone(), true)
        })
        .collect();
    let missing = values.iter().map(|value| value.expr.clone().is_null()).reduce(Expr::or);
    let row = Bound::call(
        collection::make_row(fields.into()),
        values.into_iter().map(|value| value.expr).collect(),
    );
    let null = null_of(&row.data_type);
    let (Some(missing), Some(null)) = (missing, null) else {
        return Err(place.refuse("`COUNT` does not apply to these arguments"));
    };
    let branch = (Box::new(missing), Box::new(null));
    Ok(Expr::Case(datafusion_expr::expr::Case::new(None, vec![branch], Some(Box::new(row.expr)))))
}

/// SUM: BIGINT of integers, DOUBLE of floats, DECIMAL(38, s) of decimals.
fn sum(value: Bound, distinct: bool) -> Option<Bound> {
    let to = match &value.data_type {
        of if is_integer(of) => DataType::Int64,
        DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
        _ => return None,
    };
    let value = convert(value, &to)?;
    Some(Bound::new(call(sum_udaf(), vec![value.expr], distinct), to))
}

/// AVG. Of BIGINT and DECIMAL it is computed digit by digit: a DOUBLE holds only some 16 of them.
fn average(value: Bound, distinct: bool) -> Option<Bound> {
    let of = value.data_type.clone();
    let (precision, scale) = match as_decimal(&of) {
        Some((precision, scale)) if (11..=MAX_EXACT_AVERAGE).contains(&precision) => (precision, scale),
        _ => return mean(avg_udaf(), value, distinct),
    };
    let value = convert(value, &DataType::Decimal128(precision, scale))?;
    let quotient = DataType::Decimal128(precision + 4, scale + 4);
    convert(Bound::new(call(avg_udaf(), vec![value.expr], distinct), quotient), &of)
}

/// The greatest precision of which a quotient has four digits more.
const MAX_EXACT_AVERAGE: u8 = 34;

/// AVG and its relatives keep the type of the argument; of integers they cut the fraction off.
fn mean(function: Arc<AggregateUDF>, value: Bound, distinct: bool) -> Option<Bound> {
    let of = value.data_type.clone();
    if !is_numeric(&of) {
        return None;
    }
    let value = convert(value, &DataType::Float64)?;
    let exact = Bound::new(call(function, vec![value.expr], distinct), DataType::Float64);
    let cut = if is_integer(&of) { Bound::call(rounding::truncate(), vec![exact.expr]) } else { exact };
    convert(cut, &of)
}

/// The expressions of a SELECT that are computed from its groups, by place in the text.
pub(super) struct Grouped {
    pub(super) plan: LogicalPlan,
    pub(super) outputs: Vec<Expr>,
}

/// Plans a GROUP BY: `outputs` are rewritten to read the keys and aggregates of the new node.
pub(super) fn group(
    input: LogicalPlan,
    grouping: &Grouping,
    outputs: Vec<(Expr, Place)>,
    place: Place,
) -> Checked<Grouped> {
    let aggregates = collect(&outputs);
    if grouping.keys.is_empty() && aggregates.is_empty() {
        for (output, place) in outputs {
            rewrite(output, &[], &[], place)?;
        }
        return Err(place.refuse("one group of all rows needs an aggregate"));
    }
    let refused = |error: DataFusionError| place.refuse(format!("this GROUP BY cannot be planned: {error}"));
    let Keys { input, known, planned } = keys(input, grouping).map_err(refused)?;
    let mut names = HashSet::new();
    let named_keys = planned.iter().map(|key| distinct_name(key, &mut names)).collect();
    let named_aggregates = aggregates.iter().map(|call| distinct_name(call, &mut names)).collect();
    let node = Aggregate::try_new(Arc::new(input), named_keys, named_aggregates).map_err(refused)?;
    let columns: Vec<Expr> = node.schema.columns().into_iter().map(Expr::Column).collect();
    let known: Vec<&Expr> = known.iter().chain(&aggregates).collect();
    let outputs = outputs
        .into_iter()
        .map(|(output, place)| rewrite(output, &known, &columns, place))
        .collect::<Checked<Vec<_>>>()?;
    Ok(Grouped { plan: LogicalPlan::Aggregate(node), outputs })
}

/// The input of an `Aggregate`, with its keys as the query has them and as the node reads them.
struct Keys {
    input: LogicalPlan,
    known: Vec<Expr>,
    planned: Vec<Expr>,
}

/// Returns the keys of a GROUP BY; several groupings read them from an [`Expand`].
fn keys(input: LogicalPlan, grouping: &Grouping) -> Result<Keys, DataFusionError> {
    let mut known = grouping.keys.clone();
    let Some(sets) = &grouping.sets else {
        return Ok(Keys { input, planned: known.clone(), known });
    };
    let window = grouping.window_position();
    let expanded: Vec<usize> = (0..known.len()).filter(|key| Some(*key) != window).collect();
    let rolled_up =
        |set: &Vec<usize>| (0..expanded.len()).filter(|at| !set.contains(&expanded[*at])).collect();
    let expand = Expand::try_new(
        input,
        expanded.iter().map(|key| known[*key].clone()).collect(),
        sets.iter().map(rolled_up).collect(),
    )?;
    let mut planned = known.clone();
    for (at, key) in expanded.into_iter().enumerate() {
        planned[key] = Expr::Column(Column::new_unqualified(key_name(at)));
    }
    let number = Expr::Column(Column::new_unqualified(GROUPING));
    known.push(number.clone());
    planned.push(number);
    let input = LogicalPlan::Extension(Extension { node: Arc::new(expand) });
    Ok(Keys { input, known, planned })
}

/// Returns whether an expression has an aggregate in it.
pub(super) fn contains_aggregate(expr: &Expr) -> bool {
    // The closure returns no error, so the walk cannot fail.
    expr.exists(|node| Ok(matches!(node, Expr::AggregateFunction(_)))).unwrap_or(false)
}

/// Returns the different aggregates in the order in which they are first used.
fn collect(outputs: &[(Expr, Place)]) -> Vec<Expr> {
    let mut found: Vec<Expr> = Vec::new();
    for (output, _) in outputs {
        let visited = output.apply(|node| {
            if matches!(node, Expr::AggregateFunction(_)) {
                if !found.contains(node) {
                    found.push(node.clone());
                }
                return Ok(TreeNodeRecursion::Jump);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        debug_assert!(visited.is_ok(), "the visitor never fails");
    }
    found
}

/// Two different expressions may print alike, because casts are not printed; the later one is renamed.
fn distinct_name(expr: &Expr, names: &mut HashSet<String>) -> Expr {
    let name = expr.schema_name().to_string();
    if names.insert(name.clone()) {
        return expr.clone();
    }
    let mut count = 1;
    while !names.insert(format!("{name}#{count}")) {
        count += 1;
    }
    expr.clone().alias(format!("{name}#{count}"))
}

fn rewrite(output: Expr, known: &[&Expr], columns: &[Expr], place: Place) -> Checked<Expr> {
    let mut refusal = None;
    let rewritten = output.transform_down(|node| {
        if let Some(index) = known.iter().position(|known| **known == node) {
            return Ok(Transformed::new(columns[index].clone(), true, TreeNodeRecursion::Jump));
        }
        if let Expr::Column(column) = &node {
            refusal.get_or_insert_with(|| not_grouped(column, place));
        }
        Ok(Transformed::no(node))
    });
    match (rewritten, refusal) {
        (_, Some(refusal)) => Err(refusal),
        (Ok(rewritten), None) => Ok(rewritten.data),
        (Err(error), None) => Err(place.refuse(error.to_string())),
    }
}

fn not_grouped(column: &Column, place: Place) -> crate::CheckError {
    let place = match column.spans.first() {
        Some(span) => {
            let location = |at: datafusion_common::Location| sqlparser::tokenizer::Location {
                line: at.line,
                column: at.column,
            };
            let span = sqlparser::tokenizer::Span { start: location(span.start), end: location(span.end) };
            Place::of(span, place)
        }
        None => place,
    };
    let error =
        place.refuse(format!("column `{}` is neither in `GROUP BY` nor inside an aggregate", column.name));
    hinted(error, Some(format!("group by it, or take one of its values, such as `MAX({})`", column.name)))
}
