//! The functions of definitions and measures: FIRST, LAST, PREV, NEXT, CLASSIFIER, MATCH_NUMBER.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use sqlparser::ast::Expr as SqlExpr;

use super::slots::{OfVariable, PatternStage};
use crate::nodes::{RowBase, SlotValue};
use crate::plan::bound::Bound;
use crate::plan::call::Written;
use crate::plan::expr::{Binder, Stage};
use crate::plan::fold::fold;
use crate::plan::refuse::{Checked, Place, hinted};

/// How far PREV and NEXT, and the second argument of FIRST and LAST, may go.
const MAX_DISTANCE: u32 = 10_000;

/// Tells whether a name in upper case is that of a function of patterns.
pub(in crate::plan) fn is_of_patterns(name: &str) -> bool {
    matches!(name, "FIRST" | "LAST" | "PREV" | "NEXT" | "CLASSIFIER" | "MATCH_NUMBER")
}

/// An expression and the row it is computed on.
struct Navigated {
    value: OfVariable,
    data_type: DataType,
    base: RowBase,
}

impl Binder<'_> {
    /// Checks a function of patterns.
    pub(in crate::plan) fn of_pattern(
        &self,
        name: &str,
        written: &Written<'_>,
        place: Place,
    ) -> Checked<Bound> {
        let stage = match self.stage {
            Stage::Pattern(stage) => stage,
            Stage::Row(why) if self.plain.is_some() => {
                return Err(place.refuse(format!("`{name}` is not allowed {why}")));
            }
            _ => {
                let text =
                    format!("`{name}` is allowed in `DEFINE` and `MEASURES` of `MATCH_RECOGNIZE` only");
                return Err(place.refuse(text));
            }
        };
        match name {
            "CLASSIFIER" | "MATCH_NUMBER" => match written.arguments.len() {
                0 if name == "CLASSIFIER" => Ok(classifier(stage)),
                0 => {
                    let number =
                        stage.slot("MATCH_NUMBER()".to_string(), DataType::Int64, SlotValue::MatchNumber);
                    Ok(Bound::new(number, DataType::Int64))
                }
                more => Err(place.refuse(format!("`{name}` takes no arguments, not {more}"))),
            },
            "FIRST" | "LAST" => {
                let Navigated { value, data_type, base } = self.first_or_last(stage, name, written, place)?;
                Ok(Bound::new(stage.row(value, data_type.clone(), base, 0), data_type))
            }
            _ => {
                let Navigated { value, data_type, base } = self.neighbour(stage, name, written, place)?;
                let distance = i64::from(self.distance(name, written, 1)?);
                let offset = if name == "PREV" { -distance } else { distance };
                Ok(Bound::new(stage.row(value, data_type.clone(), base, offset), data_type))
            }
        }
    }

    /// Reads the arguments of FIRST and LAST.
    fn first_or_last(
        &self,
        stage: &PatternStage<'_>,
        name: &str,
        written: &Written<'_>,
        place: Place,
    ) -> Checked<Navigated> {
        let why = if name == "FIRST" { "inside `FIRST`" } else { "inside `LAST`" };
        let (value, data_type) = self.navigated(stage, name, why, written, place)?;
        let skip = self.distance(name, written, 0)?;
        let variable = value.variable;
        let base = match name {
            "FIRST" => RowBase::First { variable, skip },
            _ => RowBase::Last { variable, skip },
        };
        Ok(Navigated { value, data_type, base })
    }

    /// Reads the first argument of PREV and NEXT, which may be FIRST or LAST.
    fn neighbour(
        &self,
        stage: &PatternStage<'_>,
        name: &str,
        written: &Written<'_>,
        place: Place,
    ) -> Checked<Navigated> {
        if let Some(SqlExpr::Function(inner)) = written.arguments.first() {
            let inner_name = inner.name.to_string().trim_matches('`').to_ascii_uppercase();
            if matches!(inner_name.as_str(), "FIRST" | "LAST") {
                let inner_place = self.at(&inner.name);
                let written = self.written(inner, &inner_name, inner_place)?;
                return self.first_or_last(stage, &inner_name, &written, inner_place);
            }
        }
        let why = if name == "PREV" { "inside `PREV`" } else { "inside `NEXT`" };
        let (value, data_type) = self.navigated(stage, name, why, written, place)?;
        let base = RowBase::Last { variable: value.variable, skip: 0 };
        Ok(Navigated { value, data_type, base })
    }

    fn navigated(
        &self,
        stage: &PatternStage<'_>,
        name: &str,
        why: &'static str,
        written: &Written<'_>,
        place: Place,
    ) -> Checked<(OfVariable, DataType)> {
        let (1..=2, Some(argument)) = (written.arguments.len(), written.arguments.first()) else {
            let text = format!("`{name}` takes 1 or 2 arguments, not {}", written.arguments.len());
            let hint = format!("it is called as `{name}(A.x)` or `{name}(A.x, n)`");
            return Err(hinted(place.refuse(text), Some(hint)));
        };
        let inner = Binder { stage: Stage::Row(why), ..*self };
        let value = inner.bind(argument)?;
        let of = stage.of_variable(value.expr, &format!("`{name}`"), self.at(*argument))?;
        if !of.reads {
            return Err(self.at(*argument).refuse(format!("`{name}` needs a column")));
        }
        Ok((of, value.data_type))
    }

    /// Reads the second argument, a number of rows.
    fn distance(&self, name: &str, written: &Written<'_>, otherwise: u32) -> Checked<u32> {
        let Some(argument) = written.arguments.get(1) else { return Ok(otherwise) };
        let inner = Binder { stage: Stage::Row("as a number of rows"), ..*self };
        let rows = match fold(inner.bind(argument)?.expr) {
            Expr::Literal(ScalarValue::Int32(Some(rows)), _) => u32::try_from(rows).ok(),
            Expr::Literal(ScalarValue::Int64(Some(rows)), _) => u32::try_from(rows).ok(),
            _ => None,
        };
        rows.filter(|rows| *rows <= MAX_DISTANCE).ok_or_else(|| {
            let text = format!("the second argument of `{name}` must be a number of rows");
            let hint = format!("expected a constant from 0 to {MAX_DISTANCE}");
            hinted(self.at(*argument).refuse(text), Some(hint))
        })
    }
}

/// In a definition the row in question is of the variable that is being defined.
fn classifier(stage: &PatternStage<'_>) -> Bound {
    match stage.own_name() {
        Some(name) => Bound::text(name),
        None => {
            let slot = stage.slot("CLASSIFIER()".to_string(), DataType::Utf8, SlotValue::Classifier);
            Bound::new(slot, DataType::Utf8)
        }
    }
}
