//! Plans FROM: streams and sub-queries. How several are joined is in `join`.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_common::{DFSchema, TableReference};
use datafusion_expr::logical_plan::TableScanBuilder;
use datafusion_expr::{EmptyRelation, LogicalPlan, TableSource};
use sqlparser::ast::{
    Expr as SqlExpr, Join, JoinConstraint, JoinOperator, TableAlias, TableFactor, TableWithJoins,
};

use super::Streams;
use super::bound::TimeAttribute;
use super::expr::Stage;
use super::query::Planner;
use super::refuse::{Checked, Place, did_you_mean, hinted};
use super::scope::{Scope, ScopeColumn};
use crate::TIME_ATTRIBUTE;

/// How an entry of FROM is joined with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    /// `CROSS JOIN`, or a comma.
    Cross,
}

impl JoinKind {
    /// Returns how the join is written.
    pub(super) fn written(self) -> &'static str {
        match self {
            JoinKind::Inner => "JOIN",
            JoinKind::Left => "LEFT JOIN",
            JoinKind::Right => "RIGHT JOIN",
            JoinKind::Full => "FULL JOIN",
            JoinKind::Cross => "CROSS JOIN",
        }
    }

    /// Returns the join as messages call it.
    pub(super) fn described(self) -> String {
        match self {
            JoinKind::Cross => "`CROSS JOIN` or a comma".to_string(),
            other => format!("`{}`", other.written()),
        }
    }
}

/// A stream as the leaf of a plan; it is never scanned through this value.
#[derive(Debug)]
struct StreamSource(SchemaRef);

impl TableSource for StreamSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0)
    }
}

