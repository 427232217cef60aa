//! The `WITH` clause against what the connector says of its options.

use std::collections::BTreeMap;

use weir_base::connector::{ConnectorSpec, Need, OptionSpec, RoleSpec, option_key};

use super::connector::{at_value, kind_text, noun};
use crate::suggest::{listed, nearest};
use crate::syntax::ast::{CreateStream, OptionEntry};
use crate::{CheckError, Message, Options, Warning, WarningKind};

/// Other spellings that jobs use, as keys of comparison.
const SYNONYMS: [(&str, &str); 2] =
    [("partitioncnt", "partitioncount"), ("fileddelimiter", "fielddelimiter")];

/// Encodings of the language that no connector of this release has.
const MISSING_ENCODES: [&str; 4] = ["orc", "avro", "avro_merge", "parquet"];

/// The encoding that is a class of the user, and the options that name it.
const USER_DEFINED: &str = "user_defined";
const USER_DEFINED_OPTIONS: [&str; 2] = ["encodeclassname", "encodeclassparameter"];

/// Options that every connector accepts without using them.
const ACCEPTED_EVERYWHERE: [&str; 1] = ["driver"];

/// The options of a stream after all checks.
pub(super) struct Checked<'a> {
    /// By canonical name.
    pub options: Options,
    /// Where each of them was written.
    pub entries: BTreeMap<String, &'a OptionEntry>,
}

/// Checks the options of a stream one by one and together.
pub(super) fn check<'a>(
    stream: &'a CreateStream,
    connector: &ConnectorSpec,
    role: &RoleSpec,
    warnings: &mut Vec<Warning>,
) -> Result<Checked<'a>, CheckError> {
    let mut seen: Vec<(String, &OptionEntry)> = Vec::new();
    let mut checked = Checked { options: Options::default(), entries: BTreeMap::new() };
    for entry in &stream.options {
        let key = key_of(&entry.name.value);
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == key) {
            return Err(twice(entry, first));
        }
        seen.push((key.clone(), entry));
        let (name, value) = if key == "type" {
            ("type", connector.name.to_string())
        } else if let Some(spec) = role.options.iter().find(|spec| option_key(spec.name) == key) {
            (spec.name, value_of(stream, entry, connector, spec)?)
        } else if is_known_elsewhere(connector, &key) {
            warnings.push(ignored(stream, entry, connector));
            continue;
        } else if USER_DEFINED_OPTIONS.contains(&key.as_str()) {
            let text = format!(
                "option `{}` names a class of a JAR, which the embedded engine cannot run",
                entry.name.value
            );
            return Err(
                CheckError::new(entry.name.position, entry.name.length, text).hint(expected_encode(role))
            );
        } else {
            return Err(unknown(stream, entry, connector, role));
        };
        checked.options.0.insert(name.to_string(), value);
        checked.entries.insert(name.to_string(), entry);
    }
    check_needs(stream, connector, role, &checked.options)?;
    if let Some(rule) = role.rule {
        let lookup = |name: &str| checked.options.get(name).map(str::to_string);
        rule(&lookup).map_err(|complaint| at_blamed(stream, &checked, complaint))?;
    }
    Ok(checked)
}

/// Returns the value of an option, or its default when it has one.
pub(super) fn value_or_default<'a>(options: &'a Options, role: &'a RoleSpec, name: &str) -> Option<&'a str> {
    options.get(name).or_else(|| {
        role.options.iter().find(|spec| spec.name == name).and_then(|spec| match spec.need {
            Need::Optional(default) if !default.is_empty() => Some(default),
            _ => None,
        })
    })
}

fn key_of(name: &str) -> String {
    let key = option_key(name);
    SYNONYMS.iter().find(|(other, _)| *other == key).map_or(key, |(_, meant)| (*meant).to_string())
}

/// Returns the value in the spelling of the connector.
fn value_of(
    stream: &CreateStream,
    entry: &OptionEntry,
    connector: &ConnectorSpec,
    spec: &OptionSpec,
) -> Result<String, CheckError> {
    if spec.values.is_empty() {
        let value = &entry.value;
        let without_prefix = value.strip_prefix("jdbc:").filter(|_| spec.name == "db_url");
        return Ok(without_prefix.unwrap_or(value).to_string());
    }
    let value = entry.value.trim();
    if value.is_empty() && matches!(spec.need, Need::Optional(_)) {
        return Ok(String::new());
    }
    match spec.values.iter().find(|allowed| allowed.eq_ignore_ascii_case(value)) {
        Some(allowed) => Ok((*allowed).to_string()),
        None if spec.name == "encode" => Err(without_encode(stream, entry, connector, spec)),
        None => {
            let text = format!("`{value}` is not a value of option `{}`", spec.name);
            let hint = match nearest(value, spec.values.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("expected one of {}", listed(spec.values.iter().copied())),
            };
            Err(at_value(entry, text).hint(hint))
        }
    }
}

