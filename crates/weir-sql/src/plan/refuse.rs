//! Refusals with their places, and guesses at what was meant.

use sqlparser::ast::Spanned;
use sqlparser::tokenizer::Span;
use weir_base::error::codes;

use crate::suggest::nearest;
use crate::{CheckError, Message, Position};

/// The result of everything that reads a query.
pub(super) type Checked<T> = Result<T, CheckError>;

/// A stretch of the text; the default is used for what the parser gives no place to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) position: Position,
    pub(super) length: u32,
}

impl Place {
    /// Returns the place of a span, or `otherwise` when the span is empty.
    pub(super) fn of(span: Span, otherwise: Place) -> Place {
        let (Ok(line), Ok(column)) = (u32::try_from(span.start.line), u32::try_from(span.start.column))
        else {
            return otherwise;
        };
        if line == 0 || column == 0 {
            return otherwise;
        }
        let length = if span.end.line == span.start.line {
            u32::try_from(span.end.column.saturating_sub(span.start.column)).unwrap_or(1).max(1)
        } else {
            1
        };
        Place { position: Position { line, column }, length }
    }

    /// Returns the place of a part of the query.
    pub(super) fn at(part: &impl Spanned, otherwise: Place) -> Place {
        Place::of(part.span(), otherwise)
    }

    /// Makes the refusal of what stands here.
    pub(super) fn refuse(self, text: impl Into<String>) -> CheckError {
        CheckError {
            code: codes::SQL_SYNTAX_ERROR,
            parameter: None,
            message: Message { position: self.position, length: self.length, text: text.into(), hint: None },
        }
    }

    /// Makes the refusal of a construct that the language has, or SQL has, and this release does not.
    pub(super) fn unavailable(self, construct: &str) -> CheckError {
        self.refuse(format!("{construct} is not available"))
    }
}

/// Adds what would be accepted.
pub(super) fn hinted(mut error: CheckError, hint: Option<String>) -> CheckError {
    if error.message.hint.is_none() {
        error.message.hint = hint;
    }
    error
}

/// Returns a hint when one of the candidates is nearly `name`.
pub(super) fn did_you_mean<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}
