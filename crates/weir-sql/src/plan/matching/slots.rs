//! Expressions over the variables of a pattern become expressions over slots.

use std::cell::{Cell, RefCell};

use arrow::datatypes::DataType;
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, TableReference};
use datafusion_expr::{Expr, ExprSchemable};

use crate::nodes::{MatchSlot, RowBase, SlotValue};
use crate::plan::bound::Bound;
use crate::plan::expr::{Binder, Stage};
use crate::plan::fold::fold;
use crate::plan::query::Planner;
use crate::plan::refuse::{Checked, Place};
use crate::plan::scope::{Scope, ScopeColumn};

/// The qualifier of columns that are written without a variable. No variable is called so.
const ANY: &str = "*";

/// The columns of the input as definitions and measures see them.
///
/// Behind the names stand columns whose qualifier is the number of a variable, or [`ANY`], and whose name is the
/// place of the column in the input.
pub(super) struct VariableScopes {
    /// Columns with a variable before them.
    of_variables: Scope,
    /// Columns without.
    plain: Scope,
}

impl VariableScopes {
    pub(super) fn new(input: &Scope, names: &[String]) -> Self {
        let columns = |qualifier: &str, name: Option<&String>| {
            let columns = input.columns.iter().enumerate().map(|(index, column)| ScopeColumn {
                qualifier: name.cloned(),
                column: Column::new(Some(TableReference::bare(qualifier)), index.to_string()),
                ..column.clone()
            });
            columns.collect::<Vec<_>>()
        };
        let of_variables =
            names.iter().enumerate().flat_map(|(number, name)| columns(&number.to_string(), Some(name)));
        Self {
            of_variables: Scope { columns: of_variables.collect(), plan: input.plan.clone() },
            plain: Scope { columns: columns(ANY, None), plan: input.plan.clone() },
        }
    }
}

/// What definitions or measures have in common while they are checked.
pub(in crate::plan) struct PatternStage<'a> {
    input: &'a Scope,
    names: &'a [String],
    /// The variable that is being defined; `None` in measures.
    pub(super) own: Option<usize>,
    /// Whether what is read counts the whole match.
    pub(super) whole: Cell<bool>,
    slots: &'a RefCell<Vec<MatchSlot>>,
}

/// An expression over the input, and the variable whose rows it is about; `None` is any row of the match.
pub(super) struct OfVariable {
    pub(super) expr: Expr,
    pub(super) variable: Option<usize>,
    /// Whether it reads any column.
    pub(super) reads: bool,
    /// How it is written.
    text: String,
}

impl Planner<'_> {
    /// Returns a binder of definitions or measures.
    pub(super) fn pattern_binder<'b>(
        &'b self,
        scopes: &'b VariableScopes,
        stage: &'b PatternStage<'b>,
    ) -> Binder<'b> {
        let binder = self.binder(&scopes.of_variables, Stage::Pattern(stage));
        Binder { plain: Some(&scopes.plain), ..binder }
    }
}

impl<'a> PatternStage<'a> {
    pub(super) fn new(
        input: &'a Scope,
        names: &'a [String],
        own: Option<usize>,
        slots: &'a RefCell<Vec<MatchSlot>>,
    ) -> Self {
        Self { input, names, own, whole: Cell::new(false), slots }
    }

    /// Returns the name of the variable that is being defined.
    pub(super) fn own_name(&self) -> Option<&str> {
        self.names.get(self.own?).map(String::as_str)
    }

    /// Makes an expression over variables one over slots, and computes its constant parts.
    pub(super) fn over_slots(&self, value: Bound, place: Place) -> Checked<Bound> {
        let mut refusal = None;
        let mut refused = |error| {
            refusal.get_or_insert(error);
        };
        let rewritten = value.expr.transform_down(|node| {
            let slot = match &node {
                Expr::AggregateFunction(_) => self.aggregate(&node, place),
                Expr::Column(column) if column.relation.is_some() => {
                    self.last_of(column, &value.data_type, place)
                }
                _ => return Ok(Transformed::no(node)),
            };
            Ok(match slot {
                Ok(slot) => Transformed::new(slot, true, TreeNodeRecursion::Jump),
                Err(error) => {
                    refused(error);
                    Transformed::new(node, false, TreeNodeRecursion::Stop)
                }
            })
        });
        match (rewritten, refusal) {
            (_, Some(refusal)) => Err(refusal),
            (Ok(rewritten), None) => Ok(Bound { expr: fold(rewritten.data), time: None, ..value }),
            (Err(error), None) => Err(place.refuse(error.to_string())),
        }
    }

    /// A column without a function is that of the last row.
    fn last_of(&self, column: &Column, of: &DataType, place: Place) -> Checked<Expr> {
        let value = self.of_variable(Expr::Column(column.clone()), "a column", place)?;
        let data_type = value.expr.get_type(self.input.plan.schema()).unwrap_or_else(|_| of.clone());
        let base = RowBase::Last { variable: value.variable, skip: 0 };
        Ok(self.row(value, data_type, base, 0))
    }

