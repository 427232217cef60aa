//! `GROUP BY` without a window, `DISTINCT` and grouping sets as operators.

use std::sync::Arc;

use datafusion_expr::{Aggregate, LogicalPlan, UserDefinedLogicalNodeCore};
use weir_engine::graph::Exchange;
use weir_engine::operator::{DistinctSpec, Evaluator, ExpandSpec, GroupAggregateSpec, GroupingSets};
use weir_functions::window::window_of;
use weir_sql::nodes::Expand;

use super::streams::{Hidden, Rows, Translator, columns, nullable};
use super::{TranslateError, physical_expr};

/// Returns how the rows of an input that has grouping sets are told apart. Of their copies those of the finest set count:
/// with sessions, a copy of a coarser set may still be in time when that of a finer one is late.
pub(super) fn grouping_sets(input: &LogicalPlan) -> Option<GroupingSets> {
    let mut behind = input;
    // Columns that nobody reads are left out between the two.
    while let LogicalPlan::Projection(projection) = behind {
        behind = &projection.input;
    }
    let LogicalPlan::Extension(extension) = behind else { return None };
    let expand = extension.node.as_any().downcast_ref::<Expand>()?;
    let number = UserDefinedLogicalNodeCore::schema(expand).fields().last()?;
    let column = input.schema().index_of_column_by_name(None, number.name())?;
    let (counted, _) = expand.rolled_up.iter().enumerate().min_by_key(|(_, set)| set.len())?;
    Some(GroupingSets { column, counted: i32::try_from(counted).ok()? })
}

impl Translator<'_> {
    /// Adds a GROUP BY, with or without a window.
    pub(super) fn aggregate(&mut self, node: &Aggregate, target: &str) -> Result<Rows, TranslateError> {
        match node.group_expr.iter().any(|key| window_of(key).is_some()) {
            true => self.window(node, target),
            false => self.group(node, target),
        }
    }

    fn group(&mut self, node: &Aggregate, target: &str) -> Result<Rows, TranslateError> {
        let input = self.plan(&node.input, target)?;
        let of = node.input.schema();
        let keys = node.group_expr.iter().map(|key| physical_expr(key, of)).collect::<Result<Vec<_>, _>>()?;
        let calls = node
            .aggr_expr
            .iter()
            .map(|call| self.aggregate_call(call, of, &input))
            .collect::<Result<Vec<_>, _>>()?;
        let schema = nullable(node.schema.as_arrow());
        let hidden = Hidden { row_kind: true, row_watermark: false };
        let spec = GroupAggregateSpec {
            keys: keys.clone(),
            calls,
            sets: grouping_sets(&node.input),
            input: input.full_schema(),
            row_kind: input.kind_index(),
            output: hidden.append_to(&schema),
            retention: self.idle_state_retention,
        };
        let description = format!(
            "groupBy: ({}), aggregates: ({})",
            self.texts.list(&node.group_expr),
            self.texts.list(&node.aggr_expr)
        );
        self.texts.computes(node.group_expr.iter().chain(&node.aggr_expr));
        let id = self.operator(&format!("group-{target}"), description, spec, &input, Exchange::Hash(keys));
        Ok(Rows { node: id, schema, hidden })
    }

    /// Adds SELECT DISTINCT or UNION.
    pub(super) fn distinct(&mut self, input: &LogicalPlan, target: &str) -> Result<Rows, TranslateError> {
        let input = self.plan(input, target)?;
        let schema = input.schema.clone();
        let hidden = Hidden { row_watermark: false, ..input.hidden };
        let spec = DistinctSpec {
            columns: schema.clone(),
            row_kind: input.kind_index(),
            output: hidden.append_to(&schema),
            retention: self.idle_state_retention,
        };
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let description = format!("distinct: ({})", names.join(", "));
        let exchange = Exchange::Hash(columns(&schema));
        let id = self.operator(&format!("distinct-{target}"), description, spec, &input, exchange);
        Ok(Rows { node: id, schema, hidden })
    }

    /// Adds the groupings of a GROUP BY.
    pub(super) fn expand(&mut self, node: &Expand, target: &str) -> Result<Rows, TranslateError> {
        let input = self.plan(&node.input, target)?;
        let of = node.input.schema();
        let visible = input.schema.fields().len();
        let mut expressions = columns(&input.schema);
        let names =
            UserDefinedLogicalNodeCore::schema(node).fields()[visible..].iter().map(|field| field.name());
        for (key, name) in node.keys.iter().zip(names) {
            expressions.push(physical_expr(key, of)?);
            self.texts.names(name.clone(), key);
        }
        expressions.extend(input.hidden_columns());
        let schema = nullable(UserDefinedLogicalNodeCore::schema(node).as_arrow());
        let output = input.hidden.append_to(&schema);
        // The number of the grouping is put between the keys and the hidden columns.
        let set_position = visible + node.keys.len();
        let mut evaluated: Vec<_> = output.fields().iter().cloned().collect();
        evaluated.remove(set_position);
        let evaluated = Arc::new(arrow::datatypes::Schema::new(evaluated));
        let rolled_up = |set: &Vec<usize>| set.iter().map(|key| visible + key).collect();
        let spec = ExpandSpec {
            evaluator: Evaluator::new(None, Some((expressions, evaluated))),
            rolled_up: node.rolled_up.iter().map(rolled_up).collect(),
            set_position,
            output,
        };
        let description = format!("{} groupings", node.rolled_up.len());
        let id = self.operator(&format!("expand-{target}"), description, spec, &input, Exchange::Forward);
        Ok(Rows { node: id, schema, hidden: input.hidden })
    }
}
