//! `MATCH_RECOGNIZE` as an operator.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_common::DFSchema;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_expr::{Expr, UserDefinedLogicalNodeCore};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;
use weir_engine::graph::Exchange;
use weir_engine::operator::{
    Base, Condition, Evaluator, MatchRows, MatchSpec, Measures, Pattern, RowOrder, Skip, Slot,
};
use weir_sql::nodes::{
    MatchClauses, MatchOrder, MatchRecognize, MatchSlot, RowBase, RowPattern, SkipTo, SlotValue, slot_schema,
};

use super::streams::{Hidden, Rows, Translator, domain, nullable};
use super::{TranslateError, physical_expr};

impl Translator<'_> {
    pub(super) fn match_recognize(
        &mut self,
        node: &MatchRecognize,
        target: &str,
    ) -> Result<Rows, TranslateError> {
        let input = self.plan(&node.input, target)?;
        if input.hidden.row_kind {
            return Err(TranslateError::Unsupported(
                "`MATCH_RECOGNIZE` over rows that are updated: a pattern needs rows that are only added"
                    .to_string(),
            ));
        }
        let (clauses, of) = (&node.clauses, node.input.schema());
        let partition_by =
            clauses.partition_by.iter().map(|key| physical_expr(key, of)).collect::<Result<Vec<_>, _>>()?;
        let definition_slots = self.slots(&clauses.definition_slots, of, &input)?;
        let schema = nullable(UserDefinedLogicalNodeCore::schema(node).as_arrow());
        let spec = MatchSpec {
            input: input.full_schema(),
            partition_by: partition_by.clone(),
            order: self.row_order(&clauses.order, of)?,
            variables: clauses.variables.clone(),
            pattern: pattern(&clauses.pattern),
            conditions: conditions(clauses, &definition_slots)?,
            within: clauses.within_ms,
            skip: match clauses.skip {
                SkipTo::PastLastRow => Skip::PastLastRow,
                SkipTo::NextRow => Skip::ToNextRow,
                SkipTo::First(variable) => Skip::ToFirst(variable),
                SkipTo::Last(variable) => Skip::ToLast(variable),
            },
            rows: match clauses.all_rows {
                true => MatchRows::All { columns: (0..of.fields().len()).collect() },
                false => MatchRows::One { keys: clauses.keys.iter().map(|(index, _)| *index).collect() },
            },
            measures: measures(clauses, self.slots(&clauses.measure_slots, of, &input)?, &schema)?,
            row_watermark: input.watermark_index().filter(|_| clauses.order.event_time),
        };
        let exchange = Exchange::Hash(partition_by);
        let id = self.operator(&format!("match-{target}"), clauses.to_string(), spec, &input, exchange);
        Ok(Rows { node: id, schema, hidden: Hidden::NONE })
    }

    fn row_order(&self, order: &MatchOrder, of: &DFSchema) -> Result<RowOrder, TranslateError> {
        let Expr::Column(column) = &order.time else {
            return Err(TranslateError::Unsupported(format!("an order by the expression `{}`", order.time)));
        };
        let domain = domain(order.event_time);
        let time = self.time_column(of.as_arrow(), of.index_of_column(column)?);
        if !order.sorted {
            return Ok(RowOrder::Arrival { time: Some((time, domain)) });
        }
        let then = order.then.iter().map(|(expr, descending)| {
            // NULL is the smallest value.
            let options = SortOptions { descending: *descending, nulls_first: !*descending };
            Ok((physical_expr(expr, of)?, options))
        });
        Ok(RowOrder::EventTime { time, then: then.collect::<Result<_, TranslateError>>()? })
    }

    fn slots(&self, slots: &[MatchSlot], of: &DFSchema, input: &Rows) -> Result<Vec<Slot>, TranslateError> {
        let slot = |slot: &MatchSlot| {
            Ok(match &slot.value {
                SlotValue::Row { expr, base, offset } => Slot::Value {
                    expression: physical_expr(expr, of)?,
                    base: match *base {
                        RowBase::First { variable, skip } => Base::First { variable, skip },
                        RowBase::Last { variable, skip } => Base::Last { variable, skip },
                    },
                    offset: *offset,
                    whole: slot.whole,
                },
                SlotValue::Aggregate { call, variable } => Slot::Aggregate {
                    call: self.aggregate_call(call, of, input)?,
                    variable: *variable,
                    whole: slot.whole,
                },
                SlotValue::MatchNumber => Slot::MatchNumber,
                SlotValue::Classifier => Slot::Classifier,
            })
        };
        slots.iter().map(slot).collect()
    }
}

