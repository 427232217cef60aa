//! MATCH_RECOGNIZE.
//!
//! Flink's clause gives out what definitions and measures read, and a SELECT above it computes the measures. What is read
//! is a column of the SELECT below, so that a value of a missing row is NULL whatever the expression is.

use datafusion_common::DFSchema;
use datafusion_expr::Expr;

use super::{OutColumn, Relation, Writer, numbered, renumbered};
use crate::flink::expression::{Scope, expression};
use crate::flink::function;
use crate::flink::literal::{interval, text_constant};
use crate::flink::{FlinkOptions, NotInFlink, Translated, quoted};
use crate::nodes::{
    MatchClauses, MatchRecognize, MatchSlot, RowBase, RowPattern, SkipTo, SlotValue, slot_schema,
};

/// The columns below a pattern.
struct Below<'a> {
    scope: Scope<'a>,
    schema: &'a DFSchema,
    /// What is selected.
    items: Vec<String>,
    /// What is selected above that, of the rows before each row.
    lags: Vec<String>,
    /// `PARTITION BY`, over the input.
    partition: String,
}

/// The name of the time attribute that orders the rows.
const ORDER: &str = "`ordered_by`";
/// The name of a column that is never NULL.
const ONE: &str = "`one`";

impl Writer<'_> {
    pub(super) fn match_recognize(&mut self, node: &MatchRecognize) -> Translated<Relation> {
        let clauses = &node.clauses;
        refuse(clauses)?;
        let pattern = pattern_text(clauses)?;
        let input = self.relation(&node.input)?;
        let mut below = below(node, &input, self.options)?;
        let definitions = self.definitions(clauses, &mut below)?;
        let slots = clauses.measure_slots.iter().map(|slot| below.slot(slot, clauses));
        let slots = slots.collect::<Translated<Vec<_>>>()?;
        let body = self.ordered_rows(&input, &below);
        let mut text = format!("{}ORDER BY {}\n", partition_by(clauses), order_by(clauses));
        let mut measures: Vec<String> = slots
            .iter()
            .enumerate()
            .filter_map(|(index, slot)| Some(format!("{} AS {}", slot.as_ref()?, slot_name(index))))
            .collect();
        if measures.is_empty() {
            measures.push(format!("COUNT(*) AS {}", slot_name(slots.len())));
        }
        text.push_str(&format!("MEASURES {}\nONE ROW PER MATCH\n", measures.join(", ")));
        text.push_str(&format!("AFTER MATCH {}\nPATTERN ({pattern})", skip_text(clauses)));
        if let Some(within) = clauses.within_ms {
            text.push_str(&format!(" WITHIN {}", interval(within)));
        }
        text.push_str(&format!("\nDEFINE {}", definitions.join(", ")));
        let select = format!("SELECT * FROM {body} MATCH_RECOGNIZE (\n  {}\n)", text.replace('\n', "\n  "));
        let matches = self.sub_query(&select, Vec::new());
        let matches = self.numbered_matches(clauses, matches);
        self.measures(clauses, &matches)
    }

    /// Returns the rows that the pattern is matched against, in brackets.
    fn ordered_rows(&mut self, input: &Relation, below: &Below<'_>) -> String {
        let select = format!("SELECT {} FROM {}", below.items.join(", "), self.from(input));
        let rows = self.sub_query(&select, Vec::new());
        if below.lags.is_empty() {
            return rows.body.unwrap_or_default();
        }
        let select = format!("SELECT *, {} FROM {}", below.lags.join(", "), self.from(&rows));
        self.sub_query(&select, Vec::new()).body.unwrap_or_default()
    }

    fn definitions(&self, clauses: &MatchClauses, below: &mut Below<'_>) -> Translated<Vec<String>> {
        let mut columns = Vec::with_capacity(clauses.definition_slots.len());
        for slot in &clauses.definition_slots {
            let text = below.slot(slot, clauses)?;
            columns.push(OutColumn::plain(text.unwrap_or_default()));
        }
        let schema = slots_of(&clauses.definition_slots)?;
        let scope = Scope::new(&schema, &columns, self.options);
        let mut definitions = Vec::with_capacity(clauses.definitions.len());
        for definition in &clauses.definitions {
            let name = quoted(&clauses.variables[definition.variable]);
            definitions.push(format!("{name} AS {}", expression(&definition.condition, &scope)?));
        }
        if definitions.is_empty() {
            // Flink wants the clause.
            definitions.push(format!("{} AS TRUE", quoted(&clauses.variables[0])));
        }
        Ok(definitions)
    }

    /// Counts the matches of each partition, where a measure wants to know.
    fn numbered_matches(&mut self, clauses: &MatchClauses, matches: Relation) -> Relation {
        let counts = clauses.measure_slots.iter().enumerate();
        let counts: Vec<String> = counts
            .filter(|(_, slot)| matches!(slot.value, SlotValue::MatchNumber))
            .map(|(index, _)| slot_name(index))
            .collect();
        if counts.is_empty() {
            return matches;
        }
        let select = format!("SELECT *, PROCTIME() AS `matched_at` FROM {}", self.from(&matches));
        let timed = self.sub_query(&select, Vec::new());
        let partition = partition_by(clauses);
        let window = format!(
            "OVER ({partition}ORDER BY `matched_at` ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
        );
        let items: Vec<String> = counts.iter().map(|name| format!("COUNT(*) {window} AS {name}")).collect();
        let select = format!("SELECT *, {} FROM {}", items.join(", "), self.from(&timed));
        self.sub_query(&select, Vec::new())
    }

    /// Computes the measures.
    fn measures(&mut self, clauses: &MatchClauses, matches: &Relation) -> Translated<Relation> {
        let columns: Vec<OutColumn> =
            (0..clauses.measure_slots.len()).map(|index| OutColumn::plain(slot_name(index))).collect();
        let schema = slots_of(&clauses.measure_slots)?;
        let scope = Scope::new(&schema, &columns, self.options);
        let mut items: Vec<String> = clauses.keys.iter().map(|(index, _)| key_name(*index)).collect();
        for measure in &clauses.measures {
            items.push(expression(&measure.expr, &scope)?);
        }
        let columns: Vec<OutColumn> = (0..items.len()).map(|at| OutColumn::plain(numbered(at))).collect();
        let mut named: Vec<String> =
            items.iter().zip(&columns).map(|(item, column)| format!("{item} AS {}", column.name)).collect();
        if named.is_empty() {
            named.push("0 AS `nothing`".to_string());
        }
        let select = format!("SELECT {} FROM {}", named.join(", "), self.from(matches));
        Ok(self.sub_query(&select, columns))
    }
}

