//! Joins against nested loops: whatever the batches, the snapshots and the parallelism, the same rows come out, and
//! nothing stays behind.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int8Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int8Type, Int64Type, Schema, SchemaRef};
use datafusion_expr::Operator as Comparison;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, Column, lit};
use proptest::prelude::*;
use weir_base::clock::ManualClock;
use weir_base::text::Zone;
use weir_base::time::Timestamp;
use weir_engine::operator::{
    Element, IntervalJoin, IntervalJoinSpec, JoinInput, JoinSpec, KeyRange, Operator, Output, StreamJoin,
    StreamJoinSpec, key_hashes,
};
use weir_engine::watermark::{Generator, Interval, Strategy as WatermarkStrategy};
use weir_engine::{ROW_KIND, ROW_WATERMARK, RowKind, TimeColumn, TimeDomain};

/// A row of an input: key, value, time.
type Row = (Option<&'static str>, i64, i64);
/// A row of the output: the two rows, either of which may be missing.
type Pair = (Option<Row>, Option<Row>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kinds {
    left: bool,
    right: bool,
}

const VISIBLE: [&str; 3] = ["k", "v", "t"];

fn columns(prefix: &str) -> Vec<Field> {
    let of = |name: &str| if name == "k" { DataType::Utf8 } else { DataType::Int64 };
    VISIBLE.iter().map(|name| Field::new(format!("{prefix}{name}"), of(name), true)).collect()
}

fn join_spec(kinds: Kinds, residual: bool, changelogs: [bool; 2]) -> JoinSpec {
    let input = |prefix, kept_without_match, changelog: bool| JoinInput {
        schema: Arc::new(Schema::new(columns(prefix))),
        width: 3,
        keys: vec![0],
        kept_without_match,
        row_kind: changelog.then_some(3),
    };
    let column = |name, index| Arc::new(Column::new(name, index)) as Arc<dyn PhysicalExpr>;
    // The values of the two rows must differ by something else than 1.
    let difference = BinaryExpr::new(column("rv", 4), Comparison::Minus, column("lv", 1));
    let condition = BinaryExpr::new(Arc::new(difference), Comparison::NotEq, lit(1i64));
    JoinSpec {
        inputs: [input("l", kinds.left, changelogs[0]), input("r", kinds.right, changelogs[1])],
        residual: residual.then(|| Arc::new(condition) as Arc<dyn PhysicalExpr>),
        joined: Arc::new(Schema::new([columns("l"), columns("r")].concat())),
    }
}

fn meets_residual(left: &Row, right: &Row) -> bool {
    right.1 - left.1 != 1
}

fn visible(rows: &[Row]) -> Vec<ArrayRef> {
    vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
    ]
}

fn with_hidden(prefix: &str, rows: &[Row], name: &str, hidden: ArrayRef) -> RecordBatch {
    let mut fields = columns(prefix);
    fields.push(Field::new(name, hidden.data_type().clone(), true));
    let mut columns = visible(rows);
    columns.push(hidden);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn rows_of(all: &RecordBatch, range: &KeyRange) -> RecordBatch {
    let hashes = key_hashes(&all.columns()[..1], all.num_rows()).unwrap();
    let mask: BooleanArray = hashes.iter().map(|hash| Some(range.contains(*hash))).collect();
    arrow::compute::filter_record_batch(all, &mask).unwrap()
}

fn rescale(
    mut old: Vec<Box<dyn Operator>>,
    parallelism: usize,
    new: impl Fn() -> Box<dyn Operator>,
) -> Vec<Box<dyn Operator>> {
    let states: Vec<Vec<u8>> = old.iter_mut().map(|operator| operator.snapshot().unwrap()).collect();
    (0..parallelism)
        .map(|subtask| {
            let mut operator = new();
            operator.restore(&states, &KeyRange { subtask, parallelism }).unwrap();
            operator
        })
        .collect()
}

/// Returns what a batch of the output adds and withdraws.
fn pairs(batch: &RecordBatch) -> Vec<(Pair, i64)> {
    let key = |column: usize, row: usize| {
        let keys = batch.column(column).as_string::<i32>();
        let known = ["a", "b", "c", "d"];
        (!keys.is_null(row)).then(|| *known.iter().find(|known| **known == keys.value(row)).unwrap())
    };
    let number = |column: usize, row: usize| batch.column(column).as_primitive::<Int64Type>().value(row);
    let side = |first: usize, row: usize| {
        let missing = batch.column(first + 1).is_null(row);
        (!missing).then(|| (key(first, row), number(first + 1, row), number(first + 2, row)))
    };
    let kinds = batch.column_by_name(ROW_KIND).map(|kinds| kinds.as_primitive::<Int8Type>());
    let sign = |row: usize| {
        kinds.is_none_or(|kinds| RowKind::from_value(kinds.value(row)).unwrap().is_added()) as i64 * 2 - 1
    };
    (0..batch.num_rows()).map(|row| ((side(0, row), side(3, row)), sign(row))).collect()
}

/// Runs of rows of the same input, cut at a size.
fn batches<T: Clone>(events: &[(usize, T)], size: usize) -> Vec<(usize, Vec<T>)> {
    let mut batches: Vec<(usize, Vec<T>)> = Vec::new();
    for (input, event) in events {
        match batches.last_mut() {
            Some((last, rows)) if last == input && rows.len() < size => rows.push(event.clone()),
            _ => batches.push((*input, vec![event.clone()])),
        }
    }
    batches
}

// --- within time bounds ---

fn interval_spec(kinds: Kinds, residual: bool, lower: i64, upper: i64) -> IntervalJoinSpec {
    let time = TimeColumn { index: 2, zone: Zone::UTC };
    IntervalJoinSpec {
        join: join_spec(kinds, residual, [false, false]),
        domain: TimeDomain::Event,
        times: [time.clone(), time],
        attributes: [vec![], vec![]],
        row_watermarks: [Some(3), Some(3)],
        lower,
        upper,
    }
}

struct Watermarks([Generator; 2]);

impl Watermarks {
    fn new(delay: i64) -> Self {
        let delay = Duration::from_millis(delay as u64);
        let generator = || Generator::new(WatermarkStrategy { interval: Interval::Rows(1), delay });
        Self([generator(), generator()])
    }

    fn combined(&self) -> i64 {
        self.0[0].current().0.min(self.0[1].current().0)
    }

    /// Returns what was in force in the input before the row.
    fn meet(&mut self, input: usize, row: &Row) -> i64 {
        let before = self.0[input].current().0;
        self.0[input].observe(row.2);
        before
    }
}

/// How a run is cut: rows per batch, after how many batches it is snapshot, at which parallelism it goes on.
type Cut = (usize, usize, usize);

fn run_interval(spec: &IntervalJoinSpec, events: &[(usize, Row)], delay: i64, cut: Cut) -> (Vec<Pair>, u64) {
    let (size, at, parallelism) = cut;
    let new = || Box::new(IntervalJoin::new(spec.clone()).unwrap()) as Box<dyn Operator>;
    let mut watermarks = Watermarks::new(delay);
    let mut operators = vec![new()];
    let mut outputs = vec![Output::default()];
    for (number, (input, rows)) in batches(events, size).into_iter().enumerate() {
        if number == at {
            operators = rescale(operators, parallelism, new);
            outputs.resize_with(parallelism.max(1), Output::default);
        }
        let hidden: Int64Array = rows.iter().map(|row| watermarks.meet(input, row)).collect();
        let all = with_hidden(["l", "r"][input], &rows, ROW_WATERMARK, Arc::new(hidden));
        let count = operators.len();
        for (subtask, operator) in operators.iter_mut().enumerate() {
            let range = KeyRange { subtask, parallelism: count };
            operator.process(input, rows_of(&all, &range), &mut outputs[subtask]).unwrap();
            let watermark = Timestamp(watermarks.combined());
            operator.watermark(TimeDomain::Event, watermark, &mut outputs[subtask]).unwrap();
        }
    }
    for (subtask, operator) in operators.iter_mut().enumerate() {
        operator.watermark(TimeDomain::Event, Timestamp::MAX, &mut outputs[subtask]).unwrap();
        assert_eq!(operator.state_bytes(), 0, "rows stay behind");
    }
    let mut found = Vec::new();
    for output in &outputs {
        assert!(output.dirty.is_empty());
        // Of the first operator the watermark goes on after a restore, so it begins anew only there.
        let mut given = i64::MIN;
        for element in &output.elements {
            match element {
                Element::Batch(batch) => {
                    for (pair, sign) in pairs(batch) {
                        assert_eq!(sign, 1);
                        let times = [pair.0, pair.1].into_iter().flatten().map(|row| row.2);
                        times.for_each(|time| assert!(time > given, "{pair:?} comes after {given}"));
                        found.push(pair);
                    }
                }
                Element::Watermark(_, watermark) => given = given.max(watermark.0),
                Element::Idle => {}
            }
        }
    }
    found.sort();
    (found, outputs.iter().map(|output| output.late).sum())
}

/// The rule: of the rows that are not late, all pairs with equal keys, within the bounds, that meet the condition.
fn model_interval(
    spec: &IntervalJoinSpec,
    kinds: Kinds,
    events: &[(usize, Row)],
    delay: i64,
) -> (Vec<Pair>, u64) {
    let mut watermarks = Watermarks::new(delay);
    let mut sides: [Vec<Row>; 2] = Default::default();
    let mut late = 0;
    for (input, row) in events {
        match watermarks.meet(*input, row) < row.2 {
            true => sides[*input].push(*row),
            false => late += 1,
        }
    }
    let is_match = |left: &Row, right: &Row| {
        let difference = right.2 - left.2;
        (spec.lower..=spec.upper).contains(&difference)
            && (spec.join.residual.is_none() || meets_residual(left, right))
    };
    (joined(&sides[0], &sides[1], kinds, is_match), late)
}

fn joined(left: &[Row], right: &[Row], kinds: Kinds, is_match: impl Fn(&Row, &Row) -> bool) -> Vec<Pair> {
    let is_match = |l: &Row, r: &Row| l.0.is_some() && l.0 == r.0 && is_match(l, r);
    let mut pairs: Vec<Pair> = Vec::new();
    for l in left {
        let matches: Vec<&Row> = right.iter().filter(|r| is_match(l, r)).collect();
        pairs.extend(matches.iter().map(|r| (Some(*l), Some(**r))));
        if kinds.left && matches.is_empty() {
            pairs.push((Some(*l), None));
        }
    }
    if kinds.right {
        let alone = right.iter().filter(|r| !left.iter().any(|l| is_match(l, r)));
        pairs.extend(alone.map(|r| (None, Some(*r))));
    }
    pairs.sort();
    pairs
}

fn keys() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![Some("a"), Some("b"), Some("c"), Some("d"), None])
}

