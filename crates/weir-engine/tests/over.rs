//! OVER windows against a model that looks at one row at a time: whatever the batches, the snapshots and the parallelism,
//! every row gets the same results, and nothing is kept when the watermark has passed everything.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion_functions_aggregate::count::count_udaf;
use datafusion_functions_aggregate::min_max::max_udaf;
use datafusion_functions_aggregate::sum::sum_udaf;
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::col;
use proptest::prelude::*;
use weir_base::text::Zone;
use weir_base::time::Timestamp;
use weir_engine::operator::{
    AggregateCall, Element, KeyRange, Operator, Output, Over, OverFrame, OverSpec, key_hashes,
};
use weir_engine::watermark::{Generator, Interval, Strategy as WatermarkStrategy};
use weir_engine::{ROW_WATERMARK, TARGET_BATCH_ROWS, TimeColumn, TimeDomain};

/// Key, value, time, count, sum, greatest.
type Row = (String, i64, i64, i64, i64, i64);

#[derive(Debug, Clone)]
struct Input {
    key: &'static str,
    value: i64,
    time: i64,
}

fn fields() -> Vec<Field> {
    vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int64, true),
        Field::new("t", DataType::Int64, true),
    ]
}

fn input_schema() -> SchemaRef {
    let mut fields = fields();
    fields.push(Field::new(ROW_WATERMARK, DataType::Int64, true));
    Arc::new(Schema::new(fields))
}

fn operator(frame: OverFrame, domain: TimeDomain) -> Over {
    let input = input_schema();
    let mut output = fields();
    output.extend(["n", "s", "m"].map(|name| Field::new(name, DataType::Int64, true)));
    output.push(Field::new(ROW_WATERMARK, DataType::Int64, true));
    let call = |function, name: &str| AggregateCall {
        function: Arc::new(
            AggregateExprBuilder::new(function, vec![col("v", &input).unwrap()])
                .schema(input.clone())
                .alias(name)
                .build()
                .unwrap(),
        ),
    };
    Over::new(OverSpec {
        domain,
        time: TimeColumn { index: 2, zone: Zone::UTC },
        partition: vec![col("k", &input).unwrap()],
        frame,
        calls: vec![call(count_udaf(), "n"), call(sum_udaf(), "s"), call(max_udaf(), "m")],
        visible: 3,
        output: Arc::new(Schema::new(output)),
        row_watermark: Some(3),
        input,
    })
    .unwrap()
}

fn batch(rows: &[Input], watermarks: Vec<i64>) -> RecordBatch {
    RecordBatch::try_new(
        input_schema(),
        vec![
            Arc::new(rows.iter().map(|row| Some(row.key)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| row.value).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.time).collect::<Int64Array>()),
            Arc::new(Int64Array::from(watermarks)),
        ],
    )
    .unwrap()
}

/// How a run is cut: rows per batch, after how many batches a snapshot is taken, and how many subtasks go on from it.
#[derive(Debug, Clone)]
struct Cuts {
    batch: usize,
    at: usize,
    parallelism: usize,
}

/// Runs rows of event time through operators. Returns what came out, sorted, and how many rows were late.
fn run(frame: OverFrame, rows: &[Input], delay: u64, cuts: &Cuts) -> (Vec<Row>, u64) {
    let delay = std::time::Duration::from_millis(delay);
    let mut generator = Generator::new(WatermarkStrategy { interval: Interval::Rows(1), delay });
    let mut operators = vec![operator(frame, TimeDomain::Event)];
    let mut output = Output::default();
    for (number, chunk) in rows.chunks(cuts.batch).enumerate() {
        if number == cuts.at {
            operators = rescaled(frame, operators, cuts.parallelism);
        }
        let observe = |row: &Input| {
            let before = generator.current().0;
            generator.observe(row.time);
            before
        };
        let watermarks = chunk.iter().map(observe).collect();
        let all = batch(chunk, watermarks);
        let parallelism = operators.len();
        for (subtask, operator) in operators.iter_mut().enumerate() {
            let range = KeyRange { subtask, parallelism };
            operator.process(0, rows_of(&all, &range), &mut output).unwrap();
            operator.watermark(TimeDomain::Event, generator.current(), &mut output).unwrap();
        }
    }
    for operator in &mut operators {
        operator.watermark(TimeDomain::Event, Timestamp::MAX, &mut output).unwrap();
        assert_eq!(operator.state_bytes(), 0, "everything has passed");
    }
    assert!(output.dirty.is_empty());
    let mut rows = collect(&output);
    rows.sort();
    (rows, output.late)
}

fn rescaled(frame: OverFrame, mut old: Vec<Over>, parallelism: usize) -> Vec<Over> {
    let states: Vec<Vec<u8>> = old.iter_mut().map(|operator| operator.snapshot().unwrap()).collect();
    (0..parallelism)
        .map(|subtask| {
            let mut operator = operator(frame, TimeDomain::Event);
            operator.restore(&states, &KeyRange { subtask, parallelism }).unwrap();
            operator
        })
        .collect()
}

fn rows_of(all: &RecordBatch, range: &KeyRange) -> RecordBatch {
    let hashes = key_hashes(&all.columns()[..1], all.num_rows()).unwrap();
    let mask: arrow::array::BooleanArray = hashes.iter().map(|hash| Some(range.contains(*hash))).collect();
    arrow::compute::filter_record_batch(all, &mask).unwrap()
}

