//! OVER windows.

use super::{OutColumn, Relation, Writer, numbered, renumbered};
use crate::flink::Translated;
use crate::flink::expression::{Scope, expression};
use crate::flink::literal::interval;
use crate::nodes::{OverFrame, OverWindow};

impl Writer<'_> {
    pub(super) fn over(&mut self, over: &OverWindow) -> Translated<Relation> {
        let input = self.relation(&over.input)?;
        let scope = Scope::new(over.input.schema(), &input.columns, self.options);
        let keys =
            over.partition.iter().map(|key| expression(key, &scope)).collect::<Translated<Vec<_>>>()?;
        let partition = match keys.is_empty() {
            true => String::new(),
            false => format!("PARTITION BY {} ", keys.join(", ")),
        };
        let frame = match over.frame {
            OverFrame::Rows(None) => "ROWS BETWEEN UNBOUNDED PRECEDING".to_string(),
            OverFrame::Rows(Some(rows)) => format!("ROWS BETWEEN {rows} PRECEDING"),
            OverFrame::Range(None) => "RANGE BETWEEN UNBOUNDED PRECEDING".to_string(),
            OverFrame::Range(Some(ms)) => format!("RANGE BETWEEN {} PRECEDING", interval(ms)),
        };
        let order = scope.time_of(&over.order)?;
        let window = format!("OVER ({partition}ORDER BY {order} {frame} AND CURRENT ROW)");
        let (mut items, mut columns) = renumbered(&input.columns);
        for call in &over.calls {
            let name = numbered(columns.len());
            items.push(format!("{} {window} AS {name}", expression(call, &scope)?));
            columns.push(OutColumn::plain(name));
        }
        let select = format!("SELECT {} FROM {}", items.join(", "), self.from(&input));
        Ok(self.sub_query(&select, columns))
    }
}
