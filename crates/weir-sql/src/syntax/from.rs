//! `FROM`: streams and tables, sub-queries, joins, table functions, collections as tables.
//!
//! What each form is in the tree of the `sqlparser` crate:
//!
//! | written | tree |
//! | --- | --- |
//! | `a, b` | one [`TableWithJoins`] for each entry of the list |
//! | `a JOIN b ON c`, `a INNER JOIN b ON c` | [`JoinOperator::Inner`] with [`JoinConstraint::On`] |
//! | `LEFT`, `RIGHT`, `FULL`, with or without `OUTER` | [`JoinOperator::LeftOuter`], `RightOuter`, `FullOuter` |
//! | `a CROSS JOIN b` | [`JoinOperator::CrossJoin`] with [`JoinConstraint::None`] |
//! | `t`, `TABLE t` | [`TableFactor::Table`] |
//! | `(query)` | [`TableFactor::Derived`] |
//! | `LATERAL TABLE(f(x)) AS t (a)` | [`TableFactor::Function`] with `lateral` |
//! | `UNNEST(x) WITH ORDINALITY AS t (a, n)` | [`TableFactor::UNNEST`] with one expression |
//! | `t MATCH_RECOGNIZE (...) AS m` | [`TableFactor::MatchRecognize`], see [`pattern`](super::pattern) |
//!
//! `LATERAL TABLE` and `UNNEST` stand wherever a table stands: as an entry of the list, after `CROSS JOIN`, after
//! `JOIN ... ON` and `LEFT JOIN ... ON TRUE`. What they read of the entries before them is the planner's affair.

use sqlparser::ast::{
    Join, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableAliasColumnDef, TableFactor,
    TableWithJoins,
};

use super::cursor::{Parser, ident_of, name_of};
use super::primary::unnamed;
use super::refusal::not_in_dialect;
use crate::CheckError;

/// How many tables one `FROM` may join; a plan is one level deeper for each.
const MAX_TABLES: usize = 32;

/// A join before its condition is known.
type MakeJoin = fn(JoinConstraint) -> JoinOperator;

