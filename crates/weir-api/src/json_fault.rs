//! Says in words of JSON why a body cannot be read: which member must be what, and not what the reader made of it.
//!
//! What stands where something else is expected is told by its kind alone: it may be a password, and refusals are kept.

use serde_json::error::Category;

/// Says why a body cannot be read. `path` is where, such as `jobs[0].name`, and `.` for the whole.
pub(crate) fn told(path: &str, error: &serde_json::Error) -> String {
    if error.classify() != Category::Data {
        return format!("it is no JSON: {error}");
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if let Some((kind, rest)) = text.split_once(": ")
        && matches!(kind, "invalid type" | "invalid value" | "invalid length")
        && let Some((found, wanted)) = rest.rsplit_once(", expected ")
    {
        let found = match kind {
            "invalid type" => format!(", not {}", kind_of(found)),
            _ => String::new(),
        };
        return format!("{} must be {}{found}", subject(path), wanted_as(wanted));
    }
    if let Some(name) = text.strip_prefix("missing field ") {
        return format!("{} is missing", subject(&below(path, name.trim_matches('`'))));
    }
    if let Some((_, wanted)) =
        text.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("{} must be {wanted}", subject(path));
    }
    if let Some(name) = text.strip_prefix("duplicate field ") {
        return format!("{} is there twice", subject(&below(path, name.trim_matches('`'))));
    }
    format!("{}: {text}", subject(path))
}

fn subject(path: &str) -> String {
    if path == "." { "the body".to_string() } else { format!("`{path}`") }
}

fn below(path: &str, name: &str) -> String {
    if path == "." { name.to_string() } else { format!("{path}.{name}") }
}

/// Returns what is there.
fn kind_of(found: &str) -> &str {
    match found.split(' ').next().unwrap_or_default() {
        "string" | "character" => "a text",
        "integer" => "a whole number",
        "floating" => "a number with a fraction",
        "boolean" => "true or false",
        "sequence" => "an array",
        "map" => "an object",
        "null" | "unit" => "null",
        _ => found,
    }
}

/// Returns what should be there.
fn wanted_as(wanted: &str) -> String {
    let number = |least: i128, most: u64| format!("a whole number from {least} to {most}");
    match wanted {
        "i8" => number(i8::MIN.into(), i8::MAX as u64),
        "i16" => number(i16::MIN.into(), i16::MAX as u64),
        "i32" => number(i32::MIN.into(), i32::MAX as u64),
        "i64" => number(i64::MIN.into(), i64::MAX as u64),
        "u8" => number(0, u8::MAX.into()),
        "u16" => number(0, u16::MAX.into()),
        "u32" => number(0, u32::MAX.into()),
        "u64" | "usize" => number(0, u64::MAX),
        "f32" | "f64" => "a number".to_string(),
        "a string" | "string" | "a borrowed string" | "string or map" => "a text".to_string(),
        "a boolean" => "true or false".to_string(),
        "a sequence" => "an array".to_string(),
        "a map" | "map" => "an object".to_string(),
        "unit" => "null".to_string(),
        wanted if wanted.starts_with("struct ") => "an object".to_string(),
        wanted => wanted.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Shared,
        Exclusive,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)] // Only what cannot be read is looked at.
    struct Part {
        name: String,
        mode: Option<Mode>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Whole {
        spus: Option<i32>,
        price: Option<f64>,
        flag: Option<bool>,
        #[serde(default)]
        parts: Vec<Part>,
    }

    #[test]
    fn members_are_named_and_kinds_are_those_of_json() {
        for (body, told) in [
            ("[]", "the body must be an object, not an array"),
            ("3", "the body must be an object, not a whole number"),
            (r#"{"spus":"2"}"#, "`spus` must be a whole number from -2147483648 to 2147483647, not a text"),
            (r#"{"spus":5000000000}"#, "`spus` must be a whole number from -2147483648 to 2147483647"),
            (
                r#"{"spus":2.5}"#,
                "`spus` must be a whole number from -2147483648 to 2147483647, not a number with a fraction",
            ),
            (r#"{"price":"a, expected b"}"#, "`price` must be a number, not a text"),
            (r#"{"flag":"at line 1"}"#, "`flag` must be true or false, not a text"),
            (r#"{"parts":{}}"#, "`parts` must be an array, not an object"),
            (r#"{"parts":[{"name":"a"},[1]]}"#, "`parts[1]` must be an object, not an array"),
            (r#"{"parts":[{"name":null}]}"#, "`parts[0].name` must be a text, not null"),
            (r#"{"parts":[{}]}"#, "`parts[0].name` is missing"),
            (r#"{"parts":[{"name":"a","mode":"moon"}]}"#, "`parts[0].mode` must be `shared` or `exclusive`"),
            (r#"{"spus":1,"spus":2}"#, "`spus` is there twice"),
            ("{", "it is no JSON: EOF while parsing an object at line 1 column 1"),
            ("{} {}", "it is no JSON: trailing characters at line 1 column 4"),
        ] {
            assert_eq!(crate::json::from_slice::<Whole>(body.as_bytes()).unwrap_err(), told, "{body}");
        }
    }
}