fn kinds() -> impl Strategy<Value = Kinds> {
    (any::<bool>(), any::<bool>()).prop_map(|(left, right)| Kinds { left, right })
}

fn cut() -> impl Strategy<Value = Cut> {
    (1..30_usize, 0..20_usize, 1..4_usize)
}

fn timed_events() -> impl Strategy<Value = Vec<(usize, Row)>> {
    // Time moves on by 2 ms a row, give or take 15: some rows are in order, some late.
    prop::collection::vec((0..2_usize, keys(), 0..6_i64, -15..15_i64), 1..120).prop_map(|rows| {
        let event = |(i, (input, key, value, jitter)): (usize, (usize, _, i64, i64))| {
            (input, (key, value, i as i64 * 2 + jitter))
        };
        rows.into_iter().enumerate().map(event).collect()
    })
}

proptest! {
    #[test]
    fn interval_joins_follow_the_rule(events in timed_events(), kinds in kinds(), residual: bool, lower in -40..30_i64, width in -5..50_i64, delay in 0..25_i64, cut in cut()) {
        let spec = interval_spec(kinds, residual, lower, lower + width);
        let found = run_interval(&spec, &events, delay, cut);
        prop_assert_eq!(found, model_interval(&spec, kinds, &events, delay));
    }
}

