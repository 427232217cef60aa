//! Goes on after a statement that cannot be parsed, so that the errors of one job are reported together.
//!
//! The next statement begins after a `;`, or where words stand that occur nowhere else: `CREATE` and what is created,
//! `INSERT INTO`. Nothing of the broken statement is used but the name that it probably declares: the checker then
//! says nothing about the statements that use the name.

use super::ast::{Name, Statement};
use super::cursor::{Parser, name_of};
use super::token::{Token, TokenKind};
use super::variables::Uses;
use super::words::is_hard_word;
use crate::CheckError;

/// How many broken statements are looked at; a text that is no job at all gives no more errors than people read.
const MAX_BROKEN: usize = 100;

/// What could be parsed of a job.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The statements without errors.
    pub statements: Vec<Statement>,
    /// The others.
    pub broken: Vec<Broken>,
    /// The global variables that were replaced.
    pub uses: Uses,
}

/// A statement that cannot be parsed.
#[derive(Debug)]
pub(crate) struct Broken {
    /// What is wrong with it.
    pub error: CheckError,
    /// The name that it declares, as far as that can be told.
    pub declares: Option<Name>,
}

impl<'a> Parser<'a> {
    /// Parses all statements, and goes on after those that cannot be parsed.
    pub fn statements(&mut self) -> Parsed {
        let mut parsed = Parsed::default();
        while parsed.broken.len() < MAX_BROKEN {
            while self.take_symbol(";") {}
            let start = self.place();
            match self.statement_without_end() {
                Ok(None) => break,
                Ok(Some(statement)) => {
                    let end = self.end_of_statement(&statement);
                    // What follows a query may belong to it: `FORM t` was read as the name of a column. Then the query is
                    // not what was meant, and what could be said of it would mislead.
                    let is_whole =
                        end.is_ok() || !matches!(statement, Statement::Insert(_)) || self.begins_statement();
                    if is_whole {
                        parsed.statements.push(statement);
                    }
                    if let Err(error) = end {
                        self.skip_to_statement();
                        parsed.broken.push(Broken { error, declares: None });
                    }
                }
                Err(error) => {
                    self.skip_to_statement();
                    let declares = declared_name(self.taken_since(start));
                    parsed.broken.push(Broken { error, declares });
                }
            }
        }
        parsed.uses = std::mem::take(&mut self.uses);
        parsed
    }

    fn skip_to_statement(&mut self) {
        self.forget();
        loop {
            let token = self.peek();
            if token.kind == TokenKind::End || token.is_symbol(";") || self.begins_statement() {
                return;
            }
            self.take();
        }
    }

    fn begins_statement(&self) -> bool {
        let next = self.peek_at(1);
        let kinds = ["SOURCE", "SINK", "TEMP", "TABLE", "FUNCTION"];
        (self.peek().is_word("CREATE") && kinds.iter().any(|kind| next.is_word(kind)))
            || self.peek_words(&["INSERT", "INTO"])
    }
}

/// Guesses the name that the tokens of a broken statement declare: what follows the word that says what it is, or
/// else what stands before the first bracket.
fn declared_name(tokens: &[Token<'_>]) -> Option<Name> {
    let is_name = |token: &Token<'_>| match token.kind {
        TokenKind::QuotedWord => true,
        TokenKind::Word => !is_hard_word(token.text),
        _ => false,
    };
    if tokens.first()?.is_word("INSERT") {
        return None;
    }
    let kinds = ["STREAM", "TABLE", "FUNCTION"];
    let after_kind = tokens
        .windows(2)
        .take(3)
        .find(|pair| kinds.iter().any(|kind| pair[0].is_word(kind)) && is_name(&pair[1]))
        .map(|pair| pair[1]);
    let before_bracket = || {
        let pair = tokens.windows(2).find(|pair| pair[1].is_symbol("("))?;
        (is_name(&pair[0]) && !kinds.iter().any(|kind| pair[0].is_word(kind))).then_some(pair[0])
    };
    after_kind.or_else(before_bracket).map(|token| name_of(&token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parsed {
        Parser::new(text, None).statements()
    }

    fn broken(text: &str) -> Vec<(String, Option<String>)> {
        let name = |broken: Broken| (broken.error.message.text, broken.declares.map(|name| name.value));
        parse(text).broken.into_iter().map(name).collect()
    }

    #[test]
    fn the_statements_around_a_broken_one_are_kept() {
        let parsed = parse(
            "INSERT INTO a SELECT 1; INSERT INTO b SELECT (; INSERT INTO c SELECT 2; ;; CRATE x; INSERT INTO d SELECT 3",
        );
        let targets: Vec<&str> = parsed
            .statements
            .iter()
            .map(|statement| match statement {
                Statement::Insert(insert) => insert.target.value.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(targets, ["a", "c", "d"]);
        let columns: Vec<u32> =
            parsed.broken.iter().map(|broken| broken.error.message.position.column).collect();
        assert_eq!(columns, [47, 76]);
    }

    #[test]
    fn a_missing_separator_loses_no_statement() {
        let parsed = parse("INSERT INTO a SELECT 1\nCREATE TEMP STREAM b (x INT) INSERT INTO b SELECT 1 1");
        // Of the last query it is not known what was meant.
        assert_eq!(parsed.statements.len(), 2);
        let texts: Vec<&str> =
            parsed.broken.iter().map(|broken| broken.error.message.text.as_str()).collect();
        let not_ended = "the statement before is not ended";
        assert_eq!(texts, [not_ended, not_ended, "unexpected `1`"]);
    }

    #[test]
    fn a_statement_that_breaks_off_ends_where_the_next_one_begins() {
        assert_eq!(
            broken("CREATE TEMP STREAM a (x INT,\nCREATE SINK STREAM b (y TEXT) INSERT INTO a SELECT"),
            [
                (
                    "`CREATE` is a reserved word and cannot be a column name as it is".to_string(),
                    Some("a".to_string())
                ),
                ("unknown type `TEXT`".to_string(), Some("b".to_string())),
                ("unexpected end of the text".to_string(), None),
            ]
        );
    }

    #[test]
    fn the_name_that_a_broken_statement_declares_is_guessed() {
        for (text, name) in [
            ("CREATE SOURCE STREAM cars (a TEXT)", Some("cars")),
            ("CREATE SOURCE STREAM `my cars` WITH (1)", Some("my cars")),
            ("CREATE SOURCE STRAEM cars (a INT)", Some("cars")),
            ("CRATE TABLE t (a INT)", Some("t")),
            ("CREATE STREAM cars (a INT)", Some("cars")),
            ("CREATE FUNCTION f AS x", Some("f")),
            ("CREATE SOURCE STREAM (a INT)", None),
            ("INSERT INTO s SELECT f(", None),
            ("5", None),
        ] {
            assert_eq!(broken(text)[0].1.as_deref(), name, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_job_gives_a_limited_number_of_errors() {
        assert_eq!(parse(&"x;".repeat(10_000)).broken.len(), MAX_BROKEN);
    }
}
