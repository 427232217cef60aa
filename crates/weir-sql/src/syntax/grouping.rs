//! `GROUP BY`: keys, windows, and the forms that stand for several groupings.
//!
//! What each form is in the tree of the `sqlparser` crate:
//!
//! | written | tree |
//! | --- | --- |
//! | `a`, `TUMBLE(t, i)` | the expression |
//! | `(a, b)`, `()` | [`Expr::Tuple`] |
//! | `CUBE (a, (b, c))`, `ROLLUP (a, (b, c))` | [`Expr::Cube`], [`Expr::Rollup`] of `[[a], [b, c]]` |
//! | `GROUPING SETS ((a, b), c, ())` | [`Expr::GroupingSets`] of `[[a, b], [c], []]` |
//! | `CUBE`, `ROLLUP` or `GROUPING SETS` inside `GROUPING SETS` | a set whose one member is that expression |
//!
//! The groupings of a list are the product of those of its items.

use sqlparser::ast::Expr;

use super::cursor::Parser;
use crate::CheckError;

/// How many groupings one `GROUP BY` may stand for: every row is counted in each of them.
const MAX_GROUPINGS: u64 = 256;

impl Parser<'_> {
    /// Parses what follows `GROUP BY`.
    pub(super) fn group_items(&mut self) -> Result<Vec<Expr>, CheckError> {
        let mut groupings: u64 = 1;
        self.comma_separated(|parser| {
            let token = parser.peek();
            let item = parser.group_item()?;
            groupings = groupings.saturating_mul(groupings_of(&item));
            match groupings > MAX_GROUPINGS {
                true => Err(token
                    .error(format!("more than {MAX_GROUPINGS} groupings in one `GROUP BY`"))
                    .hint("write several INSERT statements, each with a part of the groupings")),
                false => Ok(item),
            }
        })
    }

    fn group_item(&mut self) -> Result<Expr, CheckError> {
        if self.peek().is_symbol("(") && self.peek_at(1).is_symbol(")") {
            self.take();
            self.take();
            return Ok(Expr::Tuple(Vec::new()));
        }
        if self.take_word("CUBE") {
            return self.key_lists().map(Expr::Cube);
        }
        if self.take_word("ROLLUP") {
            return self.key_lists().map(Expr::Rollup);
        }
        if self.peek().is_word("GROUPING") && !self.peek_at(1).is_symbol("(") {
            self.take();
            self.expect_word("SETS")?;
            return self.nested(Self::grouping_sets);
        }
        self.expression()
    }

    fn grouping_sets(&mut self) -> Result<Expr, CheckError> {
        self.expect_symbol("(")?;
        let sets = self.comma_separated(|parser| parser.group_item().map(keys_of))?;
        self.expect_symbol_or(")", "an operator, `,` or ")?;
        Ok(Expr::GroupingSets(sets))
    }

    /// Parses the keys of `CUBE` and `ROLLUP`; keys in brackets come and go together.
    fn key_lists(&mut self) -> Result<Vec<Vec<Expr>>, CheckError> {
        self.expect_symbol("(")?;
        let lists = self.comma_separated(|parser| parser.expression().map(keys_of))?;
        self.expect_symbol_or(")", "an operator, `,` or ")?;
        Ok(lists)
    }
}

fn keys_of(item: Expr) -> Vec<Expr> {
    match item {
        Expr::Tuple(keys) => keys,
        Expr::Nested(key) => vec![*key],
        key => vec![key],
    }
}

fn groupings_of(item: &Expr) -> u64 {
    match item {
        Expr::Cube(lists) => {
            u32::try_from(lists.len()).ok().and_then(|n| 1u64.checked_shl(n)).unwrap_or(u64::MAX)
        }
        Expr::Rollup(lists) => lists.len() as u64 + 1,
        Expr::GroupingSets(sets) => sets
            .iter()
            .map(|set| match set.as_slice() {
                [only] => groupings_of(only),
                _ => 1,
            })
            .fold(0, u64::saturating_add),
        _ => 1,
    }
}
