//! Functions as Flink SQL: those that mean the same there, and those that must be written otherwise.

use arrow::datatypes::DataType;
use datafusion_expr::Expr;
use datafusion_expr::expr::{AggregateFunction, ScalarFunction};
use weir_functions::variant_of;

use super::expression::{Scope, expression};
use super::literal::text_constant;
use super::types::type_text;
use super::{NotInFlink, Translated, quoted};

/// Functions that Flink has under the same name, with the same meaning for the arguments that reach them.
const SAME: &[&str] = &[
    "abs",
    "power",
    "sqrt",
    "ln",
    "log10",
    "log2",
    "log",
    "exp",
    "ceil",
    "floor",
    "sin",
    "cos",
    "tan",
    "cot",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sinh",
    "cosh",
    "tanh",
    "degrees",
    "radians",
    "sign",
    "pi",
    "e",
    "bin",
    "lower",
    "upper",
    "ltrim",
    "rtrim",
    "replace",
    "initcap",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "to_base64",
    "from_base64",
    "regexp_replace",
    "char_length",
    "cardinality",
    "element",
    "year",
    "quarter",
    "month",
    "week",
    "dayofyear",
    "dayofmonth",
    "dayofweek",
    "hour",
    "minute",
    "second",
    "mod",
    "uuid",
    "hex",
];

/// Returns a call of a scalar function.
pub(super) fn scalar(call: &ScalarFunction, scope: &Scope<'_>) -> Translated<String> {
    let name = call.func.name();
    if let Some(part) = window_part(name, &call.args, scope) {
        return part;
    }
    let arguments =
        call.args.iter().map(|argument| expression(argument, scope)).collect::<Translated<Vec<_>>>()?;
    let variant = variant_of(&call.func);
    let returns = || scope.type_of(&Expr::ScalarFunction(call.clone()));
    let refused = || Err(NotInFlink::new(format!("the function `{}`", name.to_uppercase())));
    let list = arguments.join(", ");
    if SAME.contains(&name) {
        return Ok(format!("{}({list})", name.to_uppercase()));
    }
    Ok(match (name, arguments.as_slice()) {
        ("round", [value]) => format!("ROUND({value})"),
        ("round" | "repeat" | "sha2", [value, number]) => {
            format!("{}({value}, {})", name.to_uppercase(), cast_int(number))
        }
        ("lpad" | "rpad", [value, length, pad]) => {
            format!("{}({value}, {}, {pad})", name.to_uppercase(), cast_int(length))
        }
        ("regexp_extract", [value, pattern]) => format!("REGEXP_EXTRACT({value}, {pattern}, 0)"),
        ("regexp_extract", [value, pattern, group]) => {
            format!("REGEXP_EXTRACT({value}, {pattern}, {})", cast_int(group))
        }
        ("hex_integer", [value]) => format!("HEX({value})"),
        ("cast_to_string", [value]) => match scope.type_of(&call.args[0])? {
            DataType::Boolean => format!("LOWER(CAST({value} AS STRING))"),
            DataType::Date32 | DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                format!("CAST({value} AS STRING)")
            }
            DataType::Decimal128(..) => format!("CAST({value} AS STRING)"),
            other => {
                return Err(NotInFlink::new(format!(
                    "the text of a value of type {other}, which Flink writes otherwise"
                )));
            }
        },
        ("cast_from_string", [value]) => format!("CAST({value} AS {})", type_text(&returns()?)?),
        ("cast_float_to_decimal" | "cast_decimal_to_float" | "cast_time" | "retype", [value]) => {
            format!("CAST({value} AS {})", type_text(&returns()?)?)
        }
        ("trunc", [value]) => format!("TRUNCATE({value}, 0)"),
        ("concat", _) => format!("CONCAT_WS('', {list})"),
        ("concat_ws", [separator, rest @ ..]) => {
            format!("CONCAT_WS(COALESCE({separator}, ''), {})", rest.join(", "))
        }
        ("md5", [value]) => format!("CASE WHEN {value} = '' THEN '' ELSE MD5({value}) END"),
        ("position", [what, within]) => format!("POSITION({what} IN {within})"),
        ("substring", [value, from, rest @ ..]) => {
            let from = format!("CASE WHEN {from} = 0 THEN 1 ELSE {from} END");
            format!(
                "SUBSTRING({})",
                [
                    &[value.clone(), cast_int(&from)],
                    &rest.iter().map(|n| cast_int(n)).collect::<Vec<_>>()[..]
                ]
                .concat()
                .join(", ")
            )
        }
        ("overlay", [value, with, from, rest @ ..]) => {
            let length = rest.first().map(|length| format!(" FOR {}", cast_int(length))).unwrap_or_default();
            format!("OVERLAY({value} PLACING {with} FROM {}{length})", cast_int(from))
        }
        ("trim", [value, what]) => format!("TRIM({} {what} FROM {value})", variant.to_uppercase()),
        ("similar_to", [value, pattern]) if variant == "None" => format!("({value} SIMILAR TO {pattern})"),
        ("extract", [time]) => format!("CAST(EXTRACT({} FROM {time}) AS INT)", unit(&variant)),
        ("time_to_unit", [time]) => {
            let mut words = variant.split(' ');
            let direction = if words.next() == Some("Up") { "CEIL" } else { "FLOOR" };
            format!("{direction}({time} TO {})", unit(words.next().unwrap_or_default()))
        }
        ("add_interval", [time, interval]) => {
            format!("({time} {} {interval})", if variant.starts_with("Minus") { "-" } else { "+" })
        }
        ("timestampadd", [count, time]) => {
            format!("TIMESTAMPADD({}, {}, {time})", unit(&variant), cast_int(count))
        }
        ("timestampdiff", [from, to]) => format!("TIMESTAMPDIFF({}, {from}, {to})", unit(&variant)),
        ("to_timestamp", [ms]) if scope.options.time_zone == "UTC" => {
            format!("CAST(TO_TIMESTAMP_LTZ({ms}, 3) AS TIMESTAMP(3))")
        }
        ("unix_timestamp", [text]) if scope.options.time_zone == "UTC" => format!("UNIX_TIMESTAMP({text})"),
        ("array", _) => format!("ARRAY[{list}]"),
        ("map", _) => format!("MAP[{list}]"),
        ("row", _) => format!("ROW({list})"),
        ("array_element", [array, index]) => format!("{array}[{}]", cast_int(index)),
        ("map_value", [map, key]) => format!("{map}[{key}]"),
        ("row_field", [row]) => match variant.split_once(' ') {
            Some((_, field)) => format!("{row}.{}", quoted(field)),
            None => return refused(),
        },
        ("is_alpha" | "is_url" | "is_digits" | "is_number", _) => {
            return Err(NotInFlink::new(format!(
                "`{}`, which has another meaning in Flink",
                name.to_uppercase()
            )));
        }
        ("key_value", [value, pairs, within, key]) => format!(
            "STR_TO_MAP({value}, {}, {})[{key}]",
            literally(&call.args[1]).unwrap_or_else(|| pairs.clone()),
            literally(&call.args[2]).unwrap_or_else(|| within.clone())
        ),
        _ => return refused(),
    })
}

