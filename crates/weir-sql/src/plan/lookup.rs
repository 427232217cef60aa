//! Plans joins with dimension tables.
//!
//! `ON` says which columns of the table a row of the stream gives values for, and nothing else: a table is looked up
//! by these values and never read as a whole.

use std::sync::Arc;

use datafusion_common::{Column, DataFusionError};
use datafusion_expr::{Expr, Extension, LogicalPlan};
use sqlparser::ast::{Expr as SqlExpr, TableFactor, TableWithJoins};
use weir_base::connector::TableKeys;
use weir_functions::conversion::type_name;

use super::condition::{Conjunct, equality};
use super::expr::Stage;
use super::from::JoinKind;
use super::query::Planner;
use super::refuse::{Checked, Place, hinted};
use super::scope::{Scope, ScopeColumn};
use crate::DimensionTable;
use crate::nodes::LookupJoin;
use crate::suggest::listed;

/// A table in `FROM`.
struct Looked<'a> {
    table: &'a DimensionTable,
    /// Its columns as the query sees them.
    columns: Vec<ScopeColumn>,
    place: Place,
}

impl<'s> Planner<'s> {
    /// Returns the dimension table that an entry of `FROM` names.
    pub(super) fn dimension_table(&self, factor: &TableFactor) -> Option<&'s DimensionTable> {
        let TableFactor::Table { name, args: None, .. } = factor else { return None };
        let [only] = name.0.as_slice() else { return None };
        let name = &only.as_ident()?.value;
        self.streams.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// Returns the stream that is joined with a dimension table written before it, and the join as if the table came
    /// last; `None` when the first entry is no table, or is joined with none.
    pub(super) fn table_first<'a>(
        &self,
        entry: &'a TableWithJoins,
    ) -> Checked<Option<(&'a TableFactor, JoinKind, Option<&'a SqlExpr>)>> {
        let (Some(table), Some(join)) = (self.dimension_table(&entry.relation), entry.joins.first()) else {
            return Ok(None);
        };
        if self.is_dependent(&join.relation) {
            return Ok(None);
        }
        let (kind, on) = self.kind_of(join)?;
        let turned = match kind {
            JoinKind::Right => JoinKind::Left,
            JoinKind::Left | JoinKind::Full => {
                let text = format!(
                    "`{}` cannot keep the rows of dimension table `{}`, which is looked up and never read as a whole",
                    kind.written(),
                    table.name
                );
                let hint = "write the stream before the table";
                return Err(hinted(
                    Place::at(&entry.relation, self.place).refuse(text),
                    Some(hint.to_string()),
                ));
            }
            other => other,
        };
        Ok(Some((&join.relation, turned, on)))
    }

    /// Joins rows with a dimension table.
    pub(super) fn look_up(
        &self,
        left: Scope,
        factor: &TableFactor,
        kind: JoinKind,
        on: Option<&SqlExpr>,
    ) -> Checked<Scope> {
        let place = Place::at(factor, self.place);
        let Some(table) = self.dimension_table(factor) else {
            return Err(place.unavailable(&format!("`{factor}` in a join")));
        };
        let name = &table.name;
        let how = format!("write `FROM stream JOIN {name} ON {name}.{} = ...`", table.schema.field(0).name());
        let refused = |text: String| Err(hinted(place.refuse(text), Some(how.clone())));
        if left.columns.is_empty() {
            return refused(format!("`{name}` is a dimension table, which cannot be read but by a join"));
        }
        let outer = match kind {
            JoinKind::Inner => false,
            JoinKind::Left => true,
            other => {
                return refused(format!(
                    "a dimension table is joined by `JOIN` or `LEFT JOIN`, not by {}",
                    other.described()
                ));
            }
        };
        let Some(on) = on else { return refused("a join with a dimension table needs `ON`".to_string()) };
        let names = names_apart(&left.plan, table);
        let node = |plan: LogicalPlan, keys| {
            LookupJoin::try_new(plan, (name, &table.schema), &names, keys, outer)
                .map(|node| LogicalPlan::Extension(Extension { node: Arc::new(node) }))
                .map_err(|error: DataFusionError| self.unplanned(error))
        };
        let looked = Looked { table, columns: self.table_columns(factor, table, &names)?, place };
        let mut columns = left.columns;
        columns.extend(looked.columns.iter().cloned());
        // The condition is read over the columns of both, before there is a plan that has them.
        let both = Scope { columns, plan: node(left.plan.clone(), Vec::new())? };
        let mut parts = Vec::new();
        self.binder(&both, Stage::Row("in `ON`")).conjuncts(on, "`ON`", &mut parts)?;
        let keys = looked.keys(parts)?;
        Ok(Scope { plan: node(left.plan, keys)?, columns: both.columns })
    }

    fn table_columns(
        &self,
        factor: &TableFactor,
        table: &DimensionTable,
        names: &[String],
    ) -> Checked<Vec<ScopeColumn>> {
        let columns = table.schema.fields().iter().zip(names).map(|(field, name)| ScopeColumn {
            qualifier: Some(table.name.clone()),
            name: Some(field.name().clone()),
            column: Column::from_name(name),
            data_type: field.data_type().clone(),
            time: None,
        });
        let scope = Scope { columns: columns.collect(), ..self.no_input()? };
        let alias = match factor {
            TableFactor::Table { alias, .. } => alias.as_ref(),
            _ => None,
        };
        Ok(self.aliased(scope, alias, Place::at(factor, self.place))?.columns)
    }
}

