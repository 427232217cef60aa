//! Stands between clients and the service and holds every call of CS against the contract: the answer, and what was sent
//! when the service took it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use futures::TryStreamExt;
use serde_json::Value;

use super::types::{Look, Sender, Type};
use super::{Body as Expected, Contract, Operation};

/// A call and its answer.
pub struct Exchange<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    /// The content type of what was sent, and as much of it as the service read.
    pub content_type: &'a str,
    pub sent: &'a [u8],
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// What calls showed.
#[derive(Default)]
pub struct Seen {
    /// Operations that succeeded.
    pub successes: BTreeSet<String>,
    /// Members of answers that were there and not null: schema and member.
    pub answered: BTreeSet<(String, String)>,
    /// Members of bodies that were sent and taken, likewise.
    pub sent: BTreeSet<(String, String)>,
    /// Parameters that were sent and taken: operation and parameter.
    pub parameters: BTreeSet<(String, String)>,
    /// Values of enums that were sent and taken: member or parameter, and value.
    pub choices: BTreeSet<(String, String)>,
    /// Errors: operation and code.
    pub errors: BTreeSet<(String, u32)>,
}

/// What a service was seen to do.
#[derive(Default)]
pub struct Witness {
    seen: Mutex<Seen>,
    faults: Mutex<Vec<String>>,
}

impl Seen {
    /// Adds what others showed.
    pub fn add(&mut self, other: &Self) {
        self.successes.extend(other.successes.iter().cloned());
        self.answered.extend(other.answered.iter().cloned());
        self.sent.extend(other.sent.iter().cloned());
        self.parameters.extend(other.parameters.iter().cloned());
        self.choices.extend(other.choices.iter().cloned());
        self.errors.extend(other.errors.iter().cloned());
    }
}

impl Witness {
    /// What calls showed.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// Takes what was not as the contract says.
    pub fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut self.faults.lock().unwrap())
    }

    /// Holds a call against the contract.
    pub fn hold(&self, exchange: &Exchange) {
        let faults = match Contract::get().find(exchange.method, exchange.path) {
            Some((id, operation)) => hold(&mut self.seen(), id, operation, exchange),
            // Every other path of CS is refused in the same words.
            None if exchange.path.starts_with("/v1.0/") && exchange.method != "HEAD" => {
                let mut look = Look::at(Sender::Service);
                look.value("error", &Type::parse("Error"), &json(exchange.body));
                if exchange.status != 400 {
                    look.faults.push("the contract has no such operation".to_string());
                }
                look.faults
            }
            None => Vec::new(),
        };
        let Exchange { method, path, query, status, body, .. } = exchange;
        let what = format!("{method} {path}?{query}: {status} {}", String::from_utf8_lossy(body));
        self.faults.lock().unwrap().extend(faults.into_iter().map(|fault| format!("{fault}\n    in {what}")));
    }
}