fn collect(output: &Output) -> Vec<Row> {
    let mut rows = Vec::new();
    for element in &output.elements {
        let Element::Batch(batch) = element else { continue };
        let keys = batch.column(0).as_string::<i32>();
        let number = |column: usize, row| batch.column(column).as_primitive::<Int64Type>().value(row);
        for row in 0..batch.num_rows() {
            let key = keys.value(row).to_string();
            rows.push((key, number(1, row), number(2, row), number(3, row), number(4, row), number(5, row)));
        }
    }
    rows
}

/// The rule: rows in order of time, then of arrival; late ones left out; the frame of each looked up among all.
fn model(frame: OverFrame, rows: &[Input], delay: i64) -> (Vec<Row>, u64) {
    let mut watermark = i64::MIN;
    let mut late = 0;
    let mut taken: Vec<&Input> = Vec::new();
    for row in rows {
        match row.time <= watermark {
            true => late += 1,
            false => taken.push(row),
        }
        watermark = watermark.max(row.time - delay);
    }
    taken.sort_by_key(|row| row.time);
    let mut results = Vec::new();
    for (place, row) in taken.iter().enumerate() {
        let own = |other: &(usize, &&Input)| other.1.key == row.key;
        let held: Vec<i64> = match frame {
            OverFrame::Rows(before) => {
                let rows = taken[..=place].iter().enumerate().filter(own).rev().map(|(_, other)| other.value);
                rows.take(before.map_or(usize::MAX, |n| n as usize + 1)).collect()
            }
            OverFrame::Range(range) => {
                let from = range.map_or(i64::MIN, |range| row.time - range);
                let inside = |other: &(usize, &&Input)| (from..=row.time).contains(&other.1.time);
                taken.iter().enumerate().filter(own).filter(inside).map(|(_, other)| other.value).collect()
            }
        };
        let greatest = held.iter().copied().max().unwrap();
        let (count, sum) = (held.len() as i64, held.iter().sum());
        results.push((row.key.to_string(), row.value, row.time, count, sum, greatest));
    }
    results.sort();
    (results, late)
}

fn rows() -> impl Strategy<Value = Vec<Input>> {
    let key = prop::sample::select(vec!["a", "b", "c", "d"]);
    // Time moves on by 2 ms a row, give or take 12: rows of equal time, rows out of order, late rows.
    prop::collection::vec((key, 0..100_i64, -12..12_i64), 1..150).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(i, (key, value, jitter))| Input { key, value, time: i as i64 * 2 + jitter })
            .collect()
    })
}

fn frames() -> impl Strategy<Value = OverFrame> {
    prop_oneof![
        Just(OverFrame::Rows(None)),
        Just(OverFrame::Range(None)),
        (0..6_u64).prop_map(|n| OverFrame::Rows(Some(n))),
        (0..40_i64).prop_map(|range| OverFrame::Range(Some(range))),
    ]
}

fn cuts() -> impl Strategy<Value = Cuts> {
    (1..40_usize, 0..20_usize, 1..4_usize).prop_map(|(batch, at, parallelism)| Cuts {
        batch,
        at,
        parallelism,
    })
}

proptest! {
    #[test]
    fn every_row_gets_its_frame(frame in frames(), rows in rows(), delay in 0..20_i64, cuts in cuts()) {
        prop_assert_eq!(run(frame, &rows, delay as u64, &cuts), model(frame, &rows, delay));
    }
}

fn input(key: &'static str, value: i64, time: i64) -> Input {
    Input { key, value, time }
}

#[test]
fn rows_of_processing_time_see_only_what_came_before_them() {
    let mut operator = operator(OverFrame::Range(Some(10)), TimeDomain::Processing);
    let mut output = Output::default();
    let rows = [input("a", 1, 100), input("a", 2, 100), input("a", 4, 111)];
    operator.process(0, batch(&rows, vec![i64::MIN; 3]), &mut output).unwrap();
    let sums: Vec<i64> = collect(&output).into_iter().map(|row| row.4).collect();
    assert_eq!(sums, [1, 3, 4]);
}

#[test]
fn a_partition_is_freed_when_no_row_can_see_its_rows() {
    let mut operator = operator(OverFrame::Range(Some(10)), TimeDomain::Event);
    let mut output = Output::default();
    operator.process(0, batch(&[input("a", 1, 100)], vec![i64::MIN]), &mut output).unwrap();
    operator.watermark(TimeDomain::Event, Timestamp(109), &mut output).unwrap();
    assert!(operator.state_bytes() > 0, "a row at 110 would see it");
    operator.watermark(TimeDomain::Event, Timestamp(110), &mut output).unwrap();
    assert_eq!(operator.state_bytes(), 0);
}

#[test]
fn peers_of_a_range_see_each_other_however_many_they_are() {
    let mut operator = operator(OverFrame::Range(Some(10)), TimeDomain::Event);
    let mut output = Output::default();
    let peers = TARGET_BATCH_ROWS + 1000;
    let rows = vec![input("a", 1, 100); peers];
    operator.process(0, batch(&rows, vec![i64::MIN; peers]), &mut output).unwrap();
    operator.watermark(TimeDomain::Event, Timestamp(100), &mut output).unwrap();
    let counts: Vec<i64> = collect(&output).into_iter().map(|row| row.3).collect();
    assert_eq!(counts, vec![peers as i64; peers]);
}
