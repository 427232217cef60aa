//! What the description of the API says of the services beside CS: identity, streams, notifications, networks, traces,
//! edge groups and the gateway.
//!
//! They have documents of their own elsewhere, which is what their published clients are made from. Here stand their
//! operations with the form of their errors, and in full the two that the contract of CS has: createToken and acceptPeering.

mod operations;

use serde_json::{Map, Value, json};

use self::operations::{Operation, SERVICES, Service};

/// Operations of the stream service whose success has no body.
const WITHOUT_BODY: [&str; 5] =
    ["createStream", "resizeStream", "updateStream", "createApp", "commitCheckpoint"];

/// Returns the ids of all operations, with their method and path.
#[cfg(test)]
fn all() -> impl Iterator<Item = &'static Operation> {
    SERVICES.iter().flat_map(|service| service.operations)
}

/// Adds the services to a description.
pub(crate) fn add(document: &mut Value) {
    for service in SERVICES {
        let mut properties: Map<String, Value> =
            service.members.iter().map(|name| ((*name).to_string(), json!({ "type": "string" }))).collect();
        match service.tag {
            "identity" => {
                let error = json!({ "message": { "type": "string" }, "code": { "type": "integer" }, "title": { "type": "string" } });
                properties.insert("error".to_string(), json!({ "type": "object", "properties": error }));
            }
            "network" => {
                let error =
                    ["type", "message", "detail"].map(|name| (name.to_string(), json!({ "type": "string" })));
                let error: Map<String, Value> = error.into_iter().collect();
                properties
                    .insert("NeutronError".to_string(), json!({ "type": "object", "properties": error }));
                properties.insert("error_time".to_string(), json!({ "type": "integer", "format": "int64" }));
            }
            _ => {}
        }
        document["components"]["schemas"][service.error] =
            json!({ "type": "object", "properties": properties });
        for operation in service.operations {
            let (method, path, ..) = operation;
            document["paths"][*path][*method] = described(service, operation);
        }
    }
    document["components"]["schemas"]["TokenRequest"] = token_request();
    document["components"]["schemas"]["TokenResponse"] = token_response();
}

fn described(service: &Service, (method, path, id, status, summary): &Operation) -> Value {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<Value> = names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let object = json!({ "application/json": { "schema": { "type": "object" } } });
    let mut success = json!({ "description": "Success." });
    if *status != 204 && *method != "head" && !WITHOUT_BODY.contains(id) {
        success["content"] = object.clone();
    }
    let error = format!("#/components/schemas/{}", service.error);
    let refused = json!({
        "description": "The request failed.", "content": { "application/json": { "schema": { "$ref": error } } }
    });
    let mut responses = Map::new();
    responses.insert(status.to_string(), success);
    responses.insert("default".to_string(), refused);
    let mut operation = json!({
        "operationId": id, "tags": [service.tag], "summary": summary, "parameters": parameters, "responses": responses
    });
    if ["post", "put", "patch"].contains(method) {
        operation["requestBody"] = json!({ "content": object });
    }
    complete(id, &mut operation);
    operation
}

