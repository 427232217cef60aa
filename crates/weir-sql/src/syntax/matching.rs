//! The grammar of `MATCH_RECOGNIZE`. What it becomes is told in [`pattern`](super::pattern).

use sqlparser::ast::{
    AfterMatchSkip, FunctionArguments, Interval, MatchRecognizePattern, MatchRecognizeSymbol, Measure,
    OrderByExpr, OrderByOptions, RepetitionQuantifier, RowsPerMatch, SymbolDefinition, TableFactor,
};

use super::cursor::{Parser, ident_of};
use super::pattern::{FINAL, PatternDetails, RUNNING, bounds, first_variable};
use super::primary::{argument_list, call};
use super::refusal::not_in_dialect;
use super::token::{Token, TokenKind};
use crate::CheckError;

/// How many variables a pattern may have when every repetition is written out as often as it says. Rows are compared
/// with many of them at a time, and the state of a partition grows with them.
const MAX_VARIABLES: u64 = 4_096;

const ORDER_OF_CLAUSES: &str = "the clauses stand in this order: `PARTITION BY`, `ORDER BY`, `MEASURES`, `ONE ROW` or \
                                `ALL ROWS PER MATCH`, `AFTER MATCH`, `PATTERN`, `WITHIN`, `DEFINE`";

impl<'a> Parser<'a> {
    /// Parses `MATCH_RECOGNIZE (...)` after its input.
    pub(super) fn match_recognize(&mut self, table: TableFactor) -> Result<TableFactor, CheckError> {
        let word = self.take();
        self.expect_symbol("(")?;
        let mut partition_by = Vec::new();
        if self.take_words(&["PARTITION", "BY"]) {
            partition_by = self.comma_separated(Self::expression)?;
        }
        let mut order_by = Vec::new();
        if self.take_words(&["ORDER", "BY"]) {
            order_by = self.comma_separated(Self::pattern_order)?;
        }
        let mut measures = Vec::new();
        if self.take_word("MEASURES") {
            measures = self.comma_separated(Self::measure)?;
        }
        let rows_per_match = self.rows_per_match()?;
        let after_match_skip = self.after_match()?;
        let pattern = self.pattern()?;
        let within = self.within()?;
        let symbols = self.definitions(within.is_some())?;
        self.expect_symbol_or(")", "an operator, `,` or ")?;
        if let Some(first) = first_variable(&pattern) {
            let details = PatternDetails { position: word.position, first: first.clone(), within };
            self.found.patterns.push(details);
        }
        Ok(TableFactor::MatchRecognize {
            table: Box::new(table),
            partition_by,
            order_by,
            measures,
            rows_per_match,
            after_match_skip,
            pattern,
            symbols,
            alias: None,
        })
    }

    fn pattern_order(&mut self) -> Result<OrderByExpr, CheckError> {
        let expr = self.expression()?;
        let asc = match self.take_word("ASC") {
            true => Some(true),
            false => self.take_word("DESC").then_some(false),
        };
        let token = self.peek();
        if token.is_word("NULLS") {
            return Err(not_in_dialect(&token, "`NULLS` in an order", "remove the clause"));
        }
        Ok(OrderByExpr { expr, options: OrderByOptions { asc, nulls_first: None }, with_fill: None })
    }

    fn measure(&mut self) -> Result<Measure, CheckError> {
        let modifier = self.measure_modifier();
        if modifier.is_some() {
            self.take();
        }
        let mut expr = self.expression()?;
        if let Some((token, name)) = modifier {
            let mut ident = ident_of(&token);
            ident.value = name.to_string();
            expr = call(ident, FunctionArguments::List(argument_list(vec![expr])), None);
        }
        // Words that begin a clause may be names, but a measure without a name is the likelier mistake.
        let clause = [["ONE", "ROW"], ["AFTER", "MATCH"]].iter().any(|words| self.peek_words(words))
            || (self.peek().is_word("PATTERN") && self.peek_at(1).is_symbol("("));
        let alias = if clause { None } else { self.alias("the name of a measure")? };
        match alias {
            Some((alias, _)) => Ok(Measure { expr, alias }),
            None => Err(self.expected("an operator, or `AS` and the name of the measure")),
        }
    }

