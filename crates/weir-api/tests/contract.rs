//! What the service says of itself against the contract: operations, parameters, field names and types.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::collections::BTreeMap;

use serde_json::Value;

type Fields = BTreeMap<String, String>;

const SUBSET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/contract/openapi-subset.yaml");

#[test]
fn the_description_is_the_contract() {
    let text = std::fs::read_to_string(SUBSET).unwrap();
    let contract: Value = serde_yaml_ng::from_str(&text).unwrap();
    let described = Description { document: weir_api::openapi::document() };
    let mut differences = Vec::new();

    let expected = contract["operations"].as_object().unwrap();
    for (id, operation) in expected {
        let Some((method, path, found)) = described.operation(id) else {
            differences.push(format!("{id}: not described"));
            continue;
        };
        let mut compare = |what: &str, expected: String, found: String| {
            if expected != found {
                differences.push(format!("{id}: {what}: contract `{expected}`, service `{found}`"));
            }
        };
        let text = |name: &str| operation[name].as_str().unwrap_or_default().to_string();
        compare(
            "method and path",
            format!("{} {}", text("method"), text("path")),
            format!("{method} {path}"),
        );
        compare("request", text("request"), described.request(found));
        let success = if operation.get("status").is_some() { text("status") } else { "200".to_string() };
        compare("response", text("response"), described.response(found, &success));
        compare("error", text("error"), described.response(found, "400"));
        compare("message_id", text("message_id"), string(&found["x-message-id"]));
        let errors =
            found["x-errors"].as_array().into_iter().flatten().map(|code| string(code)[3..].to_string());
        compare("errors", text("errors"), errors.collect::<Vec<_>>().join(","));
        let parameters: Fields = serde_json::from_value(operation["parameters"].clone()).unwrap_or_default();
        compare("parameters", format!("{parameters:?}"), format!("{:?}", described.parameters(found)));
    }
    for (name, fields) in contract["schemas"].as_object().unwrap() {
        let expected: Fields = serde_json::from_value(fields.clone()).unwrap();
        let found = described.schema(name);
        for field in expected.keys().chain(found.keys()).collect::<std::collections::BTreeSet<_>>() {
            if expected.get(field) != found.get(field) {
                differences.push(format!(
                    "{name}.{field}: contract {:?}, service {:?}",
                    expected.get(field),
                    found.get(field)
                ));
            }
        }
    }
    // The contract is that of CS; it has two operations of the services beside it.
    let of_cs = described.all().filter(|(_, path, _)| path.starts_with("/v1.0/"));
    let missing: Vec<_> = of_cs
        .map(|(_, _, operation)| string(&operation["operationId"]))
        .filter(|id| !expected.contains_key(id))
        .collect();
    assert!(missing.is_empty(), "described but not in {SUBSET}: {missing:?}");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_route_of_an_operation_is_described() {
    let described = Description { document: weir_api::openapi::document() };
    for operation in weir_api::cs::operations::ALL {
        assert!(described.operation(operation.id).is_some(), "{}", operation.id);
    }
}

struct Description {
    document: &'static Value,
}

impl Description {
    fn all(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .map(|(method, operation)| (method.as_str(), path.as_str(), operation))
        })
    }

    fn operation(&self, id: &str) -> Option<(&str, &str, &Value)> {
        self.all().find(|(_, _, operation)| operation["operationId"] == id)
    }

    fn request(&self, operation: &Value) -> String {
        match operation.get("requestBody") {
            Some(body) => self.type_of(&body["content"]["application/json"]["schema"]),
            None => String::new(),
        }
    }

    fn response(&self, operation: &Value, status: &str) -> String {
        self.type_of(&operation["responses"][status]["content"]["application/json"]["schema"])
    }

    fn parameters(&self, operation: &Value) -> Fields {
        let parameters = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        let described = parameters.iter().map(|parameter| {
            let required = if parameter["required"] == true { " required" } else { "" };
            let text =
                format!("{} {}{required}", string(&parameter["in"]), self.type_of(&parameter["schema"]));
            (string(&parameter["name"]), text)
        });
        described.collect()
    }

    fn schema(&self, name: &str) -> Fields {
        let schema = &self.document["components"]["schemas"][name];
        let required: Vec<String> =
            schema["required"].as_array().map(|names| names.iter().map(string).collect()).unwrap_or_default();
        let empty = serde_json::Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&empty);
        let described = properties.iter().map(|(field, schema)| {
            let required = if required.contains(field) { " required" } else { "" };
            (field.clone(), format!("{}{required}", self.type_of(schema)))
        });
        described.collect()
    }

    fn type_of(&self, schema: &Value) -> String {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap();
            let target = &self.document["components"]["schemas"][name];
            return if target.get("enum").is_some() { self.type_of(target) } else { name.to_string() };
        }
        // A documented reference is written as allOf, a nullable one as oneOf with null.
        for key in ["allOf", "oneOf"] {
            if let Some([only]) = schema.get(key).and_then(Value::as_array).map(Vec::as_slice) {
                return self.type_of(only);
            }
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let mut values: Vec<String> = values.iter().map(string).collect();
            values.sort();
            return format!("enum({})", values.join(","));
        }
        let types: Vec<String> = match &schema["type"] {
            Value::Array(types) => types.iter().map(string).collect(),
            one => vec![string(one)],
        };
        let null = if types.iter().any(|name| name == "null") { "|null" } else { "" };
        let name = types.iter().find(|name| *name != "null").cloned().unwrap_or_default();
        if name == "array" {
            return format!("array<{}>{null}", self.type_of(&schema["items"]));
        }
        match schema.get("format").and_then(Value::as_str) {
            Some(format) => format!("{name}/{format}{null}"),
            None => format!("{name}{null}"),
        }
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}
