//! `json_config`: where in a record each column is.

use arrow::datatypes::Schema;

use crate::column_paths::listed_paths;
use crate::options::FormatError;

/// The place of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Path {
    /// `$`: the text of the whole record.
    Whole,
    /// Keys and elements from the outermost object inwards; never empty, and the first is a key.
    Steps(Vec<Step>),
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member of an object.
    Key(String),
    /// The element of an array, counted from 0.
    Element(usize),
}

/// Returns the path of every column; one that is not listed is the top-level key of its name.
pub(crate) fn column_paths(schema: &Schema, json_config: Option<&str>) -> Result<Vec<Path>, FormatError> {
    let paths = listed_paths(schema, "json_config", json_config.unwrap_or_default(), parse_path)?;
    let own_name = |column: usize| Path::Steps(vec![Step::Key(schema.field(column).name().clone())]);
    Ok(paths.into_iter().enumerate().map(|(column, path)| path.unwrap_or_else(|| own_name(column))).collect())
}

fn parse_path(text: &str) -> Result<Path, FormatError> {
    if text == "$" {
        return Ok(Path::Whole);
    }
    let wrong = |what: &str| {
        FormatError::option("json_config", format!("path `{text}` {what}"))
            .hint("write keys joined by `.`, with [i] for elements")
    };
    let mut steps = Vec::new();
    for part in text.strip_prefix("$.").unwrap_or(text).split('.') {
        let (key, elements) = part.split_at(part.find('[').unwrap_or(part.len()));
        let key = key.trim();
        if key.is_empty() {
            return Err(wrong("has an empty key"));
        }
        steps.push(Step::Key(key.to_string()));
        let mut rest = elements.trim_end();
        while !rest.is_empty() {
            let element = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let (index, after) = element.ok_or_else(|| wrong("has a bracket out of place"))?;
            let index = index.trim();
            if !index.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(wrong("has an element that is not a number"));
            }
            steps.push(Step::Element(
                index.parse().map_err(|_| wrong("has an element that is not a number"))?,
            ));
            rest = after.trim_start();
        }
    }
    Ok(Path::Steps(steps))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn paths(config: &str) -> Result<Vec<Path>, String> {
        let field = |name| Field::new(name, DataType::Utf8, true);
        let schema = Schema::new(vec![field("c1"), field("c2"), field("C3")]);
        column_paths(&schema, Some(config)).map_err(|error| error.to_string())
    }

    fn key(name: &str) -> Step {
        Step::Key(name.to_string())
    }

    #[test]
    fn paths_are_keys_elements_or_the_whole() {
        let expected = vec![
            Path::Steps(vec![key("a"), key("b")]),
            Path::Steps(vec![key("x"), Step::Element(0), Step::Element(12), key("y")]),
            Path::Whole,
        ];
        assert_eq!(paths(" c1 = a.b ;c2=x[0][12].y; c3=$;"), Ok(expected.clone()));
        assert_eq!(paths("c1=$.a.b;c2=x [0] [ 12 ].y;;c3=$"), Ok(expected));
    }

    #[test]
    fn columns_not_listed_keep_their_name() {
        let expected =
            vec![Path::Steps(vec![key("c1")]), Path::Steps(vec![key("z")]), Path::Steps(vec![key("C3")])];
        assert_eq!(paths("c2=z"), Ok(expected));
    }

    #[test]
    fn wrong_configurations_name_the_option() {
        for (config, part) in [
            ("c1", "is not a pair"),
            ("nope=a", "no column `nope`"),
            ("c1=a;C1=b", "listed twice"),
            ("c1=", "empty key"),
            ("c1=a..b", "empty key"),
            ("c1=[0].b", "empty key"),
            ("c1=a[x]", "not a number"),
            ("c1=a[-1]", "not a number"),
            ("c1=a[]", "not a number"),
            ("c1=a[1", "bracket"),
            ("c1=a[1]b", "bracket"),
            ("c1=a[99999999999999999999999]", "not a number"),
        ] {
            let error = paths(config).expect_err(config);
            assert!(error.starts_with("option `json_config`: ") && error.contains(part), "{config}: {error}");
        }
    }
}
