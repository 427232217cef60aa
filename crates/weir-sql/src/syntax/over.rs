//! What follows the call of an aggregate: `OVER (PARTITION BY ... ORDER BY ... frame)`, and clauses that are refused.
//!
//! The window becomes [`Function::over`](sqlparser::ast::Function) as a [`WindowSpec`] with exactly one entry in
//! `order_by`, without direction. Its `window_frame` is as written: `None` without one, and an `end_bound` of `None`
//! for the short form `ROWS n PRECEDING`; a start is always `Preceding`, its value a number for `ROWS` and an
//! interval that is not negative for `RANGE`, and an end is always `CurrentRow`.

use sqlparser::ast::{
    Expr, Ident, OrderByExpr, OrderByOptions, Value, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowSpec, WindowType,
};

use super::cursor::Parser;
use super::refusal::not_in_dialect;
use super::token::TokenKind;
use crate::CheckError;

/// Window functions of SQL that are no aggregates; in order.
const NOT_AGGREGATES: [&str; 12] = [
    "CUME_DIST",
    "DENSE_RANK",
    "FIRST_VALUE",
    "LAG",
    "LAST_VALUE",
    "LEAD",
    "NTH_VALUE",
    "NTILE",
    "PERCENT_RANK",
    "RANK",
    "RATIO_TO_REPORT",
    "ROW_NUMBER",
];

/// What a frame must end with.
const FRAME_END: &str = "a frame ends at `CURRENT ROW`; the rows after it are not known yet";

