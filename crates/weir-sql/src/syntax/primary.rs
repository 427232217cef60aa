//! The operands of expressions: literals, names, calls, constructors, CASE, subscripts and fields.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    AccessExpr, Array, CaseWhen, CastKind, DataType as SqlType, DuplicateTreatment, Expr, Function,
    FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, Map, MapEntry, ObjectName,
    Subscript, TypedString, Value, WindowType,
};
use sqlparser::tokenizer::{Token as SqlToken, TokenWithSpan};

use super::cursor::{Parser, ident_of, name_of};
use super::literal::string_text;
use super::refusal::not_in_dialect;
use super::token::{Token, TokenKind};
use super::types::sql_type;
use super::words::is_hard_word;
use crate::CheckError;

impl<'a> Parser<'a> {
    /// Parses an operand and the subscripts and fields after it.
    pub(super) fn postfix(&mut self) -> Result<Expr, CheckError> {
        self.nodes += 1;
        let root = self.primary()?;
        let mut chain = Vec::new();
        loop {
            let token = self.peek();
            if self.take_symbol("[") {
                self.grow(&token)?;
                let index = self.expression()?;
                self.expect_symbol("]")?;
                chain.push(AccessExpr::Subscript(Subscript::Index { index }));
            } else if token.is_symbol(".") && !self.peek_at(1).is_symbol("*") {
                self.take();
                self.grow(&token)?;
                chain.push(AccessExpr::Dot(Expr::Identifier(self.ident("a field name")?)));
            } else {
                break;
            }
        }
        Ok(with_access(root, chain))
    }

    fn primary(&mut self) -> Result<Expr, CheckError> {
        let token = self.peek();
        match token.kind {
            TokenKind::Number => {
                self.take();
                Ok(value(&token, Value::Number(token.text.to_string(), false)))
            }
            TokenKind::String { .. } => {
                self.take();
                Ok(value(&token, Value::SingleQuotedString(string_text(&token)?)))
            }
            TokenKind::Symbol if token.text == "(" => self.brackets(),
            TokenKind::QuotedWord => self.name_or_call(),
            TokenKind::Word => self.word(token),
            _ => Err(self.expected("an expression")),
        }
    }

    /// Parses an operand that begins with a bare word.
    fn word(&mut self, token: Token<'a>) -> Result<Expr, CheckError> {
        let next = self.peek_at(1);
        let open = next.is_symbol("(");
        let before_string = matches!(next.kind, TokenKind::String { .. });
        match token.text.to_ascii_uppercase().as_str() {
            "TRUE" | "FALSE" => {
                self.take();
                Ok(value(&token, Value::Boolean(token.is_word("TRUE"))))
            }
            "NULL" => {
                self.take();
                Ok(value(&token, Value::Null))
            }
            "UNKNOWN" => {
                self.take();
                Ok(cast(value(&token, Value::Null), SqlType::Boolean))
            }
            "DATE" | "TIME" | "TIMESTAMP" if before_string => self.typed_string(),
            "INTERVAL" => self.interval().map(Expr::Interval),
            "CASE" => self.case(),
            "CAST" => self.cast(),
            "EXTRACT" => self.extract(),
            "FLOOR" | "CEIL" | "CEILING" if open => self.rounding(),
            "SUBSTRING" if open => self.substring(),
            "TRIM" if open => self.trim(),
            "POSITION" if open => self.position(),
            "OVERLAY" if open => self.overlay(),
            "ARRAY" if next.is_symbol("[") => self.array(),
            "MAP" if next.is_symbol("[") => self.map(),
            "CURRENT_DATE" | "CURRENT_TIME" | "CURRENT_TIMESTAMP" | "LOCALTIME" | "LOCALTIMESTAMP" => {
                self.take();
                if self.take_symbol("(") {
                    self.expect_symbol(")")?;
                }
                Ok(call(ident_of(&token), FunctionArguments::None, None))
            }
            "GROUPING" if open => self.name_or_call(),
            "EXISTS" => Err(not_in_dialect(&token, "`EXISTS`", "sub-queries are possible only in `FROM`")),
            "ANY" | "ALL" if open => {
                let construct = format!("a comparison with `{}`", token.text.to_ascii_uppercase());
                Err(not_in_dialect(&token, &construct, "sub-queries are possible only in `FROM`"))
            }
            _ if is_hard_word(token.text) => {
                let hint = match self.taken_before() {
                    Some(before) if before.is_symbol(",") => "expected an expression, or no `,` before it",
                    _ => "expected an expression; put a reserved word in back quotes to use it as a name",
                };
                Err(token.error(format!("unexpected {}", token.describe())).hint(hint))
            }
            _ => self.name_or_call(),
        }
    }