#[test]
fn a_row_without_a_match_comes_when_none_is_possible_any_more() {
    let spec = interval_spec(Kinds { left: true, right: false }, false, 0, 10);
    let mut operator = IntervalJoin::new(spec).unwrap();
    let mut output = Output::default();
    let row = with_hidden("l", &[(Some("a"), 1, 100)], ROW_WATERMARK, Arc::new(Int64Array::from(vec![0])));
    operator.process(0, row, &mut output).unwrap();
    operator.watermark(TimeDomain::Event, Timestamp(109), &mut output).unwrap();
    operator.watermark(TimeDomain::Event, Timestamp(110), &mut output).unwrap();
    let given: Vec<String> = output
        .elements
        .iter()
        .map(|element| match element {
            Element::Batch(batch) => format!("{:?}", pairs(batch)),
            Element::Watermark(_, watermark) => watermark.to_string(),
            Element::Idle => "idle".to_string(),
        })
        .collect();
    // While the row was kept the watermark stayed behind its time.
    let held = Timestamp(99).to_string();
    assert_eq!(
        given,
        [held, "[((Some((Some(\"a\"), 1, 100)), None), 1)]".to_string(), Timestamp(110).to_string()]
    );
}

// --- without bounds ---

fn stream_spec(kinds: Kinds, residual: bool, changelogs: [bool; 2], retention: Duration) -> StreamJoinSpec {
    StreamJoinSpec { join: join_spec(kinds, residual, changelogs), retention }
}

