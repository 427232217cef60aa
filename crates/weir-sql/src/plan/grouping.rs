//! Checks GROUP BY: its window, its keys, the groupings that it stands for, and the functions that tell these apart.

use arrow::datatypes::DataType;
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::expr::Case;
use datafusion_expr::{Expr, lit};
use sqlparser::ast::Expr as SqlExpr;
use weir_functions::conversion::type_name;

use super::bound::Bound;
use super::call::Written;
use super::expr::{Binder, Stage};
use super::query::Planner;
use super::refuse::{Checked, Place, hinted};
use super::scope::Scope;
use super::window::{GroupWindow, WindowFunction, parse_name};
use crate::WarningKind;
use crate::nodes::GROUPING;

/// The functions that tell groupings apart.
pub(super) const FUNCTIONS: &[&str] = &["GROUPING", "GROUPING_ID", "GROUP_ID"];

/// A GROUP BY, checked.
#[derive(Debug, Default)]
pub(super) struct Grouping {
    pub(super) window: Option<GroupWindow>,
    /// The keys of all groupings, each once, in the order of the text; the window is one of them.
    pub(super) keys: Vec<Expr>,
    /// For each grouping its keys, the window left out; `None` when there is one grouping.
    pub(super) sets: Option<Vec<Vec<usize>>>,
}

impl Grouping {
    /// Returns the place of the window among the keys.
    pub(super) fn window_position(&self) -> Option<usize> {
        let window = self.window.as_ref()?;
        self.keys.iter().position(|key| *key == window.marker)
    }

    /// Returns an expression that has a value for each grouping.
    fn by_set(&self, value: impl Fn(&[Vec<usize>], usize) -> i32) -> Bound {
        let constant = |value: i32| Bound::scalar(ScalarValue::Int32(Some(value)));
        let Some(sets) = &self.sets else { return constant(0) };
        let values: Vec<i32> = (0..sets.len()).map(|set| value(sets, set)).collect();
        let last = values.last().copied().unwrap_or_default();
        let branches: Vec<_> = values
            .iter()
            .enumerate()
            .filter(|(_, value)| **value != last)
            .map(|(set, value)| (Box::new(lit(set as i32)), Box::new(lit(*value))))
            .collect();
        if branches.is_empty() {
            return constant(last);
        }
        let number = Box::new(Expr::Column(Column::new_unqualified(GROUPING)));
        let case = Case::new(Some(number), branches, Some(Box::new(lit(last))));
        Bound::new(Expr::Case(case), DataType::Int32)
    }
}

impl Planner<'_> {
    /// Checks the items of GROUP BY.
    pub(super) fn grouping(&self, items: &[SqlExpr], scope: &Scope) -> Checked<Grouping> {
        let mut keys =
            Keys { binder: self.binder(scope, Stage::Row("in `GROUP BY`")), found: Grouping::default() };
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        for item in flattened(items) {
            if let Some(window) = keys.window(item)? {
                if keys.found.window.is_some() {
                    let error = keys.binder.at(item).refuse("`GROUP BY` may hold one group window");
                    let hint =
                        "write an INSERT for each window, or the second one in a query around this one";
                    return Err(hinted(error, Some(hint.to_string())));
                }
                let operator = format!("the window `{}`", window.shape.name());
                self.needs_append_only(operator, Some(window.attribute), keys.binder.at(item), &scope.plan);
                keys.found.keys.push(window.marker.clone());
                keys.found.window = Some(window);
                continue;
            }
            let groupings = keys.groupings(item)?;
            sets = product(&sets, &groupings);
        }
        let mut grouping = keys.found;
        if grouping.window.is_none()
            && !grouping.keys.is_empty()
            && let Some(first) = items.first()
        {
            let text = "this `GROUP BY` has no window: each group is kept until it has been idle for \
                        `idle_state_retention`, and begins anew after that";
            let hint = "group by a window such as `TUMBLE(ts, INTERVAL '1' HOUR)`, or set `idle_state_retention` to the \
                        time after which a group may be forgotten";
            self.warn(
                WarningKind::StateUntilIdle,
                self.binder(scope, Stage::Row("")).at(first),
                text,
                Some(hint),
            );
        }
        if sets.len() > 1 {
            grouping.sets = Some(sets);
        }
        Ok(grouping)
    }
}

/// Collects the keys of a GROUP BY.
struct Keys<'a> {
    binder: Binder<'a>,
    found: Grouping,
}

