//! What the service says of itself against the contract: operations, parameters, bodies, members, types and limits.
//! What it does is held against the same contract by every test over HTTP, see `common/contract/witness.rs`.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::collections::BTreeSet;

use common::contract::types::{Kind, OTHERS, Type};
use common::contract::{Body, Contract, FILE, Operation};
use serde_json::{Map, Value};

/// The limits of a type: how the contract names them, and how a schema does.
const LIMITS: [(&str, &str); 10] = [
    ("min", "minimum"),
    ("max", "maximum"),
    ("above", "exclusiveMinimum"),
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
    ("min_items", "minItems"),
    ("max_items", "maxItems"),
    ("pattern", "pattern"),
    ("default", "default"),
    ("media", "contentMediaType"),
];

#[test]
fn the_description_is_the_contract() {
    let contract = Contract::get();
    let mut comparison = Comparison { document: weir_api::openapi::document(), differences: Vec::new() };
    for (id, operation) in &contract.operations {
        comparison.operation(id, operation);
    }
    // The contract is that of CS; it has two operations of the services beside it.
    let described = comparison.described();
    let of_cs = described.iter().filter(|(_, path, _)| path.starts_with("/v1.0/"));
    let ids = of_cs.map(|(_, _, operation)| string(&operation["operationId"]));
    let missing: Vec<_> = ids.filter(|id| !contract.operations.contains_key(id)).collect();
    assert!(missing.is_empty(), "described but not in {FILE}: {missing:?}");
    assert!(comparison.differences.is_empty(), "{}", comparison.differences.join("\n"));
}

#[test]
fn every_route_of_an_operation_is_in_the_contract() {
    for operation in weir_api::cs::operations::ALL {
        assert!(Contract::get().operations.contains_key(operation.id), "{}", operation.id);
    }
}

struct Comparison {
    document: &'static Value,
    differences: Vec<String>,
}