impl Looked<'_> {
    /// Returns the columns of the table that are compared, in their order, and with what.
    fn keys(&self, parts: Vec<Conjunct>) -> Checked<Vec<(usize, Expr)>> {
        let mut keys: Vec<(usize, Expr)> = Vec::with_capacity(parts.len());
        for part in parts {
            let (column, value) = self.key(&part)?;
            if keys.iter().any(|(known, _)| *known == column) {
                let error =
                    part.place.refuse(format!("column `{}` is compared twice in `ON`", self.name_of(column)));
                let hint = "a look-up takes one value for each column; move the other comparison to `WHERE`";
                return Err(hinted(error, Some(hint.to_string())));
            }
            keys.push((column, value));
        }
        keys.sort_by_key(|(column, _)| *column);
        if keys.is_empty() {
            return Err(hinted(
                self.place.refuse(format!("`ON` gives no value for a column of `{}`", self.table.name)),
                Some("a dimension table is looked up by equalities with its columns".to_string()),
            ));
        }
        self.check_key_set(&keys)?;
        Ok(keys)
    }

    /// Reads one equality: a column of the table on one side, and none on the other.
    fn key(&self, part: &Conjunct) -> Checked<(usize, Expr)> {
        let refused = || {
            let name = &self.table.name;
            let text = format!(
                "`ON` of a join with dimension table `{name}` holds only equalities of its columns with values of the stream, joined by `AND`"
            );
            Err(hinted(part.place.refuse(text), Some("move other conditions to `WHERE`".to_string())))
        };
        let Some((a, b)) = equality(&part.expr) else { return refused() };
        let reads_table =
            |expr: &Expr| expr.column_refs().into_iter().any(|column| self.index_of(column).is_some());
        let (own, value) = match (reads_table(a), reads_table(b)) {
            (true, false) => (a, b),
            (false, true) => (b, a),
            _ => return refused(),
        };
        match own {
            Expr::Column(column) => match self.index_of(column) {
                Some(index) => Ok((index, value.clone())),
                None => refused(),
            },
            converted => match converted.column_refs().into_iter().next() {
                Some(column) if is_conversion(converted) => self.refuse_conversion(column, part.place),
                _ => refused(),
            },
        }
    }

    /// A look-up compares values of the type of the column: the table cannot convert its own for it.
    fn refuse_conversion(&self, column: &Column, place: Place) -> Checked<(usize, Expr)> {
        let Some(index) = self.index_of(column) else {
            return Err(place.refuse("a column of a dimension table is not compared as it is"));
        };
        let of = type_name(self.table.schema.field(index).data_type());
        let name = self.name_of(index);
        let error = place.refuse(format!(
            "column `{name}` of dimension table `{}` is {of} and would have to be converted to be compared",
            self.table.name
        ));
        Err(hinted(error, Some(format!("convert the other side with `CAST(... AS {of})`"))))
    }

    /// Checks that the connector can look the table up by these columns.
    fn check_key_set(&self, keys: &[(usize, Expr)]) -> Checked<()> {
        let TableKeys::Exactly(wanted) = &self.table.keys else { return Ok(()) };
        if keys.iter().map(|(column, _)| column).eq(wanted) {
            return Ok(());
        }
        let names = listed(wanted.iter().map(|column| self.name_of(*column)));
        let text = format!("table `{}` can be looked up by {names} alone", self.table.name);
        let extra = keys.iter().find(|(column, _)| !wanted.contains(column));
        let hint = match extra {
            Some((column, _)) => format!("move the comparison of `{}` to `WHERE`", self.name_of(*column)),
            None => "`ON` must compare all of them".to_string(),
        };
        Err(hinted(self.place.refuse(text), Some(hint)))
    }

    fn index_of(&self, column: &Column) -> Option<usize> {
        self.columns.iter().position(|own| own.column == *column)
    }

    fn name_of(&self, column: usize) -> &str {
        self.table.schema.field(column).name()
    }
}

/// Tells whether an expression is one column, converted.
fn is_conversion(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Cast(cast) => is_conversion(&cast.expr),
        Expr::ScalarFunction(call) => {
            matches!(call.args.as_slice(), [only] if is_conversion(only)) && call.name().starts_with("cast")
        }
        _ => false,
    }
}

/// Returns names for the columns of a table in the plan: their own, with a number where the input has the name.
fn names_apart(input: &LogicalPlan, table: &DimensionTable) -> Vec<String> {
    let mut taken: Vec<String> = input.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut names = Vec::with_capacity(table.schema.fields().len());
    for field in table.schema.fields() {
        let mut name = field.name().clone();
        let mut number = 2;
        while taken.contains(&name) {
            name = format!("{}_{number}", field.name());
            number += 1;
        }
        taken.push(name.clone());
        names.push(name);
    }
    names
}
