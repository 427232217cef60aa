//! What the operator derives from its description.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;

use super::spec::{Base, MatchRows, MatchSpec, RowOrder, Slot};
use super::value::KeptColumns;
use crate::operator::{Evaluator, OperatorError};

/// Returns the columns that anything reads of a row after its arrival.
pub(super) fn kept_columns(spec: &MatchSpec) -> Result<KeptColumns, OperatorError> {
    let of_slot = |slot: &Slot| match slot {
        Slot::Value { expression, .. } => vec![expression.clone()],
        Slot::Aggregate { call, .. } => call.arguments(),
        Slot::MatchNumber | Slot::Classifier => Vec::new(),
    };
    let slots = spec.conditions.iter().flatten().flat_map(|condition| &condition.slots);
    let mut expressions: Vec<_> = slots.chain(&spec.measures.slots).flat_map(of_slot).collect();
    if let RowOrder::EventTime { then, .. } = &spec.order {
        expressions.extend(then.iter().map(|(expression, _)| expression.clone()));
    }
    let columns = match &spec.rows {
        MatchRows::One { .. } => &[],
        MatchRows::All { columns } => columns.as_slice(),
    };
    KeptColumns::new(&spec.input, expressions.iter(), columns)
}

/// Returns the columns that make a partition.
pub(super) fn key_schema(spec: &MatchSpec) -> Result<SchemaRef, OperatorError> {
    let field = |(number, key): (usize, &Arc<dyn PhysicalExpr>)| {
        Ok(Field::new(format!("key_{number}"), key.data_type(&spec.input)?, true))
    };
    let fields =
        spec.partition_by.iter().enumerate().map(field).collect::<Result<Vec<_>, OperatorError>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// Makes what computes the partition expressions, which sets rows aside on which they fail.
pub(super) fn keyed(spec: &MatchSpec, key_schema: &SchemaRef) -> Evaluator {
    if spec.partition_by.is_empty() {
        return Evaluator::new(None, None);
    }
    let columns = spec.input.fields().iter().enumerate();
    let mut expressions: Vec<Arc<dyn PhysicalExpr>> =
        columns.map(|(index, field)| Arc::new(Column::new(field.name(), index)) as _).collect();
    expressions.extend(spec.partition_by.iter().cloned());
    let fields: Vec<_> = spec.input.fields().iter().chain(key_schema.fields()).cloned().collect();
    Evaluator::new(None, Some((expressions, Arc::new(Schema::new(fields)))))
}

/// The further order of rows of the same time.
pub(super) struct FurtherOrder {
    /// What orders them, over the kept columns.
    expressions: Vec<Arc<dyn PhysicalExpr>>,
    converter: RowConverter,
}

impl FurtherOrder {
    /// Prepares the order; `None` when rows of the same time stay as they arrived.
    pub(super) fn new(spec: &MatchSpec, kept: &KeptColumns) -> Result<Option<Self>, OperatorError> {
        let RowOrder::EventTime { then, .. } = &spec.order else { return Ok(None) };
        if then.is_empty() {
            return Ok(None);
        }
        let mut fields = Vec::with_capacity(then.len());
        let mut expressions = Vec::with_capacity(then.len());
        for (expression, options) in then {
            fields.push(SortField::new_with_options(expression.data_type(&spec.input)?, *options));
            expressions.push(kept.over(expression)?);
        }
        Ok(Some(Self { expressions, converter: RowConverter::new(fields)? }))
    }

    /// Returns the place of rows of the kept columns in this order, in row format.
    pub(super) fn keys(&self, rows: &RecordBatch) -> Result<Rows, OperatorError> {
        let evaluate =
            |expression: &Arc<dyn PhysicalExpr>| expression.evaluate(rows)?.into_array(rows.num_rows());
        let columns = self.expressions.iter().map(evaluate).collect::<Result<Vec<_>, DataFusionError>>()?;
        Ok(self.converter.convert_columns(&columns)?)
    }
}

/// Returns how many rows before the start of an attempt, and how many after a row, anything looks at.
pub(super) fn reach(spec: &MatchSpec) -> (u64, u32) {
    let earliest = spec.pattern.earliest(spec.variables.len());
    let at_least = |base: &Base, present: u64| match base {
        Base::First { variable: None, .. } => 0,
        Base::Last { variable: None, .. } => present,
        Base::First { variable: Some(variable), .. } | Base::Last { variable: Some(variable), .. } => {
            earliest[*variable]
        }
    };
    let last_row = match spec.rows {
        MatchRows::One { .. } => spec.pattern.least_rows().saturating_sub(1),
        MatchRows::All { .. } => 0,
    };
    let conditions = spec.conditions.iter().enumerate();
    let of_conditions = conditions
        .flat_map(|(variable, condition)| condition.iter().map(move |condition| (variable, condition)))
        .flat_map(|(variable, condition)| condition.slots.iter().map(move |slot| (variable, slot)))
        .map(|(variable, slot)| (earliest[variable], slot));
    let of_measures = spec.measures.slots.iter().map(|slot| (last_row, slot));
    let (mut behind, mut ahead) = (0, 0);
    for (present, slot) in of_conditions.chain(of_measures) {
        let Slot::Value { base, offset, .. } = slot else { continue };
        if *offset < 0 {
            behind = behind.max(offset.unsigned_abs().saturating_sub(at_least(base, present)));
        }
        ahead = ahead.max(u32::try_from(*offset).unwrap_or(0));
    }
    (behind, ahead)
}
