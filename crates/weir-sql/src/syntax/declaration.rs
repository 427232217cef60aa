//! Declarations: `CREATE ... STREAM`, `CREATE TABLE`, `CREATE FUNCTION`.

use super::ast::{
    ColumnDefinition, CreateFunction, CreateStream, Name, OptionEntry, Statement, StreamKind, TimeSyntax,
};
use super::cursor::{Parser, name_of};
use super::literal::string_text;
use super::refusal::not_in_dialect;
use super::token::TokenKind;
use super::variables::option_text;
use crate::{CheckError, WatermarkInterval};

impl Parser<'_> {
    /// Parses `CREATE` and what is created.
    pub(super) fn create(&mut self) -> Result<Statement, CheckError> {
        self.take();
        let token = self.peek();
        if self.take_word("FUNCTION") {
            return self.function().map(Statement::Function);
        }
        let kinds = [
            ("SOURCE", StreamKind::Source),
            ("SINK", StreamKind::Sink),
            ("TEMP", StreamKind::Temp),
            ("TABLE", StreamKind::Table),
        ];
        if token.is_word("VIEW") {
            let instead = "declare a temp stream and insert into it";
            return Err(not_in_dialect(&token, "`CREATE VIEW`", instead));
        }
        let Some((_, kind)) = kinds.into_iter().find(|(word, _)| token.is_word(word)) else {
            return Err(self.expected("`SOURCE STREAM`, `SINK STREAM`, `TEMP STREAM`, `TABLE` or `FUNCTION`"));
        };
        self.take();
        if kind != StreamKind::Table {
            self.expect_word("STREAM")?;
        }
        self.stream(kind).map(Statement::Create)
    }

    fn stream(&mut self, kind: StreamKind) -> Result<CreateStream, CheckError> {
        let what = if kind == StreamKind::Table { "the name of a table" } else { "the name of a stream" };
        if self.peek_words(&["IF", "NOT", "EXISTS"]) {
            let instead = "a job declares what it uses anew each time it starts; remove the words";
            return Err(not_in_dialect(&self.peek(), "`IF NOT EXISTS`", instead));
        }
        let mut stream = CreateStream {
            kind,
            name: self.name(what)?,
            columns: Vec::new(),
            partitioned: Vec::new(),
            options: Vec::new(),
            time: None,
        };
        if self.peek().is_symbol("(") {
            stream.columns = self.columns()?;
        } else if kind != StreamKind::Source {
            return Err(self.expected("`(` and the columns"));
        }
        if self.peek().is_word("PARTITIONED") {
            stream.partitioned = self.partitioned(kind)?;
        }
        if kind != StreamKind::Temp {
            stream.options = self.options(kind, stream.columns.is_empty())?;
        }
        if matches!(kind, StreamKind::Source | StreamKind::Temp) && self.take_words(&["TIMESTAMP", "BY"]) {
            stream.time = Some(self.time_clause()?);
        }
        Ok(stream)
    }

    /// Parses what follows `CREATE FUNCTION`.
    fn function(&mut self) -> Result<CreateFunction, CheckError> {
        let name = self.name("the name of a function")?;
        self.expect_word("AS")?;
        let token = self.peek();
        let class = match token.kind {
            TokenKind::String { .. } => string_text(&token)?,
            _ => return Err(self.expected("a string with the name of a class, such as `'com.example.Name'`")),
        };
        self.take();
        if class.trim().is_empty() {
            return Err(token
                .error("the name of the class is empty")
                .hint("expected a string such as `'com.example.Name'`"));
        }
        Ok(CreateFunction { name, class, class_position: token.position, class_length: token.length() })
    }

    fn partitioned(&mut self, kind: StreamKind) -> Result<Vec<Name>, CheckError> {
        let token = self.take();
        if kind != StreamKind::Sink {
            return Err(token
                .error("only a sink stream has a `PARTITIONED BY` clause")
                .hint("remove the clause"));
        }
        self.expect_word("BY")?;
        self.expect_symbol("(")?;
        let columns = self.comma_separated(|parser| parser.name("a column name"))?;
        self.expect_symbol_or(")", "`,` or ")?;
        Ok(columns)
    }

    fn columns(&mut self) -> Result<Vec<ColumnDefinition>, CheckError> {
        self.take();
        let columns = self.comma_separated(|parser| {
            parser.refuse_table_constraint()?;
            let name = parser.name("a column name")?;
            let data_type = parser.data_type()?;
            parser.refuse_column_constraint()?;
            Ok(ColumnDefinition { name, data_type })
        })?;
        self.expect_symbol_or(")", "`,` or ")?;
        Ok(columns)
    }

    /// Refuses what other systems allow in place of a column.
    fn refuse_table_constraint(&self) -> Result<(), CheckError> {
        let token = self.peek();
        if self.peek_words(&["WATERMARK", "FOR"]) {
            let instead = "write `TIMESTAMP BY column.rowtime SET WATERMARK (...)` after the `WITH` clause";
            return Err(not_in_dialect(&token, "`WATERMARK FOR`", instead));
        }
        if self.peek_words(&["PRIMARY", "KEY"]) {
            return Err(not_in_dialect(&token, "`PRIMARY KEY`", "some sinks have an option `primary_key`"));
        }
        Ok(())
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
            TokenKind::String { .. } => option_text(&token, self.variables, &mut self.uses)?,
            TokenKind::Number if token.text.bytes().all(|byte| byte.is_ascii_digit()) => {
                token.text.to_string()
            }
            // It may be a password whose quotes were forgotten; see `describe`.
            TokenKind::Word | TokenKind::QuotedWord | TokenKind::Number => {
                return Err(token
                    .error("the value has no quotes")
                    .hint("expected a string or a whole number"));
            }
            _ => return Err(self.expected("a string or a whole number")),
        };
        self.take();
        Ok(OptionEntry { name, value, value_position: token.position, value_length: token.length() })
    }

    fn option_name(&mut self) -> Result<Name, CheckError> {
        // Option names are a namespace of their own, so even hard words are possible.
        let part = |parser: &mut Self| match parser.peek().kind {
            TokenKind::Word | TokenKind::QuotedWord => Ok(name_of(&parser.take_name())),
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
        // `ts.rowtime` looks like a column and is mostly written as one.
        if kind.is_word("ROWTIME") {
            self.take_name();
            once(&mut time.rowtime, name, "event time")
        } else if kind.is_word("PROCTIME") && name.value.eq_ignore_ascii_case("PROCTIME") {
            self.take_name();
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
