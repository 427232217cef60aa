//! Expressions: operators by precedence, down to what `primary.rs` parses.
//!
//! The result is a tree of the `sqlparser` crate, with the shapes that crate's own parser makes. Chains
//! such as `a + b + c` make trees that are deep on the left without any nesting in the text, so the height
//! of every tree is bounded too: what walks it later is recursive.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value, ValueWithSpan};

use super::cursor::Parser;
use super::literal::string_text;
use super::refusal::not_in_dialect;
use super::token::{Token, TokenKind};
use crate::CheckError;

/// The greatest height of an expression tree. Measured in a build without optimisation: making the physical
/// expression of a chain of additions takes about 17 kB of stack a level, and threads have 2 MB.
const MAX_HEIGHT: u32 = 80;
/// How many nodes all copies together may have: a WHEN with several values copies its result, and copies
/// inside copies multiply.
const MAX_COPIED_NODES: u64 = 20_000;

/// Binding strength, from the loosest.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const PREDICATE: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;

impl<'a> Parser<'a> {
    /// Parses an expression.
    pub(super) fn expression(&mut self) -> Result<Expr, CheckError> {
        self.nested(|parser| {
            let outer = std::mem::take(&mut parser.height);
            let expression = parser.operators(OR)?;
            parser.height = outer.max(parser.height + 1);
            Ok(expression)
        })
    }

    /// Parses an operand of a predicate, in which `AND`, `OR` and comparisons are not operators.
    pub(super) fn sum(&mut self) -> Result<Expr, CheckError> {
        self.operators(SUM)
    }

    /// Parses operators that bind at least as tightly as `weakest`.
    fn operators(&mut self, weakest: u8) -> Result<Expr, CheckError> {
        let nodes_before = self.nodes;
        let mut left = match weakest <= NOT && self.peek().is_word("NOT") {
            true => self.negation()?,
            false => self.unary()?,
        };
        loop {
            let token = self.peek();
            let Some((strength, operator)) = binary_operator(&token) else {
                let predicate = weakest <= PREDICATE && begins_predicate(&token, &self.peek_at(1));
                if !predicate {
                    return Ok(left);
                }
                left = self.predicate(left, nodes_before)?;
                continue;
            };
            if strength < weakest {
                return Ok(left);
            }
            if strength <= AND {
                left = self.logical_chain(left, strength, operator)?;
                continue;
            }
            self.take();
            let left_height = std::mem::take(&mut self.height);
            let right = self.operators(strength + 1)?;
            self.height = left_height.max(self.height);
            self.grow(&token)?;
            left = Expr::BinaryOp { left: Box::new(left), op: operator, right: Box::new(right) };
            if strength == PREDICATE && matches!(binary_operator(&self.peek()), Some((PREDICATE, _))) {
                return Err(self.peek().error("comparisons cannot be chained").hint("join them with `AND`"));
            }
        }
    }

    /// Parses the rest of a chain of `AND` or of `OR`. The order of the operands does not depend on the brackets, so
    /// the tree is made as low as possible: generated conditions have hundreds of operands.
    fn logical_chain(
        &mut self,
        first: Expr,
        strength: u8,
        operator: BinaryOperator,
    ) -> Result<Expr, CheckError> {
        let mut operands = vec![first];
        let mut token = self.peek();
        while matches!(binary_operator(&self.peek()), Some((next, _)) if next == strength) {
            token = self.take();
            let height = std::mem::take(&mut self.height);
            operands.push(self.operators(strength + 1)?);
            self.height = height.max(self.height);
        }
        for _ in 0..operands.len().ilog2() {
            self.grow(&token)?;
        }
        self.nodes += operands.len() as u64;
        Ok(balanced(operands, &operator))
    }

    /// Counts one more level of the current tree.
    pub(super) fn grow(&mut self, token: &Token<'_>) -> Result<(), CheckError> {
        self.height += 1;
        self.nodes += 1;
        match self.height > MAX_HEIGHT {
            true => Err(token
                .error(format!("more than {MAX_HEIGHT} operators in a row"))
                .hint("compute parts of the expression in a sub-query or a temp stream")),
            false => Ok(()),
        }
    }

