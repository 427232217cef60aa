//! `JSON_VALUE`: the text at a path of a JSON document.

use std::borrow::Cow;
use std::collections::HashMap;

use datafusion_common::Result;
use serde_json::value::RawValue;

/// Returns a string scalar without its quotes and anything else as its own text.
pub(crate) fn value(document: Option<&str>, path: Option<&str>) -> Result<Option<String>> {
    let (Some(document), Some(path)) = (document, path) else { return Ok(None) };
    let Ok(root) = serde_json::from_str::<&RawValue>(document) else { return Ok(None) };
    let Some(found) = steps(path).and_then(|steps| walk(root, &steps)) else { return Ok(None) };
    let text = found.get();
    if text == "null" {
        return Ok(None);
    }
    if text.starts_with('"') {
        return Ok(serde_json::from_str::<String>(text).ok());
    }
    Ok(Some(text.to_string()))
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Splits `$.a[0].b`; `None` when it is not a path.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Key(&after[..end]));
            rest = &after[end..];
        } else {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(Step::Index(index.trim().parse().ok()?));
            rest = after;
        }
    }
    Some(steps)
}

fn walk<'a>(root: &'a RawValue, steps: &[Step<'_>]) -> Option<&'a RawValue> {
    let mut current = root;
    for step in steps {
        current = match step {
            Step::Key(key) => {
                let object: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(current.get()).ok()?;
                object.get(*key).copied()?
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
        value(Some(document), Some(path)).expect("JSON_VALUE never fails")
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
