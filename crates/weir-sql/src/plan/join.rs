//! Plans `FROM` with several inputs.
//!
//! The inputs become a tree: joins associate to the left, a comma joins what stands on its two sides. Each part of a
//! condition then sinks to the lowest place where its columns are there and where it means the same: conditions on one
//! input keep rows from being stored, and a `WHERE` over inputs separated by commas is the condition of their join.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion_common::{Column, DFSchema, TableReference};
use datafusion_expr::{EmptyRelation, Extension, LogicalPlan, SubqueryAlias, utils};
use sqlparser::ast::{Expr as SqlExpr, Join as SqlJoin, TableFactor, TableWithJoins};
use weir_functions::window::has_utc_clock;

use super::bound::TimeAttribute;
use super::condition::{Condition, Conjunct, is_among};
use super::expr::Stage;
use super::from::JoinKind as Written;
use super::query::Planner;
use super::refuse::{Checked, Place, hinted};
use super::scope::{Scope, ScopeColumn};
use crate::WarningKind;
use crate::nodes::{JoinKind, StreamJoin, TimeBounds};

/// Inputs and how they are joined.
enum Tree<'a> {
    Input(Box<Input>),
    Join(Box<Join<'a>>),
    Dependent(Box<Dependent<'a>>),
}

/// An input that stands for itself.
struct Input {
    scope: Scope,
    /// What its rows must meet.
    conditions: Vec<Conjunct>,
}

/// Two inputs that stand for themselves.
struct Join<'a> {
    left: Tree<'a>,
    right: Tree<'a>,
    kind: JoinKind,
    on: Vec<Conjunct>,
    /// What rows of the result must meet.
    above: Vec<Conjunct>,
    /// The place of the right input.
    place: Place,
}

/// An input and what is computed from each of its rows.
struct Dependent<'a> {
    left: Tree<'a>,
    right: &'a TableFactor,
    kind: Written,
    on: Option<&'a SqlExpr>,
    /// Where the columns of what is computed stand, when they do not stand last.
    first_at: Option<usize>,
    /// The columns of both.
    columns: Vec<ScopeColumn>,
    above: Vec<Conjunct>,
}

/// The names of the inputs of one `FROM`.
#[derive(Default)]
struct Names {
    written: Vec<(String, Place)>,
    /// Names in the plan, where every input has one of its own.
    planned: Vec<String>,
}

