//! Statements: `CREATE ... STREAM` and `INSERT INTO`.

use super::ast::Name;
use super::ast::{
    ColumnDefinition, CreateStream, InsertInto, OptionEntry, Statement, StreamKind, TimeSyntax,
};
use super::cursor::{Parser, name_of};
use super::refusal::{not_available, not_in_dialect};
use super::token::{Token, TokenKind};
use super::variables::option_text;
use crate::{CheckError, Position, WatermarkInterval};

impl<'a> Parser<'a> {
    /// Parses the next statement, or returns `None` at the end of the text.
    pub fn statement(&mut self) -> Result<Option<Statement>, CheckError> {
        while self.take_symbol(";") {}
        let token = self.peek();
        if token.kind == TokenKind::End {
            return Ok(None);
        }
        let statement = if token.is_word("CREATE") {
            Statement::Create(self.create()?)
        } else if token.is_word("INSERT") {
            Statement::Insert(self.insert()?)
        } else {
            return Err(self.other_statement());
        };
        match self.peek() {
            end if end.kind == TokenKind::End => {}
            end if end.is_symbol(";") => {}
            _ => return Err(self.after_statement(&statement)),
        }
        Ok(Some(statement))
    }

    /// Returns the complaint about a word that begins no statement.
    fn other_statement(&self) -> CheckError {
        let token = self.peek();
        let accepted = "a job consists of `CREATE SOURCE | SINK | TEMP STREAM` and `INSERT INTO` statements";
        let known =
            ["DROP", "ALTER", "SHOW", "DESCRIBE", "EXPLAIN", "SET", "USE", "UPDATE", "DELETE", "MERGE"];
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
            Statement::Create(CreateStream { kind: StreamKind::Sink, .. }) if token.is_word("TIMESTAMP") => {
                token
                    .error("a sink stream has no `TIMESTAMP BY` clause")
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
            Statement::Create(CreateStream { kind: StreamKind::Sink, .. }) => self.expected("`;`"),
            Statement::Create(CreateStream { time: Some(time), .. }) if time.watermark.is_none() => {
                self.expected("`,`, `SET WATERMARK` or `;`")
            }
            Statement::Create(CreateStream { time: None, .. }) => self.expected("`TIMESTAMP BY` or `;`"),
            Statement::Create(_) => self.expected("`;`"),
            Statement::Insert(_) => self.expected("an operator, a clause of the query, `UNION` or `;`"),
        }
    }

    fn create(&mut self) -> Result<CreateStream, CheckError> {
        self.take();
        let token = self.peek();
        if token.is_word("TABLE") {
            return Err(not_available(
                &token,
                "a dimension table (`CREATE TABLE`)",
                "streams cannot be joined yet",
            ));
        }
        if token.is_word("FUNCTION") {
            return Err(not_available(
                &token,
                "a user-defined function (`CREATE FUNCTION`)",
                "use the built-in functions",
            ));
        }
        let kinds = [("SOURCE", StreamKind::Source), ("SINK", StreamKind::Sink), ("TEMP", StreamKind::Temp)];
        let Some((_, kind)) = kinds.into_iter().find(|(word, _)| token.is_word(word)) else {
            return Err(self.expected("`SOURCE STREAM`, `SINK STREAM` or `TEMP STREAM`"));
        };
        self.take();
        self.expect_word("STREAM")?;
        let name = self.name("the name of a stream")?;
        let mut stream = CreateStream { kind, name, columns: Vec::new(), options: Vec::new(), time: None };
        if self.peek().is_symbol("(") {
            stream.columns = self.columns()?;
        } else if kind != StreamKind::Source {
            return Err(self.expected("`(` and the columns"));
        }
        if self.peek().is_word("PARTITIONED") {
            let instead = "only the `filesystem` connector writes partitions, and it is not available either";
            return Err(not_available(&self.peek(), "`PARTITIONED BY`", instead));
        }
        if kind != StreamKind::Temp {
            stream.options = self.options(kind, stream.columns.is_empty())?;
        }
        if kind != StreamKind::Sink && self.take_words(&["TIMESTAMP", "BY"]) {
            stream.time = Some(self.time_clause()?);
        }
        Ok(stream)
    }

    fn columns(&mut self) -> Result<Vec<ColumnDefinition>, CheckError> {
        self.take();
        let columns = self.comma_separated(|parser| {
            let name = parser.name("a column name")?;
            let data_type = parser.data_type()?;
            parser.refuse_column_constraint()?;
            Ok(ColumnDefinition { name, data_type })
        })?;
        self.expect_symbol_or(")", "`,` or ")?;
        Ok(columns)
    }

    fn refuse_column_constraint(&self) -> Result<(), CheckError> {
        let token = self.peek();
        let constraints =
            ["NOT", "NULL", "PRIMARY", "UNIQUE", "DEFAULT", "REFERENCES", "CHECK", "COMMENT", "AS"];
        match constraints.iter().find(|word| token.is_word(word)) {
            Some(word) => {
                let accepted = "a column has a name and a type, and may always be NULL; expected `,` or `)`";
                Err(not_in_dialect(&token, &format!("`{word}` in a column"), accepted))
            }
            None => Ok(()),
        }
    }

