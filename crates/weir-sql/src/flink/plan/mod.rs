//! Plans as queries: each node is a SELECT over the one below it.
//!
//! The columns of every SELECT have names of their own, `c0` and so on, so that names that a plan tells apart by
//! their stream, or repeats, need no thought. A time attribute goes up as long as it is a plain column.

mod group;
mod join;
mod lookup;
mod over;
mod pattern;

use datafusion_expr::{LogicalPlan, Projection, Union, Values};

use super::ddl::rowtime_name;
use super::expression::{Scope, expression};
use super::{FlinkOptions, NotInFlink, Translated, quoted};
use crate::Job;
use crate::nodes::{Expand, LookupJoin, MatchRecognize, OverWindow, StreamJoin, Unnest};

/// The rows of a node: what stands after FROM, and how its columns are called there.
pub(super) struct Relation {
    /// A table, or a sub-query in brackets; `None` stands for one row without columns.
    body: Option<String>,
    /// What it is called, quoted. A table goes by its own name.
    alias: Option<String>,
    pub(super) columns: Vec<OutColumn>,
}

/// A column of a [`Relation`].
#[derive(Clone)]
pub(super) struct OutColumn {
    /// Its name, quoted.
    pub(super) name: String,
    /// The TIMESTAMP column that is the event time, when this one is a BIGINT or the wall clock of another zone.
    pub(super) rowtime: Option<String>,
    /// For the window of a GROUP BY, which is no value in Flink: its start, end and time attribute.
    pub(super) window: Option<WindowColumns>,
}

/// The columns that stand for a window.
#[derive(Clone)]
pub(super) struct WindowColumns {
    pub(super) start: String,
    pub(super) end: String,
    pub(super) time: String,
}

impl WindowColumns {
    fn numbered(index: usize) -> Self {
        Self {
            start: format!("`w{index}_start`"),
            end: format!("`w{index}_end`"),
            time: format!("`w{index}_time`"),
        }
    }
}

impl OutColumn {
    pub(super) fn plain(name: String) -> Self {
        Self { name, rowtime: None, window: None }
    }
}

/// Adds the names in lower case of the streams and dimension tables that a plan reads.
pub(super) fn scanned(plan: &LogicalPlan, names: &mut Vec<String>) {
    match plan {
        LogicalPlan::TableScan(scan) => names.push(scan.table_name.table().to_lowercase()),
        LogicalPlan::Extension(extension) => {
            if let Some(join) = extension.node.as_any().downcast_ref::<LookupJoin>() {
                names.push(join.table.to_lowercase());
            }
        }
        _ => {}
    }
    plan.inputs().into_iter().for_each(|input| scanned(input, names));
}

/// Returns the query of an INSERT.
pub(super) fn query(plan: &LogicalPlan, job: &Job, options: &FlinkOptions) -> Translated<String> {
    let mut writer = Writer { job, options, aliases: 0 };
    match plan {
        LogicalPlan::Projection(projection) => Ok(writer.select(projection, Names::Declared)?.0),
        other => {
            let relation = writer.relation(other)?;
            let columns: Vec<&str> = relation.columns.iter().map(|column| column.name.as_str()).collect();
            Ok(format!("SELECT {} FROM {}", columns.join(", "), writer.from(&relation)))
        }
    }
}

/// How the columns of a SELECT are called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// As in the plan: the columns of the target.
    Declared,
    /// By their number.
    Numbered,
}

struct Writer<'a> {
    job: &'a Job,
    options: &'a FlinkOptions,
    aliases: usize,
}

