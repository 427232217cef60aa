//! Plans queries: SELECT, UNION, VALUES.

use std::cell::RefCell;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion_common::{Column, DFSchema, DataFusionError};
use datafusion_expr::{Distinct, Expr, LogicalPlan, Projection, Union, Values as ValuesNode};
use sqlparser::ast::{Query, SetExpr, SetOperator, SetQuantifier, Values};
use weir_functions::conversion::type_name;
use weir_functions::window::has_utc_clock;

use super::append_only::AppendOnly;
use super::bound::{Bound, TimeAttribute};
use super::convert::convert;
use super::expr::{Binder, Stage, unified};
use super::refuse::{Checked, Place, hinted};
use super::scope::Scope;
use super::types::same;
use super::{PlanOptions, Streams};
use crate::syntax::ast::InsertInto;
use crate::{Warning, WarningKind};

/// A planned query.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) plan: LogicalPlan,
    pub(super) columns: Vec<OutputColumn>,
}

/// One column of a planned query.
#[derive(Debug, Clone)]
pub(super) struct OutputColumn {
    /// The name that an outer query sees.
    pub(super) name: Option<String>,
    pub(super) column: Column,
    pub(super) data_type: DataType,
    pub(super) time: Option<TimeAttribute>,
    pub(super) place: Place,
}

impl OutputColumn {
    /// Returns the expression that reads the column.
    pub(super) fn bound(&self) -> Bound {
        Bound { expr: Expr::Column(self.column.clone()), data_type: self.data_type.clone(), time: self.time }
    }
}

/// Plans the query of one INSERT.
pub(super) struct Planner<'a> {
    pub(super) insert: &'a InsertInto,
    pub(super) streams: &'a Streams<'a>,
    pub(super) options: &'a PlanOptions,
    /// The place of the query.
    pub(super) place: Place,
    /// What is accepted but probably not meant.
    pub(super) warnings: RefCell<Vec<Warning>>,
    /// The operators that take only rows that stay.
    pub(super) append_only: RefCell<Vec<AppendOnly>>,
}

