//! What the checker says to people: a sentence, a place in the text, what would be accepted there.

use std::fmt;

use serde::Serialize;
use sqlparser::tokenizer::Span;
use weir_base::error::{ErrorCode, codes};
use weir_base::variables::Redactor;

/// A place in the SQL text, counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A remark about the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Where.
    pub position: Position,
    /// How many characters it concerns, at least 1; the caret line is this long.
    pub length: u32,
    /// What is wrong; lower case, no full stop, names in backticks.
    pub text: String,
    /// What would be accepted there, when that can be said.
    pub hint: Option<String>,
}

impl Message {
    /// Takes the values of global variables out.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        for text in std::iter::once(&mut self.text).chain(&mut self.hint) {
            *text = redactor.redact(text).into_owned();
        }
    }
}

/// A job that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckError {
    /// The CS code: CS.13005, or CS.13015, CS.13014, CS.13016, CS.11035 for the rules of their own.
    pub code: ErrorCode,
    /// Parameter of the code (the stream type for CS.13016).
    pub parameter: Option<String>,
    /// What and where.
    pub message: Message,
}

/// The errors of a job in the order of their places; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckErrors {
    first: CheckError,
    others: Vec<CheckError>,
}

impl CheckErrors {
    /// Puts errors in order; `None` when there are none.
    pub(crate) fn sorted(mut errors: Vec<CheckError>) -> Option<Self> {
        errors.sort_by_key(|error| error.message.position);
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        Some(Self { first, others: errors.collect() })
    }

    /// Returns the errors without the values of global variables.
    pub(crate) fn redacted(mut self, redactor: &Redactor) -> Self {
        for error in std::iter::once(&mut self.first).chain(&mut self.others) {
            error.message.redact(redactor);
            if let Some(parameter) = &mut error.parameter {
                *parameter = redactor.redact(parameter).into_owned();
            }
        }
        self
    }

    /// Returns the first error and drops the others.
    pub fn into_first(self) -> CheckError {
        self.first
    }

    /// Returns the errors in order.
    pub fn iter(&self) -> impl Iterator<Item = &CheckError> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl From<CheckError> for CheckErrors {
    fn from(error: CheckError) -> Self {
        Self { first: error, others: Vec::new() }
    }
}

impl CheckError {
    /// Makes an error of the text, CS.13005, at a place.
    pub fn new(position: Position, length: u32, text: impl Into<String>) -> Self {
        let message = Message { position, length: length.max(1), text: text.into(), hint: None };
        Self { code: codes::SQL_SYNTAX_ERROR, parameter: None, message }
    }

    /// Makes an error of the text, CS.13005, at the span of a syntax tree node. An empty span,
    /// which nodes without a place of their own have, gives the beginning of the text.
    pub fn at_span(span: Span, text: impl Into<String>) -> Self {
        let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let position =
            Position { line: number(span.start.line).max(1), column: number(span.start.column).max(1) };
        let length = match span.start.line == span.end.line {
            true => number(span.end.column.saturating_sub(span.start.column)),
            false => 1,
        };
        Self::new(position, length, text)
    }

    /// Says what would be accepted.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.message.hint = Some(hint.into());
        self
    }

    /// Changes the code.
    pub fn code(mut self, code: ErrorCode) -> Self {
        self.code = code;
        self
    }

    /// Sets the parameter of the code.
    pub fn parameter(mut self, parameter: impl Into<String>) -> Self {
        self.parameter = Some(parameter.into());
        self
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Message { position, text, hint, .. } = &self.message;
        write!(f, "{}: line {}, column {}: {text}", self.code, position.line, position.column)?;
        match hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CheckError {}