    fn aggregate(&self, call: &Expr, place: Place) -> Checked<Expr> {
        let OfVariable { expr, variable, text, .. } =
            self.of_variable(call.clone(), "an aggregate", place)?;
        let data_type = expr
            .get_type(self.input.plan.schema())
            .map_err(|error| place.refuse(format!("this aggregate has no type: {error}")))?;
        Ok(self.slot(text, data_type, SlotValue::Aggregate { call: expr, variable }))
    }

    /// Makes the slot of an expression on one row.
    pub(super) fn row(&self, value: OfVariable, data_type: DataType, base: RowBase, offset: i64) -> Expr {
        let skipped = |skip: u32| if skip == 0 { String::new() } else { format!(", {skip}") };
        let inner = match base {
            RowBase::Last { skip: 0, .. } => value.text,
            RowBase::Last { skip, .. } => format!("LAST({}{})", value.text, skipped(skip)),
            RowBase::First { skip, .. } => format!("FIRST({}{})", value.text, skipped(skip)),
        };
        let text = match offset {
            0 => inner,
            ..0 => format!("PREV({inner}, {})", offset.unsigned_abs()),
            _ => format!("NEXT({inner}, {offset})"),
        };
        self.slot(text, data_type, SlotValue::Row { expr: value.expr, base, offset })
    }

    /// Returns the column of a slot, which is added when there is none for the value yet.
    pub(super) fn slot(&self, text: String, data_type: DataType, value: SlotValue) -> Expr {
        let mut slots = self.slots.borrow_mut();
        let whole = self.whole.get() && !matches!(value, SlotValue::MatchNumber | SlotValue::Classifier);
        let known = slots.iter().find(|slot| slot.value == value && slot.whole == whole);
        if let Some(slot) = known {
            return Expr::Column(Column::new_unqualified(&slot.name));
        }
        let text = if whole { format!("FINAL {text}") } else { text };
        let mut name = text.clone();
        let mut count = 2;
        while slots.iter().any(|slot| slot.name == name) {
            name = format!("{text} #{count}");
            count += 1;
        }
        let column = Expr::Column(Column::new_unqualified(&name));
        slots.push(MatchSlot { name, data_type, value, whole });
        column
    }

    /// Makes an expression over the columns of one variable one over the input.
    pub(super) fn of_variable(&self, expr: Expr, what: &str, place: Place) -> Checked<OfVariable> {
        let mut qualifiers: Vec<(String, Place)> = Vec::new();
        let visited = expr.apply(|node| {
            if let Expr::Column(column) = node
                && let Some(qualifier) = &column.relation
            {
                let qualifier = qualifier.table().to_string();
                if !qualifiers.iter().any(|(known, _)| *known == qualifier) {
                    qualifiers.push((qualifier, place_of(column, place)));
                }
            }
            Ok(TreeNodeRecursion::Continue)
        });
        debug_assert!(visited.is_ok(), "the visitor never fails");
        let named = |qualifier: &str| {
            let name = qualifier.parse().ok().and_then(|number: usize| self.names.get(number));
            name.map_or_else(|| "the whole match".to_string(), |name| format!("`{name}`"))
        };
        if let [(first, _), (second, place), ..] = qualifiers.as_slice() {
            let text = format!(
                "{what} looks at the rows of one variable, not of {} and {}",
                named(first),
                named(second)
            );
            return Err(place.refuse(text));
        }
        let variable = qualifiers.first().and_then(|(qualifier, _)| qualifier.parse().ok());
        let replaced = |by: &dyn Fn(usize) -> Column| {
            let replaced = expr.clone().transform_up(|node| match &node {
                Expr::Column(column) if column.relation.is_some() => {
                    let column = column.name.parse().ok().map(by);
                    Ok(column.map_or(Transformed::no(node), |column| Transformed::yes(Expr::Column(column))))
                }
                _ => Ok(Transformed::no(node)),
            });
            replaced.map_or_else(|_| expr.clone(), |replaced| replaced.data)
        };
        let of_input = |index: usize| self.input.columns[index].column.clone();
        let written = |index: usize| {
            let column = &self.input.columns[index];
            let name = column.name.clone().unwrap_or_else(|| column.column.name.clone());
            match variable.and_then(|variable: usize| self.names.get(variable)) {
                Some(variable) => Column::new(Some(TableReference::bare(variable.as_str())), name),
                None => Column::new_unqualified(name),
            }
        };
        Ok(OfVariable {
            text: replaced(&written).to_string(),
            expr: replaced(&of_input),
            variable,
            reads: !qualifiers.is_empty(),
        })
    }
}

fn place_of(column: &Column, otherwise: Place) -> Place {
    let location =
        |at: datafusion_common::Location| sqlparser::tokenizer::Location { line: at.line, column: at.column };
    let span = column
        .spans
        .first()
        .map(|span| sqlparser::tokenizer::Span { start: location(span.start), end: location(span.end) });
    span.map_or(otherwise, |span| Place::of(span, otherwise))
}