impl Planner<'_> {
    /// Refuses what the plan library refuses; the checks before are meant to make this unreachable.
    pub(super) fn unplanned(&self, error: DataFusionError) -> crate::CheckError {
        self.place.refuse(format!("this query cannot be planned: {}", error.strip_backtrace()))
    }

    /// Warns of what is accepted but may surprise.
    pub(super) fn warn(&self, kind: WarningKind, place: Place, text: impl Into<String>, hint: Option<&str>) {
        let message = hinted(place.refuse(text), hint.map(str::to_string)).message;
        self.warnings.borrow_mut().push(kind.warning(message));
    }

    /// Returns a binder over `scope`.
    pub(super) fn binder<'b>(&'b self, scope: &'b Scope, stage: Stage<'b>) -> Binder<'b> {
        Binder { scope, plain: None, stage, options: self.options, otherwise: self.place }
    }

    /// Plans a query.
    pub(super) fn query(&self, query: &Query) -> Checked<Output> {
        let refused = [
            (query.with.is_some(), "`WITH`"),
            (query.order_by.is_some(), "`ORDER BY` of a query"),
            (query.limit_clause.is_some() || query.fetch.is_some(), "`LIMIT`"),
            (!query.locks.is_empty() || query.for_clause.is_some(), "`FOR`"),
            (query.settings.is_some() || query.format_clause.is_some(), "`SETTINGS` or `FORMAT`"),
            (!query.pipe_operators.is_empty(), "`|>`"),
        ];
        match refused.iter().find(|(present, _)| *present) {
            Some((_, construct)) => Err(self.place.unavailable(construct)),
            None => self.term(&query.body),
        }
    }

    fn term(&self, term: &SetExpr) -> Checked<Output> {
        match term {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::Values(values) => self.values(values),
            SetExpr::SetOperation { op, set_quantifier, left, right } => {
                let place = Place::at(right.as_ref(), self.place);
                match (op, set_quantifier) {
                    (SetOperator::Union, SetQuantifier::All) => self.union(left, right, "`UNION ALL`", place),
                    (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => {
                        let all = self.union(left, right, "`UNION`", place)?;
                        self.distinct(all, "`UNION`", place)
                    }
                    (other, _) => Err(place.unavailable(&format!("`{other}`"))),
                }
            }
            other => Err(self.place.unavailable(&format!("the query `{other}`"))),
        }
    }

    fn union(&self, left: &SetExpr, right: &SetExpr, name: &str, place: Place) -> Checked<Output> {
        let (left, right) = (self.term(left)?, self.term(right)?);
        if left.columns.len() != right.columns.len() {
            let (a, b) = (left.columns.len(), right.columns.len());
            let error = place.refuse(format!("the branches of {name} have {a} and {b} columns"));
            return Err(hinted(error, Some("select as many columns in each, in the same order".to_string())));
        }
        let mut types = Vec::with_capacity(left.columns.len());
        for (index, (a, b)) in left.columns.iter().zip(&right.columns).enumerate() {
            types.push(match (&a.data_type, &b.data_type) {
                (DataType::Null, other) => other.clone(),
                (of, DataType::Null) => of.clone(),
                (of, other) if same(of, other) => of.clone(),
                (of, other) => {
                    let (of, other) = (type_name(of), type_name(other));
                    let text = format!(
                        "column {} of {name} is {of} in one branch and {other} in another",
                        index + 1
                    );
                    return Err(hinted(
                        b.place.refuse(text),
                        Some("give both one type with `CAST`".to_string()),
                    ));
                }
            });
        }
        let names = unique_names(left.columns.iter().map(|column| column.name.as_deref()));
        let inputs = vec![
            Arc::new(self.branch(&left, &types, &names)?),
            Arc::new(self.branch(&right, &types, &names)?),
        ];
        let clocks = inputs.iter().map(|input| {
            input.schema().fields().iter().map(|field| has_utc_clock(field)).collect::<Vec<_>>()
        });
        let clocks: Vec<Vec<bool>> = clocks.collect();
        // Event times of two clocks are two different times under one name, unless the job's zone is UTC.
        let one_clock = |index: usize| {
            self.options.time_zone == "UTC" || clocks.iter().all(|clock| clock[index] == clocks[0][index])
        };
        let union = Union::try_new(inputs).map_err(|error| self.unplanned(error))?;
        let columns = union.schema.columns();
        let columns = columns.into_iter().zip(types).zip(left.columns.into_iter().zip(right.columns));
        let columns = columns.enumerate().map(|(index, ((column, data_type), (a, b)))| OutputColumn {
            column,
            data_type,
            time: a.time.filter(|_| a.time == b.time && one_clock(index)),
            ..a
        });
        let columns = columns.collect();
        Ok(Output { plan: LogicalPlan::Union(union), columns })
    }

    /// Keeps each row once.
    pub(super) fn distinct(&self, output: Output, what: &str, place: Place) -> Checked<Output> {
        for column in &output.columns {
            if matches!(column.data_type, DataType::Map(..)) {
                return Err(column.place.refuse(format!("{what} cannot compare MAP values")));
            }
        }
        let text = format!(
            "{what} remembers each row until it has been idle for `idle_state_retention`, and then gives it out again"
        );
        let hint = "set `idle_state_retention` to the time after which a row may be forgotten";
        self.warn(WarningKind::StateUntilIdle, place, text, Some(hint));
        let columns = output.columns.into_iter().map(|column| OutputColumn { time: None, ..column });
        Ok(Output {
            columns: columns.collect(),
            plan: LogicalPlan::Distinct(Distinct::All(Arc::new(output.plan))),
        })
    }

    /// Gives a branch of a union the types and names that all have.
    fn branch(&self, output: &Output, types: &[DataType], names: &[String]) -> Checked<LogicalPlan> {
        let mut columns = Vec::with_capacity(types.len());
        for ((column, to), name) in output.columns.iter().zip(types).zip(names) {
            let Some(value) = convert(column.bound(), to) else {
                return Err(column.place.refuse(format!("this column cannot become {}", type_name(to))));
            };
            columns.push(value.expr.alias(name));
        }
        let projection = Projection::try_new(columns, Arc::new(output.plan.clone()));
        Ok(LogicalPlan::Projection(projection.map_err(|error| self.unplanned(error))?))
    }

    fn values(&self, values: &Values) -> Checked<Output> {
        let scope = self.no_input()?;
        let binder = self.binder(&scope, Stage::Row("in `VALUES`"));
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let mut columns: Vec<Vec<(Bound, Place)>> = vec![Vec::new(); width];
        for row in &values.rows {
            if row.content.len() != width {
                let place = row.content.first().map_or(self.place, |first| binder.at(first));
                let text =
                    format!("this row of `VALUES` has {} values, the first has {width}", row.content.len());
                return Err(place.refuse(text));
            }
            for (column, value) in columns.iter_mut().zip(&row.content) {
                column.push((binder.bind(value)?, binder.at(value)));
            }
        }
        let mut types = Vec::with_capacity(width);
        let mut rows: Vec<Vec<Expr>> = vec![Vec::with_capacity(width); values.rows.len()];
        let mut places = Vec::with_capacity(width);
        for column in columns {
            let place = column.first().map_or(self.place, |(_, place)| *place);
            let (column, data_type) = unified(column, "the values of one column of `VALUES`", place)?;
            for (row, value) in rows.iter_mut().zip(column) {
                row.push(super::fold::fold(value));
            }
            types.push(data_type);
            places.push(place);
        }
        let fields: Vec<_> = types
            .iter()
            .enumerate()
            .map(|(index, of)| arrow::datatypes::Field::new(format!("EXPR${index}"), of.clone(), true))
            .collect();
        let schema = DFSchema::try_from(Schema::new(fields)).map_err(|error| self.unplanned(error))?;
        let columns = schema.columns().into_iter().zip(types).zip(places);
        let columns = columns
            .map(|((column, data_type), place)| OutputColumn {
                name: None,
                column,
                data_type,
                time: None,
                place,
            })
            .collect();
        let plan = LogicalPlan::Values(ValuesNode { schema: Arc::new(schema), values: rows });
        Ok(Output { plan, columns })
    }
}

/// Returns a name for every column; unnamed and repeated ones get names of their own.
pub(super) fn unique_names<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Vec<String> {
    let mut used = std::collections::HashSet::new();
    let mut unique = Vec::new();
    for (index, name) in names.enumerate() {
        let base = name.map_or_else(|| format!("EXPR${index}"), str::to_string);
        let mut candidate = base.clone();
        let mut count = 0;
        while !used.insert(candidate.to_lowercase()) {
            candidate = format!("{base}{count}");
            count += 1;
        }
        unique.push(candidate);
    }
    unique
}

/// Returns names for columns that a node adds to those of its input: `prefix` with a number that no column has.
pub(super) fn fresh_names(input: &LogicalPlan, prefix: &str, count: usize) -> Vec<String> {
    let taken = |name: &String| input.schema().fields().iter().any(|field| field.name() == name);
    (0..).map(|number| format!("{prefix}{number}")).filter(|name| !taken(name)).take(count).collect()
}