/// Returns a separator as a regular expression that matches nothing else.
fn literally(separator: &Expr) -> Option<String> {
    match separator {
        Expr::Literal(datafusion_common::ScalarValue::Utf8(Some(text)), _) => {
            Some(text_constant(&regex::escape(text)))
        }
        _ => None,
    }
}

/// Flink takes INT where the plan has BIGINT.
fn cast_int(number: &str) -> String {
    format!("CAST({number} AS INT)")
}

fn unit(variant: &str) -> String {
    let name = variant.split(' ').next().unwrap_or_default();
    match name {
        "DayOfWeek" => "DOW".to_string(),
        "DayOfYear" => "DOY".to_string(),
        other => other.to_uppercase(),
    }
}

/// Returns the column that stands for a bound of the window that a function reads.
fn window_part(name: &str, arguments: &[Expr], scope: &Scope<'_>) -> Option<Translated<String>> {
    let what = name.strip_prefix("window_")?;
    let window = scope.column_of(arguments.first()?)?.window.clone()?;
    Some(match what {
        "start" => Ok(window.start),
        "end" => Ok(window.end),
        "rowtime" | "proctime" => Ok(window.time),
        other => Err(NotInFlink::new(format!("the part `{other}` of a window"))),
    })
}

/// Returns a call of an aggregate.
pub(super) fn aggregate(call: &AggregateFunction, scope: &Scope<'_>) -> Translated<String> {
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
        other => return Err(NotInFlink::new(format!("the aggregate `{}`", other.to_uppercase()))),
    };
    let [argument] = call.params.args.as_slice() else {
        return Err(NotInFlink::new(format!("`{name}` of several arguments")));
    };
    if name == "COUNT" && matches!(argument, Expr::Literal(..)) {
        return Ok("COUNT(*)".to_string());
    }
    let distinct = if call.params.distinct { "DISTINCT " } else { "" };
    Ok(format!("{name}({distinct}{})", expression(argument, scope)?))
}
