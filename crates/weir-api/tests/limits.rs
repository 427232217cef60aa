//! The limits that the description of the API tells are those of the service: what lies just outside is refused with a
//! code of the operation, and what lies just inside is not refused with that code.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::collections::BTreeMap;

use common::{World, fill_path};
use serde_json::{Map, Value, json};
use weir_api::openapi::document;

/// Returns a schema that another one names.
fn resolved(schema: &Value) -> &Value {
    let named = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    match named.and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => document().pointer(pointer).unwrap(),
        None => schema,
    }
}

/// Returns a value that fits a schema.
fn sample(schema: &Value) -> Value {
    let schema = resolved(schema);
    let example = [&schema["example"], &schema["examples"][0], &schema["enum"][0]];
    if let Some(example) = example.into_iter().find(|example| !example.is_null()) {
        return example.clone();
    }
    match schema["type"].as_str().unwrap_or_default() {
        "integer" => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
        "number" => json!(1),
        "boolean" => json!(false),
        "array" => json!([sample(&schema["items"])]),
        "object" => Value::Object(required(schema)),
        _ => json!("a".repeat(length(&schema["minLength"]).unwrap_or(1))),
    }
}

/// Returns the members that an object must have. A job needs a text or a template, which no schema says.
fn required(schema: &Value) -> Map<String, Value> {
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let text = schema["properties"]["sql_body"].is_object().then_some("sql_body");
    names.chain(text).map(|name| (name.to_string(), sample(&schema["properties"][name]))).collect()
}

fn length(limit: &Value) -> Option<usize> {
    limit.as_u64().and_then(|length| usize::try_from(length).ok())
}

/// Returns what lies at each limit of a schema: just inside, and just outside.
fn limits(schema: &Value) -> Vec<(Value, Value)> {
    let mut limits = Vec::new();
    let letters = |count: usize| json!("a".repeat(count));
    if let Some(least) = schema["minimum"].as_i64() {
        limits.push((json!(least), json!(least - 1)));
    }
    if let Some(most) = schema["maximum"].as_i64() {
        limits.push((json!(most), json!(most + 1)));
    }
    if let Some(least) = length(&schema["minLength"]) {
        limits.push((letters(least), letters(least - 1)));
    }
    if let Some(most) = length(&schema["maxLength"]) {
        limits.push((letters(most), letters(most + 1)));
    }
    if schema["pattern"].is_string() {
        limits.push((sample(schema), json!("a b!")));
    }
    limits
}

/// Where a value of a call stands.
#[derive(Clone, Copy, PartialEq)]
enum Place<'a> {
    Path(&'a str),
    Query(&'a str),
    Body(&'a str),
}

/// An operation of the description.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    described: &'a Value,
}

impl Operation<'_> {
    fn parameters(&self, place: &str) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.described["parameters"].as_array().into_iter().flatten();
        all.filter(move |parameter| parameter["in"] == place)
            .map(|parameter| (parameter["name"].as_str().unwrap(), parameter))
    }

    /// Whether it takes a form, which this test does not make.
    fn takes_form(&self) -> bool {
        self.described["requestBody"]["content"]["multipart/form-data"].is_object()
    }

    fn body(&self) -> Option<&Value> {
        let schema = &self.described["requestBody"]["content"]["application/json"]["schema"];
        (!schema.is_null()).then(|| resolved(schema))
    }

    /// Returns all that has a limit.
    fn limited(&self) -> Vec<(Place<'_>, Vec<(Value, Value)>)> {
        let path = self.parameters("path").map(|(name, all)| (Place::Path(name), limits(&all["schema"])));
        let query = self.parameters("query").map(|(name, all)| (Place::Query(name), limits(&all["schema"])));
        let members = self.body().and_then(|body| body["properties"].as_object()).into_iter().flatten();
        let body = members.map(|(name, schema)| (Place::Body(name), limits(resolved(schema))));
        // The project is that of the token, and the template of a job that has a text is not looked at.
        let apart = [Place::Path("project_id"), Place::Body("template_id")];
        let all = path.chain(query).chain(body);
        all.filter(|(place, limits)| !limits.is_empty() && !apart.contains(place)).collect()
    }

    /// Makes the call with one value at a place, and returns status and code.
    async fn call(&self, world: &World, place: Place<'_>, value: &Value) -> (u16, String) {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
        let path = fill_path(self.path, &world.project, &|name| match place {
            Place::Path(limited) if limited == name => text(value),
            _ => "1".to_string(),
        });
        let mut query: BTreeMap<&str, String> = self
            .parameters("query")
            .filter(|(_, parameter)| parameter["required"] == true)
            .map(|(name, parameter)| (name, text(&sample(&parameter["schema"]))))
            .collect();
        let mut body = self.body().map(sample);
        match (place, &mut body) {
            (Place::Query(name), _) => drop(query.insert(name, text(value))),
            (Place::Body(name), Some(body)) => body[name] = value.clone(),
            _ => {}
        }
        let request = world.request_of(self.method, &path, "admin").query(&query);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let answer: Value = answer.json().await.unwrap_or_default();
        let code = ["error_id", "error_code"].iter().find_map(|name| answer[name].as_str());
        (status, code.unwrap_or_default().replace("DLI.", "CS."))
    }
}

#[tokio::test]
async fn limits_that_are_told_are_those_that_are_checked() {
    let world = World::start(|options| options.draft_limit = 1_000).await;
    world.create("j1", json!({})).await;
    let template = json!({"name": "t1", "sql_body": common::SQL});
    for (path, body) in [("/job_template", template), ("/reserved_cluster", json!({"name": "c1"}))] {
        let (_, answer) = world.call("POST", path, Some(body)).await;
        assert!(answer["message_id"].is_string(), "{answer}");
    }

    let mut operations = Vec::new();
    // The services beside CS have errors of their own.
    let paths =
        document()["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1.0/"));
    for (path, item) in paths {
        for (method, described) in item.as_object().unwrap() {
            let operation = Operation { method, path, described };
            if !operation.takes_form() {
                operations.push(operation);
            }
        }
    }
    // What others need is deleted last, and the cluster after what is in it.
    operations.sort_by_key(|operation| {
        let id = operation.described["operationId"].as_str().unwrap();
        (id.starts_with("delete"), id == "deleteReservedCluster")
    });
    let mut count = 0;
    let mut wrong = Vec::new();
    for operation in &operations {
        let id = &operation.described["operationId"];
        let codes: Vec<&Value> = operation.described["x-errors"].as_array().into_iter().flatten().collect();
        for (place, limits) in operation.limited() {
            let (Place::Path(name) | Place::Query(name) | Place::Body(name)) = place;
            for (inside, outside) in limits {
                let (status, refusal) = operation.call(&world, place, &outside).await;
                let (_, other) = operation.call(&world, place, &inside).await;
                let (inside, outside) = (inside.to_string(), outside.to_string());
                if status != 400 || !codes.iter().any(|code| **code == refusal) || refusal == other {
                    wrong.push(format!(
                        "{id}, {name}: {outside:.60} is answered with {status} {refusal}, {inside:.60} with {other}"
                    ));
                }
                count += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 80, "only {count} limits are told");
}
