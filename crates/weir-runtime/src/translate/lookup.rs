//! Joins with dimension tables as nodes.

use std::sync::Arc;

use datafusion_expr::UserDefinedLogicalNodeCore;
use weir_engine::graph::{Exchange, Input, Node, NodeKind};
use weir_engine::lookup::SharedLookup;
use weir_engine::operator::{LookupKind, LookupSpec};
use weir_sql::nodes::LookupJoin;

use super::streams::{Rows, Translator, nullable};
use super::{TranslateError, physical_expr};

impl Translator<'_> {
    pub(super) fn lookup(&mut self, node: &LookupJoin, target: &str) -> Result<Rows, TranslateError> {
        let table = self.table(&node.table)?;
        let input = self.plan(&node.input, target)?;
        let of = node.input.schema();
        let mut key_columns = Vec::with_capacity(node.keys.len());
        let mut keys = Vec::with_capacity(node.keys.len());
        let mut conditions = Vec::with_capacity(node.keys.len());
        for (column, value) in &node.keys {
            key_columns.push(*column);
            keys.push(physical_expr(value, of)?);
            conditions.push(format!("{} = {}", table.schema().field(*column).name(), self.texts.of(value)));
        }
        let schema = nullable(UserDefinedLogicalNodeCore::schema(node).as_arrow());
        let spec = LookupSpec {
            table,
            key_columns,
            keys,
            kind: if node.outer { LookupKind::Left } else { LookupKind::Inner },
            input: input.full_schema(),
            visible: input.schema.fields().len(),
            output: input.hidden.append_to(&schema),
        };
        let kind = if node.outer { ", outer" } else { "" };
        let id = self.id(&format!("lookup-{}-{target}", node.table));
        let id = self.graph.add(Node {
            id,
            name: "LookupJoin".to_string(),
            description: format!("lookup: {} on ({}){kind}", node.table, conditions.join(", ")),
            kind: NodeKind::Lookup(Arc::new(spec)),
            inputs: vec![Input { from: input.node, exchange: Exchange::Forward }],
        });
        Ok(Rows { node: id, schema, hidden: input.hidden })
    }

    /// Returns the connector of a table. All joins of the job share it, and so its cache.
    fn table(&mut self, name: &str) -> Result<SharedLookup, TranslateError> {
        if let Some(table) = self.tables.get(name) {
            return Ok(Arc::clone(table));
        }
        let declared = self.job.tables.iter().find(|table| table.name == name);
        let declared = declared
            .ok_or_else(|| TranslateError::Unsupported(format!("a look-up in the unknown table `{name}`")))?;
        let table = weir_connectors::table(declared, self.environment)?;
        self.tables.insert(name.to_string(), Arc::clone(&table));
        Ok(table)
    }
}
