//! The statements of a job, and `INSERT INTO`. What follows `CREATE` is in `declaration.rs`.

use super::ast::{CreateStream, InsertInto, Statement, StreamKind};
use super::cursor::Parser;
use super::refusal::not_in_dialect;
use super::token::{Token, TokenKind};
use crate::{CheckError, Position};

impl<'a> Parser<'a> {
    /// Parses the next statement, or returns `None` at the end of the text.
    pub fn statement(&mut self) -> Result<Option<Statement>, CheckError> {
        while self.take_symbol(";") {}
        let statement = self.statement_without_end()?;
        if let Some(statement) = &statement {
            self.end_of_statement(statement)?;
        }
        Ok(statement)
    }

    /// Parses a statement, but not what must follow it.
    pub(super) fn statement_without_end(&mut self) -> Result<Option<Statement>, CheckError> {
        let token = self.peek();
        if token.kind == TokenKind::End {
            Ok(None)
        } else if token.is_word("CREATE") {
            self.create().map(Some)
        } else if token.is_word("INSERT") {
            self.insert().map(|insert| Some(Statement::Insert(insert)))
        } else {
            Err(self.other_statement())
        }
    }

    /// Checks that nothing follows a statement but its `;`.
    pub(super) fn end_of_statement(&self, statement: &Statement) -> Result<(), CheckError> {
        match self.peek() {
            end if end.kind == TokenKind::End || end.is_symbol(";") => Ok(()),
            _ => Err(self.after_statement(statement)),
        }
    }

    /// Returns the complaint about a word that begins no statement.
    fn other_statement(&self) -> CheckError {
        let token = self.peek();
        let accepted = "a job consists of `CREATE SOURCE | SINK | TEMP STREAM`, `CREATE TABLE`, `CREATE FUNCTION` and `INSERT INTO` statements";
        let known = [
            "ALTER", "DELETE", "DESC", "DESCRIBE", "DROP", "EXPLAIN", "MERGE", "RESET", "SET", "SHOW",
            "TRUNCATE", "UPDATE", "UPSERT", "USE",
        ];
        if known.iter().any(|word| token.is_word(word)) {
            return not_in_dialect(&token, &format!("`{}`", token.text.to_ascii_uppercase()), accepted);
        }
        if token.is_word("SELECT") || token.is_word("VALUES") || token.is_word("WITH") {
            return token
                .error("a query must say where its rows go")
                .hint("write `INSERT INTO stream` before it");
        }
        self.expected("`CREATE` or `INSERT INTO`")
    }

    fn after_statement(&self, statement: &Statement) -> CheckError {
        let token = self.peek();
        if token.is_word("CREATE") || token.is_word("INSERT") {
            return token.error("the statement before is not ended").hint("end it with `;`");
        }
        match statement {
            Statement::Create(CreateStream {
                kind: kind @ (StreamKind::Sink | StreamKind::Table), ..
            }) if token.is_word("TIMESTAMP") => {
                let what = if *kind == StreamKind::Sink { "sink stream" } else { "table" };
                token
                    .error(format!("a {what} has no `TIMESTAMP BY` clause"))
                    .hint("time attributes belong to source and temp streams; end the statement with `;`")
            }
            Statement::Create(CreateStream { kind: StreamKind::Temp, .. }) if token.is_word("WITH") => token
                .error("a temp stream has no options")
                .hint("expected `TIMESTAMP BY` or `;`; only sources and sinks have a `WITH` clause"),
            Statement::Create(CreateStream { kind: StreamKind::Source, time: Some(_), .. })
                if token.is_word("WITH") =>
            {
                token.error("the `WITH` clause comes before `TIMESTAMP BY`").hint("exchange the two clauses")
            }
            Statement::Create(CreateStream { kind: StreamKind::Sink | StreamKind::Table, .. }) => {
                self.expected("`;`")
            }
            Statement::Create(CreateStream { time: Some(time), .. }) if time.watermark.is_none() => {
                self.expected("`,`, `SET WATERMARK` or `;`")
            }
            Statement::Create(CreateStream { time: None, .. }) => self.expected("`TIMESTAMP BY` or `;`"),
            Statement::Create(_) | Statement::Function(_) => self.expected("`;`"),
            Statement::Insert(_) => self.after_query("an operator, a clause of the query, `UNION` or `;`"),
        }
    }

    fn insert(&mut self) -> Result<InsertInto, CheckError> {
        let token = self.take();
        self.expect_word("INTO")?;
        let target = self.name("the name of a stream")?;
        if let Some(list) = self.column_list_ahead() {
            let instead = "columns are matched by position; select them in the order of the stream";
            return Err(not_in_dialect(&list, "a column list after `INSERT INTO`", instead));
        }
        let query_position: Position = self.peek().position;
        let query = self.query()?;
        let names = self.forget();
        Ok(InsertInto {
            target,
            query,
            query_position,
            patterns: names.patterns,
            tables: names.tables,
            calls: names.calls,
            offset: token.offset,
        })
    }

    /// Returns the bracket of a column list; a bracket may also begin the query.
    fn column_list_ahead(&self) -> Option<Token<'a>> {
        let open = self.peek();
        let begins_query = |token: Token<'_>| {
            token.is_symbol("(") || ["SELECT", "VALUES", "WITH"].iter().any(|word| token.is_word(word))
        };
        (open.is_symbol("(") && !begins_query(self.peek_at(1))).then_some(open)
    }
}
