//! A pattern with its rows, and the operator for it.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion_expr::Operator as Binary;
use datafusion_functions_aggregate::{count::count_udaf, sum::sum_udaf};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::{BinaryExpr, Column, IsNullExpr, col, lit};
use weir_base::text::Zone;
use weir_base::time::Timestamp;
use weir_engine::operator::{
    AggregateCall, Base, Condition as EngineCondition, Element, Evaluator, KeyRange, MatchRecognize,
    MatchRows, MatchSpec, Measures, Operator, OperatorError, Output, Pattern, RowOrder, Skip, Slot,
    key_hashes,
};
use weir_engine::watermark::{Generator, Interval, Strategy};
use weir_engine::{ROW_WATERMARK, TimeColumn, TimeDomain};

use crate::model::OutputRow;

/// Names of the variables.
pub const NAMES: [&str; 3] = ["a", "b", "c"];
/// The variable `c`.
pub const THIRD: usize = 2;

/// A row of the input.
#[derive(Debug, Clone)]
pub struct Row {
    pub key: &'static str,
    pub value: i64,
    pub time: i64,
}

/// What a variable demands of a row. Variables are given by number.
#[derive(Debug, Clone, Copy)]
pub enum Condition {
    /// Nothing.
    Any,
    /// `v > limit`
    Above(i64),
    /// `v > PREV(v)`
    AbovePrevious,
    /// `v < NEXT(v)`
    BelowNext,
    /// `v >= LAST(other.v)`
    NotBelowLastOf(usize),
    /// `v <> FIRST(other.v)`
    DiffersFromFirstOf(usize),
    /// `LAST(own.v, 1) IS NULL OR v >= LAST(own.v, 1)`
    NotBelowOwnLast,
    /// `SUM(other.v) IS NULL OR SUM(other.v) <= limit`; `other` may be the variable itself.
    SumAtMost(usize, i64),
    /// `v > limit AND v >= FIRST(v)`
    AboveAndNotBelowFirst(i64),
}

/// A pattern.
#[derive(Debug, Clone)]
pub struct Case {
    pub pattern: Pattern,
    pub conditions: [Condition; 3],
    pub within: Option<i64>,
    pub skip: Skip,
    pub all_rows: bool,
    /// Rows in the order of their arrival instead of that of their time.
    pub arrival: bool,
}

fn input_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int64, true),
        Field::new("t", DataType::Int64, true),
        Field::new(ROW_WATERMARK, DataType::Int64, true),
    ]))
}

fn v() -> Arc<dyn PhysicalExpr> {
    col("v", &input_schema()).unwrap()
}

fn value(base: Base, offset: i64, whole: bool) -> Slot {
    Slot::Value { expression: v(), base, offset, whole }
}

fn sum(variable: Option<usize>, whole: bool) -> Slot {
    let function = AggregateExprBuilder::new(sum_udaf(), vec![v()]).schema(input_schema()).alias("s");
    let call = AggregateCall { function: Arc::new(function.build().unwrap()) };
    Slot::Aggregate { call, variable, whole }
}

fn count() -> Slot {
    let function =
        AggregateExprBuilder::new(count_udaf(), vec![lit(1_i64)]).schema(input_schema()).alias("n");
    let call = AggregateCall { function: Arc::new(function.build().unwrap()) };
    Slot::Aggregate { call, variable: None, whole: true }
}

fn last(variable: Option<usize>, skip: u32) -> Base {
    Base::Last { variable, skip }
}

fn first(variable: Option<usize>, skip: u32) -> Base {
    Base::First { variable, skip }
}

fn numbers(count: usize) -> SchemaRef {
    let field = |number| Field::new(format!("${number}"), DataType::Int64, true);
    Arc::new(Schema::new((0..count).map(field).collect::<Vec<_>>()))
}

fn slot(number: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(&format!("${number}"), number))
}

fn binary(left: Arc<dyn PhysicalExpr>, op: Binary, right: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(left, op, right))
}

fn is_null(of: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    Arc::new(IsNullExpr::new(of))
}

