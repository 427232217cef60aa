//! Queries: `UNION ALL`, `SELECT`, `VALUES`, sub-queries in `FROM`.
//!
//! The result is a tree of the `sqlparser` crate. Constructs of SQL that the dialect does not have, and
//! those of the dialect that this release does not run, are refused where they begin.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, Parens, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, TableAlias, TableAliasColumnDef,
    TableFactor, TableWithJoins, Values, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::{Token as SqlToken, TokenWithSpan};

use super::cursor::Parser;
use super::primary::attached;
use super::refusal::{clause_after_query, not_available, not_in_dialect};
use super::token::{Token, TokenKind};
use super::words::can_be_alias;
use crate::CheckError;

/// How many queries one query may combine; the tree is one level deeper for each.
const MAX_BRANCHES: usize = 100;

impl<'a> Parser<'a> {
    /// Parses a query: terms combined by `UNION ALL`.
    pub(super) fn query(&mut self) -> Result<Box<Query>, CheckError> {
        self.nested_query(|parser| {
            let mut body = parser.query_term()?;
            let mut branches = 1;
            while parser.peek().is_word("UNION") {
                let union = parser.take();
                if !parser.take_word("ALL") {
                    let instead = "use `UNION ALL`, which keeps every row";
                    return Err(not_available(&union, "`UNION` without `ALL`", instead));
                }
                branches += 1;
                if branches > MAX_BRANCHES {
                    let text = format!("more than {MAX_BRANCHES} queries in one `UNION ALL`");
                    return Err(union
                        .error(text)
                        .hint("write several INSERT statements into the same stream"));
                }
                body = SetExpr::SetOperation {
                    left: Box::new(body),
                    op: SetOperator::Union,
                    set_quantifier: SetQuantifier::All,
                    right: Box::new(parser.query_term()?),
                };
            }
            match clause_after_query(&parser.peek()) {
                Some(refusal) => Err(refusal),
                None => Ok(Box::new(query_of(body))),
            }
        })
    }

    fn query_term(&mut self) -> Result<SetExpr, CheckError> {
        let token = self.peek();
        if token.is_word("SELECT") {
            return self.select().map(|select| SetExpr::Select(Box::new(select)));
        }
        if self.take_word("VALUES") {
            return self.values().map(SetExpr::Values);
        }
        if token.is_word("WITH") {
            let instead = "declare a temp stream and insert into it";
            return Err(not_in_dialect(&token, "`WITH` (a common table expression)", instead));
        }
        if self.take_symbol("(") {
            let query = self.query()?;
            self.expect_symbol_or(")", "`UNION ALL` or ")?;
            return Ok(SetExpr::Query(query));
        }
        Err(self.expected("a query: `SELECT`, `VALUES` or `(`"))
    }

    fn values(&mut self) -> Result<Values, CheckError> {
        let rows = self.comma_separated(|parser| {
            let content = match parser.expression()? {
                Expr::Tuple(row) => row,
                Expr::Nested(value) => vec![*value],
                value => vec![value],
            };
            Ok(Parens::with_empty_span(content))
        })?;
        Ok(Values { explicit_row: false, value_keyword: false, rows })
    }

    fn select(&mut self) -> Result<Select, CheckError> {
        let token = self.take();
        let distinct = self.peek();
        if self.take_word("DISTINCT") {
            return Err(not_available(
                &distinct,
                "`SELECT DISTINCT`",
                "use `COUNT(DISTINCT ...)` in a group window",
            ));
        }
        self.take_word("ALL");
        let projection = self.comma_separated(Self::select_item)?;
        let mut select = Select {
            select_token: attached(&token),
            optimizer_hints: Vec::new(),
            distinct: None,
            select_modifiers: None,
            top: None,
            top_before_distinct: false,
            projection,
            exclude: None,
            into: None,
            from: Vec::new(),
            lateral_views: Vec::new(),
            prewhere: None,
            selection: None,
            connect_by: Vec::new(),
            group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
            cluster_by: Vec::new(),
            distribute_by: Vec::new(),
            sort_by: Vec::new(),
            having: None,
            named_window: Vec::new(),
            qualify: None,
            window_before_qualify: false,
            value_table_mode: None,
            flavor: SelectFlavor::Standard,
        };
        if self.take_word("FROM") {
            self.clauses_after_from(&mut select)?;
        }
        Ok(select)
    }

    fn clauses_after_from(&mut self, select: &mut Select) -> Result<(), CheckError> {
        select.from.push(self.table()?);
        self.refuse_join()?;
        if self.take_word("WHERE") {
            select.selection = Some(self.expression()?);
        }
        let group = self.peek();
        if self.take_words(&["GROUP", "BY"]) {
            let items = self.comma_separated(Self::group_item)?;
            if !items.iter().any(is_group_window) {
                let instead = "add `TUMBLE(...)`, `HOP(...)` or `SESSION(...)` to the group";
                return Err(not_available(&group, "`GROUP BY` without a window", instead));
            }
            select.group_by = GroupByExpr::Expressions(items, Vec::new());
        }
        if self.take_word("HAVING") {
            select.having = Some(self.expression()?);
        }
        Ok(())
    }