    fn negation(&mut self) -> Result<Expr, CheckError> {
        self.take();
        if self.peek().is_word("EXISTS") {
            return self.unary();
        }
        let operand = self.nested(|parser| parser.operators(NOT))?;
        Ok(Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(operand) })
    }

    fn unary(&mut self) -> Result<Expr, CheckError> {
        let op = match self.peek() {
            token if token.is_symbol("-") => UnaryOperator::Minus,
            token if token.is_symbol("+") => UnaryOperator::Plus,
            _ => return self.postfix(),
        };
        self.take();
        let operand = self.nested(Self::unary)?;
        Ok(Expr::UnaryOp { op, expr: Box::new(operand) })
    }

    /// Parses what follows an operand: `IS`, `BETWEEN`, `LIKE`, `SIMILAR TO`, `IN`. The count of nodes is that before
    /// the operand.
    fn predicate(&mut self, left: Expr, nodes_before: u64) -> Result<Expr, CheckError> {
        let token = self.peek();
        self.grow(&token)?;
        if self.take_word("IS") {
            return self.is_predicate(left);
        }
        let negated = self.take_word("NOT");
        if self.take_word("BETWEEN") {
            return self.between(left, negated, nodes_before, &token);
        }
        if self.take_word("IN") {
            return self.in_list(left, negated);
        }
        let similar = self.take_words(&["SIMILAR", "TO"]);
        if !similar {
            self.expect_word("LIKE")?;
        }
        let (expr, pattern) = (Box::new(left), Box::new(self.sum()?));
        let escape_char = match self.take_word("ESCAPE") {
            true => Some(self.escape_character()?),
            false => None,
        };
        Ok(match similar {
            true => Expr::SimilarTo { negated, expr, pattern, escape_char },
            false => Expr::Like { negated, any: false, expr, pattern, escape_char },
        })
    }

    fn is_predicate(&mut self, left: Expr) -> Result<Expr, CheckError> {
        let negated = self.take_word("NOT");
        let left = Box::new(left);
        if self.take_words(&["DISTINCT", "FROM"]) {
            let right = Box::new(self.sum()?);
            return Ok(match negated {
                true => Expr::IsNotDistinctFrom(left, right),
                false => Expr::IsDistinctFrom(left, right),
            });
        }
        let word = self.peek();
        let make = match (word.text.to_ascii_uppercase().as_str(), negated) {
            _ if word.kind != TokenKind::Word => None,
            ("NULL", false) => Some(Expr::IsNull as fn(Box<Expr>) -> Expr),
            ("NULL", true) => Some(Expr::IsNotNull as _),
            ("TRUE", false) => Some(Expr::IsTrue as _),
            ("TRUE", true) => Some(Expr::IsNotTrue as _),
            ("FALSE", false) => Some(Expr::IsFalse as _),
            ("FALSE", true) => Some(Expr::IsNotFalse as _),
            ("UNKNOWN", false) => Some(Expr::IsUnknown as _),
            ("UNKNOWN", true) => Some(Expr::IsNotUnknown as _),
            _ => None,
        };
        let Some(make) = make else {
            return Err(self.expected("`NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM`"));
        };
        self.take();
        Ok(make(left))
    }

    fn between(
        &mut self,
        left: Expr,
        negated: bool,
        nodes_before: u64,
        token: &Token<'_>,
    ) -> Result<Expr, CheckError> {
        let symmetric = self.take_word("SYMMETRIC");
        // `a BETWEEN asymmetric AND b` names a column.
        if !symmetric && !self.peek_at(1).is_word("AND") {
            self.take_word("ASYMMETRIC");
        }
        let low = self.sum()?;
        self.expect_word("AND")?;
        let high = self.sum()?;
        let range = |expr: Expr, low: Expr, high: Expr, negated: bool| Expr::Between {
            expr: Box::new(expr),
            negated,
            low: Box::new(low),
            high: Box::new(high),
        };
        if !symmetric {
            return Ok(range(left, low, high, negated));
        }
        // The syntax tree has no symmetric form: it is one of the two ranges, or, negated, neither of them.
        self.count_copies(self.nodes - nodes_before, 1, token)?;
        let op = if negated { BinaryOperator::And } else { BinaryOperator::Or };
        let forward = range(left.clone(), low.clone(), high.clone(), negated);
        let backward = range(left, high, low, negated);
        let both = Expr::BinaryOp { left: Box::new(forward), op, right: Box::new(backward) };
        Ok(Expr::Nested(Box::new(both)))
    }

    fn in_list(&mut self, left: Expr, negated: bool) -> Result<Expr, CheckError> {
        self.expect_symbol("(")?;
        self.refuse_subquery("a sub-query after `IN`")?;
        let list = self.comma_separated(Self::expression)?;
        self.expect_symbol_or(")", "`,` or ")?;
        Ok(Expr::InList { expr: Box::new(left), list, negated })
    }

    fn escape_character(&mut self) -> Result<ValueWithSpan, CheckError> {
        let token = self.peek();
        let text = match token.kind {
            TokenKind::String { .. } => string_text(&token)?,
            _ => return Err(self.expected("a string of one character")),
        };
        if text.chars().count() != 1 {
            return Err(token
                .error("`ESCAPE` takes one character")
                .hint("expected a string of one character"));
        }
        self.take();
        Ok(Value::SingleQuotedString(text).with_span(token.span()))
    }

    /// Counts copies of a part of the tree and refuses too many.
    pub(super) fn count_copies(
        &mut self,
        nodes: u64,
        copies: u64,
        token: &Token<'_>,
    ) -> Result<(), CheckError> {
        let added = nodes.saturating_mul(copies);
        self.nodes = self.nodes.saturating_add(added);
        self.copied_nodes = self.copied_nodes.saturating_add(added);
        match self.copied_nodes > MAX_COPIED_NODES {
            true => Err(token
                .error("the expression is too large")
                .hint("split it, for example with a temp stream")),
            false => Ok(()),
        }
    }

    /// Refuses a query where an expression is wanted; the bracket before it has been taken.
    pub(super) fn refuse_subquery(&self, construct: &str) -> Result<(), CheckError> {
        let token = self.peek();
        match token.is_word("SELECT") || token.is_word("WITH") || token.is_word("VALUES") {
            true => Err(not_in_dialect(&token, construct, "sub-queries are possible only in `FROM`")),
            false => Ok(()),
        }
    }

    /// Refuses clauses after a function call that the dialect does not have.
    pub(super) fn refuse_call_clauses(&self) -> Result<(), CheckError> {
        let token = self.peek();
        let open = self.peek_at(1).is_symbol("(");
        if token.is_word("FILTER") && open {
            return Err(not_in_dialect(&token, "`FILTER`", "use `CASE` inside the aggregate"));
        }
        match token.is_word("WITHIN") && self.peek_at(1).is_word("GROUP") {
            true => Err(not_in_dialect(&token, "`WITHIN GROUP`", "remove the clause")),
            false => Ok(()),
        }
    }
}

