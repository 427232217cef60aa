//! Joins of streams as operators.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::DFSchema;
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;
use weir_engine::graph::{Exchange, Input};
use weir_engine::operator::{IntervalJoinSpec, JoinInput, JoinSpec, StreamJoinSpec};
use weir_sql::TIME_ATTRIBUTE;
use weir_sql::nodes::{StreamJoin, TimeBounds};
use weir_sql::text::Texts;

use super::streams::{Hidden, Rows, Translator, columns, domain, nullable};
use super::{TranslateError, physical_expr};

/// An input of a join, with its keys in columns.
struct Keyed {
    rows: Rows,
    /// Columns that were there before keys were computed.
    width: usize,
    keys: Vec<usize>,
}

impl Keyed {
    fn input(&self, kept_without_match: bool) -> JoinInput {
        JoinInput {
            schema: self.rows.schema.clone(),
            width: self.width,
            keys: self.keys.clone(),
            kept_without_match,
            row_kind: self.rows.kind_index(),
        }
    }

    /// Returns how rows travel to the subtask that has their key.
    fn exchanged(&self) -> Input {
        let column = |index: &usize| {
            Arc::new(Column::new(self.rows.schema.field(*index).name(), *index)) as Arc<dyn PhysicalExpr>
        };
        Input { from: self.rows.node, exchange: Exchange::Hash(self.keys.iter().map(column).collect()) }
    }
}

impl Translator<'_> {
    pub(super) fn stream_join(&mut self, node: &StreamJoin, target: &str) -> Result<Rows, TranslateError> {
        let (left_keys, right_keys): (Vec<&Expr>, Vec<&Expr>) =
            node.keys.iter().map(|(left, right)| (left, right)).unzip();
        let left = self.keyed(&node.left, &left_keys, target)?;
        let right = self.keyed(&node.right, &right_keys, target)?;
        let of = UserDefinedLogicalNodeCore::schema(node);
        let joined = nullable(of.as_arrow());
        let residual = node.residual.as_ref().map(|residual| physical_expr(residual, of));
        let join = JoinSpec {
            inputs: [left.input(node.kind.keeps_left()), right.input(node.kind.keeps_right())],
            residual: residual.transpose()?,
            joined: joined.clone(),
        };
        let inputs = vec![left.exchanged(), right.exchanged()];
        let description = described(node, &self.texts);
        let title = format!("join-{target}");
        let (id, row_kind) = match &node.bounds {
            Some(bounds) => {
                if left.rows.hidden.row_kind || right.rows.hidden.row_kind {
                    let text = "an interval join of rows that may be withdrawn";
                    return Err(TranslateError::Unsupported(text.to_string()));
                }
                let spec = self.interval_spec(node, bounds, join, [&left.rows, &right.rows])?;
                (self.operator_of(&title, description, spec, inputs), false)
            }
            None => {
                let spec = StreamJoinSpec { join, retention: self.idle_state_retention };
                let is_changelog = spec.is_changelog();
                (self.operator_of(&title, description, spec, inputs), is_changelog)
            }
        };
        Ok(Rows { node: id, schema: joined, hidden: Hidden { row_kind, row_watermark: false } })
    }

    fn interval_spec(
        &self,
        node: &StreamJoin,
        bounds: &TimeBounds,
        join: JoinSpec,
        [left, right]: [&Rows; 2],
    ) -> Result<IntervalJoinSpec, TranslateError> {
        let domain = domain(bounds.event_time);
        let times = |schema: &DFSchema, bounded: &datafusion_common::Column| {
            let index = schema.index_of_column(bounded)?;
            let mark = if bounds.event_time { "rowtime" } else { "proctime" };
            let is_time =
                |field: &Field| field.metadata().get(TIME_ATTRIBUTE).is_some_and(|kind| kind == mark);
            let others = schema.fields().iter().enumerate();
            let others = others.filter(|(other, field)| *other != index && is_time(field));
            let others = others.map(|(index, _)| self.time_column(schema.as_arrow(), index)).collect();
            Ok::<_, TranslateError>((self.time_column(schema.as_arrow(), index), others))
        };
        let (left_time, left_attributes) = times(node.left.schema(), &bounds.left)?;
        let (right_time, right_attributes) = times(node.right.schema(), &bounds.right)?;
        let row_watermark = |rows: &Rows| rows.watermark_index().filter(|_| bounds.event_time);
        Ok(IntervalJoinSpec {
            join,
            domain,
            times: [left_time, right_time],
            attributes: [left_attributes, right_attributes],
            row_watermarks: [row_watermark(left), row_watermark(right)],
            lower: bounds.lower,
            upper: bounds.upper,
        })
    }

    /// Adds the nodes of an input. Keys that are not columns are computed before rows are sent to their subtask, where
    /// a row on which that fails can still be set aside.
    fn keyed(&mut self, plan: &LogicalPlan, keys: &[&Expr], target: &str) -> Result<Keyed, TranslateError> {
        let rows = self.plan(plan, target)?;
        let of = plan.schema();
        let width = rows.schema.fields().len();
        let mut expressions = columns(&rows.schema);
        let mut fields: Vec<_> = rows.schema.fields().iter().cloned().collect();
        let mut indices = Vec::with_capacity(keys.len());
        let mut computed = Vec::new();
        for key in keys {
            if let Expr::Column(column) = key {
                indices.push(of.index_of_column(column)?);
                continue;
            }
            let expression = physical_expr(key, of)?;
            let data_type: DataType = expression.data_type(of.as_arrow())?;
            indices.push(fields.len());
            fields.push(Arc::new(Field::new(format!("key{}", fields.len() - width), data_type, true)));
            expressions.push(expression);
            computed.push(self.texts.of(key));
        }
        if computed.is_empty() {
            return Ok(Keyed { rows, width, keys: indices });
        }
        let schema = Arc::new(Schema::new(fields));
        let description = format!("keys: ({})", computed.join(", "));
        let rows = self.evaluate(&rows, None, Some((expressions, schema)), description, target);
        Ok(Keyed { rows, width, keys: indices })
    }
}

/// Describes a join for the execution graph.
fn described(node: &StreamJoin, texts: &Texts) -> String {
    let equal = |(left, right): &(Expr, Expr)| format!("{} = {}", texts.of(left), texts.of(right));
    let keys: Vec<String> = node.keys.iter().map(equal).collect();
    let mut text = format!("join: ({}), on: ({})", node.kind, keys.join(", "));
    if let Some(TimeBounds { left, right, lower, upper, .. }) = &node.bounds {
        text.push_str(&format!(", bounds: ({lower} ms <= {right} - {left} <= {upper} ms)"));
    }
    if let Some(residual) = &node.residual {
        text.push_str(&format!(", where: ({})", texts.of(residual)));
    }
    text
}
