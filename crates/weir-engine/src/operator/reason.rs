//! Why a row cannot be evaluated, in the words of the query.

use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use datafusion_common::DataFusionError;
use weir_functions::conversion::type_name;

/// Returns the sentence of the function that refused the value.
pub(super) fn reason(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::Execution(text) | DataFusionError::Plan(text) => in_sql_types(text),
        DataFusionError::ArrowError(error, _) => of_arrow(error),
        other => in_sql_types(&other.strip_backtrace()),
    }
}

/// Says it without the names that Arrow gives to kinds of errors.
fn of_arrow(error: &ArrowError) -> String {
    match error {
        ArrowError::DivideByZero => "division by zero".to_string(),
        ArrowError::ArithmeticOverflow(text) => {
            let operation = text.strip_prefix("Overflow happened on: ").unwrap_or(text);
            format!("the result of {operation} does not fit its type")
        }
        ArrowError::CastError(text) | ArrowError::ComputeError(text) | ArrowError::ParseError(text) => {
            in_sql_types(text)
        }
        ArrowError::InvalidArgumentError(text) => in_sql_types(text),
        other => in_sql_types(&other.to_string()),
    }
}

/// Puts the SQL name in the place of each Arrow type outside quotes, and leaves out the kinds of errors before the text.
fn in_sql_types(text: &str) -> String {
    let mut rest = text;
    while let Some(after) = KINDS.iter().find_map(|kind| rest.strip_prefix(kind)) {
        rest = after;
    }
    let mut said = String::with_capacity(rest.len());
    let mut quote: Option<char> = None;
    while let Some(next) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        if quote.is_some() || word == 0 {
            quote = match quote {
                Some(open) => (open != next).then_some(open),
                // An apostrophe within a word is none.
                None if said.ends_with(char::is_alphanumeric) => None,
                None => ['\'', '"', '`'].contains(&next).then_some(next),
            };
            said.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        let (name, after) = rest.split_at(word);
        rest = after;
        match TYPES.iter().find(|(arrow, _)| *arrow == name) {
            Some((_, of)) => {
                said.push_str(&type_name(of));
                // Units say nothing in SQL.
                if of.is_temporal() && rest.starts_with('(') {
                    rest = rest.find(')').map_or(rest, |end| &rest[end + 1..]);
                }
            }
            None if name == "Decimal128" => said.push_str("DECIMAL"),
            None => said.push_str(name),
        }
    }
    said
}

/// How texts begin that hold the text of another error.
const KINDS: [&str; 7] = [
    "Arrow error: ",
    "Cast error: ",
    "Compute error: ",
    "Parser error: ",
    "Invalid argument error: ",
    "Execution error: ",
    "External error: ",
];

/// Arrow types by the name that their texts have.
const TYPES: [(&str, DataType); 12] = [
    ("Boolean", DataType::Boolean),
    ("Int8", DataType::Int8),
    ("Int16", DataType::Int16),
    ("Int32", DataType::Int32),
    ("Int64", DataType::Int64),
    ("Float32", DataType::Float32),
    ("Float64", DataType::Float64),
    ("Utf8", DataType::Utf8),
    ("Date32", DataType::Date32),
    ("Time32", DataType::Time32(TimeUnit::Millisecond)),
    ("Binary", DataType::Binary),
    ("Timestamp", DataType::Timestamp(TimeUnit::Millisecond, None)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_speak_of_the_query() {
        let arrow = |error| DataFusionError::ArrowError(Box::new(error), None);
        let cast = |text: &str| arrow(ArrowError::CastError(text.to_string()));
        let cases = [
            (
                cast("Cannot cast string 'Int32' to value of Int32 type"),
                "Cannot cast string 'Int32' to value of INT type",
            ),
            (
                cast("Can't cast value 2024 to type Timestamp(Millisecond, None)"),
                "Can't cast value 2024 to type TIMESTAMP",
            ),
            (cast("7.5 does not fit Decimal128(2, 1)"), "7.5 does not fit DECIMAL(2, 1)"),
            (
                cast("Casting from Int64 to Float32 not supported"),
                "Casting from BIGINT to FLOAT not supported",
            ),
            (arrow(ArrowError::DivideByZero), "division by zero"),
            (
                arrow(ArrowError::ArithmeticOverflow("Overflow happened on: 2147483647 + 1".to_string())),
                "the result of 2147483647 + 1 does not fit its type",
            ),
            (
                DataFusionError::Execution("Arrow error: Cast error: `x` is no Utf8".to_string()),
                "`x` is no STRING",
            ),
            (DataFusionError::Execution("`Utf8` is not an INT".to_string()), "`Utf8` is not an INT"),
        ];
        for (error, expected) in cases {
            assert_eq!(reason(&error), expected);
        }
    }
}