impl Planner<'_> {
    /// Tells whether an entry of FROM is computed, or looked up, from the rows of the entries before it.
    pub(super) fn is_dependent(&self, factor: &TableFactor) -> bool {
        matches!(factor, TableFactor::UNNEST { .. } | TableFactor::Function { .. })
            || self.dimension_table(factor).is_some()
    }

    /// Returns the input of a SELECT without FROM: one row without columns.
    pub(super) fn no_input(&self) -> Checked<Scope> {
        let plan = LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: true,
            schema: Arc::new(DFSchema::empty()),
        });
        Ok(Scope { columns: vec![], plan })
    }

    /// Plans FROM and WHERE.
    pub(super) fn from(&self, from: &[TableWithJoins], condition: Option<&SqlExpr>) -> Checked<Scope> {
        let mut scope = match from {
            [] => self.no_input()?,
            [one] if one.joins.is_empty() && !self.is_dependent(&one.relation) => {
                self.table(&one.relation)?
            }
            several => return self.joined(several, condition),
        };
        if let Some(condition) = condition {
            let binder = self.binder(&scope, Stage::Row("in `WHERE`"));
            let predicate = binder.bind_condition(condition, "`WHERE`")?;
            scope.plan = self.filter(predicate, scope.plan)?;
        }
        Ok(scope)
    }

    /// Returns how an entry is joined, and its condition.
    pub(super) fn kind_of<'a>(&self, join: &'a Join) -> Checked<(JoinKind, Option<&'a SqlExpr>)> {
        let (kind, constraint) = match &join.join_operator {
            JoinOperator::Join(on) | JoinOperator::Inner(on) => (JoinKind::Inner, on),
            JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (JoinKind::Left, on),
            JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (JoinKind::Right, on),
            JoinOperator::FullOuter(on) => (JoinKind::Full, on),
            JoinOperator::CrossJoin(on) => (JoinKind::Cross, on),
            _ => return Err(Place::at(join, self.place).unavailable("this kind of join")),
        };
        match constraint {
            JoinConstraint::On(condition) => Ok((kind, Some(condition))),
            JoinConstraint::None => Ok((kind, None)),
            _ => Err(Place::at(join, self.place).unavailable("`USING` and `NATURAL`")),
        }
    }

    /// Joins rows with an entry that is computed from them.
    pub(super) fn dependent(
        &self,
        left: Scope,
        right: &TableFactor,
        kind: JoinKind,
        on: Option<&SqlExpr>,
    ) -> Checked<Scope> {
        match right {
            TableFactor::UNNEST { .. } | TableFactor::Function { .. } => {
                self.correlate(left, right, kind, on)
            }
            _ => self.look_up(left, right, kind, on),
        }
    }

    /// Plans an entry that stands for itself.
    pub(super) fn table(&self, factor: &TableFactor) -> Checked<Scope> {
        let place = Place::at(factor, self.place);
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                version: None,
                with_ordinality: false,
                sample: None,
                ..
            } => {
                let written = name.to_string();
                let last = name.0.last().and_then(|part| part.as_ident());
                let searched = last.map_or(written.as_str(), |ident| ident.value.as_str());
                if name.0.len() > 1 {
                    return Err(place.unavailable("a name with a catalog or schema"));
                }
                self.aliased(self.stream(searched, place)?, alias.as_ref(), place)
            }
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                let output = self.query(subquery)?;
                let columns = output.columns.into_iter().map(|column| ScopeColumn {
                    qualifier: None,
                    name: column.name,
                    column: column.column,
                    data_type: column.data_type,
                    time: column.time,
                });
                let scope = Scope { columns: columns.collect(), plan: output.plan };
                self.aliased(scope, alias.as_ref(), place)
            }
            TableFactor::MatchRecognize { table, alias, .. } => {
                let matches = self.match_recognize(self.table(table)?, factor)?;
                self.aliased(matches, alias.as_ref(), place)
            }
            other => Err(place.unavailable(&format!("`{other}` in `FROM`"))),
        }
    }

    pub(super) fn aliased(
        &self,
        mut scope: Scope,
        alias: Option<&TableAlias>,
        place: Place,
    ) -> Checked<Scope> {
        let Some(alias) = alias else { return Ok(scope) };
        for column in &mut scope.columns {
            column.qualifier = Some(alias.name.value.clone());
        }
        if alias.columns.is_empty() {
            return Ok(scope);
        }
        if alias.columns.len() != scope.columns.len() {
            let (a, b) = (alias.columns.len(), scope.columns.len());
            return Err(place.refuse(format!("`{}` names {a} columns, but there are {b}", alias.name.value)));
        }
        for (column, name) in scope.columns.iter_mut().zip(&alias.columns) {
            column.name = Some(name.name.value.clone());
        }
        Ok(scope)
    }

    /// Finds a stream that can be read.
    fn stream(&self, name: &str, place: Place) -> Checked<Scope> {
        let Streams { sources, temps, sinks, tables } = self.streams;
        let readable = sources
            .iter()
            .map(|source| (&source.name, &source.schema))
            .chain(temps.iter().map(|temp| (&temp.name, &temp.schema)));
        if let Some((own, schema)) = readable.clone().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            return self.scan(own, schema);
        }
        if sinks.iter().any(|sink| sink.name.eq_ignore_ascii_case(name)) {
            let error = place.refuse(format!("`{name}` is a sink stream; it cannot be read"));
            return Err(hinted(error, Some("a temp stream can be written and read".to_string())));
        }
        let names =
            readable.map(|(own, _)| own.as_str()).chain(tables.iter().map(|table| table.name.as_str()));
        let hint = did_you_mean(name, names);
        Err(hinted(place.refuse(format!("stream `{name}` is not declared before this statement")), hint))
    }

    fn scan(&self, name: &str, schema: &SchemaRef) -> Checked<Scope> {
        let source = Arc::new(StreamSource(Arc::clone(schema)));
        let scan = TableScanBuilder::new(TableReference::bare(name), source)
            .build()
            .map_err(|error| self.unplanned(error))?;
        let columns = scan.projected_schema.columns().into_iter().zip(schema.fields());
        let columns = columns.map(|(column, field)| ScopeColumn {
            qualifier: Some(name.to_string()),
            name: Some(field.name().clone()),
            column,
            data_type: field.data_type().clone(),
            time: field.metadata().get(TIME_ATTRIBUTE).and_then(|value| TimeAttribute::parse(value)),
        });
        let columns = columns.collect();
        Ok(Scope { columns, plan: LogicalPlan::TableScan(scan) })
    }
}