impl Parser<'_> {
    /// Parses what follows `FROM`.
    pub(super) fn table_list(&mut self) -> Result<Vec<TableWithJoins>, CheckError> {
        let mut tables = 0;
        self.comma_separated(|parser| parser.table_with_joins(&mut tables))
    }

    fn table_with_joins(&mut self, tables: &mut usize) -> Result<TableWithJoins, CheckError> {
        let relation = self.table(tables)?;
        let mut joins = Vec::new();
        while let Some((written, make)) = self.join_kind()? {
            let relation = self.table(tables)?;
            let constraint = self.join_condition(written)?;
            joins.push(Join { relation, global: false, join_operator: make(constraint) });
        }
        Ok(TableWithJoins { relation, joins })
    }

    /// Takes the words of a join, if there is one. Returns how it is written and what makes it.
    fn join_kind(&mut self) -> Result<Option<(&'static str, MakeJoin)>, CheckError> {
        let token = self.peek();
        if token.is_word("NATURAL") {
            return Err(not_in_dialect(&token, "`NATURAL JOIN`", "write the condition of a join with `ON`"));
        }
        let kinds: [(&str, &str, MakeJoin); 6] = [
            ("JOIN", "JOIN", JoinOperator::Inner),
            ("INNER", "INNER JOIN", JoinOperator::Inner),
            ("LEFT", "LEFT JOIN", JoinOperator::LeftOuter),
            ("RIGHT", "RIGHT JOIN", JoinOperator::RightOuter),
            ("FULL", "FULL JOIN", JoinOperator::FullOuter),
            ("CROSS", "CROSS JOIN", JoinOperator::CrossJoin),
        ];
        let Some((first, written, make)) = kinds.into_iter().find(|(first, ..)| token.is_word(first)) else {
            return Ok(None);
        };
        self.take();
        let outer = matches!(first, "LEFT" | "RIGHT" | "FULL") && self.take_word("OUTER");
        if first != "JOIN" && !self.take_word("JOIN") {
            let can_be_outer = matches!(first, "LEFT" | "RIGHT" | "FULL") && !outer;
            return Err(self.expected(if can_be_outer { "`OUTER JOIN` or `JOIN`" } else { "`JOIN`" }));
        }
        Ok(Some((written, make)))
    }

    fn join_condition(&mut self, written: &str) -> Result<JoinConstraint, CheckError> {
        let token = self.peek();
        if token.is_word("USING") {
            return Err(not_in_dialect(&token, "`USING`", "write the condition of a join with `ON`"));
        }
        let is_cross = written == "CROSS JOIN";
        match self.take_word("ON") {
            true if is_cross => {
                Err(token.error("`CROSS JOIN` has no condition").hint("write `JOIN ... ON` for a condition"))
            }
            true => self.expression().map(JoinConstraint::On),
            false if is_cross => Ok(JoinConstraint::None),
            false => Err(self.expected(&format!("`ON` and the condition of `{written}`"))),
        }
    }

    fn table(&mut self, tables: &mut usize) -> Result<TableFactor, CheckError> {
        let token = self.peek();
        *tables += 1;
        if *tables > MAX_TABLES {
            return Err(token
                .error(format!("more than {MAX_TABLES} tables in one `FROM`"))
                .hint("join some of them into a temp stream first"));
        }
        let mut factor = if token.is_symbol("(") {
            self.subquery_table()?
        } else if token.is_word("LATERAL") {
            self.table_function()?
        } else if token.is_word("UNNEST") {
            self.unnest()?
        } else {
            self.named_table()?
        };
        if self.peek().is_word("MATCH_RECOGNIZE") {
            factor = self.match_recognize(factor)?;
        }
        let alias = self.table_alias()?;
        let token = self.peek();
        if token.is_word("MATCH_RECOGNIZE") {
            let text = "`MATCH_RECOGNIZE` stands before the name of the table, and once";
            return Err(token.error(text).hint("write `stream MATCH_RECOGNIZE (...) AS name`"));
        }
        set_alias(&mut factor, alias);
        Ok(factor)
    }

    fn subquery_table(&mut self) -> Result<TableFactor, CheckError> {
        self.take();
        let subquery = self.query()?;
        self.end_of_subquery()?;
        Ok(TableFactor::Derived { lateral: false, subquery, alias: None, sample: None })
    }

    /// Parses `LATERAL TABLE(f(...))`.
    fn table_function(&mut self) -> Result<TableFactor, CheckError> {
        self.take();
        let open = self.peek();
        if open.is_symbol("(") || open.is_word("UNNEST") {
            let construct = if open.is_symbol("(") { "a lateral sub-query" } else { "`LATERAL UNNEST`" };
            let instead = "`LATERAL` stands before `TABLE(function(...))`; `UNNEST` needs no `LATERAL`";
            return Err(not_in_dialect(&open, construct, instead));
        }
        self.expect_word("TABLE")?;
        self.expect_symbol("(")?;
        let name = self.expect_name("the name of a table function")?;
        self.found.calls.push(name_of(&name));
        self.expect_symbol("(")?;
        let mut args = Vec::new();
        if !self.peek().is_symbol(")") {
            self.refuse_subquery("a sub-query as an argument")?;
            args = self.comma_separated(Self::expression)?;
        }
        self.expect_symbol_or(")", "an operator, `,` or ")?;
        self.expect_symbol(")")?;
        Ok(TableFactor::Function {
            lateral: true,
            name: ObjectName::from(vec![ident_of(&name)]),
            args: unnamed(args),
            with_ordinality: false,
            alias: None,
        })
    }

    fn unnest(&mut self) -> Result<TableFactor, CheckError> {
        self.take();
        self.expect_symbol("(")?;
        self.refuse_subquery("a sub-query as an argument")?;
        let collection = self.expression()?;
        self.expect_symbol_or(")", "an operator or ")?;
        let with_ordinality = self.take_word("WITH");
        if with_ordinality {
            self.expect_word("ORDINALITY")?;
        }
        Ok(TableFactor::UNNEST {
            alias: None,
            array_exprs: vec![collection],
            with_offset: false,
            with_offset_alias: None,
            with_ordinality,
        })
    }

    fn named_table(&mut self) -> Result<TableFactor, CheckError> {
        self.take_word("TABLE");
        let token = self.peek();
        if token.is_symbol("(") {
            let instead = "a table function is called by `LATERAL TABLE(function(...))`";
            return Err(not_in_dialect(&token, "`TABLE(...)`", instead));
        }
        let mut name = self.expect_name("the name of a stream")?;
        let mut parts = vec![ident_of(&name)];
        while parts.len() < 3 && self.take_symbol(".") {
            name = self.expect_name("the name of a stream")?;
            parts.push(ident_of(&name));
        }
        self.found.tables.push(name_of(&name));
        let token = self.peek();
        if token.is_symbol("(") {
            let instead = "a table function is called by `LATERAL TABLE(function(...))`";
            return Err(not_in_dialect(&token, "a call in place of a stream", instead));
        }
        Ok(TableFactor::Table {
            name: ObjectName::from(parts),
            alias: None,
            args: None,
            with_hints: Vec::new(),
            version: None,
            with_ordinality: false,
            partitions: Vec::new(),
            json_path: None,
            sample: None,
            index_hints: Vec::new(),
        })
    }

    fn table_alias(&mut self) -> Result<Option<TableAlias>, CheckError> {
        let Some((name, explicit)) = self.alias("a table name")? else { return Ok(None) };
        let mut columns = Vec::new();
        if self.take_symbol("(") {
            columns = self.comma_separated(|parser| {
                Ok(TableAliasColumnDef { name: parser.ident("a column name")?, data_type: None })
            })?;
            self.expect_symbol_or(")", "`,` or ")?;
        }
        Ok(Some(TableAlias { explicit, name, columns, at: None }))
    }
}

/// Gives a table that has no name the one that follows it.
fn set_alias(factor: &mut TableFactor, name: Option<TableAlias>) {
    if let TableFactor::Table { alias, .. }
    | TableFactor::Derived { alias, .. }
    | TableFactor::Function { alias, .. }
    | TableFactor::UNNEST { alias, .. }
    | TableFactor::MatchRecognize { alias, .. } = factor
    {
        *alias = name;
    }
}