/// A row that is added or withdrawn.
type Change = (Row, RowKind);

fn change_batch(input: usize, changes: &[Change], is_changelog: bool) -> RecordBatch {
    let rows: Vec<Row> = changes.iter().map(|(row, _)| *row).collect();
    let kinds: Int8Array = changes.iter().map(|(_, kind)| *kind as i8).collect();
    let all = with_hidden(["l", "r"][input], &rows, ROW_KIND, Arc::new(kinds));
    if is_changelog { all } else { all.project(&[0, 1, 2]).unwrap() }
}

fn run_stream(spec: &StreamJoinSpec, events: &[(usize, Change)], cut: Cut) -> Vec<Pair> {
    let (size, at, parallelism) = cut;
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let new = || Box::new(StreamJoin::new(spec, clock.clone()).unwrap()) as Box<dyn Operator>;
    let mut operators = vec![new()];
    let mut output = Output::default();
    for (number, (input, changes)) in batches(events, size).into_iter().enumerate() {
        if number == at {
            operators = rescale(operators, parallelism, new);
        }
        let all = change_batch(input, &changes, spec.join.inputs[input].row_kind.is_some());
        let count = operators.len();
        for (subtask, operator) in operators.iter_mut().enumerate() {
            let range = KeyRange { subtask, parallelism: count };
            operator.process(input, rows_of(&all, &range), &mut output).unwrap();
        }
    }
    clock.advance(spec.retention);
    for operator in &mut operators {
        operator.tick(Timestamp(spec.retention.as_millis() as i64), &mut output).unwrap();
        assert_eq!(operator.state_bytes(), 0, "rows stay behind");
    }
    assert!(output.dirty.is_empty());
    folded(&output, spec.is_changelog())
}

/// Returns the rows that remain; none may be withdrawn that is not there.
fn folded(output: &Output, is_changelog: bool) -> Vec<Pair> {
    let mut counts: BTreeMap<Pair, i64> = BTreeMap::new();
    for element in &output.elements {
        let Element::Batch(batch) = element else { continue };
        assert_eq!(batch.column_by_name(ROW_KIND).is_some(), is_changelog);
        for (pair, sign) in pairs(batch) {
            let count = counts.entry(pair).or_default();
            *count += sign;
            assert!(*count >= 0, "{pair:?} is withdrawn and was not there");
        }
    }
    counts.into_iter().flat_map(|(pair, count)| std::iter::repeat_n(pair, count as usize)).collect()
}

