//! The columns that an expression can name.

use arrow::datatypes::DataType;
use datafusion_common::{Column, Location, Span as DataFusionSpan, Spans};
use datafusion_expr::{Expr, LogicalPlan};
use sqlparser::ast::Ident;

use super::bound::{Bound, TimeAttribute};
use super::refuse::{Checked, Place, did_you_mean, hinted};
use crate::suggest::listed;

/// What to do about a pattern that gives no columns.
const MEASURES: &str =
    "say in `MEASURES` what a match gives, such as `LAST(A.x) AS x`, or write `ALL ROWS PER MATCH`";

/// One visible column.
#[derive(Debug, Clone)]
pub(super) struct ScopeColumn {
    /// The alias, or the name of the stream, that may stand before the name; `None` for a sub-query without an
    /// alias.
    pub(super) qualifier: Option<String>,
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
    pub(super) columns: Vec<ScopeColumn>,
    pub(super) plan: LogicalPlan,
}

impl Scope {
    /// Returns how messages call this input.
    fn described(&self, of: Option<&str>) -> String {
        if let Some(name) = of {
            return format!("stream `{name}`");
        }
        let names = self.qualifiers();
        match names.as_slice() {
            [] => "the sub-query".to_string(),
            [name] => format!("stream `{name}`"),
            names => format!("the streams {}", listed(names.iter().copied())),
        }
    }

    /// Returns the names of the inputs, each once.
    pub(super) fn qualifiers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.columns.iter().filter_map(|column| column.qualifier.as_deref()) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        }
        names
    }

    /// Tells whether `name` names a whole input.
    pub(super) fn is_qualifier(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.is_of(Some(name)))
    }

    /// Finds a column by its name, or the event time by the name `rowtime`; of one input when `of` names it.
    pub(super) fn find(&self, of: Option<&str>, name: &Ident, place: Place) -> Checked<Option<&ScopeColumn>> {
        let mut matches =
            self.columns.iter().filter(|column| column.is_of(of)).filter(|column| {
                column.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&name.value))
            });
        let first = matches.next();
        if first.is_some() && matches.next().is_some() {
            return Err(self.ambiguous(of, name, Place::of(name.span, place)));
        }
        if first.is_none() && name.value.eq_ignore_ascii_case("rowtime") {
            return self.rowtime(of, name, place);
        }
        Ok(first)
    }

    /// Makes the refusal of a name that several inputs have.
    fn ambiguous(&self, of: Option<&str>, name: &Ident, place: Place) -> crate::CheckError {
        let has_name = |column: &&ScopeColumn| {
            column.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&name.value))
        };
        let owners = self.columns.iter().filter(|column| column.is_of(of)).filter(has_name);
        let written: Vec<String> = owners
            .filter_map(|column| Some(format!("{}.{}", column.qualifier.as_ref()?, name.value)))
            .collect();
        let hint = (written.len() > 1 && of.is_none())
            .then(|| format!("it is one of {}", listed(written.iter().map(String::as_str))));
        hinted(place.refuse(format!("column `{}` is ambiguous in {}", name.value, self.described(of))), hint)
    }

    fn rowtime(&self, of: Option<&str>, name: &Ident, place: Place) -> Checked<Option<&ScopeColumn>> {
        let is_rowtime =
            |column: &&ScopeColumn| column.time == Some(TimeAttribute::Rowtime) && column.is_of(of);
        let mut matches = self.columns.iter().filter(is_rowtime);
        let first = matches.next();
        match matches.next() {
            None => Ok(first),
            Some(_) => Err(Place::of(name.span, place)
                .refuse("`rowtime` is ambiguous: several inputs have an event time")),
        }
    }

    /// Returns the expression of a column by its name, of one input when `of` names it. `input` is how messages call
    /// that, when it is no stream.
    pub(super) fn column(
        &self,
        of: Option<&str>,
        name: &Ident,
        input: Option<&str>,
        place: Place,
    ) -> Checked<Bound> {
        match self.find(of, name, place)? {
            Some(column) => Ok(column.bound(name)),
            None => Err(self.unknown(of, name, input, place)),
        }
    }

    /// Tells whether there are no columns although there is a FROM: a pattern may give none.
    fn is_bare_pattern(&self) -> bool {
        fn has_from(plan: &LogicalPlan) -> bool {
            match plan {
                LogicalPlan::EmptyRelation(_) => false,
                LogicalPlan::Filter(filter) => has_from(&filter.input),
                _ => true,
            }
        }
        self.columns.is_empty() && has_from(&self.plan)
    }

    /// Makes the refusal of `*` where there is no column.
    pub(super) fn no_columns(&self, place: Place) -> crate::CheckError {
        if self.is_bare_pattern() {
            let text =
                "`*` stands for no column: this `MATCH_RECOGNIZE` has neither `MEASURES` nor `PARTITION BY`";
            return hinted(place.refuse(text), Some(MEASURES.to_string()));
        }
        let hint = "write `FROM` and a stream after the select list";
        hinted(place.refuse("`*` needs `FROM`"), Some(hint.to_string()))
    }

    /// Makes the refusal of a name that is no column.
    fn unknown(
        &self,
        of: Option<&str>,
        name: &Ident,
        input: Option<&str>,
        place: Place,
    ) -> crate::CheckError {
        let place = Place::of(name.span, place);
        if self.is_bare_pattern() {
            let text = format!(
                "column `{}` is unknown: this `MATCH_RECOGNIZE` has neither `MEASURES` nor `PARTITION BY`",
                name.value
            );
            return hinted(place.refuse(text), Some(MEASURES.to_string()));
        }
        if self.columns.is_empty() {
            let error = place.refuse(format!("column `{}` is unknown: there is no `FROM`", name.value));
            return hinted(error, Some("write `FROM` and a stream after the select list".to_string()));
        }
        let of_input = self.columns.iter().filter(|column| column.is_of(of));
        let names = || of_input.clone().filter_map(|column| column.name.as_deref());
        let undeclared = || {
            let time =
                ["proctime", "rowtime"].into_iter().find(|time| name.value.eq_ignore_ascii_case(time))?;
            let clause = if time == "proctime" { "proctime.proctime" } else { "column.rowtime" };
            Some(format!("declare the stream with `TIMESTAMP BY {clause}`"))
        };
        let hint = undeclared().or_else(|| did_you_mean(&name.value, names())).or_else(|| {
            let names: Vec<_> = names().take(20).map(|name| format!("`{name}`")).collect();
            Some(format!("its columns are {}", names.join(", ")))
        });
        let input = input.map_or_else(|| self.described(of), str::to_string);
        hinted(place.refuse(format!("column `{}` is not in {input}", name.value)), hint)
    }
}

impl ScopeColumn {
    /// Tells whether the column is one of the input of this name; of any when there is no name.
    pub(super) fn is_of(&self, qualifier: Option<&str>) -> bool {
        let own = self.qualifier.as_deref();
        qualifier.is_none_or(|name| own.is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }

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