fn condition(own: usize, of: Condition) -> Option<EngineCondition> {
    let here = value(last(Some(own), 0), 0, false);
    let (slots, expression) = match of {
        Condition::Any => return None,
        Condition::Above(limit) => (vec![here], binary(slot(0), Binary::Gt, lit(limit))),
        Condition::AbovePrevious => {
            (vec![here, value(last(None, 0), -1, false)], binary(slot(0), Binary::Gt, slot(1)))
        }
        Condition::BelowNext => {
            (vec![here, value(last(Some(own), 0), 1, false)], binary(slot(0), Binary::Lt, slot(1)))
        }
        Condition::NotBelowLastOf(other) => {
            (vec![here, value(last(Some(other), 0), 0, false)], binary(slot(0), Binary::GtEq, slot(1)))
        }
        Condition::DiffersFromFirstOf(other) => {
            (vec![here, value(first(Some(other), 0), 0, false)], binary(slot(0), Binary::NotEq, slot(1)))
        }
        Condition::NotBelowOwnLast => {
            let at_least = binary(slot(0), Binary::GtEq, slot(1));
            (vec![here, value(last(Some(own), 1), 0, false)], binary(is_null(slot(1)), Binary::Or, at_least))
        }
        Condition::SumAtMost(other, limit) => {
            let at_most = binary(slot(0), Binary::LtEq, lit(limit));
            (vec![sum(Some(other), false)], binary(is_null(slot(0)), Binary::Or, at_most))
        }
        Condition::AboveAndNotBelowFirst(limit) => {
            let above = binary(slot(0), Binary::Gt, lit(limit));
            let at_least = binary(slot(0), Binary::GtEq, slot(1));
            (vec![here, value(first(None, 0), 0, false)], binary(above, Binary::And, at_least))
        }
    };
    Some(EngineCondition { schema: numbers(slots.len()), slots, expression })
}

impl Case {
    /// Returns the description of the operator.
    pub fn spec(&self) -> MatchSpec {
        let input = input_schema();
        let slots = vec![
            Slot::MatchNumber,
            Slot::Classifier,
            value(first(None, 0), 0, false),
            value(last(None, 0), 0, false),
            value(last(Some(0), 0), 0, false),
            value(first(Some(1), 1), 0, false),
            value(last(Some(0), 0), -1, false),
            value(last(None, 0), 1, false),
            sum(Some(0), false),
            count(),
            value(last(Some(1), 0), 0, true),
            sum(None, false),
            value(last(Some(THIRD), 1), 0, false),
        ];
        let mut fields = vec![Field::new("k", DataType::Utf8, true)];
        if self.all_rows {
            fields.push(Field::new("v", DataType::Int64, true));
        }
        for (number, slot) in slots.iter().enumerate() {
            let is_name = matches!(slot, Slot::Classifier);
            let data_type = if is_name { DataType::Utf8 } else { DataType::Int64 };
            fields.push(Field::new(format!("m{number}"), data_type, true));
        }
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let columns = schema.fields().iter().enumerate();
        let columns = columns.map(|(index, field)| Arc::new(Column::new(field.name(), index)) as _).collect();
        let time = TimeColumn { index: 2, zone: Zone::UTC };
        MatchSpec {
            partition_by: vec![col("k", &input).unwrap()],
            order: match self.arrival {
                true => RowOrder::Arrival { time: Some((time, TimeDomain::Event)) },
                false => RowOrder::EventTime { time, then: Vec::new() },
            },
            variables: NAMES.map(str::to_string).to_vec(),
            pattern: self.pattern.clone(),
            conditions: (0..NAMES.len()).map(|own| condition(own, self.conditions[own])).collect(),
            within: self.within,
            skip: self.skip,
            rows: match self.all_rows {
                true => MatchRows::All { columns: vec![0, 1] },
                false => MatchRows::One { keys: vec![0] },
            },
            measures: Measures {
                slots,
                schema: schema.clone(),
                evaluator: Evaluator::new(None, Some((columns, schema))),
            },
            row_watermark: Some(3),
            input,
        }
    }

    pub fn operator(&self) -> MatchRecognize {
        MatchRecognize::new(self.spec()).unwrap()
    }

    /// Returns the rows that are not late, by key and in order; `delay` is that of the watermark.
    pub fn timely(&self, rows: &[Row], delay: i64) -> Vec<(&'static str, Vec<Row>)> {
        let mut watermark = i64::MIN;
        let mut partitions: Vec<(&'static str, Vec<Row>)> = Vec::new();
        for row in rows {
            if row.time > watermark {
                let at = partitions.iter().position(|(key, _)| *key == row.key);
                let at = at.unwrap_or_else(|| {
                    partitions.push((row.key, Vec::new()));
                    partitions.len() - 1
                });
                partitions[at].1.push(row.clone());
            }
            watermark = watermark.max(row.time - delay);
        }
        if !self.arrival {
            partitions.iter_mut().for_each(|(_, rows)| rows.sort_by_key(|row| row.time));
        }
        partitions
    }
}

/// How rows come.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    pub delay: i64,
    /// Rows per batch.
    pub batch: usize,
    /// A snapshot is taken before this batch and restored at the parallelism.
    pub cut: usize,
    pub parallelism: usize,
    /// Whether a watermark follows only every second batch.
    pub seldom: bool,
}

