//! The clauses of `MATCH_RECOGNIZE` around the pattern.

use std::cell::RefCell;

use arrow::datatypes::DataType;
use datafusion_expr::Expr;
use sqlparser::ast::{
    AfterMatchSkip, Expr as SqlExpr, FunctionArg, FunctionArgExpr, FunctionArguments, Interval, Measure,
    OrderByExpr, SymbolDefinition,
};
use weir_functions::conversion::type_name;

use super::pattern::Variables;
use super::slots::{PatternStage, VariableScopes};
use crate::WarningKind;
use crate::nodes::{Definition, MatchOrder, MatchSlot, RowPattern, SkipTo};
use crate::plan::bound::{Bound, TimeAttribute};
use crate::plan::expr::Stage;
use crate::plan::query::Planner;
use crate::plan::refuse::{Checked, Place, hinted};
use crate::plan::scope::{Scope, ScopeColumn};
use crate::plan::select::own_name;
use crate::plan::{literal, operator};
use crate::syntax::pattern::{FINAL, RUNNING};

/// The greatest number of variables with a definition: the engine has a bit for each.
const MAX_DEFINITIONS: usize = 64;

/// A measure over slots.
pub(super) struct BoundMeasure {
    pub(super) name: String,
    pub(super) value: Bound,
}

