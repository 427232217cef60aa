//! The contract of the API, `tests/contract/api.yaml`: its operations and the types of what they take and answer.

pub mod completeness;
pub mod types;
pub mod witness;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use types::Type;

/// Where the contract stands.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/contract/api.yaml");

/// The contract.
pub struct Contract {
    pub operations: BTreeMap<String, Operation>,
    /// Members by the names of schemas.
    pub schemas: BTreeMap<String, BTreeMap<String, Type>>,
}

/// What the contract says of an operation.
pub struct Operation {
    pub method: String,
    pub path: String,
    pub parameters: BTreeMap<String, Parameter>,
    pub body: Body,
    /// The status of a success.
    pub status: u16,
    /// The body of a success; `None` when it has none.
    pub response: Option<Type>,
    pub error: Option<Type>,
    pub message_id: Option<String>,
    /// The numbers of the codes that it can answer.
    pub errors: Vec<u32>,
}

/// What an operation takes.
pub enum Body {
    None,
    Json(Type),
    /// The parts of a form, by the name of their schema.
    Form(String),
}

/// A parameter of an operation.
pub struct Parameter {
    /// `path` or `query`.
    pub place: String,
    pub kind: Type,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    operations: BTreeMap<String, WrittenOperation>,
    schemas: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOperation {
    method: String,
    path: String,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    request: Option<String>,
    form: Option<String>,
    status: Option<u16>,
    response: Option<String>,
    error: Option<String>,
    message_id: Option<String>,
    errors: Option<String>,
}

impl Contract {
    /// Returns the contract.
    pub fn get() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| {
            let text = std::fs::read_to_string(FILE).unwrap();
            let written: Written = serde_yaml_ng::from_str(&text).unwrap();
            let members = |members: BTreeMap<String, String>| {
                members.into_iter().map(|(name, text)| (name, Type::parse(&text))).collect()
            };
            Self {
                operations: written.operations.into_iter().map(|(id, one)| (id, one.read())).collect(),
                schemas: written.schemas.into_iter().map(|(name, all)| (name, members(all))).collect(),
            }
        })
    }

    /// Returns the operation of a path: the one with the most segments that are written out.
    pub fn find(&self, method: &str, path: &str) -> Option<(&str, &Operation)> {
        let found = self.operations.iter().filter_map(|(id, operation)| {
            let fits = operation.method.eq_ignore_ascii_case(method);
            Some((literals_that_fit(&operation.path, path).filter(|_| fits)?, id, operation))
        });
        found.max_by_key(|(literals, ..)| *literals).map(|(_, id, operation)| (id.as_str(), operation))
    }

    /// Returns the members of a schema.
    pub fn schema(&self, name: &str) -> &BTreeMap<String, Type> {
        self.schemas.get(name).unwrap_or_else(|| panic!("{FILE} has no schema {name}"))
    }
}

/// Counts the segments of a path that a template writes out; `None` when the path does not fit it.
fn literals_that_fit(template: &str, path: &str) -> Option<usize> {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let mut literals = 0;
    for (expected, found) in template.iter().zip(&path) {
        if !expected.starts_with('{') {
            literals += 1;
            if expected != found {
                return None;
            }
        }
    }
    (template.len() == path.len()).then_some(literals)
}

impl WrittenOperation {
    fn read(self) -> Operation {
        let parameters = self.parameters.into_iter().map(|(name, text)| {
            let (place, kind) = text.split_once(' ').unwrap();
            (name, Parameter { place: place.to_string(), kind: Type::parse(kind) })
        });
        let body = match (self.request, self.form) {
            (Some(request), _) => Body::Json(Type::parse(&request)),
            (None, Some(form)) => Body::Form(form),
            (None, None) => Body::None,
        };
        let errors = self.errors.unwrap_or_default();
        Operation {
            method: self.method,
            path: self.path,
            parameters: parameters.collect(),
            body,
            status: self.status.unwrap_or(200),
            response: self.response.as_deref().map(Type::parse),
            error: self.error.as_deref().map(Type::parse),
            message_id: self.message_id,
            errors: errors
                .split(',')
                .filter(|code| !code.is_empty())
                .map(|code| code.parse().unwrap())
                .collect(),
        }
    }
}