impl Keys<'_> {
    /// Returns the groupings that an item stands for.
    fn groupings(&mut self, item: &SqlExpr) -> Checked<Vec<Vec<usize>>> {
        match item {
            SqlExpr::Tuple(keys) => Ok(vec![self.set(keys)?]),
            SqlExpr::Nested(key) => Ok(vec![vec![self.key(key)?]]),
            SqlExpr::Rollup(lists) => {
                let lists = self.lists(lists)?;
                Ok((0..=lists.len()).rev().map(|count| lists[..count].concat()).collect())
            }
            SqlExpr::Cube(lists) => {
                let lists = self.lists(lists)?;
                // The parser limits the number of groupings.
                let all = 1_usize << lists.len();
                let has = |set: usize, list: usize| set & (all >> (list + 1)) != 0;
                let of = |set: usize| {
                    (0..lists.len())
                        .filter(|list| has(set, *list))
                        .flat_map(|list| lists[list].clone())
                        .collect()
                };
                Ok((0..all).rev().map(of).collect())
            }
            SqlExpr::GroupingSets(sets) => {
                let mut groupings = Vec::with_capacity(sets.len());
                for set in sets {
                    match set.as_slice() {
                        [nested @ (SqlExpr::Rollup(_) | SqlExpr::Cube(_) | SqlExpr::GroupingSets(_))] => {
                            groupings.extend(self.groupings(nested)?);
                        }
                        keys => groupings.push(self.set(keys)?),
                    }
                }
                Ok(groupings)
            }
            key => Ok(vec![vec![self.key(key)?]]),
        }
    }

    fn lists(&mut self, lists: &[Vec<SqlExpr>]) -> Checked<Vec<Vec<usize>>> {
        lists.iter().map(|keys| self.set(keys)).collect()
    }

    fn set(&mut self, keys: &[SqlExpr]) -> Checked<Vec<usize>> {
        keys.iter().map(|key| self.key(key)).collect()
    }

    /// Checks a key and returns its place among the keys.
    fn key(&mut self, key: &SqlExpr) -> Checked<usize> {
        let place = self.binder.at(key);
        if self.window(key)?.is_some() {
            let error = place.refuse("a group window cannot be part of a grouping set");
            let hint = "it belongs to every set: write it once, beside the sets";
            return Err(hinted(error, Some(hint.to_string())));
        }
        let value = self.binder.bind(key)?;
        if matches!(value.data_type, DataType::Null | DataType::Map(..)) {
            return Err(
                place.refuse(format!("{} cannot be a key of `GROUP BY`", type_name(&value.data_type)))
            );
        }
        let keys = &mut self.found.keys;
        Ok(keys.iter().position(|known| *known == value.expr).unwrap_or_else(|| {
            keys.push(value.expr);
            keys.len() - 1
        }))
    }

    fn window(&self, key: &SqlExpr) -> Checked<Option<GroupWindow>> {
        let SqlExpr::Function(call) = key else { return Ok(None) };
        let name = call.name.to_string().to_ascii_uppercase();
        match parse_name(&name) {
            Some((shape, WindowFunction::Group)) => {
                let place = self.binder.at(&call.name);
                let written = self.binder.written(call, &name, place)?;
                Ok(Some(self.binder.group_window(shape, &written, place)?))
            }
            _ => Ok(None),
        }
    }
}

/// Takes the parentheses of `GROUP BY (a, b)` off.
fn flattened(items: &[SqlExpr]) -> Vec<&SqlExpr> {
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match item {
            SqlExpr::Tuple(parts) => flat.extend(parts),
            SqlExpr::Nested(inner) => flat.push(inner.as_ref()),
            other => flat.push(other),
        }
    }
    flat
}

/// Returns every grouping of the one list together with every grouping of the other.
fn product(left: &[Vec<usize>], right: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut all = Vec::with_capacity(left.len() * right.len());
    for first in left {
        for second in right {
            let mut keys = first.clone();
            for key in second {
                if !keys.contains(key) {
                    keys.push(*key);
                }
            }
            all.push(keys);
        }
    }
    all
}

impl Binder<'_> {
    /// Checks a function that tells groupings apart.
    pub(super) fn grouping_function(
        &self,
        name: &str,
        written: &Written<'_>,
        place: Place,
    ) -> Checked<Bound> {
        let (Stage::Group(grouping, _) | Stage::Select(grouping)) = self.stage else {
            let error = place
                .refuse(format!("`{name}` is allowed in the select list and `HAVING` of a `GROUP BY` only"));
            return Err(error);
        };
        if written.star || written.distinct {
            return Err(place.refuse(format!("`{name}` takes neither `*` nor `DISTINCT`")));
        }
        let input = Binder { stage: Stage::Row("inside this function"), ..*self };
        let mut keys = Vec::with_capacity(written.arguments.len());
        for argument in &written.arguments {
            let value = input.bind(argument)?;
            let key = grouping.keys.iter().position(|key| *key == value.expr);
            keys.push(
                key.ok_or_else(|| self.at(*argument).refuse(format!("`{name}` takes keys of `GROUP BY`")))?,
            );
        }
        match (name, keys.len()) {
            ("GROUP_ID", 0) => Ok(grouping.by_set(|sets, set| {
                let same = |other: &&Vec<usize>| is_same_set(other, &sets[set]);
                sets[..set].iter().filter(same).count() as i32
            })),
            ("GROUPING", 1) | ("GROUPING_ID", 1..=31) => {
                // The window belongs to every grouping.
                let window = grouping.window_position();
                let rolled_up = |set: &[usize], key: usize| !set.contains(&key) && window != Some(key);
                Ok(grouping.by_set(|sets, set| {
                    let flag = |flags, key: &usize| flags << 1 | i32::from(rolled_up(&sets[set], *key));
                    keys.iter().fold(0, flag)
                }))
            }
            ("GROUP_ID", _) => Err(place.refuse("`GROUP_ID` takes no arguments")),
            ("GROUPING", _) => {
                let error = place.refuse("`GROUPING` takes 1 argument");
                Err(hinted(error, Some("`GROUPING_ID` takes several".to_string())))
            }
            _ => Err(place.refuse("`GROUPING_ID` takes 1 to 31 arguments")),
        }
    }
}

fn is_same_set(left: &[usize], right: &[usize]) -> bool {
    left.len() == right.len() && left.iter().all(|key| right.contains(key))
}
