//! Global variables in option values: `{{name}}`.
//!
//! A variable is replaced before escapes are processed, inside the quotes of the value: so a secret that
//! holds a quote stays a part of the value, and every place in the text stays what it was.

use std::collections::BTreeMap;

use super::literal::decode;
use super::token::Token;
use crate::{CheckError, Position};

/// Returns the text of an option value with variables replaced and escapes processed.
pub(super) fn option_text(
    token: &Token<'_>,
    variables: Option<&BTreeMap<String, String>>,
) -> Result<String, CheckError> {
    let inner = &token.text[1..token.text.len() - 1];
    match variables {
        Some(variables) if inner.contains("{{") => decode(token, &replace(token, inner, variables)?),
        _ => decode(token, inner),
    }
}

fn replace(
    token: &Token<'_>,
    inner: &str,
    variables: &BTreeMap<String, String>,
) -> Result<String, CheckError> {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(start) = rest.find("{{") {
        let (before, from_braces) = rest.split_at(start);
        text.push_str(before);
        let Some(name) = variable_name(from_braces) else {
            text.push_str("{{");
            rest = &from_braces[2..];
            continue;
        };
        let written = &from_braces[..name.len() + 4];
        match variables.get(name.trim()) {
            Some(value) => text.push_str(value),
            None => {
                return Err(unknown(token, inner.len() - from_braces.len(), written, name.trim(), variables));
            }
        }
        rest = &from_braces[written.len()..];
    }
    text.push_str(rest);
    Ok(text)
}

/// Returns what stands between `{{` and `}}`, if it can be the name of a variable.
fn variable_name(text: &str) -> Option<&str> {
    let inner = &text[2..];
    let name = &inner[..inner.find("}}")?];
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!name.trim().is_empty() && name.trim().chars().all(is_name)).then_some(name)
}

fn unknown(
    token: &Token<'_>,
    offset: usize,
    written: &str,
    name: &str,
    variables: &BTreeMap<String, String>,
) -> CheckError {
    let mut position = token.position;
    for character in token.text[..1 + offset].chars() {
        match character {
            '\n' => position = Position { line: position.line + 1, column: 1 },
            _ => position.column += 1,
        }
    }
    let length = u32::try_from(written.chars().count()).unwrap_or(1);
    let error = CheckError::new(position, length, format!("unknown global variable `{name}`"));
    match variables.is_empty() {
        true => error.hint("no global variable is defined"),
        false => {
            let names: Vec<String> = variables.keys().map(|name| format!("`{name}`")).collect();
            error.hint(format!("defined are {}", names.join(", ")))
        }
    }
}
