//! Plans one SELECT.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::Column;
use datafusion_expr::{Expr, Filter, LogicalPlan, Projection};
use sqlparser::ast::{
    Distinct, Expr as SqlExpr, GroupByExpr, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind,
};
use weir_functions::collection;
use weir_functions::conversion::type_name;

use super::aggregate;
use super::bound::Bound;
use super::expr::{Binder, Stage};
use super::grouping::Grouping;
use super::query::{Output, OutputColumn, Planner, unique_names};
use super::refuse::{Checked, Place};
use super::scope::Scope;

/// One expression of the select list.
struct Item {
    name: Option<String>,
    value: Bound,
    place: Place,
}

impl Item {
    /// Returns the column of the result that has the value.
    fn output(self, column: Column) -> OutputColumn {
        let Bound { data_type, time, .. } = self.value;
        OutputColumn { name: self.name, column, data_type, time, place: self.place }
    }
}

impl Planner<'_> {
    /// Plans a SELECT.
    pub(super) fn select(&self, select: &Select) -> Checked<Output> {
        self.refuse_extras(select)?;
        let scope = self.from(&select.from, select.selection.as_ref())?;
        let output = match &select.group_by {
            GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => {
                if keys.is_empty() {
                    self.rows(select, &scope)?
                } else {
                    self.groups(select, &self.grouping(keys, &scope)?, &scope, "beside `GROUP BY`")?
                }
            }
            _ => return Err(self.place.unavailable("`GROUP BY ALL` and `GROUP BY ... WITH`")),
        };
        match select.distinct {
            Some(Distinct::Distinct) => {
                let place = Place::of(select.select_token.0.span, self.place);
                self.distinct(output, "`SELECT DISTINCT`", place)
            }
            _ => Ok(output),
        }
    }

    fn refuse_extras(&self, select: &Select) -> Checked<()> {
        let place = Place::of(select.select_token.0.span, self.place);
        let refused = [
            (matches!(select.distinct, Some(Distinct::On(_))), "`DISTINCT ON`"),
            (select.top.is_some(), "`TOP`"),
            (select.into.is_some(), "`SELECT INTO`"),
            (select.exclude.is_some(), "`EXCLUDE`"),
            (!select.lateral_views.is_empty(), "`LATERAL VIEW`"),
            (select.prewhere.is_some() || select.qualify.is_some(), "`PREWHERE` or `QUALIFY`"),
            (!select.connect_by.is_empty(), "`CONNECT BY`"),
            (!select.named_window.is_empty(), "`WINDOW`"),
            (
                !select.cluster_by.is_empty()
                    || !select.distribute_by.is_empty()
                    || !select.sort_by.is_empty(),
                "`CLUSTER BY`, `DISTRIBUTE BY` or `SORT BY`",
            ),
            (select.value_table_mode.is_some() || select.select_modifiers.is_some(), "this form of SELECT"),
        ];
        match refused.iter().find(|(present, _)| *present) {
            Some((_, construct)) => Err(place.unavailable(construct)),
            _ => Ok(()),
        }
    }

    pub(super) fn filter(&self, predicate: Expr, input: LogicalPlan) -> Checked<LogicalPlan> {
        let filter = Filter::try_new(predicate, Arc::new(input)).map_err(|error| self.unplanned(error))?;
        Ok(LogicalPlan::Filter(filter))
    }

    /// Plans a SELECT without GROUP BY: row by row, unless it has aggregates; then all rows are one group.
    fn rows(&self, select: &Select, scope: &Scope) -> Checked<Output> {
        let one_group = Grouping::default();
        let mut items = self.items(&self.binder(scope, Stage::Select(&one_group)), &select.projection)?;
        let aggregates = items.iter().any(|item| aggregate::contains_aggregate(&item.value.expr));
        if aggregates || select.having.is_some() {
            return self.groups(select, &one_group, scope, "beside an aggregate without `OVER`");
        }
        let values = items.iter_mut().map(|item| (&mut item.value.expr, item.place)).collect();
        let plan = self.over_windows(values, scope)?;
        self.project(items, plan)
    }

    fn groups(
        &self,
        select: &Select,
        grouping: &Grouping,
        scope: &Scope,
        no_over: &'static str,
    ) -> Checked<Output> {
        let binder = self.binder(scope, Stage::Group(grouping, no_over));
        let mut items = self.items(&binder, &select.projection)?;
        let having = match &select.having {
            Some(having) => Some((binder.bind_condition(having, "`HAVING`")?, binder.at(having))),
            None => None,
        };
        let mut outputs: Vec<(Expr, Place)> =
            items.iter().map(|item| (item.value.expr.clone(), item.place)).collect();
        outputs.extend(having.clone());
        let grouped = aggregate::group(scope.plan.clone(), grouping, outputs, self.place)?;
        let mut rewritten = grouped.outputs;
        let predicate = if having.is_some() { rewritten.pop() } else { None };
        let mut plan = grouped.plan;
        if let Some(predicate) = predicate {
            plan = self.filter(predicate, plan)?;
        }
        for (item, expr) in items.iter_mut().zip(rewritten) {
            // Of the columns before the window none is a time attribute after it.
            if matches!(item.value.expr, Expr::Column(_)) {
                item.value.time = None;
            }
            item.value.expr = expr;
        }
        self.project(items, plan)
    }

    fn items(&self, binder: &Binder<'_>, projection: &[SelectItem]) -> Checked<Vec<Item>> {
        let mut items = Vec::with_capacity(projection.len());
        for item in projection {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    items.push(Item {
                        name: own_name(binder, expr)?,
                        value: binder.bind(expr)?,
                        place: binder.at(expr),
                    });
                }
                SelectItem::ExprWithAlias { expr, alias } => items.push(Item {
                    name: Some(alias.value.clone()),
                    value: binder.bind(expr)?,
                    place: binder.at(expr),
                }),
                SelectItem::Wildcard(options) => {
                    let place = Place::of(options.wildcard_token.0.span, self.place);
                    items.extend(self.all_columns(binder, None, place)?);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    items.extend(self.qualified_star(binder, name)?);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => {
                    items.extend(fields_of(&binder.bind(expr)?, binder.at(expr))?);
                }
                other => {
                    return Err(
                        Place::at(other, self.place).unavailable(&format!("`{other}` in a select list"))
                    );
                }
            }
        }
        Ok(items)
    }

    /// Expands `*`, of one input when `of` names it.
    fn all_columns(&self, binder: &Binder<'_>, of: Option<&str>, place: Place) -> Checked<Vec<Item>> {
        if binder.scope.columns.is_empty() {
            return Err(binder.scope.no_columns(place));
        }
        let columns = binder.scope.columns.iter().filter(|column| column.is_of(of));
        Ok(columns
            .map(|column| Item { name: column.name.clone(), value: column.unmarked(), place })
            .collect())
    }

    /// Expands `t.*` and `row.*`; the stream `t` wins over a column `t`.
    fn qualified_star(&self, binder: &Binder<'_>, name: &ObjectName) -> Checked<Vec<Item>> {
        let place = binder.at(name);
        let names: Vec<_> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        if let [only] = names.as_slice()
            && binder.scope.is_qualifier(&only.value)
        {
            return self.all_columns(binder, Some(&only.value), place);
        }
        fields_of(&binder.bind(&SqlExpr::CompoundIdentifier(names))?, place)
    }

    /// Plans the select list.
    fn project(&self, items: Vec<Item>, input: LogicalPlan) -> Checked<Output> {
        let names = unique_names(items.iter().map(|item| item.name.as_deref()));
        let given = input.schema();
        let is_given = |(index, (item, name)): (usize, (&Item, &String))| {
            let (qualifier, field) = given.qualified_field(index);
            matches!(&item.value.expr, Expr::Column(column)
                if column.name == *name && column.name == *field.name() && column.relation.as_ref() == qualifier)
        };
        // Of `SELECT *` nothing is computed, and to look up a thousand columns by their names takes its time.
        if items.len() == given.fields().len() && items.iter().zip(&names).enumerate().all(is_given) {
            let columns = given.columns().into_iter().zip(items).map(|(column, item)| item.output(column));
            let columns = columns.collect();
            return Ok(Output { plan: input, columns });
        }
        let expressions = items.iter().zip(&names).map(|(item, name)| match &item.value.expr {
            Expr::Column(column) if column.name == *name => item.value.expr.clone(),
            other => other.clone().alias(name),
        });
        let projection = Projection::try_new(expressions.collect(), Arc::new(input))
            .map_err(|error| self.unplanned(error))?;
        let columns =
            projection.schema.columns().into_iter().zip(items).map(|(column, item)| item.output(column));
        let columns = columns.collect();
        Ok(Output { plan: LogicalPlan::Projection(projection), columns })
    }
}

/// Returns the name that an expression has without an alias: that of the column or field it reads.
pub(super) fn own_name(binder: &Binder<'_>, expr: &SqlExpr) -> Checked<Option<String>> {
    Ok(match expr {
        SqlExpr::Identifier(name) => {
            let found = binder.scope.find(None, name, binder.otherwise)?;
            found.and_then(|column| column.name.clone()).or_else(|| Some(name.value.clone()))
        }
        SqlExpr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
        SqlExpr::Nested(inner) => own_name(binder, inner)?,
        _ => None,
    })
}

fn fields_of(value: &Bound, place: Place) -> Checked<Vec<Item>> {
    let DataType::Struct(fields) = &value.data_type else {
        return Err(
            place.refuse(format!("`.*` needs a stream or a ROW, not {}", type_name(&value.data_type)))
        );
    };
    let items = fields.iter().enumerate().map(|(index, field)| Item {
        name: Some(field.name().clone()),
        value: Bound::call(collection::row_field(field, index), vec![value.expr.clone()]),
        place,
    });
    Ok(items.collect())
}
