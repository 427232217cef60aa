//! What of the contract no call has shown. What parameters may be, `tests/parameters.rs` asks.

use std::collections::BTreeSet;

use super::types::{Kind, OTHERS, Type};
use super::witness::Seen;
use super::{Body, Contract};

/// Returns what calls did not show: operations that never succeeded, parameters, members and values that were never sent and
/// taken, and members that were never answered.
pub fn unseen(seen: &Seen) -> BTreeSet<String> {
    let contract = Contract::get();
    let mut unseen = BTreeSet::new();
    let (mut answered, mut sent) = (BTreeSet::new(), BTreeSet::new());
    let mut choices = BTreeSet::new();
    for (id, operation) in &contract.operations {
        if !seen.successes.contains(id) {
            unseen.insert(format!("success {id}"));
        }
        for name in operation.parameters.keys() {
            if !seen.parameters.contains(&(id.clone(), name.clone())) {
                unseen.insert(format!("parameter {id}.{name}"));
            }
        }
        operation.response.iter().chain(&operation.error).for_each(|kind| add_schemas(kind, &mut answered));
        match &operation.body {
            Body::None => {}
            Body::Json(kind) => add_schemas(kind, &mut sent),
            Body::Form(schema) => add_schemas(&Type::parse(schema), &mut sent),
        }
    }
    for schema in answered {
        unseen.extend(members_but(schema, &seen.answered).map(|member| format!("answer {schema}.{member}")));
    }
    for schema in sent {
        unseen.extend(members_but(schema, &seen.sent).map(|member| format!("request {schema}.{member}")));
        contract.schema(schema).iter().for_each(|(member, kind)| add_choices(member, kind, &mut choices));
    }
    let choices = choices.into_iter().filter(|choice| !seen.choices.contains(choice));
    unseen.extend(choices.map(|(name, value)| format!("choice {name}={value}")));
    unseen
}

fn members_but<'a>(
    schema: &'a str,
    seen: &'a BTreeSet<(String, String)>,
) -> impl Iterator<Item = &'static String> + 'a {
    let members = Contract::get().schema(schema).keys();
    members
        .filter(move |member| *member != OTHERS && !seen.contains(&(schema.to_string(), (*member).clone())))
}

fn add_schemas(kind: &Type, found: &mut BTreeSet<&'static str>) {
    match &kind.kind {
        Kind::List(of) => add_schemas(of, found),
        Kind::Named(name) => {
            let (name, members) = Contract::get().schemas.get_key_value(name).unwrap();
            if found.insert(name) {
                members.values().for_each(|member| add_schemas(member, found));
            }
        }
        _ => {}
    }
}

fn add_choices(name: &str, kind: &Type, choices: &mut BTreeSet<(String, String)>) {
    match &kind.kind {
        Kind::List(of) => add_choices(name, of, choices),
        Kind::Enum(values) => choices.extend(values.iter().map(|value| (name.to_string(), value.clone()))),
        _ => {}
    }
}
