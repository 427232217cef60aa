//! The conditions of `DEFINE`, taken apart by what they look at.
//!
//! A condition is a conjunction. What looks only at the row in question is computed for whole batches when rows arrive,
//! what also looks at its neighbours when these are there, and only what depends on how earlier rows of the match are
//! mapped waits until a thread asks; those questions are answered many at a time, see [`answers`](super::answers).

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion_common::DataFusionError;
use datafusion_expr::Operator as BinaryOperator;
use datafusion_physical_expr::expressions::{BinaryExpr, Column};
use datafusion_physical_expr::utils::collect_columns;
use datafusion_physical_expr::{PhysicalExpr, split_conjunction};

use super::path::Read;
use super::spec::{Base, Condition, MatchSpec, Slot};
use super::value::{KeptColumns, RowValue, Verdict, judge, replaced};
use crate::operator::running::{Retractions, RunningCall};
use crate::operator::{AggregateCall, OperatorError};

/// The greatest number of variables with a condition: each has a bit of a word.
pub(super) const MAX_CONDITIONS: usize = 64;

/// The row that a value is computed on, as seen from the row in question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// So many rows after it.
    Here(i64),
    /// So many rows after one that depends on the match.
    There(Base, i64),
}

/// What a condition reads once a thread asks.
#[derive(Debug)]
pub(super) enum PastSlot {
    Value {
        value: RowValue,
        spot: Spot,
    },
    /// The number of an aggregate in [`Definitions::folds`].
    Fold(usize),
    MatchNumber,
}

/// A part of a condition with what it reads.
#[derive(Debug)]
pub(super) struct Part<S> {
    pub(super) slots: Vec<S>,
    pub(super) schema: SchemaRef,
    pub(super) expression: Arc<dyn PhysicalExpr>,
}

/// An aggregate over the rows of a variable, as conditions read it.
pub(super) struct FoldCall {
    pub(super) call: RunningCall,
    pub(super) arguments: Vec<RowValue>,
    /// The variable; `None` is every row of the match.
    pub(super) variable: Option<u16>,
    pub(super) result: DataType,
}

impl FoldCall {
    /// Prepares an aggregate over rows of the input.
    pub(super) fn new(
        call: &AggregateCall,
        variable: Option<usize>,
        input: &SchemaRef,
        kept: &KeptColumns,
    ) -> Result<Self, OperatorError> {
        let arguments = call.arguments();
        let arguments = arguments.iter().map(|argument| RowValue::new(argument, kept));
        Ok(Self {
            call: RunningCall::new(call, input, Retractions::Never)?,
            arguments: arguments.collect::<Result<_, _>>()?,
            variable: variable.map(|variable| variable as u16),
            result: call.function.field().data_type().clone(),
        })
    }
}

/// The condition of one variable.
pub(super) struct Definition {
    pub(super) variable: usize,
    /// Looks at the row alone; over the kept columns.
    pub(super) here: Option<Arc<dyn PhysicalExpr>>,
    /// Looks at neighbours of the row too.
    pub(super) near: Option<Part<(RowValue, i64)>>,
    /// Looks at earlier rows of the match.
    pub(super) past: Option<Part<PastSlot>>,
    /// All of it, for rows on which the first two could not be computed.
    pub(super) whole: Part<PastSlot>,
}

/// The conditions of a pattern.
pub(super) struct Definitions {
    pub(super) list: Vec<Definition>,
    /// For each variable the number of its condition.
    pub(super) of_variable: Vec<Option<u8>>,
    pub(super) folds: Vec<FoldCall>,
    /// For each variable what its condition reads of the match so far.
    pub(super) reads: Vec<Vec<Read>>,
}

/// What a conjunct looks at, the most demanding of its slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sight {
    Here,
    Near,
    Past,
}

impl Definitions {
    pub(super) fn new(spec: &MatchSpec, kept: &KeptColumns) -> Result<Self, OperatorError> {
        let mut definitions = Self {
            list: Vec::new(),
            of_variable: vec![None; spec.variables.len()],
            folds: Vec::new(),
            reads: vec![Vec::new(); spec.variables.len()],
        };
        for (variable, condition) in spec.conditions.iter().enumerate() {
            let Some(condition) = condition else { continue };
            if definitions.list.len() == MAX_CONDITIONS {
                return Err(OperatorError::Pattern(format!(
                    "a row pattern defines more than {MAX_CONDITIONS} variables"
                )));
            }
            definitions.of_variable[variable] = Some(definitions.list.len() as u8);
            definitions.reads[variable] = reads(condition, variable);
            let definition = definitions.definition(variable, condition, &spec.input, kept)?;
            definitions.list.push(definition);
        }
        Ok(definitions)
    }