/// Adds what is particular to an operation.
fn complete(id: &str, operation: &mut Value) {
    let schema = |name: &str| json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } });
    match id {
        "createToken" => {
            operation["description"] = json!("The token is in the header X-Subject-Token of the answer.");
            operation["security"] = json!([]);
            operation["requestBody"] = json!({ "required": true, "content": schema("TokenRequest") });
            operation["responses"]["201"]["content"] = schema("TokenResponse");
            operation["responses"]["201"]["headers"] = json!({
                "X-Subject-Token": { "description": "The token.", "required": true, "schema": { "type": "string" } }
            });
            let mut refused = operation["responses"]["default"].clone();
            refused["description"] = json!("User name, password or scope not accepted.");
            operation["responses"]["401"] = refused;
        }
        "acceptPeering" => {
            operation["description"] = json!(
                "Made by the owner of the network with a credential of that project. No body. Its errors have status 400, and beside the members of the network service those of CS."
            );
            operation["responses"]["200"]["content"] = schema("AcceptPeeringResponse");
            if let Some(responses) = operation["responses"].as_object_mut() {
                let refused = responses.remove("default").unwrap_or_default();
                responses.insert("400".to_string(), refused);
            }
            operation["x-errors"] = json!(
                ["10001", "10003", "10005", "10007", "10008", "10010", "10015", "22103", "26500"]
                    .map(|code| format!("CS.{code}"))
            );
        }
        "readApigSink" => {
            operation["description"] = json!(
                "Records come in the encoding of the sink: lines of csv, or an array of JSON objects. An application sends the app id of the sink in X-App-Id or X-Apig-AppCode, a user a token or a signature."
            );
            operation["responses"]["200"]["content"] = json!({
                "application/json": { "schema": { "type": "array", "items": { "type": "object" } } },
                "text/csv": { "schema": { "type": "string" } }
            });
            let header = |name: &str| json!({ "name": name, "in": "header", "schema": { "type": "string" }, "description": "App id of the sink." });
            let limit = json!({
                "name": "limit", "in": "query", "description": "Records, 1 to 1,000; default 100.",
                "schema": { "type": "integer", "format": "int32", "minimum": 1, "maximum": 1000 }
            });
            if let Some(parameters) = operation["parameters"].as_array_mut() {
                parameters.extend([limit, header("X-App-Id"), header("X-Apig-AppCode")]);
            }
            operation["security"] = json!([{}, { "token": [] }, { "aksk": [] }]);
        }
        _ => {}
    }
    // What has no body is not asked for one.
    let is_bare =
        matches!(id, "acceptPeering" | "rejectPeering" | "addMember") || id.starts_with("assignRole");
    if is_bare && let Some(operation) = operation.as_object_mut() {
        operation.remove("requestBody");
    }
}

fn token_request() -> Value {
    let text = || json!({ "type": "string" });
    let object = |properties: Value| json!({ "type": "object", "properties": properties });
    let named = || object(json!({ "id": text(), "name": text() }));
    let mut user = object(json!({ "id": text(), "name": text(), "password": text(), "domain": named() }));
    user["required"] = json!(["password"]);
    let mut identity = object(json!({
        "methods": { "type": "array", "items": { "type": "string", "enum": ["password", "token", "assume_role"] } },
        "password": object(json!({ "user": user })),
        "token": named(),
        "assume_role": object(json!({
            "agency_name": text(), "domain_id": text(), "domain_name": text(),
            "duration_seconds": { "type": "integer", "format": "int64", "minimum": 900, "maximum": 86400 }
        })),
    }));
    identity["required"] = json!(["methods"]);
    let mut project = named();
    project["properties"]["domain"] = named();
    let scope = object(json!({ "project": project, "domain": named() }));
    let mut auth = object(json!({ "identity": identity, "scope": scope }));
    auth["required"] = json!(["identity"]);
    let mut request = object(json!({ "auth": auth }));
    request["required"] = json!(["auth"]);
    request
}

fn token_response() -> Value {
    let text = || json!({ "type": "string" });
    let time = || json!({ "type": "string", "format": "date-time" });
    let object = |properties: Value| json!({ "type": "object", "properties": properties });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let domain = || object(json!({ "id": text(), "name": text() }));
    let owned = || object(json!({ "id": text(), "name": text(), "domain": domain() }));
    let endpoint =
        json!({ "id": text(), "interface": text(), "region": text(), "region_id": text(), "url": text() });
    let service =
        json!({ "id": text(), "name": text(), "type": text(), "endpoints": list(object(endpoint)) });
    let token = object(json!({
        "expires_at": time(), "issued_at": time(), "methods": list(text()), "user": owned(), "project": owned(),
        "domain": domain(), "roles": list(domain()), "catalog": list(object(service)),
    }));
    let mut response = object(json!({ "token": token }));
    response["required"] = json!(["token"]);
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_in_the_whole_description() {
        let document = crate::openapi::document();
        let items = document["paths"].as_object().unwrap().values();
        let operations = items.flat_map(|item| item.as_object().unwrap().values());
        let ids: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert!(all().all(|(_, _, id, ..)| ids.contains(id)));
    }
}