impl Comparison {
    /// Returns method, path and description of every operation.
    fn described(&self) -> Vec<(&'static str, &'static str, &'static Map<String, Value>)> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, item)| {
            let item = item.as_object().unwrap().iter();
            item.map(|(method, operation)| (method.as_str(), path.as_str(), operation.as_object().unwrap()))
        });
        operations.collect()
    }

    fn same(&mut self, at: &str, contract: impl ToString, service: impl ToString) {
        let (contract, service) = (contract.to_string(), service.to_string());
        if contract != service {
            self.differences.push(format!("{at}: contract `{contract}`, service `{service}`"));
        }
    }

    fn operation(&mut self, id: &str, operation: &Operation) {
        let found = self.described().into_iter().find(|(_, _, found)| found["operationId"] == id);
        let Some((method, path, found)) = found else {
            self.differences.push(format!("{id}: not described"));
            return;
        };
        let place = format!("{} {}", operation.method, operation.path);
        self.same(id, place, format!("{method} {path}"));
        self.parameters(id, operation, found);
        let (form, expected) = match &operation.body {
            Body::None => ("application/json", None),
            Body::Json(expected) => ("application/json", Some(expected.clone())),
            Body::Form(schema) => ("multipart/form-data", Some(Type::parse(schema))),
        };
        self.content(&format!("{id} request"), form, expected.as_ref(), found.get("requestBody"));
        let responses = &found["responses"];
        let success = responses.get(operation.status.to_string());
        self.content(&format!("{id} response"), "application/json", operation.response.as_ref(), success);
        let error = responses.get("400").or(responses.get("default"));
        self.content(&format!("{id} error"), "application/json", operation.error.as_ref(), error);
        let text = |name: &str| found.get(name).map(string).unwrap_or_default();
        self.same(id, operation.message_id.clone().unwrap_or_default(), text("x-message-id"));
        let codes = found.get("x-errors").and_then(Value::as_array).into_iter().flatten().map(string);
        let expected = operation.errors.iter().map(|number| format!("CS.{number}"));
        self.same(id, expected.collect::<Vec<_>>().join(","), codes.collect::<Vec<_>>().join(","));
    }

    fn parameters(&mut self, id: &str, operation: &Operation, found: &Map<String, Value>) {
        let empty = Vec::new();
        let described = found.get("parameters").and_then(Value::as_array).unwrap_or(&empty);
        let names: BTreeSet<_> = described.iter().map(|parameter| string(&parameter["name"])).collect();
        let expected: BTreeSet<_> = operation.parameters.keys().cloned().collect();
        self.same(&format!("{id} parameters"), format!("{expected:?}"), format!("{names:?}"));
        for parameter in described {
            let name = string(&parameter["name"]);
            let Some(expected) = operation.parameters.get(&name) else { continue };
            let at = format!("{id} parameter {name}");
            self.same(&at, &expected.place, string(&parameter["in"]));
            self.same(&at, expected.kind.required, parameter["required"] == true);
            self.schema(&at, &expected.kind, &parameter["schema"]);
        }
    }

    fn content(&mut self, at: &str, form: &str, expected: Option<&Type>, found: Option<&Value>) {
        let schema = found.and_then(|found| found.get("content")?.get(form)?.get("schema"));
        match (expected, schema) {
            (None, None) => {}
            (Some(expected), Some(schema)) => self.schema(at, expected, schema),
            _ => self.same(at, expected.is_some(), schema.is_some()),
        }
    }

    fn schema(&mut self, at: &str, expected: &Type, schema: &Value) {
        let (schema, null) = self.resolved(schema);
        self.same(&format!("{at} may be null"), expected.null, null);
        let name = string(&schema["type"]);
        match &expected.kind {
            Kind::Any => {}
            Kind::Boolean => self.same(at, "boolean", name),
            Kind::Plain(kind, format) => {
                self.same(at, kind, name);
                self.same(at, format.clone().unwrap_or_default(), string(&schema["format"]));
                self.same(&format!("{at} is an enum"), false, schema.get("enum").is_some());
            }
            Kind::Enum(values) => {
                let found = schema["enum"].as_array().into_iter().flatten();
                let found: BTreeSet<_> = found.filter(|value| !value.is_null()).map(string).collect();
                self.same(at, format!("{values:?}"), format!("{found:?}"));
            }
            Kind::List(of) => {
                self.same(at, "array", name);
                self.schema(&format!("{at}[]"), of, &schema["items"]);
            }
            Kind::Named(name) => self.members(at, name, &schema),
        }
        // A description may say more; what the contract says, it says too.
        for (limit, value) in &expected.limits {
            let (_, keyword) = LIMITS.iter().find(|(name, _)| name == limit).unwrap();
            let found = match schema.get(*keyword) {
                Some(Value::Number(number)) => number.as_f64().unwrap().to_string(),
                Some(Value::String(text)) => text.clone(),
                other => other.map(Value::to_string).unwrap_or_default(),
            };
            self.same(&format!("{at} {limit}"), value, found);
        }
    }

    fn members(&mut self, at: &str, name: &str, schema: &Value) {
        let members = Contract::get().schema(name);
        let is_open = members.contains_key(OTHERS);
        let empty = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&empty);
        let required: BTreeSet<_> = schema["required"].as_array().into_iter().flatten().map(string).collect();
        for (member, expected) in members.iter().filter(|(member, _)| *member != OTHERS) {
            let at = format!("{at} {name}.{member}");
            let Some(found) = properties.get(member) else {
                self.differences.push(format!("{at}: not described"));
                continue;
            };
            // The services beside CS have more ways to say the same.
            if !is_open {
                self.same(&format!("{at} is required"), expected.required, required.contains(member));
            }
            self.schema(&at, expected, found);
        }
        let unknown = properties.keys().filter(|member| !is_open && !members.contains_key(*member));
        self.differences.extend(unknown.map(|member| format!("{at} {name}.{member}: not in the contract")));
    }

    /// Follows references; returns the schema with what stands beside them, and whether it may be null.
    fn resolved(&self, schema: &Value) -> (Value, bool) {
        let mut beside = schema.as_object().cloned().unwrap_or_default();
        let reference = beside.remove("$ref").map(|reference| {
            let name = reference.as_str().unwrap().rsplit('/').next().unwrap();
            self.document["components"]["schemas"][name].clone()
        });
        // A documented reference is written as allOf, a nullable one as oneOf with null.
        let choices = ["allOf", "oneOf"].iter().find_map(|key| beside.remove(*key));
        let choices = choices.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        let null = choices.iter().any(|choice| choice["type"] == "null");
        let target = reference.or(choices.into_iter().find(|choice| choice["type"] != "null"));
        let Some(target) = target else {
            let Some(types) = beside.get("type").and_then(Value::as_array).cloned() else {
                return (Value::Object(beside), false);
            };
            let name = types.iter().find(|name| *name != "null").cloned().unwrap_or_default();
            beside.insert("type".to_string(), name);
            return (Value::Object(beside), types.iter().any(|name| name == "null"));
        };
        let (mut target, of_target) = self.resolved(&target);
        target.as_object_mut().unwrap().extend(beside);
        (target, null || of_target)
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}
