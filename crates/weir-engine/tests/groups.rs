//! Changelogs against a model that looks at one row at a time: whatever the batches, the snapshots and the
//! parallelism, the same changes come out, and state is gone after the retention time.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, Int8Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int8Type, Int64Type, Schema, SchemaRef};
use datafusion_functions_aggregate::count::count_udaf;
use datafusion_functions_aggregate::min_max::max_udaf;
use datafusion_functions_aggregate::sum::sum_udaf;
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::col;
use proptest::prelude::*;
use weir_base::clock::ManualClock;
use weir_base::time::Timestamp;
use weir_engine::operator::{
    AggregateCall, DistinctSpec, Element, GroupAggregateSpec, KeyRange, Operator, OperatorContext,
    OperatorSpec, Output, key_hashes,
};
use weir_engine::{ROW_KIND, RowKind};

const RETENTION: i64 = 100;

/// A row of the input: it may be withdrawn by a later one that is equal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    key: Option<&'static str>,
    value: Option<i64>,
}

/// A row and what happens to it, at a time.
#[derive(Debug, Clone)]
struct Change {
    row: Row,
    kind: RowKind,
    time: i64,
}

/// Count of rows, sum, count of different values, greatest.
type Results = (i64, Option<i64>, i64, Option<i64>);

fn fields() -> Vec<Field> {
    vec![Field::new("k", DataType::Utf8, true), Field::new("v", DataType::Int64, true)]
}

fn with_kind(mut fields: Vec<Field>, changelog: bool) -> SchemaRef {
    if changelog {
        fields.push(Field::new(ROW_KIND, DataType::Int8, true));
    }
    Arc::new(Schema::new(fields))
}

fn aggregate_spec(changelog: bool) -> GroupAggregateSpec {
    let input = with_kind(fields(), changelog);
    let call = |function, column: &str, distinct| AggregateCall {
        function: Arc::new(
            AggregateExprBuilder::new(function, vec![col(column, &input).unwrap()])
                .schema(input.clone())
                .alias("a")
                .with_distinct(distinct)
                .build()
                .unwrap(),
        ),
    };
    let calls = vec![
        call(count_udaf(), "v", false),
        call(sum_udaf(), "v", false),
        call(count_udaf(), "v", true),
        call(max_udaf(), "v", false),
    ];
    let results = ["n", "s", "d", "m"].map(|name| Field::new(name, DataType::Int64, true));
    let output = [vec![fields().remove(0)], results.to_vec()].concat();
    GroupAggregateSpec {
        keys: vec![col("k", &input).unwrap()],
        calls,
        input,
        row_kind: changelog.then_some(2),
        sets: None,
        output: with_kind(output, true),
        retention: Duration::from_millis(RETENTION as u64),
    }
}

fn distinct_spec(changelog: bool) -> DistinctSpec {
    DistinctSpec {
        columns: Arc::new(Schema::new(fields())),
        row_kind: changelog.then_some(2),
        output: with_kind(fields(), changelog),
        retention: Duration::from_millis(RETENTION as u64),
    }
}

/// How a run is cut.
#[derive(Debug, Clone)]
struct Cut {
    batch: usize,
    /// After so many batches the state is saved, and restored at another parallelism.
    restore_at: usize,
    parallelism: usize,
}

/// Subtasks of an operator and the clock that they read.
struct Run {
    clock: ManualClock,
    operators: Vec<Box<dyn Operator>>,
    output: Output,
}

impl Run {
    fn new(spec: &dyn OperatorSpec) -> Self {
        let mut run =
            Self { clock: ManualClock::default(), operators: Vec::new(), output: Output::default() };
        run.operators = vec![run.operator(spec)];
        run
    }

    fn operator(&self, spec: &dyn OperatorSpec) -> Box<dyn Operator> {
        let clock = Arc::new(self.clock.clone());
        spec.operator(&OperatorContext { clock, idle_timeout: None }).unwrap()
    }

    fn rescale(&mut self, spec: &dyn OperatorSpec, parallelism: usize) {
        let states: Vec<Vec<u8>> =
            self.operators.iter_mut().map(|operator| operator.snapshot().unwrap()).collect();
        self.operators = (0..parallelism)
            .map(|subtask| {
                let mut operator = self.operator(spec);
                operator.restore(&states, &KeyRange { subtask, parallelism }).unwrap();
                operator
            })
            .collect();
    }

