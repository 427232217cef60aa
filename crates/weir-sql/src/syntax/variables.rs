//! Global variables in option values: `{{name}}`.
//!
//! A variable is put in its place when the quotes of the value have been found and its escapes processed. So the value
//! of a variable is taken as it is, quotes and backslashes included, it can never end the string, and every place in
//! the text stays what it was.

use std::collections::BTreeSet;

use weir_base::variables::{Variables, is_variable_name};

use super::lexer::tokenize;
use super::literal::decode_part;
use super::token::{Token, TokenKind};
use crate::suggest::{listed, nearest};
use crate::{CheckError, Message, Position};

/// Names that a hint lists when none of them is near; a project may have hundreds.
const LISTED_NAMES: usize = 10;

/// The variables that a text used so far, and what looks like one and is none.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    pub names: BTreeSet<String>,
    /// Values with variables in them, and how they are written.
    pub values: Vec<(String, String)>,
    pub warnings: Vec<Message>,
}

/// Returns the names that stand as `{{name}}` in the option values of a text, defined or not.
pub fn variable_names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for token in tokenize(text).iter().filter(|t| matches!(t.kind, TokenKind::String { option: true, .. })) {
        for piece in pieces(inner(token)) {
            if let Piece::Variable { name, .. } = piece {
                names.insert(name.to_string());
            }
        }
    }
    names
}

/// Returns the text of an option value with escapes processed and variables replaced.
pub(super) fn option_text(
    token: &Token<'_>,
    variables: Option<&Variables>,
    uses: &mut Uses,
) -> Result<String, CheckError> {
    let inner = inner(token);
    let Some(variables) = variables.filter(|_| inner.contains("{{")) else {
        return decode_part(token, inner, 0);
    };
    let pieces = pieces(inner);
    let mut text = String::with_capacity(inner.len());
    for piece in &pieces {
        match *piece {
            Piece::Text { start, text: written } => text.push_str(&decode_part(token, written, start)?),
            Piece::Variable { start, written, name } => {
                let Some(value) = variables.get(name) else {
                    return Err(unknown(token, start, written, name, variables));
                };
                text.push_str(value);
                uses.names.insert(name.to_string());
            }
        }
    }
    if pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. })) {
        uses.values.push((text.clone(), inner.to_string()));
    }
    uses.warnings.extend(pieces.iter().filter_map(|piece| not_a_variable(token, piece)));
    Ok(text)
}

fn inner<'a>(token: &Token<'a>) -> &'a str {
    &token.text[1..token.text.len() - 1]
}

/// A part of what stands between the quotes. `start` counts bytes from the first quote on, without it.
enum Piece<'a> {
    Text { start: usize, text: &'a str },
    Variable { start: usize, written: &'a str, name: &'a str },
}

fn pieces(inner: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut text_start, mut at) = (0, 0);
    while let Some(found) = inner[at..].find("{{") {
        let start = at + found;
        // `{{{name}}}` is a variable in braces.
        at = start + 1;
        // The backslash makes an escape of the brace, one that does not exist.
        let backslashes = inner[..start].bytes().rev().take_while(|byte| *byte == b'\\').count();
        let Some(written) = variable(&inner[start..]).filter(|_| backslashes % 2 == 0) else { continue };
        if start > text_start {
            pieces.push(Piece::Text { start: text_start, text: &inner[text_start..start] });
        }
        let name = written[2..written.len() - 2].trim();
        pieces.push(Piece::Variable { start, written, name });
        at = start + written.len();
        text_start = at;
    }
    if text_start < inner.len() {
        pieces.push(Piece::Text { start: text_start, text: &inner[text_start..] });
    }
    pieces
}

/// Returns the variable that a text begins with, braces and the blanks inside them included.
fn variable(text: &str) -> Option<&str> {
    let end = 2 + text[2..].find("}}")?;
    is_variable_name(text[2..end].trim()).then(|| &text[..end + 2])
}

/// Warns of `{{name}`, `{{na me}}` and the like. Braces with something else in them, as JSON has, mean themselves.
fn not_a_variable(token: &Token<'_>, piece: &Piece<'_>) -> Option<Message> {
    let Piece::Text { start, text } = piece else { return None };
    let begins_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '}');
    let found = text
        .match_indices("{{")
        .map(|(at, _)| at)
        .find(|at| text[at + 2..].trim_start().chars().next().is_none_or(begins_name))?;
    Some(Message {
        position: place(token, start + found),
        length: 2,
        text: "`{{` begins no global variable here and stays in the value".to_string(),
        hint: Some("a variable is `{{name}}`, its name letters, digits, `_`, `-` and `.`".to_string()),
    })
}

/// Returns the place of a byte between the quotes.
fn place(token: &Token<'_>, offset: usize) -> Position {
    let mut position = token.position;
    for character in token.text[..1 + offset].chars() {
        match character {
            '\n' => position = Position { line: position.line + 1, column: 1 },
            _ => position.column += 1,
        }
    }
    position
}

fn unknown(token: &Token<'_>, start: usize, written: &str, name: &str, variables: &Variables) -> CheckError {
    let length = u32::try_from(written.chars().count()).unwrap_or(1);
    let error = CheckError::new(place(token, start), length, format!("unknown global variable `{name}`"));
    error.hint(match nearest(name, variables.names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if variables.is_empty() => "no global variable is defined".to_string(),
        None => {
            let more = if variables.names().nth(LISTED_NAMES).is_some() { " and others" } else { "" };
            format!("defined are {}{more}", listed(variables.names().take(LISTED_NAMES)))
        }
    })
}
