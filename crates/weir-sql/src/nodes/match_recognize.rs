//! Matches of a row pattern: `MATCH_RECOGNIZE`.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::text::Texts;

/// A row pattern over variables, which are given by number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowPattern {
    /// One row of a variable.
    Variable(usize),
    /// One after the other.
    Sequence(Vec<RowPattern>),
    /// One of them; an earlier one is preferred.
    Alternatives(Vec<RowPattern>),
    /// The same several times.
    Repeat {
        /// What is repeated.
        pattern: Box<RowPattern>,
        /// The least number of times.
        least: u32,
        /// The greatest number of times; `None` is without limit.
        most: Option<u32>,
        /// Whether more times are preferred to fewer.
        greedy: bool,
    },
}

/// The row of a match that a value is taken from. Without a variable the rows of the whole match count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowBase {
    /// The first row of a variable, `skip` rows left out.
    First {
        /// The variable.
        variable: Option<usize>,
        /// Rows left out.
        skip: u32,
    },
    /// The last row of a variable, `skip` rows left out. In the definition of the variable that is the row in question.
    Last {
        /// The variable.
        variable: Option<usize>,
        /// Rows left out.
        skip: u32,
    },
}

/// What a definition or measure reads of the match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SlotValue {
    /// An expression over the input, on one row: so many rows of the partition after the base.
    Row {
        /// The expression.
        expr: Expr,
        /// The base.
        base: RowBase,
        /// Rows after it; below zero before it.
        offset: i64,
    },
    /// An aggregate of expressions over the input, over the rows of a variable or of the whole match.
    Aggregate {
        /// The aggregate.
        call: Expr,
        /// The variable.
        variable: Option<usize>,
    },
    /// `MATCH_NUMBER()`
    MatchNumber,
    /// `CLASSIFIER()` of a measure; in a definition it is a constant.
    Classifier,
}

/// A value of the match under the name by which definitions and measures read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MatchSlot {
    /// Its name as a column, which says what it is.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// The value.
    pub value: SlotValue,
    /// Whether it is FINAL: the whole match counts. Otherwise its rows up to the present one do.
    pub whole: bool,
}

/// `variable AS condition`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Definition {
    /// The variable.
    pub variable: usize,
    /// A condition over slots.
    pub condition: Expr,
}

/// `expression AS name`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MatchMeasure {
    /// Its name as a column of the plan.
    pub name: String,
    /// An expression over slots.
    pub expr: Expr,
}

/// The order of the rows of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MatchOrder {
    /// The column of the time attribute, which also measures how long a match is.
    pub time: Expr,
    /// Whether that is event time; otherwise it is processing time.
    pub event_time: bool,
    /// Whether rows are taken in the order of the time, behind the watermark. Otherwise they are taken as they arrive.
    pub sorted: bool,
    /// What orders rows of the same time, and whether downwards.
    pub then: Vec<(Expr, bool)>,
}

/// `AFTER MATCH SKIP`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SkipTo {
    /// `PAST LAST ROW`
    PastLastRow,
    /// `TO NEXT ROW`
    NextRow,
    /// `TO FIRST variable`
    First(usize),
    /// `TO LAST variable`
    Last(usize),
}

/// All clauses of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MatchClauses {
    /// What the rows of one partition have in common.
    pub partition_by: Vec<Expr>,
    /// The order.
    pub order: MatchOrder,
    /// The variables, as the pattern names them.
    pub variables: Vec<String>,
    /// The pattern.
    pub pattern: RowPattern,
    /// The definitions; a variable without one takes any row.
    pub definitions: Vec<Definition>,
    /// The measures.
    pub measures: Vec<MatchMeasure>,
    /// What definitions read.
    pub definition_slots: Vec<MatchSlot>,
    /// What measures read.
    pub measure_slots: Vec<MatchSlot>,
    /// Whether every row of a match is given out, all its columns and then the measures. Otherwise one row is:
    /// `keys` and then the measures.
    pub all_rows: bool,
    /// The partition expressions that are given out, with their names as columns of the plan.
    pub keys: Vec<(usize, String)>,
    /// Where the search goes on after a match.
    pub skip: SkipTo,
    /// Milliseconds that the last row of a match must be less than behind the first.
    pub within_ms: Option<i64>,
}

