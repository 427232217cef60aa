//! Plans `UNNEST` and `LATERAL TABLE`: rows joined with the elements of a collection that is computed from them.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_expr::{Extension, LogicalPlan};
use sqlparser::ast::{Expr as SqlExpr, FunctionArg, FunctionArgExpr, TableAlias, TableFactor, Value};
use weir_functions::conversion::type_name;

use super::bound::Bound;
use super::expr::{Binder, Stage};
use super::from::JoinKind;
use super::operator;
use super::query::{Planner, fresh_names};
use super::refuse::{Checked, Place, did_you_mean, hinted};
use super::scope::{Scope, ScopeColumn};
use crate::nodes::Unnest;

/// The table functions.
const TABLE_FUNCTIONS: [&str; 1] = ["SPLIT_CURSOR"];

/// A collection in `FROM`, checked.
struct Collection<'a> {
    value: Bound,
    ordinality: bool,
    alias: Option<&'a TableAlias>,
}

impl Planner<'_> {
    /// Joins rows with a table function or `UNNEST`.
    pub(super) fn correlate(
        &self,
        left: Scope,
        right: &TableFactor,
        kind: JoinKind,
        on: Option<&SqlExpr>,
    ) -> Checked<Scope> {
        let place = Place::at(right, self.place);
        let outer = match kind {
            JoinKind::Inner | JoinKind::Cross => false,
            JoinKind::Left if on.is_none_or(is_true) => true,
            JoinKind::Left => {
                let text = "a `LEFT JOIN` with a table function or `UNNEST` takes no condition but `ON TRUE`";
                return Err(hinted(place.refuse(text), Some("filter with `WHERE`".to_string())));
            }
            JoinKind::Right | JoinKind::Full => {
                let text = format!("a table function or `UNNEST` cannot stand after `{}`", kind.written());
                return Err(hinted(
                    place.refuse(text),
                    Some("use `CROSS JOIN` or `LEFT JOIN ... ON TRUE`".into()),
                ));
            }
        };
        let collection = self.collection(&left, right, place)?;
        let mut scope = self.unnested(left, collection, outer, place)?;
        if let Some(condition) = on.filter(|on| !outer && !is_true(on)) {
            let predicate = self.binder(&scope, Stage::Row("in `ON`")).bind_condition(condition, "`ON`")?;
            scope.plan = self.filter(predicate, scope.plan.clone())?;
        }
        Ok(scope)
    }

    fn collection<'a>(&self, left: &Scope, right: &'a TableFactor, place: Place) -> Checked<Collection<'a>> {
        let binder = self.binder(left, Stage::Row("in `FROM`"));
        match right {
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
                let [of] = array_exprs.as_slice() else {
                    return Err(place.refuse("`UNNEST` takes one array or map"));
                };
                let value = binder.bind(of)?;
                if !matches!(value.data_type, DataType::List(_) | DataType::Map(..)) {
                    let of = type_name(&value.data_type);
                    return Err(place.refuse(format!("`UNNEST` needs an ARRAY or a MAP, not {of}")));
                }
                Ok(Collection { value, ordinality: *with_ordinality, alias: alias.as_ref() })
            }
            TableFactor::Function { name, args, alias, .. } => {
                let name = name.to_string();
                let value = table_function(&binder, &name, args, place)?;
                Ok(Collection { value, ordinality: false, alias: alias.as_ref() })
            }
            other => Err(place.unavailable(&format!("`{other}` in `FROM`"))),
        }
    }

    fn unnested(&self, left: Scope, of: Collection<'_>, outer: bool, place: Place) -> Checked<Scope> {
        let Collection { value, ordinality, alias } = of;
        let own = own_names(&value.data_type, ordinality);
        let types = crate::nodes::element_types(&value.data_type, ordinality)
            .map_err(|error| self.unplanned(error))?;
        let given = alias.map_or(&[][..], |alias| alias.columns.as_slice());
        if !given.is_empty() && given.len() != own.len() {
            let alias = alias.map_or("", |alias| alias.name.value.as_str());
            let text = format!("`{alias}` names {} columns, but there are {}", given.len(), own.len());
            return Err(place.refuse(text));
        }
        let unique = fresh_names(&left.plan, "element", own.len());
        let node = Unnest::try_new(left.plan, value.expr, outer, ordinality, &unique)
            .map_err(|error| self.unplanned(error))?;
        let plan = LogicalPlan::Extension(Extension { node: Arc::new(node) });
        let qualifier = alias.map(|alias| alias.name.value.clone());
        let mut columns = left.columns;
        for (index, (name, data_type)) in own.into_iter().zip(types).enumerate() {
            columns.push(ScopeColumn {
                qualifier: qualifier.clone(),
                name: given.get(index).map(|column| column.name.value.clone()).or(name),
                column: datafusion_common::Column::from_name(&unique[index]),
                data_type,
                time: None,
            });
        }
        Ok(Scope { columns, plan })
    }
}

fn table_function(binder: &Binder<'_>, name: &str, args: &[FunctionArg], place: Place) -> Checked<Bound> {
    if !name.eq_ignore_ascii_case("SPLIT_CURSOR") {
        let hint = did_you_mean(name, TABLE_FUNCTIONS.into_iter())
            .unwrap_or_else(|| format!("the table functions are `{}`", TABLE_FUNCTIONS.join("`, `")));
        return Err(hinted(place.refuse(format!("table function `{name}` is not known")), Some(hint)));
    }
    let mut arguments = Vec::with_capacity(2);
    for argument in args {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument else {
            return Err(place.unavailable(&format!("the argument `{argument}`")));
        };
        arguments.push(operator::text(binder.bind(argument)?, "`SPLIT_CURSOR`", binder.at(argument))?);
    }
    let [text, separator] = arguments.as_slice() else {
        let error = place.refuse(format!("`SPLIT_CURSOR` takes 2 arguments, not {}", arguments.len()));
        return Err(hinted(error, Some("it is called as `SPLIT_CURSOR(text, separator)`".to_string())));
    };
    let call = weir_functions::collection::split();
    Ok(Bound::call(call, vec![text.expr.clone(), separator.expr.clone()]))
}

fn is_true(condition: &SqlExpr) -> bool {
    match condition {
        SqlExpr::Value(value) => value.value == Value::Boolean(true),
        SqlExpr::Nested(inner) => is_true(inner),
        _ => false,
    }
}

/// Returns the names that the columns of an element have when no alias names them.
fn own_names(collection: &DataType, ordinality: bool) -> Vec<Option<String>> {
    let mut names = match collection {
        DataType::Map(..) => vec![Some("key".to_string()), Some("value".to_string())],
        DataType::List(item) => match item.data_type() {
            DataType::Struct(fields) => fields.iter().map(|field| Some(field.name().clone())).collect(),
            _ => vec![None],
        },
        _ => vec![None],
    };
    if ordinality {
        names.push(Some("ordinality".to_string()));
    }
    names
}