    fn name_or_call(&mut self) -> Result<Expr, CheckError> {
        let token = self.take_name();
        let name = ident_of(&token);
        if !self.take_symbol("(") {
            return Ok(Expr::Identifier(name));
        }
        self.found.calls.push(name_of(&token));
        self.arguments(name)
    }

    /// Parses the arguments of a call; the opening bracket has been taken.
    fn arguments(&mut self, name: Ident) -> Result<Expr, CheckError> {
        let mut list = argument_list(Vec::new());
        if self.take_word("DISTINCT") {
            list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
        } else if self.take_word("ALL") {
            list.duplicate_treatment = Some(DuplicateTreatment::All);
        }
        if self.peek().is_symbol("*") && self.peek_at(1).is_symbol(")") {
            self.take();
            list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
        } else if !self.peek().is_symbol(")") || list.duplicate_treatment.is_some() {
            self.refuse_subquery("a sub-query as an argument")?;
            list.args = unnamed(self.comma_separated(Self::expression)?);
        }
        self.expect_symbol_or(")", "an operator, `,` or ")?;
        let over = self.over(&name)?;
        Ok(call(name, FunctionArguments::List(list), over))
    }

    fn brackets(&mut self) -> Result<Expr, CheckError> {
        self.take();
        self.refuse_subquery("a sub-query in an expression")?;
        let mut list = self.comma_separated(Self::expression)?;
        self.expect_symbol_or(")", "an operator, `,` or ")?;
        match list.len() {
            1 => Ok(Expr::Nested(Box::new(list.remove(0)))),
            _ => Ok(Expr::Tuple(list)),
        }
    }