    /// Runs all changes; rows of one batch have one time, that of the first.
    fn all(spec: &dyn OperatorSpec, changes: &[Change], changelog: bool, keys: usize, cut: &Cut) -> Self {
        let mut run = Self::new(spec);
        for (number, chunk) in batches(changes, cut.batch).into_iter().enumerate() {
            if number == cut.restore_at {
                run.rescale(spec, cut.parallelism);
            }
            run.clock.set(Timestamp(chunk[0].time));
            let batch = batch(chunk, changelog);
            let count = run.operators.len();
            for (subtask, operator) in run.operators.iter_mut().enumerate() {
                let rows = own_rows(&batch, keys, &KeyRange { subtask, parallelism: count });
                operator.process(0, rows, &mut run.output).unwrap();
            }
        }
        run
    }

    fn state_bytes(&self) -> usize {
        self.operators.iter().map(|operator| operator.state_bytes()).sum()
    }

    fn tick(&mut self, now: i64) {
        for operator in &mut self.operators {
            operator.tick(Timestamp(now), &mut self.output).unwrap();
        }
    }

    fn rows(&self) -> Vec<RecordBatch> {
        let batches = self.output.elements.iter().filter_map(|element| match element {
            Element::Batch(batch) => Some(batch.clone()),
            _ => None,
        });
        batches.collect()
    }
}

/// Cuts changes where the time moves on, and into pieces of at most `size`.
fn batches(changes: &[Change], size: usize) -> Vec<&[Change]> {
    changes.chunk_by(|a, b| a.time == b.time).flat_map(|chunk| chunk.chunks(size)).collect()
}

fn batch(changes: &[Change], changelog: bool) -> RecordBatch {
    let mut columns: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(changes.iter().map(|change| change.row.key).collect::<StringArray>()),
        Arc::new(changes.iter().map(|change| change.row.value).collect::<Int64Array>()),
    ];
    if changelog {
        columns.push(Arc::new(changes.iter().map(|change| change.kind as i8).collect::<Int8Array>()));
    }
    RecordBatch::try_new(with_kind(fields(), changelog), columns).unwrap()
}

fn own_rows(batch: &RecordBatch, keys: usize, range: &KeyRange) -> RecordBatch {
    let hashes = key_hashes(&batch.columns()[..keys], batch.num_rows()).unwrap();
    let mask: arrow::array::BooleanArray = hashes.iter().map(|hash| Some(range.contains(*hash))).collect();
    arrow::compute::filter_record_batch(batch, &mask).unwrap()
}

fn kinds(batch: &RecordBatch) -> Vec<RowKind> {
    let kinds = batch.column(batch.num_columns() - 1).as_primitive::<Int8Type>();
    kinds.values().iter().map(|kind| RowKind::from_value(*kind).unwrap()).collect()
}

fn number(batch: &RecordBatch, column: usize, row: usize) -> Option<i64> {
    let column = batch.column(column).as_primitive::<Int64Type>();
    arrow::array::Array::is_valid(column, row).then(|| column.value(row))
}

fn text(batch: &RecordBatch, row: usize) -> Option<String> {
    let column = batch.column(0).as_string::<i32>();
    arrow::array::Array::is_valid(column, row).then(|| column.value(row).to_string())
}

/// The changes of results in the order in which they were given out, by key.
fn result_changes(run: &Run) -> BTreeMap<Option<String>, Vec<(RowKind, Results)>> {
    let mut changes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for batch in run.rows() {
        for (row, kind) in kinds(&batch).into_iter().enumerate() {
            let results = (
                number(&batch, 1, row).unwrap(),
                number(&batch, 2, row),
                number(&batch, 3, row).unwrap(),
                number(&batch, 4, row),
            );
            changes.entry(text(&batch, row)).or_default().push((kind, results));
        }
    }
    changes
}

/// The rows of a key that the model holds, and when the key was last used.
#[derive(Default)]
struct Held {
    rows: Vec<Option<i64>>,
    last: i64,
}

