//! Accumulators of one set of groups, built from DataFusion's aggregate kernels.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion_common::DataFusionError;
use datafusion_expr::{EmitTo, GroupsAccumulator};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::GroupsAccumulatorAdapter;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::aggregate::AggregateFunctionExpr;
use datafusion_physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion_physical_plan::aggregates::order::GroupOrdering;

/// One aggregate function of a query.
#[derive(Debug, Clone)]
pub struct AggregateCall {
    /// The function with its arguments.
    pub function: Arc<AggregateFunctionExpr>,
}

impl AggregateCall {
    /// Returns the arguments.
    pub fn arguments(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        self.function.expressions()
    }

    fn accumulator(&self) -> Result<Box<dyn GroupsAccumulator>, DataFusionError> {
        if self.function.groups_accumulator_supported() {
            return self.function.create_groups_accumulator();
        }
        let function = self.function.clone();
        Ok(Box::new(GroupsAccumulatorAdapter::new(move || function.create_accumulator())))
    }
}

/// The shape of the groups of one query: keys and aggregate calls.
#[derive(Debug)]
pub(crate) struct GroupShape {
    pub(crate) keys: SchemaRef,
    pub(crate) calls: Vec<AggregateCall>,
    /// Schema of a state batch: the keys, then the state columns of every call.
    pub(crate) state: SchemaRef,
    state_columns: Vec<usize>,
}

impl GroupShape {
    pub(crate) fn new(keys: SchemaRef, calls: Vec<AggregateCall>) -> Result<Self, DataFusionError> {
        let mut fields: Vec<FieldRef> = keys.fields().iter().cloned().collect();
        let mut state_columns = Vec::with_capacity(calls.len());
        for (i, call) in calls.iter().enumerate() {
            let state_fields = call.function.state_fields()?;
            state_columns.push(state_fields.len());
            for (j, field) in state_fields.iter().enumerate() {
                fields.push(Arc::new(Field::new(format!("state_{i}_{j}"), field.data_type().clone(), true)));
            }
        }
        Ok(Self { keys, calls, state: Arc::new(Schema::new(fields)), state_columns })
    }

    /// Makes accumulators for no group yet.
    pub(crate) fn accumulators(&self) -> Result<Accumulators, DataFusionError> {
        let accumulators = self.calls.iter().map(AggregateCall::accumulator).collect::<Result<_, _>>()?;
        Ok(Accumulators { accumulators })
    }

    /// Splits the state columns of a state batch (keys left out) by call.
    pub(crate) fn state_by_call<'a>(&self, columns: &'a [ArrayRef]) -> Vec<&'a [ArrayRef]> {
        let mut rest = columns;
        self.state_columns
            .iter()
            .map(|count| {
                let (own, others) = rest.split_at(*count);
                rest = others;
                own
            })
            .collect()
    }
}

/// The accumulators of the calls of one query over numbered groups.
pub(crate) struct Accumulators {
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
}

impl Accumulators {
    /// Adds rows; `arguments` holds the argument columns per call.
    pub(crate) fn update(
        &mut self,
        arguments: &[Vec<ArrayRef>],
        groups: &[usize],
        total: usize,
    ) -> Result<(), DataFusionError> {
        for (accumulator, arguments) in self.accumulators.iter_mut().zip(arguments) {
            accumulator.update_batch(arguments, groups, None, total)?;
        }
        Ok(())
    }

    /// Adds partial states; `states` holds the state columns per call.
    pub(crate) fn merge(
        &mut self,
        states: &[&[ArrayRef]],
        groups: &[usize],
        total: usize,
    ) -> Result<(), DataFusionError> {
        for (accumulator, states) in self.accumulators.iter_mut().zip(states) {
            accumulator.merge_batch(states, groups, total)?;
        }
        Ok(())
    }

    /// Returns the results of all groups and forgets them.
    pub(crate) fn evaluate(&mut self) -> Result<Vec<ArrayRef>, DataFusionError> {
        self.accumulators.iter_mut().map(|accumulator| accumulator.evaluate(EmitTo::All)).collect()
    }

    /// Returns the state columns of all groups, call after call, and forgets them.
    pub(crate) fn state(&mut self) -> Result<Vec<ArrayRef>, DataFusionError> {
        let mut columns = Vec::new();
        for accumulator in &mut self.accumulators {
            columns.extend(accumulator.state(EmitTo::All)?);
        }
        Ok(columns)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.accumulators.iter().map(|accumulator| accumulator.size()).sum()
    }
}

/// Groups by key with their accumulators.
pub(crate) struct KeyedAccumulators {
    keys: Option<Box<dyn GroupValues>>,
    accumulators: Accumulators,
    groups: Vec<usize>,
    has_rows: bool,
}

impl KeyedAccumulators {
    pub(crate) fn new(shape: &GroupShape) -> Result<Self, DataFusionError> {
        let keys = match shape.keys.fields().is_empty() {
            true => None,
            false => Some(new_group_values(shape.keys.clone(), &GroupOrdering::None)?),
        };
        Ok(Self { keys, accumulators: shape.accumulators()?, groups: Vec::new(), has_rows: false })
    }

    /// Adds rows.
    pub(crate) fn update(
        &mut self,
        keys: &[ArrayRef],
        arguments: &[Vec<ArrayRef>],
        rows: usize,
    ) -> Result<(), DataFusionError> {
        self.intern(keys, rows)?;
        self.accumulators.update(arguments, &self.groups, self.total())
    }

    /// Adds the rows of a state batch.
    pub(crate) fn merge(&mut self, shape: &GroupShape, batch: &RecordBatch) -> Result<(), DataFusionError> {
        let (keys, states) = batch.columns().split_at(shape.keys.fields().len());
        self.intern(keys, batch.num_rows())?;
        self.accumulators.merge(&shape.state_by_call(states), &self.groups, self.total())
    }

    /// Returns key columns and results of all groups, and forgets them.
    pub(crate) fn evaluate(&mut self) -> Result<(Vec<ArrayRef>, Vec<ArrayRef>), DataFusionError> {
        let results = self.accumulators.evaluate()?;
        Ok((self.emit_keys()?, results))
    }

    /// Returns the state batch of all groups and forgets them.
    pub(crate) fn state(&mut self, shape: &GroupShape) -> Result<RecordBatch, DataFusionError> {
        let rows = self.total();
        let states = self.accumulators.state()?;
        let mut columns = self.emit_keys()?;
        columns.extend(states);
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(shape.state.clone(), columns, &options)?)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.keys.as_ref().map_or(0, |keys| keys.size()) + self.accumulators.bytes()
    }

    fn intern(&mut self, keys: &[ArrayRef], rows: usize) -> Result<(), DataFusionError> {
        self.has_rows |= rows > 0;
        match &mut self.keys {
            Some(values) => values.intern(keys, &mut self.groups),
            None => {
                self.groups.clear();
                self.groups.resize(rows, 0);
                Ok(())
            }
        }
    }

    fn total(&self) -> usize {
        match &self.keys {
            Some(keys) => keys.len(),
            None => usize::from(self.has_rows),
        }
    }

    fn emit_keys(&mut self) -> Result<Vec<ArrayRef>, DataFusionError> {
        match &mut self.keys {
            Some(keys) => keys.emit(EmitTo::All),
            None => Ok(Vec::new()),
        }
    }
}