/// The rule: the join of what has been added and not withdrawn.
fn model_stream(spec: &StreamJoinSpec, kinds: Kinds, events: &[(usize, Change)]) -> Vec<Pair> {
    let mut sides: [Vec<Row>; 2] = Default::default();
    for (input, (row, kind)) in events {
        if kind.is_added() {
            sides[*input].push(*row);
        } else {
            let at = sides[*input].iter().position(|known| known == row).unwrap();
            sides[*input].remove(at);
        }
    }
    let is_match = |l: &Row, r: &Row| spec.join.residual.is_none() || meets_residual(l, r);
    joined(&sides[0], &sides[1], kinds, is_match)
}

/// Changes of both inputs; of one that is a changelog half of them withdraw a row that is there.
fn changes(changelogs: [bool; 2]) -> impl Strategy<Value = Vec<(usize, Change)>> {
    let step = (0..2_usize, keys(), 0..4_i64, any::<bool>(), any::<prop::sample::Index>());
    prop::collection::vec(step, 1..100).prop_map(move |steps| {
        let mut there: [Vec<Row>; 2] = Default::default();
        let mut events = Vec::new();
        for (input, key, value, withdraw, victim) in steps {
            let known = &mut there[input];
            if withdraw && changelogs[input] && !known.is_empty() {
                let row = known.swap_remove(victim.index(known.len()));
                let kind = if value % 2 == 0 { RowKind::Delete } else { RowKind::UpdateBefore };
                events.push((input, (row, kind)));
            } else {
                known.push((key, value, 0));
                let kind =
                    if changelogs[input] && value == 3 { RowKind::UpdateAfter } else { RowKind::Insert };
                events.push((input, ((key, value, 0), kind)));
            }
        }
        events
    })
}

fn changelog_events() -> impl Strategy<Value = ([bool; 2], Vec<(usize, Change)>)> {
    any::<[bool; 2]>()
        .prop_flat_map(|changelogs| changes(changelogs).prop_map(move |events| (changelogs, events)))
}

proptest! {
    #[test]
    fn unbounded_joins_follow_the_rule((changelogs, events) in changelog_events(), kinds in kinds(), residual: bool, cut in cut()) {
        let spec = stream_spec(kinds, residual, changelogs, Duration::from_secs(1));
        prop_assert_eq!(run_stream(&spec, &events, cut), model_stream(&spec, kinds, &events));
    }
}

/// What one row after the other gives, as text.
fn steps(spec: &StreamJoinSpec, clock: &Arc<ManualClock>, events: &[(usize, u64, Change)]) -> Vec<String> {
    let mut operator = StreamJoin::new(spec, clock.clone()).unwrap();
    let mut lines = Vec::new();
    for (input, wait, change) in events {
        clock.advance(Duration::from_millis(*wait));
        let mut output = Output::default();
        let batch =
            change_batch(*input, std::slice::from_ref(change), spec.join.inputs[*input].row_kind.is_some());
        operator.process(*input, batch, &mut output).unwrap();
        let mut line = Vec::new();
        for element in &output.elements {
            let Element::Batch(batch) = element else { continue };
            let kinds = batch.column_by_name(ROW_KIND).map(|kinds| kinds.as_primitive::<Int8Type>().clone());
            for (row, ((left, right), _)) in pairs(batch).into_iter().enumerate() {
                let kind = kinds.as_ref().map_or("", |k| RowKind::from_value(k.value(row)).unwrap().sign());
                let shown = |row: Option<Row>| row.map_or("-".to_string(), |row| row.1.to_string());
                line.push(format!("{kind}{} {}", shown(left), shown(right)));
            }
        }
        lines.push(line.join(", "));
    }
    lines
}

fn add(value: i64) -> Change {
    ((Some("a"), value, 0), RowKind::Insert)
}

fn withdraw(value: i64) -> Change {
    ((Some("a"), value, 0), RowKind::Delete)
}