    /// Returns `RUNNING` or `FINAL` if it stands before an expression. Both may also be names of columns, so what
    /// follows decides.
    fn measure_modifier(&self) -> Option<(Token<'a>, &'static str)> {
        let (token, next, after) = (self.peek(), self.peek_at(1), self.peek_at(2));
        let name = [RUNNING, FINAL].into_iter().find(|name| token.is_word(name))?;
        let is_one_of = |token: &Token<'_>, words: &[&str]| words.iter().any(|word| token.is_word(word));
        let before_expression = match next.kind {
            TokenKind::Number | TokenKind::String { .. } => true,
            TokenKind::Symbol => next.text == "(",
            // `FINAL NOT a`, but `final NOT IN (...)`.
            TokenKind::Word if next.is_word("NOT") => {
                !is_one_of(&after, &["IN", "LIKE", "SIMILAR", "BETWEEN"])
            }
            TokenKind::Word | TokenKind::QuotedWord => {
                // `FINAL x AS y`, but `final AS x`, `final x` and `final IS NULL`.
                let operators = ["AS", "AND", "OR", "IS", "IN", "LIKE", "SIMILAR", "BETWEEN", "OVERLAPS"];
                let ends = after.is_symbol(",") || is_one_of(&after, &["ONE", "ALL", "AFTER", "PATTERN"]);
                !is_one_of(&next, &operators) && !ends
            }
            _ => false,
        };
        before_expression.then_some((token, name))
    }

    fn rows_per_match(&mut self) -> Result<Option<RowsPerMatch>, CheckError> {
        let rows = if self.take_word("ONE") {
            self.expect_word("ROW")?;
            RowsPerMatch::OneRow
        } else if self.take_word("ALL") {
            self.expect_word("ROWS")?;
            RowsPerMatch::AllRows(None)
        } else {
            return Ok(None);
        };
        self.expect_word("PER")?;
        self.expect_word("MATCH")?;
        let token = self.peek();
        if token.is_word("SHOW") || token.is_word("OMIT") || token.is_word("WITH") {
            let construct = format!("`{}` after `PER MATCH`", token.text.to_ascii_uppercase());
            let instead = "empty matches and rows without a match give nothing; remove the clause";
            return Err(not_in_dialect(&token, &construct, instead));
        }
        Ok(Some(rows))
    }

    fn after_match(&mut self) -> Result<Option<AfterMatchSkip>, CheckError> {
        if !self.take_word("AFTER") {
            return Ok(None);
        }
        self.expect_word("MATCH")?;
        self.expect_word("SKIP")?;
        if self.take_words(&["PAST", "LAST", "ROW"]) {
            return Ok(Some(AfterMatchSkip::PastLastRow));
        }
        if self.take_words(&["TO", "NEXT", "ROW"]) {
            return Ok(Some(AfterMatchSkip::ToNextRow));
        }
        if !self.take_word("TO") {
            return Err(self.expected("`PAST LAST ROW`, `TO NEXT ROW`, or `TO` and a variable"));
        }
        // A variable may be called FIRST or LAST; then the pattern follows.
        let pattern_follows = self.peek_at(1).is_word("PATTERN") && self.peek_at(2).is_symbol("(");
        let first = !pattern_follows && self.take_word("FIRST");
        if !first && !pattern_follows {
            self.take_word("LAST");
        }
        let variable = self.ident("a variable of the pattern")?;
        Ok(Some(if first { AfterMatchSkip::ToFirst(variable) } else { AfterMatchSkip::ToLast(variable) }))
    }

    fn pattern(&mut self) -> Result<MatchRecognizePattern, CheckError> {
        if !self.peek().is_word("PATTERN") {
            return Err(self.expected("`PATTERN (...)`, or a clause that comes before it"));
        }
        let word = self.take();
        let open = self.peek();
        self.expect_symbol("(")?;
        self.refuse_empty(&open)?;
        let pattern = self.alternatives()?;
        self.expect_symbol_or(")", "a variable, `(`, `|`, a quantifier or ")?;
        match variables(&pattern) > MAX_VARIABLES {
            true => Err(word
                .error(format!("the pattern is too large: more than {MAX_VARIABLES} variables when its repetitions are written out"))
                .hint("use smaller numbers of repetitions")),
            false => Ok(pattern),
        }
    }