impl Planner<'_> {
    /// Checks PARTITION BY. Returns the keys with the names that they have as columns.
    pub(super) fn partition(&self, input: &Scope, keys: &[SqlExpr]) -> Checked<Vec<(Bound, Option<String>)>> {
        let binder = self.binder(input, Stage::Row("in `PARTITION BY`"));
        let mut partition = Vec::with_capacity(keys.len());
        for key in keys {
            let value = binder.bind(key)?;
            if matches!(value.data_type, DataType::Null | DataType::Map(..)) {
                let text = format!("{} cannot be a key of `PARTITION BY`", type_name(&value.data_type));
                return Err(binder.at(key).refuse(text));
            }
            partition.push((value, own_name(&binder, key)?));
        }
        Ok(partition)
    }

    /// Checks ORDER BY: a time attribute, then anything that orders rows of the same time.
    pub(super) fn match_order(
        &self,
        input: &Scope,
        items: &[OrderByExpr],
        place: Place,
    ) -> Checked<MatchOrder> {
        let Some((first, others)) = items.split_first() else { return self.arrival_order(input, place) };
        let binder = self.binder(input, Stage::Row("in `ORDER BY`"));
        let (time, time_place) = (binder.bind(&first.expr)?, binder.at(&first.expr));
        let Some(attribute) = time.time else {
            let error = time_place.refuse("`ORDER BY` of a pattern must begin with a time attribute");
            let hint = "time attributes are declared by `TIMESTAMP BY column.rowtime` or `TIMESTAMP BY proctime.proctime`";
            return Err(hinted(error, Some(hint.to_string())));
        };
        if first.options.asc == Some(false) {
            return Err(time_place.refuse("a pattern cannot go back in time: `DESC` is not allowed here"));
        }
        let event_time = attribute == TimeAttribute::Rowtime;
        let mut then = Vec::with_capacity(others.len());
        for item in others {
            let (value, place) = (binder.bind(&item.expr)?, binder.at(&item.expr));
            if !event_time {
                let error = place.refuse("rows of processing time have no further order");
                let hint = "they are taken as they arrive; remove what follows the time attribute";
                return Err(hinted(error, Some(hint.to_string())));
            }
            if matches!(value.data_type, DataType::Null | DataType::Map(..)) {
                return Err(place.refuse(format!("{} has no order", type_name(&value.data_type))));
            }
            then.push((value.expr, item.options.asc == Some(false)));
        }
        Ok(MatchOrder { time: time.expr, event_time, sorted: event_time, then })
    }

    /// Returns the order of arrival. Processing time measures it, or event time where there is no other.
    fn arrival_order(&self, input: &Scope, place: Place) -> Checked<MatchOrder> {
        let of = |attribute| input.columns.iter().find(|column| column.time == Some(attribute));
        let found = of(TimeAttribute::Proctime).or_else(|| of(TimeAttribute::Rowtime));
        let Some(ScopeColumn { column, time, .. }) = found else {
            let error = place.refuse("`MATCH_RECOGNIZE` needs a stream with a time attribute");
            let hint = "declare it with `TIMESTAMP BY column.rowtime` or `TIMESTAMP BY proctime.proctime`";
            return Err(hinted(error, Some(hint.to_string())));
        };
        Ok(MatchOrder {
            time: Expr::Column(column.clone()),
            event_time: *time == Some(TimeAttribute::Rowtime),
            sorted: false,
            then: Vec::new(),
        })
    }

    /// Reads WITHIN.
    pub(super) fn within(&self, within: &Interval, place: Place) -> Checked<i64> {
        match literal::constant_millis(&literal::interval(within, place)?) {
            Some(millis) if millis > 0 => Ok(millis),
            _ => {
                let error = place.refuse("the time of `WITHIN` must be longer than nothing");
                let hint = "the last row of a match must be less than this behind the first";
                Err(hinted(error, Some(hint.to_string())))
            }
        }
    }

    /// Checks DEFINE.
    pub(super) fn definitions(
        &self,
        definitions: &[SymbolDefinition],
        input: &Scope,
        scopes: &VariableScopes,
        variables: &Variables,
        slots: &RefCell<Vec<MatchSlot>>,
    ) -> Checked<Vec<Definition>> {
        let mut bound: Vec<Definition> = Vec::with_capacity(definitions.len());
        let mut defined = Vec::with_capacity(definitions.len());
        for SymbolDefinition { symbol, definition } in definitions {
            let place = Place::of(symbol.span, self.place);
            let names = &variables.names;
            let Some(variable) = names.iter().position(|name| name.eq_ignore_ascii_case(&symbol.value))
            else {
                return Err(variables.unknown(symbol, self.place));
            };
            if defined.contains(&variable) {
                return Err(place.refuse(format!("variable `{}` is defined twice", symbol.value)));
            }
            defined.push(variable);
            if bound.len() == MAX_DEFINITIONS {
                return Err(place.refuse(format!("a pattern defines at most {MAX_DEFINITIONS} variables")));
            }
            let ignored = RefCell::default();
            let slots = if variable < variables.in_pattern { slots } else { &ignored };
            let stage = PatternStage::new(input, names, Some(variable), slots);
            let binder = self.pattern_binder(scopes, &stage);
            let value = stage.over_slots(binder.expression(definition)?, binder.at(definition))?;
            let condition = operator::condition(value, "`DEFINE`", binder.at(definition))?.expr;
            if variable >= variables.in_pattern {
                let mut message = variables.unknown(symbol, self.place).message;
                message.text.push_str(", so its definition has no effect");
                self.warnings.borrow_mut().push(WarningKind::UnusedDefinition.warning(message));
                continue;
            }
            bound.push(Definition { variable, condition });
        }
        Ok(bound)
    }

    /// Checks MEASURES.
    pub(super) fn measures(
        &self,
        measures: &[Measure],
        stage: &PatternStage<'_>,
        scopes: &VariableScopes,
        all_rows: bool,
    ) -> Checked<Vec<BoundMeasure>> {
        let mut bound: Vec<BoundMeasure> = Vec::with_capacity(measures.len());
        for Measure { expr, alias } in measures {
            if bound.iter().any(|other| other.name.eq_ignore_ascii_case(&alias.value)) {
                let place = Place::of(alias.span, self.place);
                return Err(place.refuse(format!("two measures have the name `{}`", alias.value)));
            }
            let (expr, whole) = unmodified(expr);
            // One row is given out for the whole match, so both mean the same.
            stage.whole.set(whole && all_rows);
            let binder = self.pattern_binder(scopes, stage);
            let value = stage.over_slots(binder.expression(expr)?, binder.at(expr))?;
            bound.push(BoundMeasure { name: alias.value.clone(), value });
        }
        Ok(bound)
    }

    /// Reads AFTER MATCH.
    pub(super) fn skip(&self, skip: Option<&AfterMatchSkip>, variables: &Variables) -> Checked<SkipTo> {
        Ok(match skip {
            None | Some(AfterMatchSkip::PastLastRow) => SkipTo::PastLastRow,
            Some(AfterMatchSkip::ToNextRow) => SkipTo::NextRow,
            Some(AfterMatchSkip::ToFirst(name)) => {
                let variable = variables.named(name, self.place)?;
                if always_first(&variables.pattern) == Some(variable) {
                    let text = format!(
                        "every match begins with a row of `{}`: the first match ends the job",
                        name.value
                    );
                    let hint = "skip to a variable that comes later, or use `SKIP TO NEXT ROW`";
                    let place = Place::of(name.span, self.place);
                    self.warn(WarningKind::RepeatedMatch, place, text, Some(hint));
                }
                SkipTo::First(variable)
            }
            Some(AfterMatchSkip::ToLast(name)) => SkipTo::Last(variables.named(name, self.place)?),
        })
    }

    /// Warns of a pattern that may keep all rows: one of its variables takes any row as often as it likes.
    pub(super) fn warn_of_endless(&self, variables: &Variables, definitions: &[Definition]) {
        let is_defined = |variable: usize| definitions.iter().any(|of| of.variable == variable);
        let Some(variable) = endless(&variables.pattern, &is_defined) else { return };
        let Variables { names, places, .. } = variables;
        let (name, place) = (&names[variable], places[variable]);
        let text = format!(
            "`{name}` takes any row and repeats without limit: a match that does not end keeps all rows of its partition"
        );
        let hint = "limit the length of a match with `WITHIN`";
        self.warn(WarningKind::EndlessMatch, place, text, Some(hint));
    }
}

