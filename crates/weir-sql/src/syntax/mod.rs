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
pub use variables::variable_names;
use weir_base::variables::Variables;

use crate::CheckError;

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