    fn alternatives(&mut self) -> Result<MatchRecognizePattern, CheckError> {
        let mut list = vec![self.sequence()?];
        while self.take_symbol("|") {
            list.push(self.sequence()?);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { MatchRecognizePattern::Alternation(list) })
    }

    fn sequence(&mut self) -> Result<MatchRecognizePattern, CheckError> {
        let mut list = vec![self.factor()?];
        while matches!(self.peek().kind, TokenKind::Word | TokenKind::QuotedWord)
            || self.peek().is_symbol("(")
        {
            list.push(self.factor()?);
        }
        self.refuse_in_pattern()?;
        Ok(if list.len() == 1 { list.remove(0) } else { MatchRecognizePattern::Concat(list) })
    }

    fn factor(&mut self) -> Result<MatchRecognizePattern, CheckError> {
        self.refuse_in_pattern()?;
        let open = self.peek();
        if open.is_word("PERMUTE") && self.peek_at(1).is_symbol("(") {
            return Err(not_in_dialect(
                &open,
                "`PERMUTE`",
                "write the orders as alternatives: `(A B | B A)`",
            ));
        }
        let pattern = if self.take_symbol("(") {
            self.refuse_empty(&open)?;
            let inner = self.nested(Self::alternatives)?;
            self.expect_symbol_or(")", "a variable, `(`, `|`, a quantifier or ")?;
            MatchRecognizePattern::Group(Box::new(inner))
        } else if open.is_symbol("|") || open.is_symbol("||") || open.is_symbol(")") {
            return Err(open
                .error("an alternative of the pattern is empty")
                .hint("expected a variable or `(`; `?` after a part makes it optional"));
        } else {
            MatchRecognizePattern::Symbol(MatchRecognizeSymbol::Named(
                self.ident("a variable of the pattern")?,
            ))
        };
        let Some(quantifier) = self.quantifier()? else { return Ok(pattern) };
        let repeated = MatchRecognizePattern::Repetition(Box::new(pattern), quantifier);
        let reluctant = self.take_symbol("?");
        let token = self.peek();
        if ["*", "+", "?"].iter().any(|symbol| token.is_symbol(symbol))
            || (token.is_symbol("{") && !self.peek_at(1).is_symbol("-"))
        {
            return Err(token
                .error("a quantifier follows a quantifier")
                .hint("put what is repeated in brackets: `(A+){2}`"));
        }
        Ok(match reluctant {
            true => MatchRecognizePattern::Repetition(Box::new(repeated), RepetitionQuantifier::AtMostOne),
            false => repeated,
        })
    }

    /// Refuses what patterns of standard SQL have and those of the dialect have not.
    fn refuse_in_pattern(&self) -> Result<(), CheckError> {
        let token = self.peek();
        if token.is_symbol("^") || token.is_symbol("$") {
            let instead = "a stream has neither a first nor a last row; remove it";
            return Err(not_in_dialect(&token, &format!("the anchor `{}`", token.text), instead));
        }
        match token.is_symbol("{") && self.peek_at(1).is_symbol("-") {
            true => {
                Err(not_in_dialect(&token, "the exclusion `{- -}`", "leave the rows out in a query around"))
            }
            false => Ok(()),
        }
    }

    /// Refuses brackets without a pattern; the opening one has been taken.
    fn refuse_empty(&self, open: &Token<'_>) -> Result<(), CheckError> {
        match self.peek().is_symbol(")") {
            true => Err(not_in_dialect(open, "the empty pattern `()`", "expected a variable")),
            false => Ok(()),
        }
    }