impl Parser<'_> {
    /// Parses `OVER`, if it follows a call of `function`. Refuses what else could follow a call in SQL.
    pub(super) fn over(&mut self, function: &Ident) -> Result<Option<WindowType>, CheckError> {
        self.refuse_call_clauses()?;
        if !self.take_word("OVER") {
            return Ok(None);
        }
        if NOT_AGGREGATES.iter().any(|name| name.eq_ignore_ascii_case(&function.value)) {
            let text =
                format!("the window function `{}` is not part of Stream SQL", function.value.to_uppercase());
            return Err(CheckError::at_span(function.span, text)
                .hint("an `OVER` window takes an aggregate, such as `COUNT` or `SUM`"));
        }
        if !self.peek().is_symbol("(") {
            let instead = "write the window in brackets after `OVER`";
            return match self.peek().kind {
                TokenKind::Word | TokenKind::QuotedWord => {
                    Err(not_in_dialect(&self.peek(), "a named window", instead))
                }
                _ => Err(self.expected("`(` and the window")),
            };
        }
        self.nested(Self::window).map(|window| Some(WindowType::WindowSpec(window)))
    }

    fn window(&mut self) -> Result<WindowSpec, CheckError> {
        self.take();
        let mut partition_by = Vec::new();
        if self.take_words(&["PARTITION", "BY"]) {
            partition_by = self.comma_separated(Self::expression)?;
        }
        if !self.take_words(&["ORDER", "BY"]) {
            let more = match partition_by.is_empty() {
                true => "`PARTITION BY`, or ",
                false => "an operator, `,`, or ",
            };
            return Err(self.expected(&format!("{more}`ORDER BY` and a time attribute")));
        }
        let order_by = vec![self.window_order()?];
        let frame = self.peek();
        let window_frame = match frame.text.to_ascii_uppercase().as_str() {
            _ if frame.kind != TokenKind::Word => None,
            "ROWS" => Some(self.frame(WindowFrameUnits::Rows)?),
            "RANGE" => Some(self.frame(WindowFrameUnits::Range)?),
            "GROUPS" => {
                let instead = "a frame is given in `ROWS` or as a `RANGE` of time";
                return Err(not_in_dialect(&frame, "a frame of `GROUPS`", instead));
            }
            _ => None,
        };
        if self.peek().is_word("EXCLUDE") {
            return Err(not_in_dialect(&self.peek(), "`EXCLUDE` in a frame", "remove the clause"));
        }
        let others = if window_frame.is_some() { "" } else { "an operator, `ROWS`, `RANGE` or " };
        self.expect_symbol_or(")", others)?;
        Ok(WindowSpec { window_name: None, partition_by, order_by, window_frame })
    }

    fn window_order(&mut self) -> Result<OrderByExpr, CheckError> {
        let expr = self.expression()?;
        let token = self.peek();
        if token.is_word("DESC") {
            let instead = "rows come in the order of time; remove `DESC`";
            return Err(not_in_dialect(&token, "a descending order in `OVER`", instead));
        }
        self.take_word("ASC");
        let token = self.peek();
        if token.is_symbol(",") || token.is_word("NULLS") {
            let construct =
                if token.is_symbol(",") { "more than one order in `OVER`" } else { "`NULLS` in `OVER`" };
            return Err(not_in_dialect(&token, construct, "order by the time attribute alone"));
        }
        Ok(OrderByExpr { expr, options: OrderByOptions { asc: None, nulls_first: None }, with_fill: None })
    }

    fn frame(&mut self, units: WindowFrameUnits) -> Result<WindowFrame, CheckError> {
        self.take();
        if !self.take_word("BETWEEN") {
            return Ok(WindowFrame { units, start_bound: self.frame_start(units)?, end_bound: None });
        }
        let start_bound = self.frame_start(units)?;
        self.expect_word("AND")?;
        if self.take_words(&["CURRENT", "ROW"]) {
            return Ok(WindowFrame { units, start_bound, end_bound: Some(WindowFrameBound::CurrentRow) });
        }
        let begin = self.peek();
        if begin.is_word("UNBOUNDED") || begin.is_word("INTERVAL") || begin.kind == TokenKind::Number {
            let preceding = (1..=5).find_map(|ahead| {
                let token = self.peek_at(ahead);
                [("PRECEDING", true), ("FOLLOWING", false)]
                    .into_iter()
                    .find_map(|(word, preceding)| token.is_word(word).then_some(preceding))
            });
            return Err(match preceding {
                Some(true) => not_in_dialect(&begin, "a frame that ends before the current row", FRAME_END),
                Some(false) => not_in_dialect(&begin, "a frame with following rows", FRAME_END),
                None => self.expected("`CURRENT ROW`"),
            });
        }
        Err(self.expected("`CURRENT ROW`"))
    }

    fn frame_start(&mut self, units: WindowFrameUnits) -> Result<WindowFrameBound, CheckError> {
        let token = self.peek();
        let value = if self.take_word("UNBOUNDED") {
            None
        } else if token.is_word("CURRENT") {
            let instead =
                "a frame begins with `UNBOUNDED PRECEDING`, or a number or an interval and `PRECEDING`";
            return Err(not_in_dialect(&token, "a frame that begins at the current row", instead));
        } else if units == WindowFrameUnits::Rows {
            Some(Box::new(self.frame_rows()?))
        } else {
            Some(Box::new(self.frame_range()?))
        };
        if self.peek().is_word("FOLLOWING") {
            return Err(not_in_dialect(&token, "a frame with following rows", FRAME_END));
        }
        self.expect_word("PRECEDING")?;
        Ok(WindowFrameBound::Preceding(value))
    }

    fn frame_rows(&mut self) -> Result<Expr, CheckError> {
        let token = self.peek();
        if token.kind != TokenKind::Number || token.text.parse::<u64>().is_err() {
            return Err(self.expected("`UNBOUNDED` or a number of rows, and `PRECEDING`"));
        }
        if token.text.parse::<u32>().is_err() {
            return Err(token
                .error("too many rows in a frame")
                .hint(format!("expected at most {}", u32::MAX)));
        }
        self.take();
        Ok(Expr::Value(Value::Number(token.text.to_string(), false).with_span(token.span())))
    }

    fn frame_range(&mut self) -> Result<Expr, CheckError> {
        if !self.peek().is_word("INTERVAL") {
            return Err(
                self.expected("`UNBOUNDED` or an interval such as `INTERVAL '5' MINUTE`, and `PRECEDING`")
            );
        }
        self.length_of_time("the range of a frame").map(Expr::Interval)
    }
}
