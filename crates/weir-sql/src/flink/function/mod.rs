//! Functions as Flink SQL: those that mean the same there, and those that must be written otherwise.

mod aggregate;
mod time;

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use datafusion_expr::expr::ScalarFunction;
use weir_functions::conversion::type_name;
use weir_functions::variant_of;

pub(super) use self::aggregate::aggregate;
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
    let list = arguments.join(", ");
    if let Some(time) = time::time(call, &variant, &arguments, scope) {
        return time;
    }
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
        ("hex_integer", [value]) => format!("HEX(CAST({value} AS BIGINT))"),
        ("cast_to_string", [value]) => match scope.type_of(&call.args[0])? {
            DataType::Boolean => format!("LOWER(CAST({value} AS STRING))"),
            DataType::Date32 | DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                format!("CAST({value} AS STRING)")
            }
            DataType::Decimal128(..) | DataType::Float32 | DataType::Float64 | DataType::Timestamp(..) => {
                format!("CAST({value} AS STRING)")
            }
            // Flink 2 writes all digits that the type has.
            DataType::Time32(_) => format!("CAST(CAST({value} AS TIME(0)) AS STRING)"),
            other => {
                return Err(NotInFlink::of(
                    "CAST",
                    format!(
                        "Flink writes the text of a value of type {} otherwise; take its parts",
                        type_name(&other)
                    ),
                ));
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
        ("similar_to", [value, pattern]) => format!("({value} SIMILAR TO {pattern}{})", escape(&variant)),
        ("compare_floats", [left, right]) => match variant.rsplit_once(' ') {
            Some((operator, _)) => format!("({left} {} {right})", operator.replace("!=", "<>")),
            None => return Err(not_there(name)),
        },
        ("rand", []) => "RAND()".to_string(),
        ("rand", [_]) => format!("RAND({})", seed(call)?),
        ("rand_integer", [bound]) => format!("RAND_INTEGER({})", cast_int(bound)),
        ("rand_integer", [_, bound]) => format!("RAND_INTEGER({}, {})", seed(call)?, cast_int(bound)),
        ("array", _) => format!("ARRAY[{list}]"),
        ("map", _) => format!("MAP[{list}]"),
        ("row", _) => format!("ROW({list})"),
        ("array_element", [array, index]) => format!("({array})[{}]", cast_int(index)),
        ("split", [text, separator]) => split(text, separator),
        ("string_to_array", [text, _]) => split_at_matches(text, &call.args[1])?,
        ("map_value", [map, key]) => format!("{map}[{key}]"),
        ("row_field", [row]) => match variant.split_once(' ') {
            Some((_, field)) => format!("{row}.{}", quoted(field)),
            None => return Err(not_there(name)),
        },
        ("is_alpha", [value]) => whole_match(value, r"\p{L}+"),
        ("is_digits", [value]) => whole_match(value, r"\p{Nd}+"),
        ("is_number", [value]) => whole_match(value, r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"),
        ("is_url", [value]) => whole_match(value, URL),
        ("key_value", [value, pairs, within, key]) => format!(
            "STR_TO_MAP({value}, {}, {})[{key}]",
            literally(&call.args[1]).unwrap_or_else(|| pairs.clone()),
            literally(&call.args[2]).unwrap_or_else(|| within.clone())
        ),
        _ => return Err(not_there(&name.to_uppercase())),
    })
}

/// Refuses a function that Flink does not have.
fn not_there(name: &str) -> NotInFlink {
    NotInFlink::of(name, "Flink has no function that means the same; compute it before the job or behind it")
}

/// Returns the seed of a random number: both begin one sequence for the call, if it is a constant.
fn seed(call: &ScalarFunction) -> Translated<i32> {
    let constant = match call.args.first() {
        Some(Expr::Literal(ScalarValue::Int64(Some(seed)), _)) => i32::try_from(*seed).ok(),
        _ => None,
    };
    constant.ok_or_else(|| {
        NotInFlink::of(&call.func.name().to_uppercase(), "Flink takes a constant of type INT as the seed")
    })
}

/// An absolute URL with a host, and a port up to 65535.
const URL: &str = concat!(
    r"(?i:https?|ftp)://([^/?#\s]*@)?",
    r"([\p{L}\p{N}._\[\]:-]*\]|[\p{L}\p{N}._\[\]-]+|[\p{L}\p{N}._\[\]:-]+:",
    r"\+?0*(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[0-5]?[0-9]{1,4}))",
    r"([/?#]\S*)?"
);

/// Returns whether all of a text matches a regular expression; FALSE for NULL.
fn whole_match(value: &str, pattern: &str) -> String {
    format!("COALESCE(REGEXP({value}, {}), FALSE)", text_constant(&format!(r"\A(?:{pattern})\z")))
}

/// A character that no text has: it stands where a regular expression has split one.
const SPLIT_AT: &str = r"U&'\E000'";

/// Returns the pieces of a text at a separator. Flink finds no piece in the empty text, which has one, the empty text.
fn split(text: &str, separator: &str) -> String {
    format!(
        "CASE WHEN {text} = '' OR {separator} = '' THEN ARRAY[{text}] ELSE SPLIT({text}, {separator}) END"
    )
}

/// Returns the pieces of a text at a regular expression, which Flink splits at plain text only.
fn split_at_matches(text: &str, pattern: &Expr) -> Translated<String> {
    let refused = |why: &str| NotInFlink::of("STRING_TO_ARRAY", format!("Flink splits at plain text, {why}"));
    let Expr::Literal(ScalarValue::Utf8(Some(pattern)), _) = pattern else {
        return Err(refused("so the pattern must be a constant"));
    };
    if let Some(separator) = plain_text(pattern) {
        return Ok(split(text, &text_constant(&separator)));
    }
    if regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match("")) {
        return Err(refused("so the pattern must not match the empty text"));
    }
    let marked = format!("REGEXP_REPLACE({text}, {}, {SPLIT_AT})", text_constant(pattern));
    Ok(format!("CASE WHEN {text} = '' THEN ARRAY[{text}] ELSE SPLIT({marked}, {SPLIT_AT}) END"))
}

/// Returns the text that a regular expression matches when it is the only one.
fn plain_text(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next().filter(char::is_ascii_punctuation)?),
            '.' | '[' | ']' | '(' | ')' | '{' | '}' | '*' | '+' | '?' | '^' | '$' | '|' => return None,
            plain => text.push(plain),
        }
    }
    Some(text)
}

/// Returns the clause that names the character that escapes, given as the kernel shows it.
pub(super) fn escape(variant: &str) -> String {
    let shown = variant.strip_prefix("Some('").and_then(|rest| rest.strip_suffix("')"));
    match shown.map(|shown| if shown.len() > 1 { shown.trim_start_matches('\\') } else { shown }) {
        // A backslash shows itself as two.
        Some("") => r" ESCAPE '\'".to_string(),
        Some(character) => format!(" ESCAPE {}", text_constant(character)),
        None => String::new(),
    }
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
