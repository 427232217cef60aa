//! From text to statements: tokens, the grammar, the tree.

pub mod ast;
mod cursor;
mod declaration;
mod expression;
mod from;
mod grouping;
mod interval;
mod lexer;
mod literal;
mod matching;
mod over;
pub mod pattern;
mod primary;
mod query;
mod recovery;
mod refusal;
mod standard_call;
mod statement;
mod token;
mod types;
mod variables;
mod words;

use ast::Statement;
pub(crate) use lexer::tokenize;
pub(crate) use recovery::{Broken, Parsed};
pub(crate) use token::{Token, TokenKind};
pub use variables::variable_names;
use weir_base::variables::Variables;

use crate::{CheckError, CheckErrors};

/// Parses the statements of a job without checking them. Global variables stay as they are written.
pub fn parse(text: &str) -> Result<Vec<Statement>, CheckError> {
    let mut parser = cursor::Parser::new(text, None);
    let mut statements = Vec::new();
    while let Some(statement) = parser.statement()? {
        statements.push(statement);
    }
    Ok(statements)
}

/// Parses what can be parsed of a job. Global variables are replaced.
pub(crate) fn parse_all(text: &str, variables: &Variables) -> Parsed {
    cursor::Parser::new(text, Some(variables)).statements()
}

/// Returns the tokens of a job, and for each whether it is a name; a word that is none is a keyword. Refuses a text
/// that cannot be parsed.
pub(crate) fn words_and_names(text: &str) -> Result<(Vec<Token<'_>>, Vec<bool>), CheckErrors> {
    let mut parser = cursor::Parser::new(text, None);
    let Parsed { broken, .. } = parser.statements();
    match CheckErrors::sorted(broken.into_iter().map(|broken| broken.error).collect()) {
        Some(errors) => Err(errors),
        None => Ok(parser.into_tokens()),
    }
}
