//! The columns that an expression can name.

use arrow::datatypes::DataType;
use datafusion_common::{Column, Location, Span as DataFusionSpan, Spans};
use datafusion_expr::{Expr, LogicalPlan};
use sqlparser::ast::Ident;

use super::bound::{Bound, TimeAttribute};
use super::refuse::{Checked, Place, did_you_mean, hinted};

/// One visible column.
#[derive(Debug, Clone)]
pub(super) struct ScopeColumn {
    /// The name that a query uses; `None` for an expression without a name.
    pub(super) name: Option<String>,
    /// The column of the plan.
    pub(super) column: Column,
    pub(super) data_type: DataType,
    pub(super) time: Option<TimeAttribute>,
}

/// The input of a SELECT.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The alias, or the name of the stream; `None` for a sub-query without an alias.
    pub(super) qualifier: Option<String>,
    pub(super) columns: Vec<ScopeColumn>,
    pub(super) plan: LogicalPlan,
}

impl Scope {
    /// Returns how messages call this input.
    fn described(&self) -> String {
        match &self.qualifier {
            Some(name) => format!("stream `{name}`"),
            None => "the sub-query".to_string(),
        }
    }

    /// Tells whether `name` names the whole input.
    pub(super) fn is_qualifier(&self, name: &str) -> bool {
        self.qualifier.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// Finds a column by its name, or the event time by the name `rowtime`.
    pub(super) fn find(&self, name: &Ident, place: Place) -> Checked<Option<&ScopeColumn>> {
        let mut matches = self
            .columns
            .iter()
            .filter(|column| column.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&name.value)));
        let first = matches.next();
        if first.is_some() && matches.next().is_some() {
            let place = Place::of(name.span, place);
            return Err(place.refuse(format!(
                "column `{}` is ambiguous in {}",
                name.value,
                self.described()
            )));
        }
        if first.is_none() && name.value.eq_ignore_ascii_case("rowtime") {
            return Ok(self.columns.iter().find(|column| column.time == Some(TimeAttribute::Rowtime)));
        }
        Ok(first)
    }

    /// Returns the expression of a column by its name.
    pub(super) fn column(&self, name: &Ident, place: Place) -> Checked<Bound> {
        match self.find(name, place)? {
            Some(column) => Ok(column.bound(name)),
            None => Err(self.unknown(name, place)),
        }
    }

    /// Makes the refusal of a name that is no column.
    pub(super) fn unknown(&self, name: &Ident, place: Place) -> crate::CheckError {
        let place = Place::of(name.span, place);
        if self.columns.is_empty() {
            return place.refuse(format!("column `{}` is unknown: there is no `FROM`", name.value));
        }
        let names = || self.columns.iter().filter_map(|column| column.name.as_deref());
        let hint = did_you_mean(&name.value, names()).or_else(|| {
            let names: Vec<_> = names().take(20).map(|name| format!("`{name}`")).collect();
            Some(format!("its columns are {}", names.join(", ")))
        });
        hinted(place.refuse(format!("column `{}` is not in {}", name.value, self.described())), hint)
    }
}

impl ScopeColumn {
    /// Returns the expression of the column, marked with the place where it is named.
    fn bound(&self, name: &Ident) -> Bound {
        let location = |at: sqlparser::tokenizer::Location| Location { line: at.line, column: at.column };
        let span = DataFusionSpan::new(location(name.span.start), location(name.span.end));
        let column = Column { spans: Spans(vec![span]), ..self.column.clone() };
        Bound { expr: Expr::Column(column), data_type: self.data_type.clone(), time: self.time }
    }

    /// Returns the expression of the column.
    pub(super) fn unmarked(&self) -> Bound {
        Bound { expr: Expr::Column(self.column.clone()), data_type: self.data_type.clone(), time: self.time }
    }
}