impl Planner<'_> {
    /// Plans several inputs and the `WHERE` over them.
    pub(super) fn joined(&self, from: &[TableWithJoins], condition: Option<&SqlExpr>) -> Checked<Scope> {
        let mut names = Names::default();
        let mut tree = Tree::of(self.no_input()?);
        for (index, entry) in from.iter().enumerate() {
            let is_flat = index == 0
                || self.is_dependent(&entry.relation)
                || entry.joins.iter().any(|join| self.is_dependent(&join.relation));
            // What an entry computes from rows may read all entries before it, so such an entry is joined step by step.
            if is_flat {
                let kind = if index == 0 { None } else { Some(Written::Cross) };
                tree = match self.table_first(entry)? {
                    Some((stream, turned, on)) => {
                        let at = tree.width();
                        tree = self.extended(tree, stream, kind, None, &mut names)?;
                        let table = &entry.relation;
                        tree = self.computed(tree, table, turned, on, Some(at), &mut names)?;
                        self.with_joins(tree, &entry.joins[1..], &mut names)?
                    }
                    None => {
                        tree = self.extended(tree, &entry.relation, kind, None, &mut names)?;
                        self.with_joins(tree, &entry.joins, &mut names)?
                    }
                };
            } else {
                let right = self.input(&entry.relation, &mut names)?;
                let right = self.with_joins(right, &entry.joins, &mut names)?;
                let place = Place::at(&entry.relation, self.place);
                tree = Tree::joining(tree, right, JoinKind::Inner, place);
            }
        }
        if let Some(condition) = condition {
            for part in self.parts(&tree, condition, "`WHERE`", "in `WHERE`")? {
                tree.place(part);
            }
        }
        self.planned_tree(tree)
    }

    fn with_joins<'a>(
        &self,
        mut tree: Tree<'a>,
        joins: &'a [SqlJoin],
        names: &mut Names,
    ) -> Checked<Tree<'a>> {
        for join in joins {
            let (kind, on) = self.kind_of(join)?;
            tree = self.extended(tree, &join.relation, Some(kind), on, names)?;
        }
        Ok(tree)
    }

    /// Joins what has been read with one more entry; without a kind the entry is the first.
    fn extended<'a>(
        &self,
        left: Tree<'a>,
        right: &'a TableFactor,
        kind: Option<Written>,
        on: Option<&'a SqlExpr>,
        names: &mut Names,
    ) -> Checked<Tree<'a>> {
        let place = Place::at(right, self.place);
        if self.is_dependent(right) {
            return self.computed(left, right, kind.unwrap_or(Written::Cross), on, None, names);
        }
        let right = self.input(right, names)?;
        let kind = match kind {
            None => return Ok(right),
            Some(Written::Inner | Written::Cross) => JoinKind::Inner,
            Some(Written::Left) => JoinKind::Left,
            Some(Written::Right) => JoinKind::Right,
            Some(Written::Full) => JoinKind::Full,
        };
        let mut tree = Tree::joining(left, right, kind, place);
        if let Some(condition) = on {
            let parts = self.parts(&tree, condition, "`ON`", "in `ON`")?;
            if let Tree::Join(join) = &mut tree {
                parts.into_iter().for_each(|part| join.place_on(part));
            }
        }
        Ok(tree)
    }

    /// Joins what has been read with what is computed from its rows. The columns of the latter stand last, or at a place
    /// before.
    fn computed<'a>(
        &self,
        left: Tree<'a>,
        right: &'a TableFactor,
        kind: Written,
        on: Option<&'a SqlExpr>,
        first_at: Option<usize>,
        names: &mut Names,
    ) -> Checked<Tree<'a>> {
        let mut columns = self.dependent(left.placeholder(self)?, right, kind, on)?.columns;
        let known = left.width();
        if let Some(name) = columns.get(known).and_then(|column| column.qualifier.as_deref()) {
            names.write(name, Place::at(right, self.place))?;
        }
        put_last_at(&mut columns, known, first_at);
        let above = Vec::new();
        Ok(Tree::Dependent(Box::new(Dependent { left, right, kind, on, first_at, columns, above })))
    }

    /// Plans one input under a name that no other has.
    fn input<'a>(&self, factor: &'a TableFactor, names: &mut Names) -> Checked<Tree<'a>> {
        let mut scope = self.table(factor)?;
        let place = Place::at(factor, self.place);
        let written = scope.columns.first().and_then(|column| column.qualifier.clone());
        if let Some(name) = &written {
            names.write(name, place)?;
        }
        let name = names.plan(written.as_deref().unwrap_or("query"));
        let alias = SubqueryAlias::try_new(Arc::new(scope.plan), TableReference::bare(name.as_str()))
            .map_err(|error| self.unplanned(error))?;
        for (column, renamed) in scope.columns.iter_mut().zip(alias.schema.columns()) {
            column.column = renamed;
        }
        scope.plan = LogicalPlan::SubqueryAlias(alias);
        Ok(Tree::of(scope))
    }

    /// Checks a condition over the columns of a tree and takes it apart.
    fn parts(
        &self,
        tree: &Tree<'_>,
        condition: &SqlExpr,
        what: &str,
        stage: &'static str,
    ) -> Checked<Vec<Conjunct>> {
        let scope = tree.placeholder(self)?;
        let mut parts = Vec::new();
        self.binder(&scope, Stage::Row(stage)).conjuncts(condition, what, &mut parts)?;
        Ok(parts)
    }

    fn planned_tree(&self, tree: Tree<'_>) -> Checked<Scope> {
        match tree {
            Tree::Input(input) => self.filtered(input.scope, input.conditions),
            Tree::Join(join) => {
                let Join { left, right, kind, on, above, place } = *join;
                let (left, right) = (self.planned_tree(left)?, self.planned_tree(right)?);
                let times_above = above.iter().any(|part| part.times.is_some());
                let scope = self.stream_join((left, right), kind, on, place, times_above)?;
                self.filtered(scope, above)
            }
            Tree::Dependent(dependent) => {
                let Dependent { left, right, kind, on, first_at, above, .. } = *dependent;
                let left = self.planned_tree(left)?;
                let known = left.columns.len();
                let mut scope = self.dependent(left, right, kind, on)?;
                put_last_at(&mut scope.columns, known, first_at);
                self.filtered(scope, above)
            }
        }
    }

    fn filtered(&self, mut scope: Scope, conditions: Vec<Conjunct>) -> Checked<Scope> {
        if let Some(predicate) = utils::conjunction(conditions.into_iter().map(|part| part.expr)) {
            scope.plan = self.filter(predicate, scope.plan)?;
        }
        Ok(scope)
    }

    /// Joins two streams.
    fn stream_join(
        &self,
        (left, right): (Scope, Scope),
        kind: JoinKind,
        on: Vec<Conjunct>,
        place: Place,
        times_above: bool,
    ) -> Checked<Scope> {
        let condition = Condition::of(&left, &right, on)?;
        if condition.keys.is_empty() {
            let error = place.refuse("a join of two streams needs at least one equality between them");
            let names = (left.example(), right.example());
            return Err(hinted(error, Some(format!("add a condition such as `{} = {}`", names.0, names.1))));
        }
        if condition.bounds.is_none() {
            self.warn_unbounded(&condition, place, times_above);
        }
        if condition.bounds.is_some() {
            self.needs_append_only("an interval join", None, place, &left.plan);
            self.needs_append_only("an interval join", None, place, &right.plan);
        }
        if let Some(TimeBounds { lower, upper, .. }) = &condition.bounds
            && lower > upper
        {
            let text = "the time bounds of this join exclude each other: no row has a match";
            self.warn(WarningKind::JoinWithoutMatch, place, text, None);
        }
        if let Some(bounds) = &condition.bounds
            && self.options.time_zone != "UTC"
            && of_utc(&left.plan, &bounds.left) != of_utc(&right.plan, &bounds.right)
        {
            let text = format!(
                "this join compares event times of two zones: those of windows are of UTC, others of {}",
                self.options.time_zone
            );
            let hint = "join two streams or two group windows, or run the job in the time zone UTC";
            return Err(hinted(place.refuse(text), Some(hint.to_string())));
        }
        let Condition { keys, bounds, residual, .. } = condition;
        let inputs = (Arc::new(left.plan), Arc::new(right.plan));
        let stays = bounds.as_ref().map(|bounds| match bounds.event_time {
            true => TimeAttribute::Rowtime,
            false => TimeAttribute::Proctime,
        });
        let node = StreamJoin::try_new(inputs, kind, keys, bounds, utils::conjunction(residual))
            .map_err(|error| self.unplanned(error))?;
        let mut columns = left.columns;
        columns.extend(right.columns);
        for column in &mut columns {
            column.time = column.time.filter(|time| Some(*time) == stays);
        }
        Ok(Scope { columns, plan: LogicalPlan::Extension(Extension { node: Arc::new(node) }) })
    }

    fn warn_unbounded(&self, condition: &Condition, place: Place, times_above: bool) {
        let kept = "rows of both inputs are kept until their key has been idle for `idle_state_retention`";
        let (text, hint) = match condition.one_sided {
            Some(missing) => (
                format!("the times of this join have no {missing} bound, so it is no interval join: {kept}"),
                "bound the difference of the two times on both sides, for example with `BETWEEN`",
            ),
            None if times_above => (
                format!("this join has no time bounds: {kept}"),
                "the time bounds of an outer join stand in `ON`, not in `WHERE`",
            ),
            None => (
                format!("this join has no time bounds: {kept}"),
                "a condition such as `b.ts BETWEEN a.ts - INTERVAL '5' MINUTE AND a.ts` frees them earlier",
            ),
        };
        self.warn(WarningKind::JoinWithoutBounds, place, text, Some(hint));
    }
}