/// Joins operands, of which there is at least one, into a tree of least height.
fn balanced(mut operands: Vec<Expr>, operator: &BinaryOperator) -> Expr {
    while operands.len() > 1 {
        let mut joined = Vec::with_capacity(operands.len().div_ceil(2));
        let mut rest = operands.into_iter();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) => {
                    Expr::BinaryOp { left: Box::new(left), op: operator.clone(), right: Box::new(right) }
                }
                None => left,
            });
        }
        operands = joined;
    }
    operands.remove(0)
}

fn binary_operator(token: &Token<'_>) -> Option<(u8, BinaryOperator)> {
    if token.kind == TokenKind::Word {
        return match token.text.to_ascii_uppercase().as_str() {
            "OR" => Some((OR, BinaryOperator::Or)),
            "AND" => Some((AND, BinaryOperator::And)),
            "OVERLAPS" => Some((PREDICATE, BinaryOperator::Overlaps)),
            _ => None,
        };
    }
    if token.kind != TokenKind::Symbol {
        return None;
    }
    Some(match token.text {
        "=" => (PREDICATE, BinaryOperator::Eq),
        "<>" | "!=" => (PREDICATE, BinaryOperator::NotEq),
        "<" => (PREDICATE, BinaryOperator::Lt),
        "<=" => (PREDICATE, BinaryOperator::LtEq),
        ">" => (PREDICATE, BinaryOperator::Gt),
        ">=" => (PREDICATE, BinaryOperator::GtEq),
        "+" => (SUM, BinaryOperator::Plus),
        "-" => (SUM, BinaryOperator::Minus),
        "||" => (SUM, BinaryOperator::StringConcat),
        "*" => (PRODUCT, BinaryOperator::Multiply),
        "/" => (PRODUCT, BinaryOperator::Divide),
        "%" => (PRODUCT, BinaryOperator::Modulo),
        _ => return None,
    })
}

fn begins_predicate(token: &Token<'_>, next: &Token<'_>) -> bool {
    let plain =
        |token: &Token<'_>| ["BETWEEN", "IN", "LIKE", "SIMILAR"].iter().any(|word| token.is_word(word));
    token.is_word("IS") || plain(token) || (token.is_word("NOT") && plain(next))
}