/// Lets a call through and holds it against the contract.
pub async fn attend(State(witness): State<Arc<Witness>>, request: Request, next: Next) -> Response {
    let is_of_cs = Contract::get().find(request.method().as_str(), request.uri().path()).is_some()
        || request.uri().path().starts_with("/v1.0/");
    if !is_of_cs {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let (method, uri, headers) = (parts.method.clone(), parts.uri.clone(), parts.headers.clone());
    let sent = Arc::new(Mutex::new(Vec::new()));
    let copy = sent.clone();
    let body = body.into_data_stream().inspect_ok(move |chunk| copy.lock().unwrap().extend_from_slice(chunk));
    let answer = next.run(Request::from_parts(parts, Body::from_stream(body))).await;
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    witness.hold(&Exchange {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        content_type: headers.get("content-type").map_or("", |value| value.to_str().unwrap_or_default()),
        sent: &sent.lock().unwrap(),
        status: parts.status.as_u16(),
        headers: &parts.headers,
        body: &body,
    });
    Response::from_parts(parts, Body::from(body))
}

/// Whether the service takes what the contract does not allow, and says so.
fn is_lenient(fault: &str) -> bool {
    static LENIENT: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/contract/lenient.yaml");
    let known =
        LENIENT.get_or_init(|| serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
    known.keys().any(|excuse| match excuse.strip_suffix('*') {
        Some(begin) => fault.starts_with(begin),
        None => fault == excuse,
    })
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}

fn hold(seen: &mut Seen, id: &str, operation: &Operation, exchange: &Exchange) -> Vec<String> {
    let mut answer = Look::at(Sender::Service);
    let header = |name: &str| exchange.headers.get(name).and_then(|value| value.to_str().ok());
    if header("x-request-id").is_none() {
        answer.faults.push("no X-Request-Id".to_string());
    }
    let body = json(exchange.body);
    let expected = if exchange.status == operation.status {
        seen.successes.insert(id.to_string());
        if id == "createToken" && header("x-subject-token").is_none() {
            answer.faults.push("no X-Subject-Token".to_string());
        }
        hold_message_ids(operation, &body, &mut answer.faults);
        operation.response.as_ref()
    } else {
        let refused = if id == "createToken" { 400..500 } else { 400..401 };
        if !refused.contains(&exchange.status) {
            answer.faults.push(format!("the status is {}", exchange.status));
        }
        seen.errors
            .extend(hold_code(operation, &body, &mut answer.faults).map(|code| (id.to_string(), code)));
        operation.error.as_ref()
    };
    match expected {
        Some(expected) => {
            if header("content-type") != Some("application/json") {
                answer.faults.push(format!("the content type is {:?}", header("content-type")));
            }
            answer.value("answer", expected, &body);
        }
        None if exchange.body.is_empty() => {}
        None => answer.faults.push("there is a body".to_string()),
    }
    seen.answered.append(&mut answer.members);
    if exchange.status == operation.status {
        let mut sent = Look::at(Sender::Client);
        let parameters = hold_parameters(operation, exchange, &mut sent);
        seen.parameters.extend(parameters.into_iter().map(|name| (id.to_string(), name)));
        hold_request(operation, exchange, &mut sent);
        seen.sent.append(&mut sent.members);
        seen.choices.append(&mut sent.choices);
        let faults = sent.faults.into_iter().map(|fault| format!("{id}: {fault}"));
        let faults = faults.filter(|fault| !is_lenient(fault));
        answer.faults.extend(faults.map(|fault| format!("it took what it must not: {fault}")));
    }
    answer.faults
}

fn hold_message_ids(operation: &Operation, body: &Value, faults: &mut Vec<String>) {
    let one = std::slice::from_ref(body);
    for envelope in body.as_array().map_or(one, Vec::as_slice) {
        let found = envelope.get("message_id").and_then(Value::as_str);
        if operation.message_id.is_some() && found != operation.message_id.as_deref() {
            faults.push(format!("the message id is {found:?}"));
        }
    }
}

/// Returns the code of an error, which is one of the operation's.
fn hold_code(operation: &Operation, body: &Value, faults: &mut Vec<String>) -> Option<u32> {
    if operation.errors.is_empty() {
        return None;
    }
    let code = body.get("error_id").or(body.get("error_code")).and_then(Value::as_str).unwrap_or_default();
    let number =
        code.strip_prefix("CS.").or(code.strip_prefix("DLI.")).and_then(|number| number.parse().ok());
    let Some(number) = number.filter(|number| operation.errors.contains(number)) else {
        faults.push(format!("`{code}` is no code of the operation"));
        return None;
    };
    let known = weir_base::error::entries().find(|entry| entry.code.0 == number);
    if let Some(name) = body.get("error_name")
        && known.is_none_or(|entry| *name != entry.name)
    {
        faults.push(format!("{code} is named {name}"));
    }
    let details = body.get("error_json_opt").and_then(Value::as_str);
    if details.is_some_and(|details| serde_json::from_str::<Value>(details).is_err()) {
        faults.push("error_json_opt holds no JSON".to_string());
    }
    Some(number)
}

/// Looks at the parameters of the path and the query; returns the names of those that were sent.
fn hold_parameters(operation: &Operation, exchange: &Exchange, look: &mut Look) -> Vec<String> {
    let url = reqwest::Url::parse(&format!("http://host/?{}", exchange.query)).unwrap();
    let mut found: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let segments = operation.path.split('/').zip(exchange.path.split('/'));
    let of_path = segments.filter_map(|(template, segment)| {
        Some((template.strip_prefix('{')?.strip_suffix('}')?.to_string(), segment.to_string()))
    });
    found.extend(of_path);
    let mut names = Vec::new();
    for (name, parameter) in &operation.parameters {
        match found.get(name) {
            Some(value) => {
                look.written(name, &parameter.kind, value);
                names.push(name.clone());
            }
            None if parameter.kind.required => look.faults.push(format!("no parameter {name}")),
            None => {}
        }
    }
    names
}

fn hold_request(operation: &Operation, exchange: &Exchange, look: &mut Look) {
    match &operation.body {
        Expected::None => {}
        Expected::Json(expected) => look.value("request", expected, &json(exchange.sent)),
        Expected::Form(schema) => {
            let parts = parts_of(exchange.content_type, exchange.sent);
            for (name, expected) in Contract::get().schema(schema) {
                match parts.get(name).filter(|part| !part.is_empty()) {
                    // A file is bytes.
                    Some(_) if expected.limits.contains_key("media") => {}
                    Some(part) => look.written(name, expected, part),
                    None if expected.required => look.faults.push(format!("no part {name}")),
                    None => continue,
                }
                look.members.insert((schema.clone(), name.clone()));
            }
        }
    }
}

/// Returns the parts of a form by their names; bytes that are no text are replaced.
fn parts_of(content_type: &str, sent: &[u8]) -> BTreeMap<String, String> {
    let boundary = content_type.split("boundary=").nth(1).unwrap_or_default().trim_matches('"');
    let text = String::from_utf8_lossy(sent).into_owned();
    let boundary = format!("--{boundary}");
    let parts = text.split(&boundary).filter_map(|part| {
        let (head, contents) = part.split_once("\r\n\r\n")?;
        let name = head.split("name=\"").nth(1)?.split('"').next()?;
        Some((name.to_string(), contents.trim_end_matches("\r\n").to_string()))
    });
    parts.collect()
}