/// Runs rows through operators. Returns the rows given out with their keys, in order.
pub fn run(case: &Case, rows: &[Row], delivery: Delivery) -> Result<Vec<(String, OutputRow)>, OperatorError> {
    Ok(run_counted(case, rows, delivery)?.0)
}

/// Runs rows through operators. Returns also how many nodes of the pattern were looked at since the snapshot.
pub fn run_counted(
    case: &Case,
    rows: &[Row],
    delivery: Delivery,
) -> Result<(Vec<(String, OutputRow)>, u64), OperatorError> {
    run_watched(case, rows, delivery, |_| {})
}

/// Returns the greatest number of bytes that one operator keeps after a batch.
pub fn most_bytes(case: &Case, rows: &[Row], delivery: Delivery) -> usize {
    let mut most = 0;
    run_watched(case, rows, delivery, |operator| most = most.max(operator.state_bytes())).unwrap();
    most
}

fn run_watched(
    case: &Case,
    rows: &[Row],
    delivery: Delivery,
    mut watch: impl FnMut(&MatchRecognize),
) -> Result<(Vec<(String, OutputRow)>, u64), OperatorError> {
    let delay = std::time::Duration::from_millis(delivery.delay as u64);
    let mut generator = Generator::new(Strategy { interval: Interval::Rows(1), delay });
    let mut operators = vec![case.operator()];
    let mut output = Output::default();
    for (number, chunk) in rows.chunks(delivery.batch).enumerate() {
        if number == delivery.cut {
            operators = restored(case, operators, delivery.parallelism)?;
        }
        let mut watermarks = Vec::new();
        for row in chunk {
            watermarks.push(generator.current().0);
            generator.observe(row.time);
        }
        let all = RecordBatch::try_new(
            input_schema(),
            vec![
                Arc::new(chunk.iter().map(|row| Some(row.key)).collect::<StringArray>()),
                Arc::new(chunk.iter().map(|row| row.value).collect::<Int64Array>()),
                Arc::new(chunk.iter().map(|row| row.time).collect::<Int64Array>()),
                Arc::new(Int64Array::from(watermarks)),
            ],
        )?;
        let parallelism = operators.len();
        for (subtask, operator) in operators.iter_mut().enumerate() {
            operator.process(0, rows_of(&all, &KeyRange { subtask, parallelism }), &mut output)?;
            if !delivery.seldom || number % 2 == 1 {
                operator.watermark(TimeDomain::Event, generator.current(), &mut output)?;
            }
            watch(operator);
        }
    }
    for operator in &mut operators {
        operator.watermark(TimeDomain::Event, Timestamp::MAX, &mut output)?;
    }
    assert!(output.dirty.is_empty());
    let steps = operators.iter().map(MatchRecognize::steps).sum();
    Ok((collect(&output), steps))
}

fn restored(
    case: &Case,
    mut old: Vec<MatchRecognize>,
    parallelism: usize,
) -> Result<Vec<MatchRecognize>, OperatorError> {
    let states = old.iter_mut().map(|operator| operator.snapshot()).collect::<Result<Vec<_>, _>>()?;
    let mut operators = Vec::new();
    for subtask in 0..parallelism {
        let mut operator = case.operator();
        operator.restore(&states, &KeyRange { subtask, parallelism })?;
        operators.push(operator);
    }
    Ok(operators)
}

fn rows_of(all: &RecordBatch, range: &KeyRange) -> RecordBatch {
    let hashes = key_hashes(&all.columns()[..1], all.num_rows()).unwrap();
    let mask: arrow::array::BooleanArray = hashes.iter().map(|hash| Some(range.contains(*hash))).collect();
    arrow::compute::filter_record_batch(all, &mask).unwrap()
}

fn collect(output: &Output) -> Vec<(String, OutputRow)> {
    let mut rows = Vec::new();
    for element in &output.elements {
        let Element::Batch(batch) = element else { continue };
        for row in 0..batch.num_rows() {
            let key = batch.column(0).as_string::<i32>().value(row).to_string();
            let cell = |column: &Arc<dyn Array>| match column.data_type() {
                DataType::Utf8 => {
                    let name = column.as_string::<i32>().value(row);
                    NAMES.iter().position(|known| *known == name).map(|variable| variable as i64)
                }
                _ => {
                    let column = column.as_primitive::<Int64Type>();
                    column.is_valid(row).then(|| column.value(row))
                }
            };
            rows.push((key, batch.columns()[1..].iter().map(cell).collect()));
        }
    }
    rows
}