impl Below<'_> {
    /// Returns what a slot reads, inside of MATCH_RECOGNIZE; `None` is computed above it.
    fn slot(&mut self, slot: &MatchSlot, clauses: &MatchClauses) -> Translated<Option<String>> {
        match &slot.value {
            SlotValue::Row { expr, base, offset } => Ok(Some(self.row(expr, *base, *offset, clauses)?)),
            SlotValue::Aggregate { call, variable } => {
                let Expr::AggregateFunction(call) = call else {
                    return Err(NotInFlink::new(format!("the aggregate `{call}` of a pattern")));
                };
                if let [Expr::Literal(..)] = call.params.args.as_slice() {
                    return Ok(Some(match variable {
                        None => "COUNT(*)".to_string(),
                        Some(variable) => format!("COUNT({}.{ONE})", quoted(&clauses.variables[*variable])),
                    }));
                }
                let mut call = call.clone();
                let mut columns = Vec::with_capacity(call.params.args.len());
                let mut fields = Vec::with_capacity(call.params.args.len());
                for (index, argument) in call.params.args.iter_mut().enumerate() {
                    let column = self.column(argument)?;
                    columns.push(OutColumn::plain(of_variable(&column, *variable, clauses)));
                    let of = self.scope.type_of(argument)?;
                    let name = format!("a{index}");
                    fields.push((None, arrow::datatypes::Field::new(&name, of, true).into()));
                    *argument = Expr::Column(datafusion_common::Column::new_unqualified(name));
                }
                let schema = DFSchema::new_with_metadata(fields, Default::default())
                    .map_err(|error| NotInFlink::new(error.strip_backtrace()))?;
                let scope = Scope::new(&schema, &columns, self.scope.options);
                Ok(Some(function::aggregate(&call, &scope)?))
            }
            SlotValue::MatchNumber => Ok(None),
            SlotValue::Classifier => Ok(Some(classifier(clauses)?)),
        }
    }

    /// Returns an expression on one row of the match.
    fn row(&mut self, expr: &Expr, base: RowBase, offset: i64, clauses: &MatchClauses) -> Translated<String> {
        let mut column = self.column(expr)?;
        if offset > 0 {
            return Err(NotInFlink::of(
                "NEXT",
                "Flink has no rows after the match; compare a later variable with `LAST`",
            ));
        }
        if offset < 0 {
            if !clauses.order.then.is_empty() {
                return Err(NotInFlink::of(
                    "PREV",
                    "it is computed in the order of the time only; leave the other columns of ORDER BY out",
                ));
            }
            column = self.lag(&column, offset.unsigned_abs());
        }
        Ok(match base {
            RowBase::First { variable, skip } => {
                format!("FIRST({}, {skip})", of_variable(&column, variable, clauses))
            }
            RowBase::Last { variable, skip } => {
                format!("LAST({}, {skip})", of_variable(&column, variable, clauses))
            }
        })
    }

    /// Returns the column below that has the values of an expression over the input.
    fn column(&mut self, expr: &Expr) -> Translated<String> {
        if let Expr::Column(column) = expr
            && let Ok(index) = self.schema.index_of_column(column)
        {
            return Ok(numbered(index));
        }
        let text = expression(expr, &self.scope)?;
        let known = self.items.iter().find_map(|item| item.strip_prefix(&format!("{text} AS ")));
        if let Some(name) = known {
            return Ok(name.to_string());
        }
        let name = format!("`v{}`", self.items.len());
        self.items.push(format!("{text} AS {name}"));
        Ok(name)
    }

    /// Returns the column that has what a column has so many rows before.
    fn lag(&mut self, column: &str, rows: u64) -> String {
        let window = format!("OVER ({}ORDER BY {ORDER})", self.partition);
        let text = format!("LAG({column}, {rows}) {window} AS ");
        if let Some(name) = self.lags.iter().find_map(|item| item.strip_prefix(&text)) {
            return name.to_string();
        }
        let name = format!("`before{}`", self.lags.len());
        self.lags.push(format!("{text}{name}"));
        name
    }
}

