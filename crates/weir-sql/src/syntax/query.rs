//! Queries: `UNION`, `SELECT`, `VALUES`.
//!
//! The result is a tree of the `sqlparser` crate. `UNION` has the quantifier `None`, `UNION ALL` has `All`;
//! `SELECT DISTINCT` is [`Distinct::Distinct`]. Constructs of SQL that the dialect does not have are refused where
//! they begin; what the dialect has and the planner cannot plan, the planner refuses.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, ObjectName, Parens, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Values, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::{Token as SqlToken, TokenWithSpan};

use super::cursor::Parser;
use super::primary::attached;
use super::refusal::{clause_after_query, not_in_dialect};
use super::token::{Token, TokenKind};
use super::words::can_be_alias;
use crate::CheckError;
use crate::suggest::nearest;

/// The words that begin a clause after a column or a table.
const CLAUSES: [&str; 11] =
    ["FROM", "WHERE", "GROUP", "HAVING", "UNION", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS"];
/// How many queries one query may combine; the tree is one level deeper for each.
const MAX_BRANCHES: usize = 100;

impl<'a> Parser<'a> {
    /// Parses a query: terms combined by `UNION` and `UNION ALL`, from left to right.
    pub(super) fn query(&mut self) -> Result<Box<Query>, CheckError> {
        self.nested_query(|parser| {
            let mut body = parser.query_term()?;
            let mut branches = 1;
            while parser.peek().is_word("UNION") {
                let union = parser.take();
                let set_quantifier = parser.union_quantifier()?;
                branches += 1;
                if branches > MAX_BRANCHES {
                    let text = format!("more than {MAX_BRANCHES} queries in one `UNION`");
                    return Err(union
                        .error(text)
                        .hint("write several INSERT statements into the same stream"));
                }
                body = SetExpr::SetOperation {
                    left: Box::new(body),
                    op: SetOperator::Union,
                    set_quantifier,
                    right: Box::new(parser.query_term()?),
                };
            }
            match clause_after_query(&parser.peek()) {
                Some(refusal) => Err(refusal),
                None => Ok(Box::new(query_of(body))),
            }
        })
    }

    /// Parses what follows `UNION`; without `ALL`, rows that are equal become one.
    fn union_quantifier(&mut self) -> Result<SetQuantifier, CheckError> {
        let token = self.peek();
        if token.is_word("DISTINCT") {
            let instead = "`UNION` without another word drops rows that are equal";
            return Err(not_in_dialect(&token, "`UNION DISTINCT`", instead));
        }
        Ok(if self.take_word("ALL") { SetQuantifier::All } else { SetQuantifier::None })
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
            self.end_of_subquery()?;
            return Ok(SetExpr::Query(query));
        }
        Err(self.expected("a query: `SELECT`, `VALUES` or `(`"))
    }

    /// Takes the bracket after a query.
    pub(super) fn end_of_subquery(&mut self) -> Result<(), CheckError> {
        match self.take_symbol(")") {
            true => Ok(()),
            false => Err(self.after_query("a clause of the query, `UNION` or `)`")),
        }
    }

    /// Returns the complaint about what follows a query and is no part of it. The word before may be a misspelt
    /// keyword that was taken for the name of a column or a table.
    pub(super) fn after_query(&self, wanted: &str) -> CheckError {
        let error = self.expected(wanted);
        let Some(before) = self.taken_before().filter(|token| token.kind == TokenKind::Word) else {
            return error;
        };
        match nearest(before.text, CLAUSES) {
            Some(meant) if !meant.eq_ignore_ascii_case(before.text) => {
                let hint = format!("did you mean `{meant}` in place of `{}`?", before.text);
                error.hint(hint)
            }
            _ => error,
        }
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
        let distinct = self.take_word("DISTINCT").then_some(Distinct::Distinct);
        if distinct.is_none() {
            self.take_word("ALL");
        }
        let projection = self.comma_separated(Self::select_item)?;
        let mut select = Select {
            select_token: attached(&token),
            optimizer_hints: Vec::new(),
            distinct,
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
        select.from = self.table_list()?;
        if self.take_word("WHERE") {
            select.selection = Some(self.expression()?);
        }
        if self.take_word("GROUP") {
            self.expect_word("BY")?;
            select.group_by = GroupByExpr::Expressions(self.group_items()?, Vec::new());
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
    pub(super) fn alias(&mut self, what: &str) -> Result<Option<(Ident, bool)>, CheckError> {
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
