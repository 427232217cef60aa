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
mod refusal;
mod standard_call;
mod statement;
mod token;
mod types;
mod variables;
mod words;

use std::collections::BTreeMap;

use ast::Statement;

use crate::CheckError;

/// Parses the statements of a job without checking them. Global variables stay as they are written.
pub fn parse(text: &str) -> Result<Vec<Statement>, CheckError> {
    parse_with(text, None)
}

/// Parses the statements of a job. Global variables are replaced when they are given.
pub(crate) fn parse_with(
    text: &str,
    variables: Option<&BTreeMap<String, String>>,
) -> Result<Vec<Statement>, CheckError> {
    let mut parser = cursor::Parser::new(text, variables);
    let mut statements = Vec::new();
    while let Some(statement) = parser.statement()? {
        statements.push(statement);
    }
    Ok(statements)
}