/// Moves the columns from `known` on to a place before.
fn put_last_at(columns: &mut [ScopeColumn], known: usize, place: Option<usize>) {
    if let Some(place) = place {
        columns[place..].rotate_left(known - place);
    }
}

impl<'a> Tree<'a> {
    fn of(scope: Scope) -> Self {
        Tree::Input(Box::new(Input { scope, conditions: Vec::new() }))
    }

    fn joining(left: Tree<'a>, right: Tree<'a>, kind: JoinKind, place: Place) -> Self {
        Tree::Join(Box::new(Join { left, right, kind, on: Vec::new(), above: Vec::new(), place }))
    }

    /// Collects the columns of the inputs, from left to right.
    fn columns(&self, columns: &mut Vec<ScopeColumn>) {
        match self {
            Tree::Input(input) => columns.extend(input.scope.columns.iter().cloned()),
            Tree::Join(join) => {
                join.left.columns(columns);
                join.right.columns(columns);
            }
            Tree::Dependent(dependent) => columns.extend(dependent.columns.iter().cloned()),
        }
    }

    fn width(&self) -> usize {
        match self {
            Tree::Input(input) => input.scope.columns.len(),
            Tree::Join(join) => join.left.width() + join.right.width(),
            Tree::Dependent(dependent) => dependent.columns.len(),
        }
    }

