//! Joins of streams, and a collection of each row as rows of their own.

use datafusion_common::Column;
use datafusion_expr::{Expr, LogicalPlan};

use super::{OutColumn, Relation, Writer, renumbered, select_list};
use crate::flink::expression::{Scope, expression};
use crate::flink::literal::interval;
use crate::flink::{NotInFlink, Translated};
use crate::nodes::{JoinKind, StreamJoin, Unnest};

impl Writer<'_> {
    pub(super) fn join(&mut self, join: &StreamJoin) -> Translated<Relation> {
        let (left, right) = (self.named(&join.left)?, self.named(&join.right)?);
        let left_scope = Scope::new(join.left.schema(), &left.columns, self.options);
        let right_scope = Scope::new(join.right.schema(), &right.columns, self.options);
        let mut conditions = Vec::new();
        for (own, other) in &join.keys {
            conditions.push(format!(
                "{} = {}",
                expression(own, &left_scope)?,
                expression(other, &right_scope)?
            ));
        }
        if let Some(bounds) = &join.bounds {
            let time = |column: &Column, scope: &Scope<'_>| scope.time_of(&Expr::Column(column.clone()));
            let (a, b) = (time(&bounds.left, &left_scope)?, time(&bounds.right, &right_scope)?);
            conditions.push(format!(
                "{b} BETWEEN {a} + {} AND {a} + {}",
                interval(bounds.lower),
                interval(bounds.upper)
            ));
        }
        let mut columns = left.columns.clone();
        columns.extend(right.columns.iter().cloned());
        if let Some(residual) = &join.residual {
            let schema = datafusion_expr::UserDefinedLogicalNodeCore::schema(join);
            conditions.push(expression(residual, &Scope::new(schema, &columns, self.options))?);
        }
        let kind = match join.kind {
            JoinKind::Inner => "JOIN",
            JoinKind::Left => "LEFT JOIN",
            JoinKind::Right => "RIGHT JOIN",
            JoinKind::Full => "FULL JOIN",
        };
        let (items, columns) = renumbered(&columns);
        let (from, other) = (self.from(&left), self.from(&right));
        let select = format!(
            "SELECT {} FROM {from} {kind} {other} ON {}",
            select_list(&items),
            conditions.join(" AND ")
        );
        Ok(self.sub_query(&select, columns))
    }

    pub(super) fn unnest(&mut self, unnest: &Unnest) -> Translated<Relation> {
        if unnest.ordinality {
            return Err(NotInFlink::of(
                "ORDINALITY",
                "Flink 1.20 cannot plan `WITH ORDINALITY`; leave it out",
            ));
        }
        let input = self.relation(&unnest.input)?;
        let scope = Scope::new(unnest.input.schema(), &input.columns, self.options);
        let collection = expression(&unnest.collection, &scope)?;
        let width = input.columns.len();
        let schema = datafusion_expr::UserDefinedLogicalNodeCore::schema(unnest);
        let added: Vec<String> =
            (width..schema.fields().len()).map(|index| format!("`e{}`", index - width)).collect();
        let alias = self.alias();
        let join = match unnest.outer {
            true => format!("LEFT JOIN UNNEST({collection}) AS {alias}({}) ON TRUE", added.join(", ")),
            false => format!("CROSS JOIN UNNEST({collection}) AS {alias}({})", added.join(", ")),
        };
        let mut columns = input.columns.clone();
        columns.extend(added.into_iter().map(OutColumn::plain));
        let (items, columns) = renumbered(&columns);
        let select = format!("SELECT {} FROM {} {join}", items.join(", "), self.from(&input));
        Ok(self.sub_query(&select, columns))
    }

    /// Returns an input of a join under an alias of its own, which its columns carry: a stream may be joined with itself.
    fn named(&mut self, plan: &LogicalPlan) -> Translated<Relation> {
        let relation = self.relation(plan)?;
        Ok(self.aliased(relation))
    }
}
