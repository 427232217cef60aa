//! `JSON_VALUE`: the text at a path of a JSON document.

use std::borrow::Cow;
use std::collections::HashMap;

use arrow::datatypes::DataType;
use serde_json::value::RawValue;

use crate::compiled::Compiled;
use crate::kernel::{Kernel, strings};
use crate::registry::Call;

/// Returns the function `JSON_VALUE`.
pub(crate) fn json_value() -> Call {
    let paths = Compiled::new(|path| Ok(steps(path)));
    let kernel = Kernel::new("json_value", 2, DataType::Utf8, move |a| {
        let (document, path) = (a.text(0)?, a.text(1)?);
        let mut paths = paths.batch();
        strings(a.rows, |row| {
            let (Some(document), Some(path)) = (document.get(row), path.get(row)) else { return Ok(None) };
            Ok(paths.get(path)?.as_ref().as_ref().and_then(|steps| value(document, steps)))
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// Returns a string scalar without its quotes and anything else as its own text.
fn value<'a>(document: &'a str, steps: &[Step]) -> Option<Cow<'a, str>> {
    let root = serde_json::from_str::<&RawValue>(document).ok()?;
    let text = walk(root, steps)?.get();
    if text == "null" {
        return None;
    }
    if text.starts_with('"') {
        return serde_json::from_str::<String>(text).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(text))
}

enum Step {
    Key(String),
    Index(usize),
}

/// Splits `$.a[0].b`; `None` when it is not a path.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Key(after[..end].to_string()));
            rest = &after[end..];
        } else {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(Step::Index(index.trim().parse().ok()?));
            rest = after;
        }
    }
    Some(steps)
}

fn walk<'a>(root: &'a RawValue, steps: &[Step]) -> Option<&'a RawValue> {
    let mut current = root;
    for step in steps {
        current = match step {
            Step::Key(key) => {
                let object: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(current.get()).ok()?;
                object.get(key.as_str()).copied()?
            }
            Step::Index(index) => {
                let array: Vec<&RawValue> = serde_json::from_str(current.get()).ok()?;
                array.get(*index).copied()?
            }
        };
    }
    Some(current)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(document: &str, path: &str) -> Option<String> {
        steps(path).and_then(|steps| value(document, &steps)).map(Cow::into_owned)
    }

    #[test]
    fn paths_reach_scalars_and_raw_text() {
        let document = r#"{"d":{"v":[7,"x", { "a" : 1 }],"n":null},"d\"q":1}"#;
        assert_eq!(at(document, "$.d.v[1]").as_deref(), Some("x"));
        assert_eq!(at(document, "$.d.v[0]").as_deref(), Some("7"));
        assert_eq!(at(document, "$.d.v[2]").as_deref(), Some(r#"{ "a" : 1 }"#));
        for path in ["$.d.n", "$.no", "$.d.v[9]", "d", "$..d", "$.d["] {
            assert_eq!(at(document, path), None, "{path}");
        }
        assert_eq!(at("{broken", "$.a"), None);
    }
}
