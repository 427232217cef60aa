//! Windows against a model that looks at one row at a time: whatever the batches, the snapshots and the
//! parallelism, the same rows come out.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Fields, Int64Type, Schema, TimeUnit, TimestampMillisecondType};
use datafusion_functions_aggregate::{count::count_udaf, sum::sum_udaf};
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::col;
use proptest::prelude::*;
use weir_base::text::Zone;
use weir_base::time::Timestamp;
use weir_engine::operator::{
    AggregateCall, Element, GroupWindow, GroupWindowSpec, KeyRange, Operator, Output, SessionWindow,
    WindowKind, WindowPlan,
};
use weir_engine::watermark::{Generator, Interval, Strategy as WatermarkStrategy};
use weir_engine::{ROW_WATERMARK, TimeColumn, TimeDomain};

/// Key, start, end, count, sum.
type Row = (String, i64, i64, i64, i64);

#[derive(Debug, Clone)]
struct Input {
    key: &'static str,
    value: i64,
    time: i64,
}

fn input_schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int64, true),
        Field::new("t", DataType::Int64, true),
        Field::new(ROW_WATERMARK, DataType::Int64, true),
    ]))
}

fn plan(kind: WindowKind) -> WindowPlan {
    let schema = input_schema();
    let instant = DataType::Timestamp(TimeUnit::Millisecond, None);
    let bounds =
        Fields::from(vec![Field::new("start", instant.clone(), true), Field::new("end", instant, true)]);
    let output = Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("w", DataType::Struct(bounds), true),
        Field::new("n", DataType::Int64, true),
        Field::new("s", DataType::Int64, true),
    ]));
    let call = |function, name: &str| AggregateCall {
        function: Arc::new(
            AggregateExprBuilder::new(function, vec![col("v", &schema).unwrap()])
                .schema(schema.clone())
                .alias(name)
                .build()
                .unwrap(),
        ),
    };
    WindowPlan::new(GroupWindowSpec {
        kind,
        domain: TimeDomain::Event,
        time: TimeColumn { index: 2, zone: Zone::UTC },
        keys: vec![col("k", &schema).unwrap()],
        window_position: 1,
        calls: vec![call(count_udaf(), "n"), call(sum_udaf(), "s")],
        output,
        row_watermark: Some(3),
        sets: None,
    })
    .unwrap()
}

fn operator(kind: WindowKind) -> Box<dyn Operator> {
    match kind {
        WindowKind::Session { .. } => Box::new(SessionWindow::new(plan(kind)).unwrap()),
        _ => Box::new(GroupWindow::new(plan(kind)).unwrap()),
    }
}

/// Runs rows through operators in batches; `at` takes a snapshot after that many batches and restores it
/// into `parallelism` operators.
fn run(
    kind: WindowKind,
    rows: &[Input],
    delay: u64,
    batch: usize,
    at: usize,
    parallelism: usize,
) -> (Vec<Row>, u64) {
    let strategy =
        WatermarkStrategy { interval: Interval::Rows(1), delay: std::time::Duration::from_millis(delay) };
    let mut generator = Generator::new(strategy);
    let mut operators = vec![operator(kind)];
    let mut output = Output::default();
    for (number, chunk) in rows.chunks(batch).enumerate() {
        if number == at {
            operators = rescale(kind, operators, parallelism);
        }
        let watermarks: Int64Array = chunk
            .iter()
            .map(|row| {
                let before = generator.current().0;
                generator.observe(row.time);
                before
            })
            .collect();
        let all = RecordBatch::try_new(
            input_schema(),
            vec![
                Arc::new(chunk.iter().map(|row| Some(row.key)).collect::<StringArray>()),
                Arc::new(chunk.iter().map(|row| row.value).collect::<Int64Array>()),
                Arc::new(chunk.iter().map(|row| row.time).collect::<Int64Array>()),
                Arc::new(watermarks),
            ],
        )
        .unwrap();
        let count = operators.len();
        for (subtask, operator) in operators.iter_mut().enumerate() {
            let range = KeyRange { subtask, parallelism: count };
            operator.process(0, rows_of(&all, &range), &mut output).unwrap();
            operator.watermark(TimeDomain::Event, generator.current(), &mut output).unwrap();
        }
    }
    for operator in &mut operators {
        operator.watermark(TimeDomain::Event, Timestamp::MAX, &mut output).unwrap();
    }
    assert!(output.dirty.is_empty());
    (collect(&output), output.late)
}

fn rescale(kind: WindowKind, mut old: Vec<Box<dyn Operator>>, parallelism: usize) -> Vec<Box<dyn Operator>> {
    let states: Vec<Vec<u8>> = old.iter_mut().map(|operator| operator.snapshot().unwrap()).collect();
    (0..parallelism)
        .map(|subtask| {
            let mut operator = operator(kind);
            operator.restore(&states, &KeyRange { subtask, parallelism }).unwrap();
            operator
        })
        .collect()
}

fn rows_of(all: &RecordBatch, range: &KeyRange) -> RecordBatch {
    let hashes = weir_engine::operator::key_hashes(&all.columns()[..1], all.num_rows()).unwrap();
    let mask: arrow::array::BooleanArray = hashes.iter().map(|hash| Some(range.contains(*hash))).collect();
    arrow::compute::filter_record_batch(all, &mask).unwrap()
}