/// Prepares the SELECT below: the partition keys and the time.
fn below<'b>(
    node: &'b MatchRecognize,
    input: &'b Relation,
    options: &'b FlinkOptions,
) -> Translated<Below<'b>> {
    let clauses = &node.clauses;
    let schema = node.input.schema();
    let scope = Scope::new(schema, &input.columns, options);
    let (mut items, _) = renumbered(&input.columns);
    for (index, key) in clauses.partition_by.iter().enumerate() {
        items.push(format!("{} AS {}", expression(key, &scope)?, key_name(index)));
    }
    for (index, (expr, _)) in clauses.order.then.iter().enumerate() {
        items.push(format!("{} AS {}", expression(expr, &scope)?, then_name(index)));
    }
    let time = match clauses.order.sorted && clauses.order.event_time {
        true => scope.time_of(&clauses.order.time)?,
        false => "PROCTIME()".to_string(),
    };
    items.push(format!("{time} AS {ORDER}"));
    items.push(format!("1 AS {ONE}"));
    Ok(Below { scope, schema, items, lags: Vec::new(), partition: partition_by(clauses) })
}

/// Refuses the clauses that Flink does not have.
fn refuse(clauses: &MatchClauses) -> Translated<()> {
    if clauses.all_rows {
        return Err(NotInFlink::of(
            "ALL ROWS PER MATCH",
            "Flink has `ONE ROW PER MATCH` only; ask for the rows as measures",
        ));
    }
    if clauses.within_ms.is_some() && clauses.order.event_time && !clauses.order.sorted {
        return Err(NotInFlink::of(
            "WITHIN",
            "Flink measures it by the time that orders the rows; add `ORDER BY` with the event time",
        ));
    }
    Ok(())
}

/// Refuses a variable of the pattern. Its place is that of the pattern: streams and columns may have the same name.
fn refused_at(name: &str, why: impl std::fmt::Display) -> NotInFlink {
    NotInFlink::of("PATTERN", format!("`{name}`: {why}"))
}

/// Returns the pattern, a sequence of variables each of which stands once.
fn pattern_text(clauses: &MatchClauses) -> Translated<String> {
    let mut factors = Vec::new();
    flatten(&clauses.pattern, &mut factors)?;
    let mut seen = Vec::new();
    let mut written = Vec::with_capacity(factors.len());
    let last = factors.len().saturating_sub(1);
    for (at, factor) in factors.iter().enumerate() {
        let name = clauses.variables[factor.variable].as_str();
        if seen.contains(&name) {
            return Err(refused_at(
                name,
                "Flink takes a pattern variable once; give the second place a variable of its own",
            ));
        }
        seen.push(name);
        written.push(format!("{}{}", quoted(name), factor.quantifier(name, at == last)?));
    }
    Ok(written.join(" "))
}

/// A variable of a pattern with how often it stands.
struct Factor {
    variable: usize,
    least: u32,
    most: Option<u32>,
    greedy: bool,
}