fn pattern(of: &RowPattern) -> Pattern {
    match of {
        RowPattern::Variable(variable) => Pattern::Variable(*variable),
        RowPattern::Sequence(parts) => Pattern::Sequence(parts.iter().map(pattern).collect()),
        RowPattern::Alternatives(parts) => Pattern::Alternatives(parts.iter().map(pattern).collect()),
        RowPattern::Repeat { pattern: inner, least, most, greedy } => {
            Pattern::Repeat { pattern: Box::new(pattern(inner)), least: *least, most: *most, greedy: *greedy }
        }
    }
}

/// Returns the condition of each variable with the slots that it reads.
fn conditions(clauses: &MatchClauses, slots: &[Slot]) -> Result<Vec<Option<Condition>>, TranslateError> {
    let mut conditions = vec![None; clauses.variables.len()];
    for definition in &clauses.definitions {
        let columns = definition.condition.column_refs();
        let is_read = |slot: &MatchSlot| columns.iter().any(|column| column.name == slot.name);
        let read: Vec<usize> =
            (0..slots.len()).filter(|index| is_read(&clauses.definition_slots[*index])).collect();
        let own: Vec<MatchSlot> = read.iter().map(|index| clauses.definition_slots[*index].clone()).collect();
        let schema = slot_schema(&own)?;
        conditions[definition.variable] = Some(Condition {
            slots: read.iter().map(|index| slots[*index].clone()).collect(),
            expression: physical_expr(&definition.condition, &schema)?,
            schema: nullable(schema.as_arrow()),
        });
    }
    Ok(conditions)
}

/// Returns what makes the columns given out: those before the measures stay as they are.
fn measures(
    clauses: &MatchClauses,
    slots: Vec<Slot>,
    output: &SchemaRef,
) -> Result<Measures, TranslateError> {
    let before = output.fields().len() - clauses.measures.len();
    let own = slot_schema(&clauses.measure_slots)?;
    let mut fields: Vec<_> = output.fields()[..before].to_vec();
    fields.extend(clauses.measure_slots.iter().map(|slot| {
        let data_type: DataType = slot.data_type.clone();
        Arc::new(Field::new(&slot.name, data_type, true))
    }));
    let column = |index: usize| {
        let name = output.field(index).name();
        Arc::new(Column::new(name, index)) as Arc<dyn PhysicalExpr>
    };
    let mut expressions: Vec<_> = (0..before).map(column).collect();
    for measure in &clauses.measures {
        expressions.push(behind(physical_expr(&measure.expr, &own)?, before)?);
    }
    Ok(Measures {
        slots,
        schema: Arc::new(Schema::new(fields)),
        evaluator: Evaluator::new(None, Some((expressions, output.clone()))),
    })
}

/// Lets an expression over slots read them behind so many other columns.
fn behind(
    expression: Arc<dyn PhysicalExpr>,
    columns: usize,
) -> Result<Arc<dyn PhysicalExpr>, TranslateError> {
    let moved = expression.transform_up(|node| {
        Ok(match node.downcast_ref::<Column>() {
            Some(column) => {
                let moved = Column::new(column.name(), column.index() + columns);
                Transformed::yes(Arc::new(moved) as Arc<dyn PhysicalExpr>)
            }
            None => Transformed::no(node),
        })
    })?;
    Ok(moved.data)
}