/// Finds the matches of a row pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MatchRecognize {
    /// The rows.
    pub input: Arc<LogicalPlan>,
    /// The clauses.
    pub clauses: MatchClauses,
    schema: DFSchemaRef,
}

impl MatchRecognize {
    /// Makes the node.
    pub fn try_new(input: LogicalPlan, clauses: MatchClauses) -> Result<Self> {
        let mut fields: Vec<(Option<datafusion_common::TableReference>, FieldRef)> = Vec::new();
        if clauses.all_rows {
            for (qualifier, field) in input.schema().iter() {
                // Rows are given out when the watermark has passed them: their times are ordinary ones.
                let plain = Field::new(field.name(), field.data_type().clone(), true);
                fields.push((qualifier.cloned(), Arc::new(plain)));
            }
        } else {
            for (index, name) in &clauses.keys {
                let data_type = clauses.partition_by[*index].get_type(input.schema())?;
                fields.push((None, Arc::new(Field::new(name, data_type, true))));
            }
        }
        let slots = slot_schema(&clauses.measure_slots)?;
        for measure in &clauses.measures {
            let data_type = measure.expr.get_type(&slots)?;
            fields.push((None, Arc::new(Field::new(&measure.name, data_type, true))));
        }
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        Ok(Self { input: Arc::new(input), clauses, schema })
    }
}

/// Returns the columns that slots are to expressions over them.
pub fn slot_schema(slots: &[MatchSlot]) -> Result<DFSchema> {
    let field = |slot: &MatchSlot| {
        let field: FieldRef = Arc::new(Field::new(&slot.name, slot.data_type.clone(), true));
        (None, field)
    };
    DFSchema::new_with_metadata(slots.iter().map(field).collect(), Default::default())
}

impl MatchSlot {
    fn expr(&self) -> Option<&Expr> {
        match &self.value {
            SlotValue::Row { expr, .. } => Some(expr),
            SlotValue::Aggregate { call, .. } => Some(call),
            SlotValue::MatchNumber | SlotValue::Classifier => None,
        }
    }
}

impl MatchClauses {
    /// Returns the expressions over the input.
    fn expressions(&self) -> Vec<&Expr> {
        let slots = self.definition_slots.iter().chain(&self.measure_slots);
        let order = std::iter::once(&self.order.time).chain(self.order.then.iter().map(|(expr, _)| expr));
        self.partition_by.iter().chain(order).chain(slots.filter_map(MatchSlot::expr)).collect()
    }

    /// Replaces the expressions over the input, in the same order.
    fn replace(&mut self, by: Vec<Expr>) -> Result<()> {
        let count = self.expressions().len();
        if by.len() != count {
            return internal_err!("`MatchRecognize` has {count} expressions, not {}", by.len());
        }
        let slots = self.definition_slots.iter_mut().chain(&mut self.measure_slots);
        let of_slots = slots.filter_map(|slot| match &mut slot.value {
            SlotValue::Row { expr, .. } => Some(expr),
            SlotValue::Aggregate { call, .. } => Some(call),
            SlotValue::MatchNumber | SlotValue::Classifier => None,
        });
        let order = std::iter::once(&mut self.order.time);
        let order = order.chain(self.order.then.iter_mut().map(|(expr, _)| expr));
        for (own, new) in self.partition_by.iter_mut().chain(order).chain(of_slots).zip(by) {
            *own = new;
        }
        Ok(())
    }

    /// Returns the pattern as it is written.
    pub fn pattern_text(&self) -> String {
        text(&self.pattern, &self.variables, false)
    }