impl Writer<'_> {
    fn from(&self, relation: &Relation) -> String {
        match (&relation.body, &relation.alias) {
            (None, _) => "(VALUES (0)) AS `nothing`(`zero`)".to_string(),
            (Some(table), None) => table.clone(),
            (Some(body), Some(alias)) => format!("{body} AS {alias}"),
        }
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("`t{}`", self.aliases)
    }

    fn sub_query(&mut self, select: &str, columns: Vec<OutColumn>) -> Relation {
        let indented = select.replace('\n', "\n  ");
        Relation { body: Some(format!("(\n  {indented}\n)")), alias: Some(self.alias()), columns }
    }

    /// Gives a relation an alias of its own, which its columns carry.
    fn aliased(&mut self, relation: Relation) -> Relation {
        let alias = self.alias();
        let body = relation.body.unwrap_or_else(|| "(SELECT 0)".to_string());
        let columns = relation.columns.into_iter().map(|column| OutColumn {
            name: format!("{alias}.{}", column.name),
            rowtime: column.rowtime.map(|rowtime| format!("{alias}.{rowtime}")),
            window: column.window.map(|window| WindowColumns {
                start: format!("{alias}.{}", window.start),
                end: format!("{alias}.{}", window.end),
                time: format!("{alias}.{}", window.time),
            }),
        });
        Relation { body: Some(body), columns: columns.collect(), alias: Some(alias) }
    }

    fn relation(&mut self, plan: &LogicalPlan) -> Translated<Relation> {
        match plan {
            LogicalPlan::TableScan(scan) => Ok(self.scan(scan.table_name.table(), plan)),
            LogicalPlan::SubqueryAlias(alias) => self.relation(&alias.input),
            LogicalPlan::Projection(projection) => {
                let (select, columns) = self.select(projection, Names::Numbered)?;
                Ok(self.sub_query(&select, columns))
            }
            LogicalPlan::Filter(filter) => {
                let input = self.relation(&filter.input)?;
                let scope = Scope::new(filter.input.schema(), &input.columns, self.options);
                let condition = expression(&filter.predicate, &scope)?;
                let select = format!("SELECT * FROM {} WHERE {condition}", self.from(&input));
                Ok(self.sub_query(&select, input.columns))
            }
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Distinct(distinct) => {
                // Not `*`: a scan has fewer columns than its table, where the query reads fewer.
                let input = self.relation(distinct.input())?;
                let (items, columns) = renumbered(&input.columns);
                let select = format!("SELECT DISTINCT {} FROM {}", items.join(", "), self.from(&input));
                Ok(self.sub_query(&select, columns))
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::EmptyRelation(_) => Ok(Relation { body: None, alias: None, columns: Vec::new() }),
            LogicalPlan::Values(values) => self.values(values),
            LogicalPlan::Extension(extension) => self.extension(extension.node.as_ref()),
            other => Err(NotInFlink::new(format!("`{}` has no form in Flink SQL", other.display()))),
        }
    }

    fn extension(&mut self, node: &dyn datafusion_expr::UserDefinedLogicalNode) -> Translated<Relation> {
        let any = node.as_any();
        if let Some(over) = any.downcast_ref::<OverWindow>() {
            return self.over(over);
        }
        if let Some(unnest) = any.downcast_ref::<Unnest>() {
            return self.unnest(unnest);
        }
        if let Some(join) = any.downcast_ref::<StreamJoin>() {
            return self.join(join);
        }
        if let Some(join) = any.downcast_ref::<LookupJoin>() {
            return self.lookup(join);
        }
        if let Some(expand) = any.downcast_ref::<Expand>() {
            return self.expand(expand);
        }
        if let Some(pattern) = any.downcast_ref::<MatchRecognize>() {
            return self.match_recognize(pattern);
        }
        Err(NotInFlink::new(format!("`{}` has no form in Flink SQL", node.name())))
    }

    fn scan(&mut self, name: &str, plan: &LogicalPlan) -> Relation {
        let source = self.job.sources.iter().find(|source| source.name.eq_ignore_ascii_case(name));
        let rowtime = source.and_then(|source| {
            let field = source.declared.field(source.time.rowtime?);
            needs_rowtime(field.data_type(), self.options).then(|| field.name().clone())
        });
        let columns = plan
            .schema()
            .fields()
            .iter()
            .map(|field| OutColumn {
                rowtime: rowtime
                    .as_ref()
                    .filter(|name| *name == field.name())
                    .map(|name| quoted(&rowtime_name(name))),
                ..OutColumn::plain(quoted(field.name()))
            })
            .collect();
        Relation { body: Some(quoted(name)), alias: None, columns }
    }

    fn union(&mut self, union: &Union) -> Translated<Relation> {
        let relations =
            union.inputs.iter().map(|input| self.relation(input)).collect::<Translated<Vec<_>>>()?;
        let width = relations.iter().map(|relation| relation.columns.len()).min().unwrap_or(0);
        // An event time goes on where every branch has it.
        let timed: Vec<bool> = (0..width)
            .map(|index| relations.iter().all(|relation| relation.columns[index].rowtime.is_some()))
            .collect();
        let mut branches = Vec::with_capacity(relations.len());
        let mut columns = Vec::new();
        for relation in &relations {
            let own = relation.columns.iter().zip(&timed).map(|(column, timed)| OutColumn {
                rowtime: column.rowtime.clone().filter(|_| *timed),
                ..column.clone()
            });
            let (items, named) = renumbered(&own.collect::<Vec<_>>());
            branches.push(format!("SELECT {} FROM {}", select_list(&items), self.from(relation)));
            columns = named;
        }
        Ok(self.sub_query(&branches.join("\nUNION ALL\n"), columns))
    }

    fn values(&mut self, values: &Values) -> Translated<Relation> {
        let scope = Scope::empty(self.options);
        let rows = values
            .values
            .iter()
            .map(|row| {
                let values = row.iter().map(|value| expression(value, &scope));
                Ok(format!("({})", values.collect::<Translated<Vec<_>>>()?.join(", ")))
            })
            .collect::<Translated<Vec<_>>>()?;
        let names: Vec<String> = (0..values.schema.fields().len()).map(numbered).collect();
        let alias = self.alias();
        let select = format!("SELECT * FROM (VALUES {}) AS {alias}({})", rows.join(", "), names.join(", "));
        Ok(self.sub_query(&select, names.into_iter().map(OutColumn::plain).collect()))
    }

    fn select(&mut self, projection: &Projection, names: Names) -> Translated<(String, Vec<OutColumn>)> {
        let input = self.relation(&projection.input)?;
        let scope = Scope::new(projection.input.schema(), &input.columns, self.options);
        let mut items = Vec::with_capacity(projection.expr.len());
        let mut columns = Vec::with_capacity(projection.expr.len());
        for (index, item) in projection.expr.iter().enumerate() {
            let name = match names {
                Names::Declared => quoted(projection.schema.field(index).name()),
                Names::Numbered => numbered(index),
            };
            items.push(format!("{} AS {name}", expression(item, &scope)?));
            let mut column = OutColumn::plain(name);
            if names == Names::Numbered
                && let Some(rowtime) = scope.column_of(item).and_then(|column| column.rowtime.clone())
            {
                items.push(format!("{rowtime} AS {}", numbered_rowtime(index)));
                column.rowtime = Some(numbered_rowtime(index));
            }
            columns.push(column);
        }
        let list = select_list(&items);
        let select = match &input.body {
            None => format!("SELECT {list}"),
            Some(_) => format!("SELECT {list} FROM {}", self.from(&input)),
        };
        Ok((select, columns))
    }
}

