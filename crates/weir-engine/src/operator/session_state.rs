//! Accumulator slots of sessions, kept in generations that are sealed into state columns.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{interleave, take};
use datafusion_common::DataFusionError;

use super::aggregate::{Accumulators, GroupShape};

/// Generations kept before all slots are merged into one. More means slower ends of sessions, fewer
/// means more copying of state.
const MAX_GENERATIONS: usize = 64;

/// A group of accumulators: in the live generation, or a row of a sealed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) generation: u64,
    pub(crate) group: usize,
}

struct Sealed {
    columns: Vec<ArrayRef>,
    used: usize,
}

/// All slots of one session operator.
pub(crate) struct Slots {
    live: Accumulators,
    fresh: Box<dyn Fn() -> Result<Accumulators, DataFusionError> + Send>,
    live_generation: u64,
    live_groups: usize,
    live_used: usize,
    sealed: BTreeMap<u64, Sealed>,
}

impl Slots {
    pub(crate) fn new(shape: &GroupShape) -> Result<Self, DataFusionError> {
        let calls = shape.calls.clone();
        let keys = shape.keys.clone();
        let fresh = move || GroupShape::new(keys.clone(), calls.clone())?.accumulators();
        Ok(Self {
            live: fresh()?,
            fresh: Box::new(fresh),
            live_generation: 0,
            live_groups: 0,
            live_used: 0,
            sealed: BTreeMap::new(),
        })
    }

    /// Makes a slot in the live generation.
    pub(crate) fn allocate(&mut self) -> Slot {
        let slot = Slot { generation: self.live_generation, group: self.live_groups };
        self.live_groups += 1;
        self.live_used += 1;
        slot
    }

    pub(crate) fn is_live(&self, slot: &Slot) -> bool {
        slot.generation == self.live_generation
    }

    /// Adds the rows `kept` of `rows` to live groups.
    pub(crate) fn update(
        &mut self,
        arguments: &[Vec<ArrayRef>],
        kept: &[u32],
        rows: usize,
        groups: &[usize],
    ) -> Result<(), DataFusionError> {
        if kept.len() == rows {
            return self.live.update(arguments, groups, self.live_groups);
        }
        let indices = UInt32Array::from(kept.to_vec());
        let arguments = arguments
            .iter()
            .map(|columns| {
                columns.iter().map(|c| take(c.as_ref(), &indices, None)).collect::<Result<Vec<_>, _>>()
            })
            .collect::<Result<Vec<_>, _>>()?;
        self.live.update(&arguments, groups, self.live_groups)
    }

    /// Returns the results of sessions; each is given by its slots.
    pub(crate) fn evaluate(
        &mut self,
        shape: &GroupShape,
        sessions: &[&[Slot]],
    ) -> Result<Vec<ArrayRef>, DataFusionError> {
        self.merge(shape, sessions)?.evaluate()
    }

    /// Returns the state columns of sessions, one row per session.
    pub(crate) fn merged_state(
        &mut self,
        shape: &GroupShape,
        sessions: &[&[Slot]],
    ) -> Result<Vec<ArrayRef>, DataFusionError> {
        if sessions.is_empty() {
            return Ok(Vec::new());
        }
        self.merge(shape, sessions)?.state()
    }

    fn merge(&mut self, shape: &GroupShape, sessions: &[&[Slot]]) -> Result<Accumulators, DataFusionError> {
        self.seal()?;
        let index_of: BTreeMap<u64, usize> =
            self.sealed.keys().enumerate().map(|(index, generation)| (*generation, index)).collect();
        let mut picks = Vec::new();
        let mut groups = Vec::new();
        for (group, slots) in sessions.iter().enumerate() {
            for slot in *slots {
                picks.push((index_of[&slot.generation], slot.group));
                groups.push(group);
            }
        }
        let column_count = shape.state.fields().len() - shape.keys.fields().len();
        let mut columns = Vec::with_capacity(column_count);
        for column in 0..column_count {
            let parts: Vec<&dyn Array> =
                self.sealed.values().map(|sealed| sealed.columns[column].as_ref()).collect();
            columns.push(interleave(&parts, &picks)?);
        }
        let mut merged = (self.fresh)()?;
        merged.merge(&shape.state_by_call(&columns), &groups, sessions.len())?;
        Ok(merged)
    }

    /// Turns the live generation into state columns and begins another.
    fn seal(&mut self) -> Result<(), DataFusionError> {
        if self.live_groups == 0 {
            return Ok(());
        }
        let columns = self.live.state()?;
        self.sealed.insert(self.live_generation, Sealed { columns, used: self.live_used });
        self.live = (self.fresh)()?;
        self.live_generation += 1;
        self.live_groups = 0;
        self.live_used = 0;
        Ok(())
    }

    /// Gives slots of ended sessions back.
    pub(crate) fn release<'a>(&mut self, slots: impl Iterator<Item = &'a Slot>) {
        for slot in slots {
            if let Some(sealed) = self.sealed.get_mut(&slot.generation) {
                sealed.used -= 1;
            }
        }
        self.sealed.retain(|_, sealed| sealed.used > 0);
    }

    pub(crate) fn wants_compaction(&self) -> bool {
        self.sealed.len() > MAX_GENERATIONS
    }

    /// Replaces everything by one sealed generation and returns its number. Sessions without aggregates have rows and no columns.
    pub(crate) fn replace_all(&mut self, columns: Vec<ArrayRef>, rows: usize) -> u64 {
        self.sealed.clear();
        self.add_sealed(columns, rows)
    }

    /// Adds a sealed generation and returns its number.
    pub(crate) fn add_sealed(&mut self, columns: Vec<ArrayRef>, rows: usize) -> u64 {
        let generation = self.live_generation;
        self.live_generation += 1;
        if rows > 0 {
            self.sealed.insert(generation, Sealed { columns, used: rows });
        }
        generation
    }

    /// Returns the state columns when there is exactly one generation, which [`Slots::replace_all`] made.
    pub(crate) fn sealed_columns(&self) -> Option<&[ArrayRef]> {
        self.sealed.values().next().map(|sealed| sealed.columns.as_slice())
    }

    pub(crate) fn bytes(&self) -> usize {
        let sealed = self.sealed.values().flat_map(|sealed| &sealed.columns);
        self.live.bytes() + sealed.map(|column| column.get_array_memory_size()).sum::<usize>()
    }
}
