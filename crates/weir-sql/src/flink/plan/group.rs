//! GROUP BY: windows, keys, and several groupings at once.

use datafusion_expr::{Aggregate, Expr};
use weir_functions::window::{WindowKind, window_of};

use super::{OutColumn, Relation, WindowColumns, Writer, numbered, renumbered};
use crate::flink::Translated;
use crate::flink::expression::{Scope, expression};
use crate::flink::literal::interval;
use crate::flink::types::type_text;
use crate::nodes::Expand;

/// How the keys of several groupings, and their number, are called below the GROUP BY.
fn expanded_name(index: usize) -> String {
    format!("`g{index}`")
}

impl Writer<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) -> Translated<Relation> {
        let input = self.relation(&aggregate.input)?;
        let scope = Scope::new(aggregate.input.schema(), &input.columns, self.options);
        let mut items = Vec::new();
        let mut columns = Vec::new();
        let mut groups = Vec::new();
        for (index, key) in aggregate.group_expr.iter().enumerate() {
            if let Some((kind, time)) = window_of(key) {
                let (group, window) = window(kind, &time, &scope, &mut items, index)?;
                groups.push(group);
                columns.push(OutColumn { window: Some(window), ..OutColumn::plain(numbered(index)) });
                continue;
            }
            let text = expression(key, &scope)?;
            items.push(format!("{text} AS {}", numbered(index)));
            columns.push(OutColumn::plain(numbered(index)));
            groups.push(text);
        }
        calls(aggregate, &scope, &mut items, &mut columns)?;
        let mut select = format!("SELECT {} FROM {}", items.join(", "), self.from(&input));
        if !groups.is_empty() {
            select.push_str(&format!(" GROUP BY {}", groups.join(", ")));
        }
        Ok(self.sub_query(&select, columns))
    }

    /// Returns every row once for each grouping. Flink takes neither a group window nor the same grouping twice beside
    /// GROUPING SETS, so the groupings are a union here.
    pub(super) fn expand(&mut self, expand: &Expand) -> Translated<Relation> {
        let mut branches = Vec::with_capacity(expand.rolled_up.len());
        let mut columns = Vec::new();
        for (number, rolled_up) in expand.rolled_up.iter().enumerate() {
            let input = self.relation(&expand.input)?;
            let scope = Scope::new(expand.input.schema(), &input.columns, self.options);
            let (mut items, mut named) = renumbered(&input.columns);
            for (index, key) in expand.keys.iter().enumerate() {
                let text = match rolled_up.contains(&index) {
                    true => format!("CAST(NULL AS {})", type_text(&scope.type_of(key)?)?),
                    false => expression(key, &scope)?,
                };
                items.push(format!("{text} AS {}", expanded_name(index)));
                named.push(OutColumn::plain(expanded_name(index)));
            }
            items.push(format!("{number} AS {}", expanded_name(expand.keys.len())));
            named.push(OutColumn::plain(expanded_name(expand.keys.len())));
            branches.push(format!("SELECT {} FROM {}", items.join(", "), self.from(&input)));
            columns = named;
        }
        Ok(self.sub_query(&branches.join("\nUNION ALL\n"), columns))
    }
}

/// Adds the aggregates to a select list.
fn calls(
    aggregate: &Aggregate,
    scope: &Scope<'_>,
    items: &mut Vec<String>,
    columns: &mut Vec<OutColumn>,
) -> Translated<()> {
    for call in &aggregate.aggr_expr {
        let name = numbered(columns.len());
        items.push(format!("{} AS {name}", expression(call, scope)?));
        columns.push(OutColumn::plain(name));
    }
    Ok(())
}

/// Returns the group of a window and the columns that stand for it; adds those to the select list.
fn window(
    kind: WindowKind,
    time: &Expr,
    scope: &Scope<'_>,
    items: &mut Vec<String>,
    index: usize,
) -> Translated<(String, WindowColumns)> {
    let attribute = scope.time_of(time)?;
    let (name, arguments) = match kind {
        WindowKind::Tumble { size_ms } => ("TUMBLE", interval(size_ms)),
        WindowKind::Hop { slide_ms, size_ms } => {
            ("HOP", format!("{}, {}", interval(slide_ms), interval(size_ms)))
        }
        WindowKind::Session { gap_ms } => ("SESSION", interval(gap_ms)),
    };
    let part = |what: &str| format!("{name}{what}({attribute}, {arguments})");
    let is_event = scope.is_event_time(time);
    let columns = WindowColumns::numbered(index);
    items.push(format!("{} AS {}", part("_START"), columns.start));
    items.push(format!("{} AS {}", part("_END"), columns.end));
    let time = if is_event { "_ROWTIME" } else { "_PROCTIME" };
    items.push(format!("{} AS {}", part(time), columns.time));
    Ok((part(""), columns))
}