impl Held {
    fn results(&self) -> Results {
        let values: Vec<i64> = self.rows.iter().copied().flatten().collect();
        let mut different = values.clone();
        different.sort_unstable();
        different.dedup();
        let sum = (!values.is_empty()).then(|| values.iter().sum());
        (values.len() as i64, sum, different.len() as i64, values.iter().max().copied())
    }
}

/// The rule, one row at a time.
fn model(changes: &[Change]) -> BTreeMap<Option<String>, Vec<(RowKind, Results)>> {
    let mut groups: HashMap<Option<&str>, Held> = HashMap::new();
    let mut given: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for Change { row, kind, time } in changes {
        groups.retain(|_, held| held.last + RETENTION > *time);
        if !kind.is_added() && !groups.contains_key(&row.key) {
            continue;
        }
        let is_first = !groups.contains_key(&row.key);
        let held = groups.entry(row.key).or_default();
        let before = held.results();
        match kind.is_added() {
            true => held.rows.push(row.value),
            false => {
                let at = held.rows.iter().position(|value| *value == row.value).unwrap();
                held.rows.remove(at);
            }
        }
        held.last = *time;
        let after = held.results();
        let given: &mut Vec<_> = given.entry(row.key.map(str::to_string)).or_default();
        if held.rows.is_empty() {
            given.push((RowKind::Delete, before));
            groups.remove(&row.key);
        } else if is_first {
            given.push((RowKind::Insert, after));
        } else {
            given.extend([(RowKind::UpdateBefore, before), (RowKind::UpdateAfter, after)]);
        }
    }
    given
}

/// Rows come and, in a changelog, go. No row is withdrawn whose key may have been forgotten meanwhile with the row in
/// it: a withdrawal that meets a younger group than its row is beyond what an operator can know.
fn changes(changelog: bool, longest_pause: i64) -> impl Strategy<Value = Vec<Change>> {
    let key = prop::sample::select(vec![Some("a"), Some("b"), Some("c"), Some("d"), None]);
    let value = prop::option::weighted(0.9, 0_i64..6);
    let step = (key, value, any::<bool>(), any::<prop::sample::Index>(), 0..longest_pause);
    prop::collection::vec(step, 1..80).prop_map(move |steps| {
        let (mut changes, mut live, mut time) = (Vec::new(), Vec::<Row>::new(), 0);
        for (key, value, add, victim, pause) in steps {
            // Most rows come at once.
            time += (pause - longest_pause / 2).max(0);
            if add || !changelog || live.is_empty() {
                let row = Row { key, value };
                live.push(row.clone());
                let kind = if changes.len() % 2 == 0 { RowKind::Insert } else { RowKind::UpdateAfter };
                changes.push(Change { row, kind, time });
            } else {
                let row = live.swap_remove(victim.index(live.len()));
                let kind = if changes.len() % 2 == 0 { RowKind::Delete } else { RowKind::UpdateBefore };
                changes.push(Change { row, kind, time });
            }
        }
        changes
    })
}

fn cut() -> impl Strategy<Value = Cut> {
    (1..40_usize, 0..20_usize, 1..4_usize).prop_map(|(batch, restore_at, parallelism)| Cut {
        batch,
        restore_at,
        parallelism,
    })
}

fn check_results(changes: &[Change], changelog: bool, cut: &Cut) -> Result<(), TestCaseError> {
    let mut run = Run::all(&aggregate_spec(changelog), changes, changelog, 1, cut);
    prop_assert_eq!(result_changes(&run), model(changes));
    let last = changes.last().unwrap().time;
    run.tick(last + RETENTION);
    prop_assert_eq!(run.state_bytes(), 0);
    Ok(())
}

