//! Plans as queries: each node is a SELECT over the one below it.
//!
//! The columns of every SELECT have names of their own, `c0` and so on, so that names that a plan tells apart by
//! their stream, or repeats, need no thought. A time attribute goes up as long as it is a plain column.

use datafusion_common::Column;
use datafusion_expr::{Aggregate, Expr, LogicalPlan, Projection};
use weir_functions::window::{WindowKind, window_of};

use super::ddl::rowtime_name;
use super::expression::{Scope, expression};
use super::literal::interval;
use super::{FlinkOptions, NotInFlink, Translated, quoted};
use crate::Job;
use crate::nodes::{JoinKind, OverFrame, OverWindow, StreamJoin, Unnest};

/// The rows of a node: what stands after FROM, and how its columns are called there.
pub(super) struct Relation {
    /// A table or a sub-query with its alias; `None` stands for one row without columns.
    pub(super) from: Option<String>,
    pub(super) columns: Vec<OutColumn>,
}

/// A column of a [`Relation`].
#[derive(Clone)]
pub(super) struct OutColumn {
    /// Its name, quoted.
    pub(super) name: String,
    /// The TIMESTAMP column that is the event time, when this one is a BIGINT.
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

impl OutColumn {
    fn plain(name: String) -> Self {
        Self { name, rowtime: None, window: None }
    }
}

/// Adds the names in lower case of the streams that a plan reads.
pub(super) fn scanned(plan: &LogicalPlan, names: &mut Vec<String>) {
    if let LogicalPlan::TableScan(scan) = plan {
        names.push(scan.table_name.table().to_lowercase());
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
            Ok(format!("SELECT * FROM {}", writer.from(&relation)))
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
        relation.from.clone().unwrap_or_else(|| "(VALUES (0)) AS `nothing`(`zero`)".to_string())
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("`t{}`", self.aliases)
    }

    fn sub_query(&mut self, select: &str, columns: Vec<OutColumn>) -> Relation {
        let alias = self.alias();
        let indented = select.replace('\n', "\n  ");
        Relation { from: Some(format!("(\n  {indented}\n) AS {alias}")), columns }
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
            LogicalPlan::Union(union) => {
                let mut branches = Vec::with_capacity(union.inputs.len());
                let mut columns = Vec::new();
                for input in &union.inputs {
                    let relation = self.relation(input)?;
                    let list: Vec<String> =
                        relation.columns.iter().map(|column| column.name.clone()).collect();
                    let named: Vec<String> = list
                        .iter()
                        .enumerate()
                        .map(|(i, name)| format!("{name} AS {}", numbered(i)))
                        .collect();
                    branches.push(format!("SELECT {} FROM {}", named.join(", "), self.from(&relation)));
                    columns = (0..list.len()).map(|index| OutColumn::plain(numbered(index))).collect();
                }
                Ok(self.sub_query(&branches.join("\nUNION ALL\n"), columns))
            }
            LogicalPlan::Distinct(distinct) => {
                let input = self.relation(distinct.input())?;
                let select = format!("SELECT DISTINCT * FROM {}", self.from(&input));
                Ok(self.sub_query(&select, input.columns))
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::EmptyRelation(_) => Ok(Relation { from: None, columns: Vec::new() }),
            LogicalPlan::Values(values) => {
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
                let from = format!("(VALUES {}) AS {alias}({})", rows.join(", "), names.join(", "));
                let columns = names.into_iter().map(OutColumn::plain).collect();
                Ok(Relation { from: Some(from), columns })
            }
            LogicalPlan::Extension(extension) => self.extension(extension.node.as_ref()),
            other => Err(NotInFlink::new(format!("`{}` has no form in Flink SQL", other.display()))),
        }
    }

    fn extension(&mut self, node: &dyn datafusion_expr::UserDefinedLogicalNode) -> Translated<Relation> {
        if let Some(over) = node.as_any().downcast_ref::<OverWindow>() {
            return self.over(over);
        }
        if let Some(unnest) = node.as_any().downcast_ref::<Unnest>() {
            return self.unnest(unnest);
        }
        if let Some(join) = node.as_any().downcast_ref::<StreamJoin>() {
            return self.join(join);
        }
        Err(NotInFlink::new(format!("`{}` has no form in Flink SQL", node.name())))
    }

    fn scan(&mut self, name: &str, plan: &LogicalPlan) -> Relation {
        let source = self.job.sources.iter().find(|source| source.name.eq_ignore_ascii_case(name));
        let rowtime = source.and_then(|source| {
            let field = source.declared.field(source.time.rowtime?);
            (*field.data_type() == arrow::datatypes::DataType::Int64).then(|| field.name().clone())
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
        Relation { from: Some(quoted(name)), columns }
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
        // A query may read no column at all of its input.
        if items.is_empty() {
            items.push("0 AS `nothing`".to_string());
        }
        let list = items.join(", ");
        let select = match &input.from {
            None => format!("SELECT {list}"),
            Some(from) => format!("SELECT {list} FROM {from}"),
        };
        Ok((select, columns))
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Translated<Relation> {
        let input = self.relation(&aggregate.input)?;
        let scope = Scope::new(aggregate.input.schema(), &input.columns, self.options);
        let mut items = Vec::new();
        let mut columns = Vec::new();
        let mut groups = Vec::new();
        for (index, key) in aggregate.group_expr.iter().enumerate() {
            if let Some((kind, time)) = window_of(key) {
                let (group, window) = window(kind, &time, &scope, &mut items, index)?;
                groups.push(group);
                columns.push(OutColumn { window: Some(window), ..OutColumn::plain(numbered(index)) });
                continue;
            }
            let text = expression(key, &scope)?;
            items.push(format!("{text} AS {}", numbered(index)));
            columns.push(OutColumn::plain(numbered(index)));
            groups.push(text);
        }
        for (offset, call) in aggregate.aggr_expr.iter().enumerate() {
            let index = aggregate.group_expr.len() + offset;
            items.push(format!("{} AS {}", expression(call, &scope)?, numbered(index)));
            columns.push(OutColumn::plain(numbered(index)));
        }
        let mut select = format!("SELECT {} FROM {}", items.join(", "), self.from(&input));
        if !groups.is_empty() {
            select.push_str(&format!(" GROUP BY {}", groups.join(", ")));
        }
        Ok(self.sub_query(&select, columns))
    }

    fn over(&mut self, over: &OverWindow) -> Translated<Relation> {
        let input = self.relation(&over.input)?;
        let scope = Scope::new(over.input.schema(), &input.columns, self.options);
        let keys =
            over.partition.iter().map(|key| expression(key, &scope)).collect::<Translated<Vec<_>>>()?;
        let partition = match keys.is_empty() {
            true => String::new(),
            false => format!("PARTITION BY {} ", keys.join(", ")),
        };
        let frame = match over.frame {
            OverFrame::Rows(None) => "ROWS BETWEEN UNBOUNDED PRECEDING".to_string(),
            OverFrame::Rows(Some(rows)) => format!("ROWS BETWEEN {rows} PRECEDING"),
            OverFrame::Range(None) => "RANGE BETWEEN UNBOUNDED PRECEDING".to_string(),
            OverFrame::Range(Some(ms)) => format!("RANGE BETWEEN {} PRECEDING", interval(ms)),
        };
        let order = scope.time_of(&over.order)?;
        let window = format!("OVER ({partition}ORDER BY {order} {frame} AND CURRENT ROW)");
        let mut items = Vec::new();
        let mut columns = Vec::new();
        for (index, column) in input.columns.iter().enumerate() {
            items.push(format!("{} AS {}", column.name, numbered(index)));
            let rowtime = column.rowtime.as_ref().map(|rowtime| {
                items.push(format!("{rowtime} AS {}", numbered_rowtime(index)));
                numbered_rowtime(index)
            });
            columns.push(OutColumn { rowtime, ..OutColumn::plain(numbered(index)) });
        }
        for call in &over.calls {
            let name = numbered(columns.len());
            items.push(format!("{} {window} AS {name}", expression(call, &scope)?));
            columns.push(OutColumn::plain(name));
        }
        let select = format!("SELECT {} FROM {}", items.join(", "), self.from(&input));
        Ok(self.sub_query(&select, columns))
    }

    fn unnest(&mut self, unnest: &Unnest) -> Translated<Relation> {
        if unnest.ordinality {
            return Err(NotInFlink::new("`WITH ORDINALITY`, which Flink 1.20 does not know"));
        }
        let input = self.relation(&unnest.input)?;
        let scope = Scope::new(unnest.input.schema(), &input.columns, self.options);
        let collection = expression(&unnest.collection, &scope)?;
        let width = input.columns.len();
        let schema = datafusion_expr::UserDefinedLogicalNodeCore::schema(unnest);
        let added: Vec<String> =
            (width..schema.fields().len()).map(|index| format!("`e{}`", index - width)).collect();
        let alias = self.alias();
        let join = match unnest.outer {
            true => format!("LEFT JOIN UNNEST({collection}) AS {alias}({}) ON TRUE", added.join(", ")),
            false => format!("CROSS JOIN UNNEST({collection}) AS {alias}({})", added.join(", ")),
        };
        let own = input.columns.iter().map(|column| column.name.clone());
        let items: Vec<String> = own
            .chain(added)
            .enumerate()
            .map(|(index, name)| format!("{name} AS {}", numbered(index)))
            .collect();
        let columns = (0..items.len()).map(|index| OutColumn::plain(numbered(index))).collect();
        let select = format!("SELECT {} FROM {} {join}", items.join(", "), self.from(&input));
        Ok(self.sub_query(&select, columns))
    }

    fn join(&mut self, join: &StreamJoin) -> Translated<Relation> {
        let (left, right) = (self.named(&join.left)?, self.named(&join.right)?);
        let left_scope = Scope::new(join.left.schema(), &left.columns, self.options);
        let right_scope = Scope::new(join.right.schema(), &right.columns, self.options);
        let mut conditions = Vec::new();
        for (own, other) in &join.keys {
            conditions.push(format!(
                "{} = {}",
                expression(own, &left_scope)?,
                expression(other, &right_scope)?
            ));
        }
        if let Some(bounds) = &join.bounds {
            let time = |column: &Column, scope: &Scope<'_>| scope.time_of(&Expr::Column(column.clone()));
            let (a, b) = (time(&bounds.left, &left_scope)?, time(&bounds.right, &right_scope)?);
            conditions.push(format!(
                "{b} BETWEEN {a} + {} AND {a} + {}",
                interval(bounds.lower),
                interval(bounds.upper)
            ));
        }
        let mut columns = left.columns.clone();
        columns.extend(right.columns.iter().cloned());
        if let Some(residual) = &join.residual {
            let scope =
                Scope::new(datafusion_expr::UserDefinedLogicalNodeCore::schema(join), &columns, self.options);
            conditions.push(expression(residual, &scope)?);
        }
        let kind = match join.kind {
            JoinKind::Inner => "JOIN",
            JoinKind::Left => "LEFT JOIN",
            JoinKind::Right => "RIGHT JOIN",
            JoinKind::Full => "FULL JOIN",
        };
        let mut items = Vec::new();
        let mut named = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            items.push(format!("{} AS {}", column.name, numbered(index)));
            let rowtime = column.rowtime.as_ref().map(|rowtime| {
                items.push(format!("{rowtime} AS {}", numbered_rowtime(index)));
                numbered_rowtime(index)
            });
            named.push(OutColumn { rowtime, ..OutColumn::plain(numbered(index)) });
        }
        let (from, other) = (self.from(&left), self.from(&right));
        let select =
            format!("SELECT {} FROM {from} {kind} {other} ON {}", items.join(", "), conditions.join(" AND "));
        Ok(self.sub_query(&select, named))
    }

    /// Returns an input of a join under an alias of its own, which its columns carry: a stream may be joined with itself.
    fn named(&mut self, plan: &LogicalPlan) -> Translated<Relation> {
        let relation = self.relation(plan)?;
        let alias = self.alias();
        let from = self.from(&relation);
        let from = match from.rfind(") AS `t") {
            Some(at) if from.starts_with('(') && !from[at + 5..].contains(' ') => {
                format!("{} AS {alias}", &from[..=at])
            }
            _ => format!("{from} AS {alias}"),
        };
        let columns = relation.columns.into_iter().map(|column| OutColumn {
            name: format!("{alias}.{}", column.name),
            rowtime: column.rowtime.map(|rowtime| format!("{alias}.{rowtime}")),
            window: None,
        });
        Ok(Relation { from: Some(from), columns: columns.collect() })
    }
}

/// Returns the group of a window and the columns that stand for it; adds those to the select list.
fn window(
    kind: WindowKind,
    time: &Expr,
    scope: &Scope<'_>,
    items: &mut Vec<String>,
    index: usize,
) -> Translated<(String, WindowColumns)> {
    let attribute = scope.time_of(time)?;
    let (name, arguments) = match kind {
        WindowKind::Tumble { size_ms } => ("TUMBLE", interval(size_ms)),
        WindowKind::Hop { slide_ms, size_ms } => {
            ("HOP", format!("{}, {}", interval(slide_ms), interval(size_ms)))
        }
        WindowKind::Session { gap_ms } => ("SESSION", interval(gap_ms)),
    };
    let part = |what: &str| format!("{name}{what}({attribute}, {arguments})");
    let is_event = scope.is_event_time(time);
    let columns = WindowColumns {
        start: format!("`w{index}_start`"),
        end: format!("`w{index}_end`"),
        time: format!("`w{index}_time`"),
    };
    items.push(format!("{} AS {}", part("_START"), columns.start));
    items.push(format!("{} AS {}", part("_END"), columns.end));
    let time = if is_event { "_ROWTIME" } else { "_PROCTIME" };
    items.push(format!("{} AS {}", part(time), columns.time));
    Ok((part(""), columns))
}

fn numbered(index: usize) -> String {
    format!("`c{index}`")
}

fn numbered_rowtime(index: usize) -> String {
    format!("`c{index}__rowtime`")
}