    /// Returns where the search goes on, as it is written.
    pub fn skip_text(&self) -> String {
        let name = |variable: usize| self.variables.get(variable).map_or("", String::as_str);
        match self.skip {
            SkipTo::PastLastRow => "SKIP PAST LAST ROW".to_string(),
            SkipTo::NextRow => "SKIP TO NEXT ROW".to_string(),
            SkipTo::First(variable) => format!("SKIP TO FIRST {}", name(variable)),
            SkipTo::Last(variable) => format!("SKIP TO LAST {}", name(variable)),
        }
    }
}

fn text(pattern: &RowPattern, variables: &[String], nested: bool) -> String {
    let bracketed = |text: String| if nested { format!("({text})") } else { text };
    let list = |parts: &[RowPattern], nested: bool, between: &str| {
        parts.iter().map(|part| text(part, variables, nested)).collect::<Vec<_>>().join(between)
    };
    match pattern {
        RowPattern::Variable(variable) => variables.get(*variable).cloned().unwrap_or_default(),
        RowPattern::Sequence(parts) => bracketed(list(parts, true, " ")),
        RowPattern::Alternatives(parts) => bracketed(list(parts, true, " | ")),
        RowPattern::Repeat { pattern, least, most, greedy } => {
            let inner = match pattern.as_ref() {
                RowPattern::Repeat { .. } => format!("({})", text(pattern, variables, false)),
                other => text(other, variables, true),
            };
            let quantifier = match (least, most) {
                (0, None) => "*".to_string(),
                (1, None) => "+".to_string(),
                (0, Some(1)) => "?".to_string(),
                (least, None) => format!("{{{least},}}"),
                (least, Some(most)) if least == most => format!("{{{least}}}"),
                (least, Some(most)) => format!("{{{least},{most}}}"),
            };
            format!("{inner}{quantifier}{}", if *greedy { "" } else { "?" })
        }
    }
}

impl PartialOrd for MatchRecognize {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self == other {
            true => Some(Ordering::Equal),
            false => None,
        }
    }
}

impl UserDefinedLogicalNodeCore for MatchRecognize {
    fn name(&self) -> &'static str {
        "MatchRecognize"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.clauses.expressions().into_iter().cloned().collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MatchRecognize: {}", self.clauses)
    }

    fn with_exprs_and_inputs(&self, expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Ok([input]) = <[LogicalPlan; 1]>::try_from(inputs) else {
            return internal_err!("`MatchRecognize` has one input");
        };
        let mut clauses = self.clauses.clone();
        clauses.replace(expressions)?;
        Self::try_new(input, clauses)
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = if self.clauses.all_rows { self.input.schema().fields().len() } else { 0 };
        Some(vec![output.iter().copied().filter(|index| *index < width).collect()])
    }
}

impl fmt::Display for MatchClauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = Texts::default();
        let order = if self.order.sorted { texts.of(&self.order.time) } else { "arrival".to_string() };
        write!(f, "partition by: [{}], order by: [{order}", texts.list(&self.partition_by))?;
        for (expr, descending) in &self.order.then {
            write!(f, ", {}{}", texts.of(expr), if *descending { " DESC" } else { "" })?;
        }
        write!(f, "], pattern: ({})", self.pattern_text())?;
        if let Some(within) = self.within_ms {
            write!(f, " within {within} ms")?;
        }
        f.write_str(", define: [")?;
        for (number, Definition { variable, condition }) in self.definitions.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{} AS {}", self.variables[*variable], texts.of(condition))?;
        }
        f.write_str("], measures: [")?;
        for (number, MatchMeasure { name, expr }) in self.measures.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{} AS {name}", texts.of(expr))?;
        }
        let rows = if self.all_rows { "all rows" } else { "one row" };
        write!(f, "], {rows} per match, after match {}", self.skip_text().to_lowercase())
    }
}