    fn definition(
        &mut self,
        variable: usize,
        condition: &Condition,
        input: &SchemaRef,
        kept: &KeptColumns,
    ) -> Result<Definition, OperatorError> {
        let mut parts: [Vec<Arc<dyn PhysicalExpr>>; 3] = Default::default();
        for conjunct in split_conjunction(&condition.expression) {
            let slots = collect_columns(conjunct);
            let sight = slots.iter().map(|slot| sight(&condition.slots[slot.index()], variable)).max();
            parts[sight.unwrap_or(Sight::Here) as usize].push(conjunct.clone());
        }
        let [here, near, past] = parts.map(|conjuncts| {
            let both = |left, right| -> Arc<dyn PhysicalExpr> {
                Arc::new(BinaryExpr::new(left, BinaryOperator::And, right))
            };
            conjuncts.into_iter().reduce(both)
        });
        let mut folds = vec![None; condition.slots.len()];
        for (slot, fold) in condition.slots.iter().zip(&mut folds) {
            let Slot::Aggregate { call, variable, .. } = slot else { continue };
            *fold = Some(self.folds.len());
            self.folds.push(FoldCall::new(call, *variable, input, kept)?);
        }
        let past_slot = |index: usize| match &condition.slots[index] {
            Slot::Value { expression, base, offset, .. } => {
                let spot = spot(*base, *offset, variable);
                Ok(PastSlot::Value { value: RowValue::new(expression, kept)?, spot })
            }
            Slot::Aggregate { .. } => Ok(PastSlot::Fold(folds[index].unwrap_or_default())),
            Slot::MatchNumber => Ok(PastSlot::MatchNumber),
            Slot::Classifier => Err(misplaced("CLASSIFIER()")),
        };
        let near_slot = |index: usize| match &condition.slots[index] {
            Slot::Value { expression, offset, .. } => Ok((RowValue::new(expression, kept)?, *offset)),
            _ => Err(misplaced("an aggregate")),
        };
        Ok(Definition {
            variable,
            here: here.map(|here| over_kept(&here, condition, kept)).transpose()?,
            near: near.map(|near| part(&near, &condition.schema, near_slot)).transpose()?,
            past: past.map(|past| part(&past, &condition.schema, past_slot)).transpose()?,
            whole: part(&condition.expression, &condition.schema, past_slot)?,
        })
    }

    /// Computes what the conditions say about arriving rows by themselves: which may fit, and which are in doubt.
    pub(super) fn look_here(&self, rows: &RecordBatch) -> (Vec<u64>, Vec<u64>) {
        let all = self.all();
        let (mut fits, mut doubts) = (vec![all; rows.num_rows()], vec![0; rows.num_rows()]);
        for (number, definition) in self.list.iter().enumerate() {
            let Some(here) = &definition.here else { continue };
            judge(here, rows, &mut |row, verdict| match verdict {
                Verdict::Yes => {}
                Verdict::No => fits[row] &= !(1 << number),
                Verdict::Failed(_) => doubts[row] |= 1 << number,
            });
        }
        (fits, doubts)
    }

    fn all(&self) -> u64 {
        match self.list.len() {
            MAX_CONDITIONS => u64::MAX,
            count => (1 << count) - 1,
        }
    }
}

/// Returns where a condition of `variable` looks.
fn spot(base: Base, offset: i64, variable: usize) -> Spot {
    match base {
        Base::Last { variable: of, skip: 0 } if of.is_none_or(|of| of == variable) => Spot::Here(offset),
        base => Spot::There(base, offset),
    }
}

fn sight(slot: &Slot, variable: usize) -> Sight {
    match slot {
        Slot::Value { base, offset, .. } => match spot(*base, *offset, variable) {
            Spot::Here(0) => Sight::Here,
            Spot::Here(_) => Sight::Near,
            Spot::There(..) => Sight::Past,
        },
        _ => Sight::Past,
    }
}

/// Returns what a condition of `variable` reads of the rows of a match before the one in question, as far as that
/// may differ between threads.
fn reads(condition: &Condition, variable: usize) -> Vec<Read> {
    let mut reads = Vec::new();
    for slot in &condition.slots {
        let read = match slot {
            Slot::Value { base: Base::First { variable: Some(of), skip }, .. } => {
                Read::First { variable: *of as u16, rows: skip + 1 }
            }
            Slot::Value { base: Base::Last { variable: Some(of), skip }, .. } => {
                // In its own definition the row in question is the last one.
                let rows = skip + u32::from(*of != variable);
                if rows == 0 {
                    continue;
                }
                Read::Last { variable: *of as u16, rows }
            }
            Slot::Aggregate { variable: Some(of), .. } => Read::All { variable: *of as u16 },
            _ => continue,
        };
        if !reads.contains(&read) {
            reads.push(read);
        }
    }
    reads
}

/// Makes an expression over slots one over the kept columns.
fn over_kept(
    expression: &Arc<dyn PhysicalExpr>,
    condition: &Condition,
    kept: &KeptColumns,
) -> Result<Arc<dyn PhysicalExpr>, OperatorError> {
    let mut values = Vec::with_capacity(condition.slots.len());
    for slot in &condition.slots {
        values.push(match slot {
            Slot::Value { expression, .. } => Some(kept.over(expression)?),
            _ => None,
        });
    }
    replaced(expression, |slot| match values.get(slot.index()) {
        Some(Some(value)) => value.clone(),
        _ => Arc::new(slot.clone()),
    })
}

/// Takes the slots that an expression reads, and makes it one over them.
fn part<S>(
    expression: &Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
    slot: impl Fn(usize) -> Result<S, OperatorError>,
) -> Result<Part<S>, OperatorError> {
    let mut indices: Vec<usize> = collect_columns(expression).iter().map(Column::index).collect();
    indices.sort_unstable();
    let slots = indices.iter().map(|index| slot(*index)).collect::<Result<_, _>>()?;
    let fields: Vec<_> = indices.iter().map(|index| schema.fields()[*index].clone()).collect();
    let expression = replaced(expression, |column| {
        let place = indices.partition_point(|index| *index < column.index());
        Arc::new(Column::new(column.name(), place))
    })?;
    Ok(Part { slots, schema: Arc::new(Schema::new(fields)), expression })
}

fn misplaced(what: &str) -> OperatorError {
    OperatorError::Kernel(DataFusionError::Internal(format!("{what} in a condition of a row pattern")))
}