    fn has(&self, column: &Column) -> bool {
        match self {
            Tree::Input(input) => is_among(&input.scope.columns, column),
            Tree::Join(join) => join.left.has(column) || join.right.has(column),
            Tree::Dependent(dependent) => is_among(&dependent.columns, column),
        }
    }

    /// Returns the columns over a plan without rows: enough to check expressions before the inputs are joined.
    fn placeholder(&self, planner: &Planner<'_>) -> Checked<Scope> {
        let mut columns = Vec::new();
        self.columns(&mut columns);
        let fields = columns.iter().map(|column| {
            let field = Field::new(&column.column.name, column.data_type.clone(), true);
            (column.column.relation.clone(), Arc::new(field))
        });
        let schema = DFSchema::new_with_metadata(fields.collect(), HashMap::new())
            .map_err(|error| planner.unplanned(error))?;
        let plan = EmptyRelation { produce_one_row: false, schema: Arc::new(schema) };
        Ok(Scope { columns, plan: LogicalPlan::EmptyRelation(plan) })
    }

    /// Returns whether all columns that a condition reads are columns of this tree.
    fn has_all(&self, part: &Conjunct) -> bool {
        part.expr.column_refs().into_iter().all(|column| self.has(column))
    }

    /// Lets a condition on the rows of the tree sink to its place.
    fn place(&mut self, part: Conjunct) {
        match self {
            Tree::Input(input) => input.conditions.push(part),
            Tree::Join(join) => join.place(part),
            Tree::Dependent(dependent) => {
                if !part.is_fixed() && dependent.left.has_all(&part) {
                    dependent.left.place(part);
                } else {
                    dependent.above.push(part);
                }
            }
        }
    }
}

impl Join<'_> {
    fn place(&mut self, part: Conjunct) {
        if part.is_fixed() {
            self.above.push(part);
        } else if !self.kind.keeps_right() && self.left.has_all(&part) {
            self.left.place(part);
        } else if !self.kind.keeps_left() && self.right.has_all(&part) {
            self.right.place(part);
        } else if self.kind == JoinKind::Inner {
            self.on.push(part);
        } else {
            self.above.push(part);
        }
    }

    /// Lets a part of the condition of the join sink: rows of an input that is not kept can be left out before.
    fn place_on(&mut self, part: Conjunct) {
        if self.kind == JoinKind::Inner {
            self.place(part);
        } else if !part.is_fixed() && !self.kind.keeps_left() && self.left.has_all(&part) {
            self.left.place(part);
        } else if !part.is_fixed() && !self.kind.keeps_right() && self.right.has_all(&part) {
            self.right.place(part);
        } else {
            self.on.push(part);
        }
    }
}

impl Names {
    fn write(&mut self, name: &str, place: Place) -> Checked<()> {
        if let Some((_, first)) = self.written.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            let at = first.position;
            let error = place.refuse(format!("two inputs of `FROM` are called `{name}`"));
            let hint = format!(
                "the first stands at line {}, column {}; give each an alias of its own",
                at.line, at.column
            );
            return Err(hinted(error, Some(hint)));
        }
        self.written.push((name.to_string(), place));
        Ok(())
    }

    fn plan(&mut self, name: &str) -> String {
        let mut unique = name.to_string();
        let mut number = 2;
        while self.planned.contains(&unique) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        self.planned.push(unique.clone());
        unique
    }
}

impl Scope {
    /// Returns a column of the input as a query may write it, for examples.
    fn example(&self) -> String {
        let column = self.columns.iter().find(|column| column.name.is_some());
        let name = column.and_then(|column| column.name.as_deref()).unwrap_or("id");
        match column.and_then(|column| column.qualifier.as_deref()) {
            Some(qualifier) => format!("{qualifier}.{name}"),
            None => name.to_string(),
        }
    }
}

/// Tells whether the wall clocks of a column are of UTC and not of the zone of the job.
fn of_utc(input: &LogicalPlan, column: &Column) -> bool {
    let index = input.schema().index_of_column(column);
    index.is_ok_and(|index| has_utc_clock(input.schema().field(index)))
}
