//! Joins with dimension tables, which Flink looks up as of the processing time of each row.

use super::{OutColumn, Relation, Writer, renumbered};
use crate::flink::expression::{Scope, expression};
use crate::flink::{NotInFlink, Translated, quoted};
use crate::nodes::LookupJoin;

impl Writer<'_> {
    pub(super) fn lookup(&mut self, join: &LookupJoin) -> Translated<Relation> {
        let Some(table) = self.job.tables.iter().find(|table| table.name == join.table) else {
            return Err(NotInFlink::new(format!("`{}` is no dimension table of the job", join.table)));
        };
        let input = self.relation(&join.input)?;
        let scope = Scope::new(join.input.schema(), &input.columns, self.options);
        let (mut items, columns) = renumbered(&input.columns);
        for (index, (_, key)) in join.keys.iter().enumerate() {
            items.push(format!("{} AS {}", expression(key, &scope)?, key_name(index)));
        }
        items.push("PROCTIME() AS `looked_up_at`".to_string());
        let probe = format!("SELECT {} FROM {}", items.join(", "), self.from(&input));
        let probe = self.sub_query(&probe, columns);
        let probe = self.aliased(probe);
        let left = probe.alias.clone().unwrap_or_default();
        let right = self.alias();
        let field = |index: usize| format!("{right}.{}", quoted(table.schema.field(index).name()));
        let conditions: Vec<String> = join
            .keys
            .iter()
            .enumerate()
            .map(|(index, (column, _))| format!("{} = {left}.{}", field(*column), key_name(index)))
            .collect();
        let mut columns = probe.columns.clone();
        columns.extend((0..table.schema.fields().len()).map(|index| OutColumn::plain(field(index))));
        let (items, columns) = renumbered(&columns);
        let select = format!(
            "SELECT {} FROM {} {} {} FOR SYSTEM_TIME AS OF {left}.`looked_up_at` AS {right} ON {}",
            items.join(", "),
            self.from(&probe),
            if join.outer { "LEFT JOIN" } else { "JOIN" },
            quoted(&table.name),
            conditions.join(" AND ")
        );
        Ok(self.sub_query(&select, columns))
    }
}

fn key_name(index: usize) -> String {
    format!("`k{index}`")
}