    fn typed_string(&mut self) -> Result<Expr, CheckError> {
        let data_type = sql_type(&self.data_type()?);
        let token = self.take();
        let value = Value::SingleQuotedString(string_text(&token)?).with_span(token.span());
        Ok(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }))
    }

    fn array(&mut self) -> Result<Expr, CheckError> {
        let elem = self.bracketed_list()?;
        Ok(Expr::Array(Array { elem, named: true }))
    }

    fn map(&mut self) -> Result<Expr, CheckError> {
        let start = self.peek();
        let mut items = self.bracketed_list()?.into_iter();
        let mut entries = Vec::new();
        while let Some(key) = items.next() {
            let Some(value) = items.next() else {
                return Err(start
                    .error("a key of the map has no value")
                    .hint("expected `MAP[key, value, ...]`"));
            };
            entries.push(MapEntry { key: Box::new(key), value: Box::new(value) });
        }
        Ok(Expr::Map(Map { entries }))
    }

    /// Parses a word and a list in square brackets, which may be empty.
    fn bracketed_list(&mut self) -> Result<Vec<Expr>, CheckError> {
        self.take();
        self.expect_symbol("[")?;
        if self.take_symbol("]") {
            return Ok(Vec::new());
        }
        let list = self.comma_separated(Self::expression)?;
        self.expect_symbol_or("]", "an operator, `,` or ")?;
        Ok(list)
    }

    fn cast(&mut self) -> Result<Expr, CheckError> {
        self.take();
        self.expect_symbol("(")?;
        let operand = self.expression()?;
        self.expect_word("AS")?;
        let data_type = sql_type(&self.data_type()?);
        self.expect_symbol(")")?;
        Ok(cast(operand, data_type))
    }

    fn case(&mut self) -> Result<Expr, CheckError> {
        let case = self.take();
        let operand = match self.peek().is_word("WHEN") {
            true => None,
            false => Some(Box::new(self.expression()?)),
        };
        let mut conditions = Vec::new();
        while self.take_word("WHEN") {
            self.when(operand.is_some(), &mut conditions)?;
        }
        if conditions.is_empty() {
            return Err(self.expected("`WHEN`"));
        }
        let else_result = match self.take_word("ELSE") {
            true => Some(Box::new(self.expression()?)),
            false => None,
        };
        if !self.peek().is_word("END") {
            return Err(self.expected(if else_result.is_some() {
                "`END`"
            } else {
                "`WHEN`, `ELSE` or `END`"
            }));
        }
        let end = self.take();
        Ok(Expr::Case {
            case_token: attached(&case),
            end_token: attached(&end),
            operand,
            conditions,
            else_result,
        })
    }

    /// Parses what follows `WHEN`. Several values make one WHEN each, with the same result.
    fn when(&mut self, simple: bool, conditions: &mut Vec<CaseWhen>) -> Result<(), CheckError> {
        let start = self.peek();
        let mut values = vec![self.expression()?];
        while simple && self.take_symbol(",") {
            values.push(self.expression()?);
        }
        if !self.peek().is_word("THEN") {
            return Err(self.expected(if simple { "`,` or `THEN`" } else { "`THEN`" }));
        }
        self.take();
        let nodes_before = self.nodes;
        let result = self.expression()?;
        let copies = values.len() as u64 - 1;
        self.count_copies(self.nodes - nodes_before, copies, &start)?;
        conditions.extend(values.into_iter().map(|condition| CaseWhen { condition, result: result.clone() }));
        Ok(())
    }
}

/// Returns an operand with its subscripts and fields, in the form in which names stay names.
fn with_access(root: Expr, chain: Vec<AccessExpr>) -> Expr {
    if chain.is_empty() {
        return root;
    }
    let fields: Option<Vec<Ident>> = chain
        .iter()
        .map(|access| match access {
            AccessExpr::Dot(Expr::Identifier(field)) => Some(field.clone()),
            _ => None,
        })
        .collect();
    match (root, fields) {
        (Expr::Identifier(first), Some(fields)) => {
            Expr::CompoundIdentifier(std::iter::once(first).chain(fields).collect())
        }
        (root, _) => Expr::CompoundFieldAccess { root: Box::new(root), access_chain: chain },
    }
}

fn value(token: &Token<'_>, value: Value) -> Expr {
    Expr::Value(value.with_span(token.span()))
}

fn cast(operand: Expr, data_type: SqlType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(operand), data_type, array: false, format: None }
}

/// Returns a call.
pub(super) fn call(name: Ident, args: FunctionArguments, over: Option<WindowType>) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![name]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args,
        filter: None,
        null_treatment: None,
        over,
        within_group: Vec::new(),
    })
}

/// Returns the arguments of a call.
pub(super) fn argument_list(arguments: Vec<Expr>) -> FunctionArgumentList {
    FunctionArgumentList { duplicate_treatment: None, args: unnamed(arguments), clauses: Vec::new() }
}

/// Returns expressions as the arguments of a call.
pub(super) fn unnamed(arguments: Vec<Expr>) -> Vec<FunctionArg> {
    arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))).collect()
}

/// Returns a keyword as the syntax tree attaches it, for its place.
pub(super) fn attached(token: &Token<'_>) -> AttachedToken {
    AttachedToken(TokenWithSpan::new(SqlToken::make_keyword(token.text), token.span()))
}