    fn quantifier(&mut self) -> Result<Option<RepetitionQuantifier>, CheckError> {
        for (symbol, quantifier) in [
            ("*", RepetitionQuantifier::ZeroOrMore),
            ("+", RepetitionQuantifier::OneOrMore),
            ("?", RepetitionQuantifier::AtMostOne),
        ] {
            if self.take_symbol(symbol) {
                return Ok(Some(quantifier));
            }
        }
        let open = self.peek();
        if !open.is_symbol("{") || self.peek_at(1).is_symbol("-") {
            return Ok(None);
        }
        self.take();
        let least = self.repetitions("`,` or a number of repetitions")?;
        let quantifier = match (least, self.take_symbol(",")) {
            (Some(times), false) => RepetitionQuantifier::Exactly(times),
            (None, false) => return Err(self.expected("`,` or a number of repetitions")),
            (least, true) => match (least, self.repetitions("`}` or a number of repetitions")?) {
                (Some(least), Some(most)) => RepetitionQuantifier::Range(least, most),
                (Some(least), None) => RepetitionQuantifier::AtLeast(least),
                (None, Some(most)) => RepetitionQuantifier::AtMost(most),
                (None, None) => return Err(self.expected("a number of repetitions")),
            },
        };
        self.expect_symbol_or(
            "}",
            if matches!(quantifier, RepetitionQuantifier::Exactly(_)) { "`,` or " } else { "" },
        )?;
        match bounds(&quantifier) {
            (_, Some(0)) => {
                Err(open.error("a part of a pattern that is never there").hint("remove the part"))
            }
            (least, Some(most)) if most < least => Err(open
                .error(format!("at least {least} and at most {most} repetitions are impossible"))
                .hint("exchange the numbers")),
            _ => Ok(Some(quantifier)),
        }
    }

    fn repetitions(&mut self, wanted: &str) -> Result<Option<u32>, CheckError> {
        let token = self.peek();
        if token.kind != TokenKind::Number {
            return Ok(None);
        }
        if !token.text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.expected(wanted));
        }
        match token.text.parse::<u32>() {
            Ok(times) if u64::from(times) <= MAX_VARIABLES => {
                self.take();
                Ok(Some(times))
            }
            _ => Err(token.error("too many repetitions").hint(format!("expected at most {MAX_VARIABLES}"))),
        }
    }

    fn within(&mut self) -> Result<Option<Interval>, CheckError> {
        if !self.take_word("WITHIN") {
            return Ok(None);
        }
        if !self.peek().is_word("INTERVAL") {
            return Err(self.expected("an interval such as `INTERVAL '5' MINUTE`"));
        }
        self.length_of_time("the time of `WITHIN`").map(Some)
    }

    fn definitions(&mut self, after_within: bool) -> Result<Vec<SymbolDefinition>, CheckError> {
        let token = self.peek();
        if token.is_word("SUBSET") {
            return Err(not_in_dialect(&token, "`SUBSET`", "name the variables one by one"));
        }
        if !self.take_word("DEFINE") {
            let earlier = ["PARTITION", "ORDER", "MEASURES", "ONE", "ALL", "AFTER"];
            if let Some(clause) = earlier.iter().find(|word| token.is_word(word)) {
                let text = format!("`{clause}` comes before `PATTERN`");
                return Err(token.error(text).hint(ORDER_OF_CLAUSES));
            }
            return Err(self.expected(if after_within { "`DEFINE`" } else { "`WITHIN` or `DEFINE`" }));
        }
        self.comma_separated(|parser| {
            let symbol = parser.ident("a variable of the pattern")?;
            parser.expect_word("AS")?;
            Ok(SymbolDefinition { symbol, definition: parser.expression()? })
        })
    }
}

/// Counts the variables of a pattern with its repetitions written out.
fn variables(pattern: &MatchRecognizePattern) -> u64 {
    match pattern {
        MatchRecognizePattern::Concat(parts) | MatchRecognizePattern::Alternation(parts) => {
            parts.iter().map(variables).fold(0, u64::saturating_add)
        }
        MatchRecognizePattern::Group(inner) => variables(inner),
        MatchRecognizePattern::Repetition(inner, quantifier) => {
            let (least, most) = bounds(quantifier);
            variables(inner).saturating_mul(u64::from(most.unwrap_or(least).max(1)))
        }
        _ => 1,
    }
}