/// Takes RUNNING or FINAL off a measure. Returns whether it was FINAL.
fn unmodified(expr: &SqlExpr) -> (&SqlExpr, bool) {
    let SqlExpr::Function(call) = expr else { return (expr, false) };
    let whole = match call.name.to_string().as_str() {
        RUNNING => false,
        FINAL => true,
        _ => return (expr, false),
    };
    match &call.args {
        FunctionArguments::List(list) => match list.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))] => (inner, whole),
            _ => (expr, false),
        },
        _ => (expr, false),
    }
}

/// Returns the variable that every match begins with, when there is one.
fn always_first(pattern: &RowPattern) -> Option<usize> {
    match pattern {
        RowPattern::Variable(variable) => Some(*variable),
        RowPattern::Sequence(parts) => always_first(parts.first()?),
        RowPattern::Alternatives(parts) => {
            let (first, others) = parts.split_first()?;
            let variable = always_first(first)?;
            others.iter().all(|part| always_first(part) == Some(variable)).then_some(variable)
        }
        RowPattern::Repeat { pattern, least, .. } => always_first(pattern).filter(|_| *least > 0),
    }
}

/// Returns a variable without a definition that repeats without limit.
fn endless(pattern: &RowPattern, is_defined: &impl Fn(usize) -> bool) -> Option<usize> {
    match pattern {
        RowPattern::Variable(_) => None,
        RowPattern::Sequence(parts) | RowPattern::Alternatives(parts) => {
            parts.iter().find_map(|part| endless(part, is_defined))
        }
        RowPattern::Repeat { pattern, most, .. } => match (pattern.as_ref(), most) {
            (RowPattern::Variable(variable), None) if !is_defined(*variable) => Some(*variable),
            (inner, _) => endless(inner, is_defined),
        },
    }
}