/// Returns whether the event time is a column beside the declared one: Flink takes a TIMESTAMP, and aligns windows to its
/// wall clock.
pub(super) fn needs_rowtime(of: &arrow::datatypes::DataType, options: &FlinkOptions) -> bool {
    *of == arrow::datatypes::DataType::Int64 || !options.is_utc()
}

/// Returns a select list; a query may read no column at all of its input, and Flink wants one.
fn select_list(items: &[String]) -> String {
    match items.is_empty() {
        true => "0 AS `nothing`".to_string(),
        false => items.join(", "),
    }
}

/// Selects all columns again, named by their place, so that others can follow them.
fn renumbered(columns: &[OutColumn]) -> (Vec<String>, Vec<OutColumn>) {
    let mut items = Vec::with_capacity(columns.len());
    let mut named = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let mut select = |from: &str, name: String| {
            items.push(format!("{from} AS {name}"));
            name
        };
        if let Some(window) = &column.window {
            let own = WindowColumns::numbered(index);
            select(&window.start, own.start.clone());
            select(&window.end, own.end.clone());
            select(&window.time, own.time.clone());
            named.push(OutColumn { window: Some(own), ..OutColumn::plain(numbered(index)) });
            continue;
        }
        let name = select(&column.name, numbered(index));
        let rowtime = column.rowtime.as_ref().map(|rowtime| select(rowtime, numbered_rowtime(index)));
        named.push(OutColumn { rowtime, ..OutColumn::plain(name) });
    }
    (items, named)
}

fn numbered(index: usize) -> String {
    format!("`c{index}`")
}

fn numbered_rowtime(index: usize) -> String {
    format!("`c{index}__rowtime`")
}
