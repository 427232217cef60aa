//! Plans `MATCH_RECOGNIZE`.
//!
//! In definitions and measures the variables of the pattern stand before columns as streams do elsewhere. What an
//! expression reads of the match, a row or an aggregate, becomes a slot; the expression that is left reads slots.

mod clauses;
mod navigation;
mod pattern;
mod slots;

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use datafusion_common::Column;
use datafusion_expr::{Extension, LogicalPlan};
use sqlparser::ast::{RowsPerMatch, TableFactor};

use super::bound::{Bound, TimeAttribute};
use super::query::{Planner, unique_names};
use super::refuse::{Checked, Place};
use super::scope::{Scope, ScopeColumn};
use crate::nodes::{MatchClauses, MatchMeasure, MatchRecognize};
use clauses::BoundMeasure;
pub(super) use navigation::is_of_patterns;
use pattern::Variables;
pub(super) use slots::PatternStage;
use slots::VariableScopes;

impl Planner<'_> {
    /// Plans `MATCH_RECOGNIZE` over its input.
    pub(super) fn match_recognize(&self, input: Scope, factor: &TableFactor) -> Checked<Scope> {
        let TableFactor::MatchRecognize {
            partition_by,
            order_by,
            measures,
            rows_per_match,
            after_match_skip,
            pattern,
            symbols,
            ..
        } = factor
        else {
            return Err(self.place.refuse("`MATCH_RECOGNIZE` is expected here"));
        };
        let details = self.insert.details_of(pattern);
        let place = details.map_or(self.place, |details| Place {
            position: details.position,
            length: "MATCH_RECOGNIZE".len() as u32,
        });
        let all_rows = matches!(rows_per_match, Some(RowsPerMatch::AllRows(_)));
        let variables = Variables::of(pattern, symbols, self.place)?;
        let names = &variables.names;
        let partition = self.partition(&input, partition_by)?;
        let order = self.match_order(&input, order_by, place)?;
        let time = if order.event_time { TimeAttribute::Rowtime } else { TimeAttribute::Proctime };
        self.needs_append_only("`MATCH_RECOGNIZE`", Some(time), place, &input.plan);
        let within_ms = match details.and_then(|details| details.within.as_ref()) {
            Some(within) => Some(self.within(within, place)?),
            None => None,
        };
        let scopes = VariableScopes::new(&input, names);
        let (definition_slots, measure_slots) = (RefCell::default(), RefCell::default());
        let definitions = self.definitions(symbols, &input, &scopes, &variables, &definition_slots)?;
        if within_ms.is_none() {
            self.warn_of_endless(&variables, &definitions);
        }
        let stage = PatternStage::new(&input, names, None, &measure_slots);
        let measures = self.measures(measures, &stage, &scopes, all_rows)?;
        let skip = self.skip(after_match_skip.as_ref(), &variables)?;
        let outputs = Outputs::new(&input, &partition, &measures, all_rows);
        let measures = measures.into_iter().zip(outputs.measures);
        let clauses = MatchClauses {
            partition_by: partition.into_iter().map(|(key, _)| key.expr).collect(),
            order,
            variables: variables.names.clone(),
            pattern: variables.pattern,
            definitions,
            measures: measures
                .map(|(measure, name)| MatchMeasure { name, expr: measure.value.expr })
                .collect(),
            definition_slots: definition_slots.into_inner(),
            measure_slots: measure_slots.into_inner(),
            all_rows,
            keys: outputs.keys,
            skip,
            within_ms,
        };
        let node = MatchRecognize::try_new(input.plan, clauses).map_err(|error| self.unplanned(error))?;
        let plan = LogicalPlan::Extension(Extension { node: Arc::new(node) });
        Ok(Scope { columns: outputs.columns, plan })
    }
}

/// The columns given out.
struct Outputs {
    columns: Vec<ScopeColumn>,
    /// Partition expressions and their names as columns of the plan.
    keys: Vec<(usize, String)>,
    /// Names of the measures as columns of the plan.
    measures: Vec<String>,
}

impl Outputs {
    fn new(
        input: &Scope,
        partition: &[(Bound, Option<String>)],
        measures: &[BoundMeasure],
        all_rows: bool,
    ) -> Self {
        let mut outputs = match all_rows {
            true => Self::all_rows(input, measures),
            false => Self::one_row(partition, measures),
        };
        for (measure, name) in measures.iter().zip(&outputs.measures) {
            outputs.columns.push(column(Some(measure.name.clone()), name, &measure.value));
        }
        outputs
    }

    /// The columns of the input come first. Measures of the same names stand beside them.
    fn all_rows(input: &Scope, measures: &[BoundMeasure]) -> Self {
        let of_input = |column: &ScopeColumn| ScopeColumn { qualifier: None, time: None, ..column.clone() };
        let mut taken: HashSet<String> =
            input.plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        let measures = measures.iter().map(|measure| {
            let candidates = (0..).map(|number| format!("{}{number}", measure.name));
            let mut candidates = std::iter::once(measure.name.clone()).chain(candidates);
            candidates.find(|name| taken.insert(name.clone())).unwrap_or_default()
        });
        let measures = measures.collect();
        Self { columns: input.columns.iter().map(of_input).collect(), keys: Vec::new(), measures }
    }

    /// The partition columns come first, but for those that a measure is named after.
    fn one_row(partition: &[(Bound, Option<String>)], measures: &[BoundMeasure]) -> Self {
        let is_measured = |name: &str| measures.iter().any(|measure| measure.name.eq_ignore_ascii_case(name));
        let chosen: Vec<usize> = (0..partition.len())
            .filter(|index| partition[*index].1.as_deref().is_none_or(|name| !is_measured(name)))
            .collect();
        let key_names = chosen.iter().map(|index| partition[*index].1.as_deref());
        let mut names = unique_names(key_names.chain(measures.iter().map(|measure| Some(&*measure.name))));
        let measures = names.split_off(chosen.len());
        let keys: Vec<(usize, String)> = chosen.into_iter().zip(names).collect();
        let columns = keys.iter().map(|(index, name)| {
            let (key, own) = &partition[*index];
            column(own.clone(), name, key)
        });
        Self { columns: columns.collect(), keys, measures }
    }
}

fn column(name: Option<String>, of_plan: &str, value: &Bound) -> ScopeColumn {
    let column = Column::from_name(of_plan);
    ScopeColumn { qualifier: None, name, column, data_type: value.data_type.clone(), time: None }
}