fn collect(output: &Output) -> Vec<Row> {
    let mut rows = Vec::new();
    for element in &output.elements {
        let Element::Batch(batch) = element else { continue };
        let keys = batch.column(0).as_string::<i32>();
        let window = batch.column(1).as_struct();
        let starts = window.column(0).as_primitive::<TimestampMillisecondType>();
        let ends = window.column(1).as_primitive::<TimestampMillisecondType>();
        let counts = batch.column(2).as_primitive::<Int64Type>();
        let sums = batch.column(3).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            rows.push((
                keys.value(row).to_string(),
                starts.value(row),
                ends.value(row),
                counts.value(row),
                sums.value(row),
            ));
        }
    }
    rows.sort();
    rows
}

/// The rule, one row at a time: a row is in a window unless that was complete before the row.
fn model_fixed(slide: i64, size: i64, rows: &[Input], delay: i64) -> Vec<Row> {
    let mut windows: BTreeMap<(String, i64), (i64, i64)> = BTreeMap::new();
    let mut watermark = i64::MIN;
    for row in rows {
        let mut start = row.time.div_euclid(slide) * slide;
        while start + size > row.time {
            if start + size - 1 > watermark {
                let entry = windows.entry((row.key.to_string(), start)).or_default();
                entry.0 += 1;
                entry.1 += row.value;
            }
            start -= slide;
        }
        watermark = watermark.max(row.time - delay);
    }
    let mut result: Vec<Row> =
        windows.into_iter().map(|((key, start), (n, sum))| (key, start, start + size, n, sum)).collect();
    result.sort();
    result
}

/// Sessions one row at a time. A session is given out as soon as the watermark reaches its end - 1.
fn model_sessions(gap: i64, rows: &[Input], delay: i64) -> Vec<Row> {
    let mut open: Vec<Row> = Vec::new();
    let mut done = Vec::new();
    let mut watermark = i64::MIN;
    for row in rows {
        let (complete, rest) = open.into_iter().partition(|session: &Row| session.2 - 1 <= watermark);
        done.extend::<Vec<Row>>(complete);
        open = rest;
        let touches =
            |session: &Row| session.0 == row.key && row.time <= session.2 && session.1 <= row.time + gap;
        let (touched, mut others): (Vec<Row>, Vec<Row>) = open.into_iter().partition(touches);
        let late = touched.is_empty() && row.time + gap - 1 <= watermark;
        if !late {
            let mut merged = (row.key.to_string(), row.time, row.time + gap, 1, row.value);
            for session in touched {
                merged.1 = merged.1.min(session.1);
                merged.2 = merged.2.max(session.2);
                merged.3 += session.3;
                merged.4 += session.4;
            }
            others.push(merged);
        }
        open = others;
        watermark = watermark.max(row.time - delay);
    }
    done.extend(open);
    done.sort();
    done
}

fn rows() -> impl Strategy<Value = Vec<Input>> {
    let key = prop::sample::select(vec!["a", "b", "c", "d"]);
    // Time moves on by 3 ms a row, give or take 20: some rows are in order, some late, some very late.
    prop::collection::vec((key, 0..100_i64, -20..20_i64), 1..200).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(i, (key, value, jitter))| Input { key, value, time: i as i64 * 3 + jitter })
            .collect()
    })
}

proptest! {
    #[test]
    fn tumbling_windows_follow_the_rule(rows in rows(), size in 1..40_i64, delay in 0..30_i64, batch in 1..50_usize, at in 0..20_usize, parallelism in 1..4_usize) {
        let (found, _) = run(WindowKind::Tumble { size }, &rows, delay as u64, batch, at, parallelism);
        prop_assert_eq!(found, model_fixed(size, size, &rows, delay));
    }

    #[test]
    fn hopping_windows_follow_the_rule(rows in rows(), slide in 1..30_i64, size in 1..60_i64, delay in 0..30_i64, batch in 1..50_usize, at in 0..20_usize, parallelism in 1..4_usize) {
        let (found, _) = run(WindowKind::Hop { slide, size }, &rows, delay as u64, batch, at, parallelism);
        prop_assert_eq!(found, model_fixed(slide, size, &rows, delay));
    }

    #[test]
    fn sessions_follow_the_rule(rows in rows(), gap in 1..30_i64, delay in 0..30_i64, batch in 1..50_usize, at in 0..20_usize, parallelism in 1..4_usize) {
        let (found, _) = run(WindowKind::Session { gap }, &rows, delay as u64, batch, at, parallelism);
        prop_assert_eq!(found, model_sessions(gap, &rows, delay));
    }
}

#[test]
fn late_rows_are_counted_and_dropped() {
    let row = |time| Input { key: "a", value: 1, time };
    let (found, late) =
        run(WindowKind::Tumble { size: 10 }, &[row(1), row(12), row(3), row(13)], 2, 4, 99, 1);
    assert_eq!(late, 1);
    assert_eq!(found, vec![("a".to_string(), 0, 10, 1, 1), ("a".to_string(), 10, 20, 2, 2)]);
}