/// Returns the refusal of an encoding: by its name when the language has it.
fn without_encode(
    stream: &CreateStream,
    entry: &OptionEntry,
    connector: &ConnectorSpec,
    spec: &OptionSpec,
) -> CheckError {
    let value = entry.value.trim().to_ascii_lowercase();
    let expected = || format!("expected one of {}", listed(spec.values.iter().copied()));
    let text = if value == USER_DEFINED {
        "encode `user_defined` runs a class of a JAR, which the embedded engine cannot".to_string()
    } else if MISSING_ENCODES.contains(&value.as_str()) {
        format!("encode `{value}` is not available in this release")
    } else if weir_formats::Encode::of_name(&value).is_some() {
        format!("a {} of type `{}` cannot have encode `{value}`", kind_text(stream.kind), connector.name)
    } else {
        let hint = nearest(&value, spec.values.iter().copied())
            .map_or_else(expected, |meant| format!("did you mean `{meant}`?"));
        return at_value(entry, format!("`{}` is not a value of option `encode`", entry.value.trim()))
            .hint(hint);
    };
    at_value(entry, text).hint(expected())
}

fn expected_encode(role: &RoleSpec) -> String {
    match role.options.iter().find(|spec| spec.name == "encode") {
        Some(spec) => format!("expected option `encode` with one of {}", listed(spec.values.iter().copied())),
        None => "remove it".to_string(),
    }
}

fn check_needs(
    stream: &CreateStream,
    connector: &ConnectorSpec,
    role: &RoleSpec,
    options: &Options,
) -> Result<(), CheckError> {
    let encode = value_or_default(options, role, "encode").unwrap_or_default();
    for spec in role.options.iter().filter(|spec| option_key(spec.name) != "type") {
        let (needed, reason) = match spec.need {
            Need::Mandatory => (true, String::new()),
            Need::WithEncode(encodes) => (encodes.contains(&encode), format!(" with encode `{encode}`")),
            Need::Optional(_) => (false, String::new()),
        };
        if !needed {
            continue;
        }
        let complaint = match options.get(spec.name) {
            None => format!("{} `{}` has no option `{}`", noun(stream.kind), stream.name.value, spec.name),
            Some("") => {
                format!("option `{}` of {} `{}` is empty", spec.name, noun(stream.kind), stream.name.value)
            }
            Some(_) => continue,
        };
        let kind = kind_text(stream.kind);
        let hint = match spec.values.is_empty() {
            true => format!("a {kind} of type `{}` needs it{reason}: {}", connector.name, spec.meaning),
            false => format!(
                "a {kind} of type `{}` needs it{reason}; its values are {}",
                connector.name,
                listed(spec.values.iter().copied())
            ),
        };
        return Err(at_name(stream, complaint).hint(hint));
    }
    Ok(())
}

fn twice(entry: &OptionEntry, first: &OptionEntry) -> CheckError {
    let place = first.name.position;
    CheckError::new(
        entry.name.position,
        entry.name.length,
        format!("option `{}` is given twice", entry.name.value),
    )
    .hint(format!(
        "`{}` stands at line {}, column {}; names are compared without case and underscores",
        first.name.value, place.line, place.column
    ))
}

fn unknown(
    stream: &CreateStream,
    entry: &OptionEntry,
    connector: &ConnectorSpec,
    role: &RoleSpec,
) -> CheckError {
    let kind = kind_text(stream.kind);
    let text = format!("a {kind} of type `{}` has no option `{}`", connector.name, entry.name.value);
    let names = || role.options.iter().map(|spec| spec.name);
    let hint = match nearest(&entry.name.value, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("its options are {}", listed(names().filter(|name| *name != "type"))),
    };
    CheckError::new(entry.name.position, entry.name.length, text).hint(hint)
}

fn ignored(stream: &CreateStream, entry: &OptionEntry, connector: &ConnectorSpec) -> Warning {
    let kind = kind_text(stream.kind);
    WarningKind::UnusedOption.warning(Message {
        position: entry.name.position,
        length: entry.name.length,
        text: format!("option `{}` has no effect on a {kind} of type `{}`", entry.name.value, connector.name),
        hint: Some("leave it out".to_string()),
    })
}

/// Returns whether a stream may carry an option that it does not use: because old jobs do, or because the connector has
/// it in another role.
fn is_known_elsewhere(connector: &ConnectorSpec, key: &str) -> bool {
    let names =
        |role: &RoleSpec| role.options.iter().map(|spec| spec.name).chain(role.ignored.iter().copied());
    let mut known = connector.roles.iter().flat_map(names).chain(ACCEPTED_EVERYWHERE);
    known.any(|name| option_key(name) == key)
}

/// Places the complaint of a rule at the option that it blames first, if that one is given.
fn at_blamed(stream: &CreateStream, checked: &Checked<'_>, complaint: String) -> CheckError {
    let blamed = complaint.strip_prefix("option `").and_then(|rest| rest.split_once('`'));
    match blamed.and_then(|(name, _)| checked.entries.get(name)) {
        Some(entry) => at_value(entry, complaint),
        None => at_name(stream, complaint),
    }
}

fn at_name(stream: &CreateStream, text: impl Into<String>) -> CheckError {
    CheckError::new(stream.name.position, stream.name.length, text)
}