#[test]
fn the_first_match_withdraws_the_padded_row_and_the_last_one_gone_brings_it_back() {
    let spec = stream_spec(Kinds { left: true, right: false }, false, [false, true], Duration::from_secs(1));
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let events = [(0, 0, add(1)), (1, 0, add(5)), (1, 0, add(6)), (1, 0, withdraw(5)), (1, 0, withdraw(6))];
    assert_eq!(steps(&spec, &clock, &events), ["+I1 -", "-D1 -, +I1 5", "+I1 6", "-D1 5", "-D1 6, +I1 -"]);
}

#[test]
fn a_key_that_was_idle_begins_anew() {
    let spec =
        stream_spec(Kinds { left: false, right: false }, false, [false, false], Duration::from_millis(10));
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let events = [(0, 0, add(1)), (1, 9, add(5)), (0, 9, add(2)), (1, 10, add(6)), (0, 1, add(3))];
    assert_eq!(steps(&spec, &clock, &events), ["", "1 5", "2 5", "", "3 6"]);
}

#[test]
fn many_matches_come_in_batches_of_the_usual_size() {
    let spec = stream_spec(Kinds { left: true, right: true }, true, [false, false], Duration::from_secs(1));
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let mut operator = StreamJoin::new(&spec, clock).unwrap();
    let mut output = Output::default();
    let rows = |count: i64| (0..count).map(|n| add(n * 2)).collect::<Vec<Change>>();
    operator.process(0, change_batch(0, &rows(300), false), &mut output).unwrap();
    let mut step = Output::default();
    operator.process(1, change_batch(1, &rows(100), false), &mut step).unwrap();
    while step.is_unfinished() {
        output.elements.append(&mut step.elements);
        step = Output::default();
        operator.resume(&mut step).unwrap();
    }
    output.elements.append(&mut step.elements);
    let sizes: Vec<usize> = output
        .elements
        .iter()
        .map(|element| match element {
            Element::Batch(batch) => batch.num_rows(),
            _ => 0,
        })
        .collect();
    assert!(sizes.iter().all(|size| *size <= 8_192), "{sizes:?}");
    assert_eq!(folded(&output, true).len(), 300 * 100);
}

#[test]
fn a_pair_on_which_the_condition_fails_is_dirty_and_no_match() {
    let mut spec =
        stream_spec(Kinds { left: true, right: false }, true, [false, false], Duration::from_secs(1));
    let column = |name, index| Arc::new(Column::new(name, index)) as Arc<dyn PhysicalExpr>;
    let product =
        BinaryExpr::new(column("lv", 1), Comparison::Multiply, column("rv", 4)).with_fail_on_overflow(true);
    spec.join.residual = Some(Arc::new(BinaryExpr::new(Arc::new(product), Comparison::Gt, lit(0i64))));
    let mut operator = StreamJoin::new(&spec, Arc::new(ManualClock::new(Timestamp(0)))).unwrap();
    let mut output = Output::default();
    operator.process(1, change_batch(1, &[add(2), add(i64::MAX), add(3)], false), &mut output).unwrap();
    operator.process(0, change_batch(0, &[add(7)], false), &mut output).unwrap();
    assert_eq!(output.dirty.len(), 1);
    assert!(output.dirty[0].data.contains("lv=7"), "{:?}", output.dirty);
    assert_eq!(folded(&output, true).len(), 2);
}

fn schema_of(output: &Output) -> Option<SchemaRef> {
    output.elements.iter().find_map(|element| match element {
        Element::Batch(batch) => Some(batch.schema()),
        _ => None,
    })
}

#[test]
fn an_inner_join_of_added_rows_only_adds_rows() {
    let spec =
        stream_spec(Kinds { left: false, right: false }, false, [false, false], Duration::from_secs(1));
    let mut operator = StreamJoin::new(&spec, Arc::new(ManualClock::new(Timestamp(0)))).unwrap();
    let mut output = Output::default();
    operator.process(0, change_batch(0, &[add(1)], false), &mut output).unwrap();
    operator.process(1, change_batch(1, &[add(2)], false), &mut output).unwrap();
    assert!(schema_of(&output).unwrap().index_of(ROW_KIND).is_err());
}
