//! The tables of examples in `tests/functions`: every function, operator and special form has one.
//!
//! A line is the name, an expression, what it gives, and settings; a tab stands between them. The name is that of
//! a function, or the form as the reference page writes it. What it gives is a type with a value, `refused` or
//! `failed` with a part of the message. Settings are `zone=...`, `at=...` (the processing instant), `literal`
//! (not to be repeated with columns in place of the literals), and, of an aggregate, `x TYPE = values`.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion_common::DFSchema;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_expr::{EmptyRelation, Expr, LogicalPlan, col};
use sqlparser::ast::{SelectItem, SetExpr};
use weir_base::text::parse_plain_timestamp;
use weir_base::time::Timestamp;
use weir_functions::clock::at_instant;
use weir_functions::reference::forms;

use super::aggregates::aggregated;
use super::{Fixture, evaluated};
use crate::Position;
use crate::plan::PlanOptions;
use crate::plan::expr::{Binder, Stage};
use crate::plan::fold::fold;
use crate::plan::refuse::Place;
use crate::plan::scope::Scope;

const TABLES: &[(&str, &str)] = &[
    ("aggregate", include_str!("../../../tests/functions/aggregate.tsv")),
    ("arithmetic", include_str!("../../../tests/functions/arithmetic.tsv")),
    ("collection", include_str!("../../../tests/functions/collection.tsv")),
    ("comparison", include_str!("../../../tests/functions/comparison.tsv")),
    ("condition", include_str!("../../../tests/functions/condition.tsv")),
    ("conversion", include_str!("../../../tests/functions/conversion.tsv")),
    ("text", include_str!("../../../tests/functions/text.tsv")),
    ("time", include_str!("../../../tests/functions/time.tsv")),
];

/// One line of a table.
struct Example<'a> {
    name: &'a str,
    expression: &'a str,
    expected: &'a str,
    settings: &'a str,
}

impl<'a> Example<'a> {
    fn parse(line: &'a str) -> Self {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        let example = Example { name: cell(), expression: cell(), expected: cell(), settings: cell() };
        assert!(!example.expected.is_empty() && cells.next().is_none(), "not three or four cells: {line}");
        example
    }

    fn setting(&self, name: &str) -> Option<&'a str> {
        self.settings.split(';').find_map(|setting| setting.trim().strip_prefix(name))
    }

    fn agrees(&self, given: &str) -> bool {
        let (kind, part) = self.expected.split_once(' ').unwrap_or((self.expected, ""));
        match kind {
            "refused" | "failed" => given.starts_with(kind) && given.contains(part),
            _ => given == self.expected,
        }
    }
}

fn examples(table: &str) -> impl Iterator<Item = Example<'_>> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(Example::parse)
}

/// Whether the literals of an expression stay or are read from columns.
#[derive(Clone, Copy, PartialEq)]
enum Literals {
    Folded,
    Columns,
}

/// Binds a constant expression.
fn bound(example: &Example<'_>) -> Result<Expr, String> {
    let refused = |error: crate::CheckError| format!("refused {error}");
    let text = format!("INSERT INTO o SELECT {}", example.expression);
    let fixture = Fixture::try_parse(&text).map_err(refused)?;
    let SetExpr::Select(select) = fixture.inserts[0].query.body.as_ref() else { panic!("no SELECT") };
    let [SelectItem::UnnamedExpr(sql)] = select.projection.as_slice() else {
        panic!("not one expression: {text}")
    };
    let nothing = EmptyRelation { produce_one_row: true, schema: Arc::new(DFSchema::empty()) };
    let binder = Binder {
        scope: &Scope { columns: vec![], plan: LogicalPlan::EmptyRelation(nothing) },
        plain: None,
        stage: Stage::Row("here"),
        options: &PlanOptions { time_zone: example.setting("zone=").unwrap_or("UTC").to_string() },
        otherwise: Place { position: Position { line: 1, column: 1 }, length: 1 },
    };
    binder.expression(sql).map(|bound| bound.expr).map_err(refused)
}