proptest! {
    #[test]
    fn results_follow_the_rows_that_are_added(changes in changes(false, 60), cut in cut()) {
        check_results(&changes, false, &cut)?;
    }

    #[test]
    fn results_follow_a_changelog(changes in changes(true, 2), cut in cut()) {
        check_results(&changes, true, &cut)?;
    }

    #[test]
    fn added_rows_come_out_when_they_are_first_seen(changes in changes(false, 60), cut in cut()) {
        let mut run = Run::all(&distinct_spec(false), &changes, false, 2, &cut);
        let mut found = Vec::new();
        for batch in run.rows() {
            prop_assert_eq!(batch.num_columns(), 2);
            found.extend((0..batch.num_rows()).map(|row| (text(&batch, row), number(&batch, 1, row))));
        }
        let mut seen: HashMap<(Option<&str>, Option<i64>), i64> = HashMap::new();
        let mut expected = Vec::new();
        for Change { row, time, .. } in &changes {
            let last = seen.insert((row.key, row.value), *time);
            if last.is_none_or(|last| last + RETENTION <= *time) {
                expected.push((row.key.map(str::to_string), row.value));
            }
        }
        // Only one subtask keeps the order of all rows.
        if cut.parallelism > 1 {
            found.sort();
            expected.sort();
        }
        prop_assert_eq!(found, expected);
        run.tick(changes.last().unwrap().time + RETENTION);
        prop_assert_eq!(run.state_bytes(), 0);
    }

    #[test]
    fn the_different_rows_of_a_changelog_are_those_that_are_left(changes in changes(true, 2), cut in cut()) {
        let run = Run::all(&distinct_spec(true), &changes, true, 2, &cut);
        let mut folded: BTreeMap<(Option<String>, Option<i64>), i64> = BTreeMap::new();
        for batch in run.rows() {
            for (row, kind) in kinds(&batch).into_iter().enumerate() {
                let count = folded.entry((text(&batch, row), number(&batch, 1, row))).or_default();
                *count += if kind.is_added() { 1 } else { -1 };
                prop_assert!(*count == i64::from(kind.is_added()), "a row is added once and withdrawn once");
            }
        }
        folded.retain(|_, count| *count > 0);
        let mut left: BTreeMap<(Option<String>, Option<i64>), i64> = BTreeMap::new();
        for Change { row, kind, .. } in &changes {
            *left.entry((row.key.map(str::to_string), row.value)).or_default() += if kind.is_added() { 1 } else { -1 };
        }
        left.retain(|_, count| *count > 0);
        prop_assert_eq!(folded.keys().collect::<Vec<_>>(), left.keys().collect::<Vec<_>>());
    }
}

fn added(key: &'static str, value: i64, time: i64) -> Change {
    Change { row: Row { key: Some(key), value: Some(value) }, kind: RowKind::Insert, time }
}

fn withdrawn(key: &'static str, value: i64, time: i64) -> Change {
    Change { kind: RowKind::Delete, ..added(key, value, time) }
}

const PLAIN: Cut = Cut { batch: 100, restore_at: 100, parallelism: 1 };

#[test]
fn every_row_gives_a_result_also_one_that_changes_nothing() {
    let null = Change { row: Row { key: Some("a"), value: None }, ..added("a", 0, 0) };
    let run = Run::all(&aggregate_spec(false), &[added("a", 7, 0), null], false, 1, &PLAIN);
    let results = (1, Some(7), 1, Some(7));
    let expected =
        vec![(RowKind::Insert, results), (RowKind::UpdateBefore, results), (RowKind::UpdateAfter, results)];
    assert_eq!(result_changes(&run)[&Some("a".to_string())], expected);
}

#[test]
fn a_withdrawal_of_a_forgotten_group_is_nothing() {
    let rows = [added("a", 1, 0), withdrawn("a", 1, RETENTION), added("a", 2, RETENTION)];
    let run = Run::all(&aggregate_spec(true), &rows, true, 1, &PLAIN);
    let expected =
        vec![(RowKind::Insert, (1, Some(1), 1, Some(1))), (RowKind::Insert, (1, Some(2), 1, Some(2)))];
    assert_eq!(result_changes(&run)[&Some("a".to_string())], expected);
}

#[test]
fn state_grows_with_groups_and_with_what_they_keep() {
    let keep = |rows: &[Change], changelog| {
        Run::all(&aggregate_spec(changelog), rows, changelog, 1, &PLAIN).state_bytes()
    };
    let one = keep(&[added("a", 1, 0)], false);
    assert!(keep(&[added("a", 1, 0), added("b", 1, 0)], false) > one);
    let values: Vec<Change> = (0..100).map(|value| added("a", value, 0)).collect();
    // 100 values are kept for COUNT(DISTINCT v) and, should any be withdrawn, for MAX.
    assert!(keep(&values, false) >= one + 100 * 16);
    assert!(keep(&values, true) >= keep(&values, false) + 100 * 16);
}