    fn select_item(&mut self) -> Result<SelectItem, CheckError> {
        let token = self.peek();
        if self.take_symbol("*") {
            return Ok(SelectItem::Wildcard(wildcard(&token)));
        }
        let expression = self.expression()?;
        if self.peek().is_symbol(".") && self.peek_at(1).is_symbol("*") {
            self.take();
            let options = wildcard(&self.take());
            return Ok(SelectItem::QualifiedWildcard(wildcard_root(expression), options));
        }
        Ok(match self.alias("a column name")? {
            Some((alias, _)) => SelectItem::ExprWithAlias { expr: expression, alias },
            None => SelectItem::UnnamedExpr(expression),
        })
    }

    /// Parses `[AS] name`, if there is one. Returns also whether `AS` was written.
    fn alias(&mut self, what: &str) -> Result<Option<(Ident, bool)>, CheckError> {
        if self.take_word("AS") {
            return Ok(Some((self.ident(what)?, true)));
        }
        let token = self.peek();
        match token.kind {
            TokenKind::QuotedWord => Ok(Some((self.ident(what)?, false))),
            TokenKind::Word if can_be_alias(token.text) => Ok(Some((self.ident(what)?, false))),
            _ => Ok(None),
        }
    }

    fn table(&mut self) -> Result<TableWithJoins, CheckError> {
        let token = self.peek();
        let relation = if self.take_symbol("(") {
            let subquery = self.query()?;
            self.expect_symbol_or(")", "`UNION ALL` or ")?;
            TableFactor::Derived { lateral: false, subquery, alias: self.table_alias()?, sample: None }
        } else if token.is_word("LATERAL") {
            return Err(not_available(&token, "`LATERAL TABLE`", "table functions cannot be used yet"));
        } else if token.is_word("UNNEST") {
            return Err(not_available(
                &token,
                "`UNNEST`",
                "select elements by subscript, such as `items[1]`",
            ));
        } else {
            self.take_word("TABLE");
            let mut parts = vec![self.ident("the name of a stream")?];
            while parts.len() < 3 && self.take_symbol(".") {
                parts.push(self.ident("the name of a stream")?);
            }
            self.table_named(ObjectName::from(parts))?
        };
        Ok(TableWithJoins { relation, joins: Vec::new() })
    }

    fn table_named(&mut self, name: ObjectName) -> Result<TableFactor, CheckError> {
        let token = self.peek();
        if token.is_word("MATCH_RECOGNIZE") {
            return Err(not_available(&token, "`MATCH_RECOGNIZE`", "patterns cannot be used yet"));
        }
        if token.is_symbol("(") {
            let instead =
                "a table function would be called by `LATERAL TABLE`, which is not available in this release";
            return Err(not_in_dialect(&token, "a call in place of a stream", instead));
        }
        let alias = self.table_alias()?;
        Ok(TableFactor::Table {
            name,
            alias,
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

    fn refuse_join(&self) -> Result<(), CheckError> {
        let token = self.peek();
        if token.is_symbol(",") {
            let instead = "read one stream, or combine streams with `UNION ALL`";
            return Err(not_available(&token, "a join (several streams in `FROM`)", instead));
        }
        if token.is_word("NATURAL") {
            return Err(not_in_dialect(&token, "`NATURAL JOIN`", "write the condition of a join with `ON`"));
        }
        let join =
            ["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS"].into_iter().find(|word| token.is_word(word));
        let Some(first) = join else {
            if token.is_word("MATCH_RECOGNIZE") {
                return Err(not_available(&token, "`MATCH_RECOGNIZE`", "patterns cannot be used yet"));
            }
            return clause_after_query(&token).map_or(Ok(()), Err);
        };
        let construct = if first == "JOIN" { "`JOIN`".to_string() } else { format!("`{first} JOIN`") };
        Err(not_available(&token, &construct, "read one stream, or combine streams with `UNION ALL`"))
    }

    fn group_item(&mut self) -> Result<Expr, CheckError> {
        let token = self.peek();
        let instead = "write one INSERT for each grouping";
        if token.is_word("GROUPING") && self.peek_at(1).is_word("SETS") {
            return Err(not_available(&token, "`GROUPING SETS`", instead));
        }
        if token.is_word("CUBE") {
            return Err(not_available(&token, "`CUBE`", instead));
        }
        if token.is_word("ROLLUP") {
            return Err(not_available(&token, "`ROLLUP`", instead));
        }
        if token.is_symbol("(") && self.peek_at(1).is_symbol(")") {
            return Err(not_available(&token, "the empty grouping `()`", "group by the window alone"));
        }
        self.expression()
    }
}

fn is_group_window(item: &Expr) -> bool {
    match item {
        Expr::Function(function) => {
            let name = function.name.to_string();
            ["TUMBLE", "HOP", "SESSION"].iter().any(|window| name.eq_ignore_ascii_case(window))
        }
        Expr::Nested(inner) => is_group_window(inner),
        Expr::Tuple(items) => items.iter().any(is_group_window),
        _ => false,
    }
}

fn wildcard(token: &Token<'_>) -> WildcardAdditionalOptions {
    let wildcard_token = AttachedToken(TokenWithSpan::new(SqlToken::Mul, token.span()));
    WildcardAdditionalOptions { wildcard_token, ..Default::default() }
}

fn wildcard_root(expression: Expr) -> SelectItemQualifiedWildcardKind {
    match expression {
        Expr::Identifier(name) => SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(vec![name])),
        Expr::CompoundIdentifier(names) => {
            SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(names))
        }
        other => SelectItemQualifiedWildcardKind::Expr(other),
    }
}

fn query_of(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}