/// Returns the type and text of an expression, or how it fails.
fn result(example: &Example<'_>, literals: Literals) -> String {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    let expr = bound(example).map(|expr| match literals {
        Literals::Folded => fold(expr),
        Literals::Columns => {
            expr.transform(|node| {
                let Expr::Literal(value, _) = &node else { return Ok(Transformed::no(node)) };
                let name = format!("c{}", columns.len());
                columns.push((name.clone(), value.to_array_of_size(3)?));
                Ok(Transformed::yes(col(name)))
            })
            .expect("literals have arrays")
            .data
        }
    });
    let expr = match expr {
        Ok(expr) => expr,
        Err(refusal) => return refusal,
    };
    let fields: Vec<_> =
        columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let rows = if literals == Literals::Columns { 3 } else { 1 };
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema, arrays, &options).expect("columns of three rows");
    let schema = DFSchema::try_from(batch.schema().as_ref().clone()).expect("different names");
    let evaluate = || evaluated(&expr, &schema, &batch);
    let value = match example.setting("at=") {
        None => evaluate(),
        Some(instant) => {
            let instant = parse_plain_timestamp(instant).unwrap_or_else(|| panic!("not a time: {instant}"));
            at_instant(Timestamp(instant), evaluate)
        }
    };
    value.map_or_else(|error| format!("failed {error}"), |(name, text)| format!("{name} {text}"))
}

fn difference(example: &Example<'_>, given: &str) -> Option<String> {
    let Example { name, expression, expected, settings } = example;
    (!example.agrees(given))
        .then(|| format!("{name}: {expression} [{settings}]\n    gives    {given}\n    expected {expected}"))
}

/// Compares the examples of a table with what they give.
fn check(table: &str, run: impl Fn(&Example<'_>) -> Vec<String>) {
    let (_, text) = TABLES.iter().find(|(name, _)| *name == table).expect("the table is listed");
    let wrong: Vec<String> = examples(text)
        .flat_map(|example| run(&example).into_iter().filter_map(move |given| difference(&example, &given)))
        .collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn check_scalar(table: &str) {
    check(table, |example| {
        let mut given = vec![result(example, Literals::Folded)];
        if example.setting("literal").is_none() && !given[0].starts_with("refused") {
            given.push(result(example, Literals::Columns));
        }
        given
    });
}

#[test]
fn comparison_and_logic() {
    check_scalar("comparison");
}

#[test]
fn arithmetic() {
    check_scalar("arithmetic");
}

#[test]
fn strings() {
    check_scalar("text");
}

#[test]
fn dates_and_times() {
    check_scalar("time");
}

#[test]
fn conditions() {
    check_scalar("condition");
}

#[test]
fn conversions() {
    check_scalar("conversion");
}

#[test]
fn collections() {
    check_scalar("collection");
}

#[test]
fn aggregates() {
    check("aggregate", |example| {
        let (of, values) = example.setting("x ").and_then(|x| x.split_once('=')).expect("values of x");
        let values: Vec<&str> =
            values.trim().split(',').map(|value| value.strip_prefix(' ').unwrap_or(value)).collect();
        vec![aggregated(example.expression, of.trim(), &values)]
    });
}

#[test]
fn everything_that_can_be_called_has_an_example() {
    let known: BTreeSet<&str> = weir_functions::all().map(|function| function.name).chain(forms()).collect();
    let shown: BTreeSet<&str> =
        TABLES.iter().flat_map(|(_, table)| examples(table)).map(|example| example.name).collect();
    let missing: Vec<_> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "without an example: {missing:#?}");
    let strange: Vec<_> = shown.difference(&known).collect();
    assert!(strange.is_empty(), "neither a function nor a form of the reference page: {strange:#?}");
}

#[test]
fn no_table_is_empty() {
    for (name, table) in TABLES {
        assert!(examples(table).count() > 9, "{name} has hardly an example");
    }
}