impl Factor {
    fn quantifier(&self, name: &str, is_last: bool) -> Translated<String> {
        let (least, most) = (self.least, self.most);
        if most == Some(least) {
            return Ok(if least == 1 { String::new() } else { format!("{{{least}}}") });
        }
        if self.greedy && is_last {
            return Err(refused_at(
                name,
                "the last variable of a pattern cannot be greedy there; write `?` behind its quantifier or end the pattern \
                 with a variable that stands once",
            ));
        }
        if !self.greedy && least == 0 && most == Some(1) {
            return Err(refused_at(name, "`??` is nothing that Flink has; write `?`"));
        }
        let text = match (least, most) {
            (0, None) => "*".to_string(),
            (1, None) => "+".to_string(),
            (0, Some(1)) => "?".to_string(),
            (0, Some(most)) => {
                let hint = format!("Flink counts from 1, so `{{0,{most}}}` cannot be said");
                return Err(refused_at(name, hint));
            }
            (least, None) => format!("{{{least},}}"),
            (least, Some(most)) => format!("{{{least},{most}}}"),
        };
        Ok(format!("{text}{}", if self.greedy { "" } else { "?" }))
    }
}

fn flatten(pattern: &RowPattern, factors: &mut Vec<Factor>) -> Translated<()> {
    match pattern {
        RowPattern::Variable(variable) => {
            factors.push(Factor { variable: *variable, least: 1, most: Some(1), greedy: true });
            Ok(())
        }
        RowPattern::Sequence(parts) => parts.iter().try_for_each(|part| flatten(part, factors)),
        RowPattern::Repeat { pattern, least, most, greedy } => match **pattern {
            RowPattern::Variable(variable) => {
                factors.push(Factor { variable, least: *least, most: *most, greedy: *greedy });
                Ok(())
            }
            _ => Err(NotInFlink::of(
                "PATTERN",
                "Flink cannot repeat a group of a pattern; repeat single variables",
            )),
        },
        RowPattern::Alternatives(_) => Err(NotInFlink::of(
            "PATTERN",
            "Flink has no alternatives (`|`); join the conditions of single variables with `OR`",
        )),
    }
}

/// Returns the name of the variable of the last row. In a sequence that is the last variable that has a row.
fn classifier(clauses: &MatchClauses) -> Translated<String> {
    let mut factors = Vec::new();
    flatten(&clauses.pattern, &mut factors)?;
    let mut text = String::new();
    for factor in factors.iter().rev() {
        let name = &clauses.variables[factor.variable];
        let value = text_constant(name);
        if factor.least > 0 {
            return Ok(if text.is_empty() { value } else { format!("CASE{text} ELSE {value} END") });
        }
        text.push_str(&format!(" WHEN COUNT({}.{ONE}) > 0 THEN {value}", quoted(name)));
    }
    Ok(format!("CASE{text} END"))
}

fn skip_text(clauses: &MatchClauses) -> String {
    let name = |variable: usize| quoted(&clauses.variables[variable]);
    match clauses.skip {
        SkipTo::PastLastRow => "SKIP PAST LAST ROW".to_string(),
        SkipTo::NextRow => "SKIP TO NEXT ROW".to_string(),
        SkipTo::First(variable) => format!("SKIP TO FIRST {}", name(variable)),
        SkipTo::Last(variable) => format!("SKIP TO LAST {}", name(variable)),
    }
}

fn slots_of(slots: &[MatchSlot]) -> Translated<DFSchema> {
    slot_schema(slots).map_err(|error| NotInFlink::new(error.strip_backtrace()))
}

/// Returns a column below as the pattern reads it.
fn of_variable(column: &str, variable: Option<usize>, clauses: &MatchClauses) -> String {
    match variable {
        Some(variable) => format!("{}.{column}", quoted(&clauses.variables[variable])),
        None => column.to_string(),
    }
}

fn partition_by(clauses: &MatchClauses) -> String {
    let keys: Vec<String> = (0..clauses.partition_by.len()).map(key_name).collect();
    match keys.is_empty() {
        true => String::new(),
        false => format!("PARTITION BY {} ", keys.join(", ")),
    }
}

fn order_by(clauses: &MatchClauses) -> String {
    let then = clauses.order.then.iter().enumerate().map(|(index, (_, descending))| {
        format!("{}{}", then_name(index), if *descending { " DESC" } else { "" })
    });
    std::iter::once(ORDER.to_string()).chain(then).collect::<Vec<_>>().join(", ")
}

fn key_name(index: usize) -> String {
    format!("`p{index}`")
}

fn then_name(index: usize) -> String {
    format!("`o{index}`")
}

fn slot_name(index: usize) -> String {
    format!("`s{index}`")
}
