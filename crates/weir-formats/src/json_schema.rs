//! `json_schema`: the columns of a source that has no column list.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::options::FormatError;

/// How deep types may nest and references may lead; a schema that refers to itself has no end.
const DEEPEST: usize = 32;

/// Returns one column for each property of the JSON Schema, in the order of the text.
pub fn columns_of_json_schema(json_schema: &str) -> Result<Fields, FormatError> {
    let root: Node =
        serde_json::from_str(json_schema).map_err(|error| wrong(format!("is not JSON: {error}")))?;
    let resolver = Resolver { root: &root };
    let root = resolver.follow(&root, DEEPEST)?;
    let fields = resolver.fields(root, "the schema", DEEPEST)?;
    if fields.is_empty() {
        return Err(wrong("declares no columns; it needs `properties`".to_string()));
    }
    Ok(fields)
}

fn wrong(message: String) -> FormatError {
    FormatError::option("json_schema", message)
}

/// A JSON value with its members in the order of the text.
enum Node {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Text(String),
    Other,
}

impl Node {
    fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Object(members) => {
                members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    fn is_null_type(&self) -> bool {
        matches!(self.get("type"), Some(Node::Text(name)) if name == "null")
    }
}

struct Resolver<'a> {
    root: &'a Node,
}

impl<'a> Resolver<'a> {
    /// Follows `$ref`, and `oneOf` and `anyOf` of one type and null, to the node that has the type.
    fn follow(&self, node: &'a Node, depth: usize) -> Result<&'a Node, FormatError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(wrong(format!("nests or refers deeper than {DEEPEST} levels")));
        };
        if let Some(reference) = node.get("$ref") {
            return self.follow(self.referred(reference)?, depth);
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(Node::Array(options)) = node.get(choice) {
                let mut types = options.iter().filter(|option| !option.is_null_type());
                return match (types.next(), types.next()) {
                    (Some(only), None) => self.follow(only, depth),
                    _ => Err(wrong(format!("`{choice}` must hold one type, with or without null"))),
                };
            }
        }
        Ok(node)
    }

    fn referred(&self, reference: &Node) -> Result<&'a Node, FormatError> {
        let Node::Text(path) = reference else {
            return Err(wrong("`$ref` is not a text".to_string()));
        };
        let target = path.strip_prefix("#/").and_then(|steps| {
            steps
                .split('/')
                .try_fold(self.root, |node, step| node.get(&step.replace("~1", "/").replace("~0", "~")))
        });
        target
            .ok_or_else(|| wrong(format!("`$ref` to `{path}`, which is not in it; write #/definitions/name")))
    }

    fn fields(&self, object: &'a Node, place: &str, depth: usize) -> Result<Fields, FormatError> {
        let Some(Node::Object(properties)) = object.get("properties") else {
            return Err(wrong(format!("{place} has no `properties`")));
        };
        let mut fields = Vec::with_capacity(properties.len());
        for (name, node) in properties {
            if fields.iter().any(|field: &Field| field.name().to_lowercase() == name.to_lowercase()) {
                return Err(wrong(format!("declares `{name}` twice")));
            }
            fields.push(Field::new(name, self.data_type(node, name, depth)?, true));
        }
        Ok(fields.into())
    }

    fn data_type(&self, node: &'a Node, name: &str, depth: usize) -> Result<DataType, FormatError> {
        let node = self.follow(node, depth)?;
        let depth = depth.saturating_sub(1);
        match type_word(node, name)? {
            "string" => Ok(DataType::Utf8),
            "integer" => Ok(DataType::Int64),
            "number" => Ok(DataType::Float64),
            "boolean" => Ok(DataType::Boolean),
            "object" => Ok(DataType::Struct(self.fields(node, &format!("`{name}`"), depth)?)),
            "array" => {
                let Some(items @ Node::Object(_)) = node.get("items") else {
                    return Err(wrong(format!("array `{name}` has no `items`")));
                };
                Ok(DataType::List(Arc::new(Field::new("item", self.data_type(items, name, depth)?, true))))
            }
            other => Err(wrong(format!(
                "`{name}` has type `{other}`; string, integer, number, boolean, array and object are known"
            ))),
        }
    }
}

/// Returns the word of `type`; of a list of two, the one that is not `null`.
fn type_word<'a>(node: &'a Node, name: &str) -> Result<&'a str, FormatError> {
    match node.get("type") {
        Some(Node::Text(word)) => Ok(word),
        Some(Node::Array(words)) => {
            let mut types = words.iter().filter_map(|word| match word {
                Node::Text(word) if word != "null" => Some(word.as_str()),
                _ => None,
            });
            match (types.next(), types.next()) {
                (Some(word), None) => Ok(word),
                _ => Err(wrong(format!("`{name}` must have one type, with or without null"))),
            }
        }
        _ if node.get("properties").is_some() => Ok("object"),
        _ => Err(wrong(format!("`{name}` has no `type`"))),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON Schema")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_string()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_become_columns_in_their_order() {
        let fields = columns_of_json_schema(
            r##"{"definitions":{"adr":{"type":"object","properties":{"city":{"type":"string"},"zip":{"type":"string"}}}},
            "type":"object","properties":{"z":{"$ref":"#/definitions/adr"},
            "ship":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/adr"}]},"a":{"type":["integer","null"]},
            "n":{"type":"number","minimum":0},"ok":{"type":"boolean"},"tags":{"type":"array","items":{"type":"string"}}}}"##,
        )
        .expect("schema");
        let adr = DataType::Struct(
            vec![Field::new("city", DataType::Utf8, true), Field::new("zip", DataType::Utf8, true)].into(),
        );
        let list = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
        let found: Vec<_> =
            fields.iter().map(|field| (field.name().as_str(), field.data_type().clone())).collect();
        let expected = vec![
            ("z", adr.clone()),
            ("ship", adr),
            ("a", DataType::Int64),
            ("n", DataType::Float64),
            ("ok", DataType::Boolean),
            ("tags", list),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn wrong_schemas_say_what_is_wrong() {
        for (schema, part) in [
            ("{", "is not JSON"),
            ("[]", "no `properties`"),
            (r#"{"properties":{}}"#, "no columns"),
            (r#"{"properties":{"a":{"type":"date"}}}"#, "type `date`"),
            (r#"{"properties":{"a":{}}}"#, "has no `type`"),
            (r#"{"properties":{"a":{"type":"array"}}}"#, "has no `items`"),
            (r#"{"properties":{"a":{"type":"object"}}}"#, "`a` has no `properties`"),
            (r##"{"properties":{"a":{"$ref":"#/definitions/x"}}}"##, "#/definitions/x"),
            (r#"{"properties":{"a":{"type":"string"},"A":{"type":"string"}}}"#, "twice"),
            (r#"{"properties":{"a":{"anyOf":[{"type":"string"},{"type":"number"}]}}}"#, "one type"),
            (
                r##"{"definitions":{"x":{"type":"array","items":{"$ref":"#/definitions/x"}}},"properties":{"a":{"$ref":"#/definitions/x"}}}"##,
                "deeper",
            ),
        ] {
            let error = columns_of_json_schema(schema).expect_err(schema).to_string();
            assert!(error.starts_with("option `json_schema`") && error.contains(part), "{schema}: {error}");
        }
    }
}