    fn options(&mut self, kind: StreamKind, without_columns: bool) -> Result<Vec<OptionEntry>, CheckError> {
        if !self.take_word("WITH") {
            let wanted = if kind == StreamKind::Source && without_columns {
                "`(` and the columns, or `WITH (`"
            } else {
                "`WITH (` and the options"
            };
            return Err(self.expected(wanted));
        }
        self.expect_symbol("(")?;
        let options = self.comma_separated(Self::option)?;
        self.expect_symbol_or(")", "`,` or ")?;
        Ok(options)
    }

    fn option(&mut self) -> Result<OptionEntry, CheckError> {
        let name = self.option_name()?;
        self.expect_symbol("=")?;
        let token = self.peek();
        let value = match token.kind {
            TokenKind::String { .. } => option_text(&token, self.variables)?,
            TokenKind::Number if token.text.bytes().all(|byte| byte.is_ascii_digit()) => {
                token.text.to_string()
            }
            _ => return Err(self.expected("a string or a whole number")),
        };
        self.take();
        Ok(OptionEntry { name, value, value_position: token.position, value_length: token.length() })
    }

    fn option_name(&mut self) -> Result<Name, CheckError> {
        // Option names are a namespace of their own, so even hard words are possible.
        let part = |parser: &mut Self| match parser.peek().kind {
            TokenKind::Word | TokenKind::QuotedWord => Ok(name_of(&parser.take())),
            _ => Err(parser.expected("the name of an option")),
        };
        let mut name = part(self)?;
        while self.take_symbol(".") {
            let next = part(self)?;
            name.length = match next.position.line == name.position.line {
                true => next.position.column + next.length - name.position.column,
                false => name.length,
            };
            name.value = format!("{}.{}", name.value, next.value);
        }
        Ok(name)
    }

    /// Parses what follows `TIMESTAMP BY`.
    fn time_clause(&mut self) -> Result<TimeSyntax, CheckError> {
        let mut time = TimeSyntax::default();
        self.time_indicator(&mut time)?;
        if self.take_symbol(",") {
            self.time_indicator(&mut time)?;
        }
        let set = self.peek();
        if self.take_word("SET") {
            self.expect_word("WATERMARK")?;
            if time.rowtime.is_none() {
                return Err(set
                    .error("a watermark needs an event time")
                    .hint("declare it before: `TIMESTAMP BY column.ROWTIME SET WATERMARK (...)`"));
            }
            time.watermark = Some(self.watermark()?);
        }
        Ok(time)
    }

    fn time_indicator(&mut self, time: &mut TimeSyntax) -> Result<(), CheckError> {
        let wanted = "`PROCTIME.PROCTIME` or `column.ROWTIME`";
        let column =
            self.expect_name("a time indicator").map_err(|error| error.hint(format!("expected {wanted}")))?;
        if !self.take_symbol(".") {
            return Err(self.expected("`.` and `ROWTIME` or `PROCTIME`"));
        }
        let kind = self.peek();
        let name = name_of(&column);
        if kind.is_word("ROWTIME") {
            self.take();
            once(&mut time.rowtime, name, "event time")
        } else if kind.is_word("PROCTIME") && name.value.eq_ignore_ascii_case("PROCTIME") {
            self.take();
            once(&mut time.proctime, name, "processing time")
        } else if kind.is_word("PROCTIME") {
            Err(column.error("processing time has no column of its own").hint("expected `PROCTIME.PROCTIME`"))
        } else {
            Err(self.expected("`ROWTIME` or `PROCTIME`"))
        }
    }

    fn watermark(&mut self) -> Result<(WatermarkInterval, std::time::Duration), CheckError> {
        self.expect_symbol("(")?;
        let interval = if self.take_word("RANGE") {
            WatermarkInterval::Range(self.duration("the time between watermarks")?)
        } else if self.take_word("ROWS") {
            WatermarkInterval::Rows(self.row_count()?)
        } else {
            return Err(self.expected("`RANGE` and an interval, or `ROWS` and a number"));
        };
        self.expect_symbol(",")?;
        let delay = self.duration("the delay of the watermark")?;
        self.expect_symbol(")")?;
        Ok((interval, delay))
    }

    fn row_count(&mut self) -> Result<u64, CheckError> {
        let token = self.peek();
        match token.text.parse() {
            Ok(rows) if token.kind == TokenKind::Number && rows > 0 => {
                self.take();
                Ok(rows)
            }
            _ => Err(self.expected("a number of rows, at least 1")),
        }
    }

    fn insert(&mut self) -> Result<InsertInto, CheckError> {
        let token = self.take();
        self.patterns.clear();
        self.expect_word("INTO")?;
        let target = self.name("the name of a stream")?;
        if let Some(list) = self.column_list_ahead() {
            let instead = "columns are matched by position; select them in the order of the stream";
            return Err(not_in_dialect(&list, "a column list after `INSERT INTO`", instead));
        }
        let query_position: Position = self.peek().position;
        let query = self.query()?;
        let patterns = std::mem::take(&mut self.patterns);
        Ok(InsertInto { target, query, query_position, patterns, offset: token.offset })
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

fn once(place: &mut Option<Name>, name: Name, what: &str) -> Result<(), CheckError> {
    match place {
        Some(_) => Err(CheckError::new(name.position, name.length, format!("{what} is declared twice"))
            .hint("a stream has at most one event time and one processing time")),
        None => {
            *place = Some(name);
            Ok(())
        }
    }
}
