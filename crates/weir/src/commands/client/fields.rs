//! Members of requests as flags: one table per kind of thing, from which arguments and bodies are made.

use clap::{Arg, ArgMatches, value_parser};
use serde_json::{Map, Value};

/// A member of a request.
pub struct Field {
    /// The flag, without the dashes before it.
    pub flag: &'static str,
    /// The member.
    pub member: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it is.
    pub help: &'static str,
}

/// The type of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// An integer.
    Number,
    /// True or false; the flag alone is true.
    Flag,
    /// A cluster by its id or name; whoever sends it puts the id in its place.
    Cluster,
    /// One of several texts.
    Choice(&'static [&'static str]),
}

pub const fn field(flag: &'static str, member: &'static str, kind: Kind, help: &'static str) -> Field {
    Field { flag, member, kind, help }
}

/// Returns the arguments of the fields.
pub fn arguments(fields: &[Field]) -> Vec<Arg> {
    let argument = |field: &Field| {
        let argument = Arg::new(field.flag).long(field.flag).help(field.help);
        match field.kind {
            Kind::Text => argument.value_name("TEXT").allow_hyphen_values(true),
            Kind::Cluster => argument.value_name("CLUSTER"),
            Kind::Number => {
                argument.value_name("NUMBER").value_parser(value_parser!(i64)).allow_hyphen_values(true)
            }
            Kind::Flag => argument
                .value_name("true|false")
                .value_parser(value_parser!(bool))
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            Kind::Choice(values) => argument.value_name("VALUE").value_parser(values.to_vec()),
        }
    };
    fields.iter().map(argument).collect()
}

/// Returns the members that were given.
pub fn body(fields: &[Field], matches: &ArgMatches) -> Map<String, Value> {
    let value = |field: &Field| match field.kind {
        Kind::Text | Kind::Cluster | Kind::Choice(_) => {
            matches.get_one::<String>(field.flag).cloned().map(Value::from)
        }
        Kind::Number => matches.get_one::<i64>(field.flag).copied().map(Value::from),
        Kind::Flag => matches.get_one::<bool>(field.flag).copied().map(Value::from),
    };
    let given = fields.iter().filter_map(|field| Some((field.member.to_string(), value(field)?)));
    given.collect()
}
