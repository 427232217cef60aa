//! The operators with state. Their input has a key, a value and a time, then the hidden watermark in force.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit, TimestampMillisecondType};
use datafusion_expr::{AggregateUDF, Operator as Binary};
use datafusion_functions_aggregate::{count::count_udaf, min_max::max_udaf, sum::sum_udaf};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::{BinaryExpr, Column, col, lit};
use weir_base::text::Zone;
use weir_engine::operator::{
    AggregateCall, Base, Condition, DistinctSpec, Evaluator, ExpandSpec, GroupAggregateSpec, GroupWindowSpec,
    IntervalJoinSpec, JoinInput, JoinSpec, MatchRows, MatchSpec, Measures, Operator, OperatorContext,
    OperatorError, OperatorSpec, Output, OverFrame, OverSpec, Pattern, RowOrder, Skip, Slot, StreamJoinSpec,
    WindowKind,
};
use weir_engine::{ROW_KIND, ROW_WATERMARK, TimeColumn, TimeDomain};

use crate::run::RETENTION;

/// An operator and how many of the first columns of its input decide which subtask a row belongs to.
pub struct Stage {
    pub spec: Box<dyn OperatorSpec>,
    pub keys: usize,
}

/// Operators that stand behind each other.
pub struct Subject {
    pub name: &'static str,
    pub inputs: usize,
    pub stages: Vec<Stage>,
    /// Whether a key goes when it has been idle, whatever the watermark.
    pub is_idle_state: bool,
}

/// Returns all of them.
pub fn all() -> Vec<Subject> {
    let input = input_schema();
    let subject = |name, stages| Subject { name, inputs: 1, stages, is_idle_state: false };
    let idle = |name, stages| Subject { name, inputs: 1, stages, is_idle_state: true };
    let distinct = || stage(distinct(), 2);
    let by_both = group(schema(&["k", "v"], &[]), 2, None);
    let after_join = group(schema(&["lk", "lv", "lt", "rk", "rv", "rt"], &[ROW_KIND]), 1, Some(6));
    vec![
        subject("tumble", vec![stage(window(WindowKind::Tumble { size: 30 }, &input, 1), 1)]),
        subject("hop", vec![stage(window(WindowKind::Hop { slide: 10, size: 25 }, &input, 1), 1)]),
        subject("session", vec![stage(window(WindowKind::Session { gap: 9 }, &input, 1), 1)]),
        subject("over rows", vec![stage(over(OverFrame::Rows(Some(2))), 1)]),
        subject("over range", vec![stage(over(OverFrame::Range(Some(25))), 1)]),
        subject("over everything", vec![stage(over(OverFrame::Rows(None)), 1)]),
        idle("group", vec![stage(group(input.clone(), 1, None), 1)]),
        idle("distinct", vec![distinct()]),
        Subject { inputs: 2, ..subject("interval join", vec![stage(interval_join(), 1)]) },
        Subject { inputs: 2, ..idle("stream join", vec![stage(stream_join(), 1)]) },
        subject("pattern", vec![stage(pattern(false), 1)]),
        subject("pattern that looks back", vec![stage(pattern(true), 1)]),
        subject(
            "expand, tumble",
            vec![
                stage(expand(), 1),
                stage(window(WindowKind::Tumble { size: 30 }, &expanded_schema(), 2), 2),
            ],
        ),
        subject(
            "over, session",
            vec![
                stage(over(OverFrame::Range(Some(25))), 1),
                stage(window(WindowKind::Session { gap: 9 }, &over_schema(), 1), 1),
            ],
        ),
        subject(
            "hop, tumble",
            vec![
                stage(window(WindowKind::Hop { slide: 10, size: 25 }, &input, 1), 1),
                stage(Rowtime, 1),
                stage(over_windows(&timed_schema(), 1), 1),
            ],
        ),
        subject(
            "session, expand, tumble",
            vec![
                stage(window(WindowKind::Session { gap: 9 }, &input, 1), 1),
                stage(Rowtime, 1),
                stage(expand_timed(), 1),
                stage(over_windows(&schema(&["k", "set", "v", "t"], &[]), 2), 2),
            ],
        ),
        idle("distinct, group", vec![distinct(), stage(by_both, 2)]),
        Subject {
            inputs: 2,
            ..idle("stream join, group", vec![stage(stream_join(), 1), stage(after_join, 1)])
        },
    ]
}

/// Returns an operator that gives out rows many times: a match begins at each row, and has all of its rows given out.
pub fn all_rows() -> Subject {
    let spec = MatchSpec {
        skip: Skip::ToNextRow,
        rows: MatchRows::All { columns: vec![0] },
        within: None,
        ..pattern(false)
    };
    Subject { name: "pattern of all rows", inputs: 1, stages: vec![stage(spec, 1)], is_idle_state: false }
}

fn stage(spec: impl OperatorSpec, keys: usize) -> Stage {
    Stage { spec: Box::new(spec), keys }
}

/// Makes a schema of visible columns, of which keys are texts and all others numbers, and hidden ones.
fn schema(visible: &[&str], hidden: &[&str]) -> SchemaRef {
    let field = |name: &&str| {
        let of = match *name {
            "k" | "lk" | "rk" => DataType::Utf8,
            "set" => DataType::Int32,
            ROW_KIND => DataType::Int8,
            _ => DataType::Int64,
        };
        Field::new(*name, of, true)
    };
    Arc::new(Schema::new(visible.iter().chain(hidden).map(field).collect::<Vec<_>>()))
}

/// The columns of every input.
pub fn input_schema() -> SchemaRef {
    schema(&["k", "v", "t"], &[ROW_WATERMARK])
}

fn expanded_schema() -> SchemaRef {
    schema(&["k", "set", "v", "t"], &[ROW_WATERMARK])
}

fn over_schema() -> SchemaRef {
    schema(&["k", "v", "t", "n", "s", "m"], &[ROW_WATERMARK])
}

fn time(index: usize) -> TimeColumn {
    TimeColumn { index, zone: Zone::UTC }
}

fn columns(schema: &SchemaRef, count: usize) -> Vec<Arc<dyn PhysicalExpr>> {
    let column = |(index, field): (usize, &Arc<Field>)| {
        Arc::new(Column::new(field.name(), index)) as Arc<dyn PhysicalExpr>
    };
    schema.fields().iter().enumerate().take(count).map(column).collect()
}

/// Count of rows, sum and greatest of a column.
fn calls(input: &SchemaRef, column: &str) -> Vec<AggregateCall> {
    let call = |function: Arc<AggregateUDF>| {
        let of = vec![col(column, input).unwrap()];
        let function = AggregateExprBuilder::new(function, of).schema(input.clone()).alias("a").build();
        AggregateCall { function: Arc::new(function.unwrap()) }
    };
    [count_udaf(), sum_udaf(), max_udaf()].map(call).to_vec()
}

fn results() -> Vec<Field> {
    ["n", "s", "m"].map(|name| Field::new(name, DataType::Int64, true)).to_vec()
}

/// A group window over the first columns.
fn window(kind: WindowKind, input: &SchemaRef, keys: usize) -> GroupWindowSpec {
    let instant = DataType::Timestamp(TimeUnit::Millisecond, None);
    let bounds =
        Fields::from(vec![Field::new("start", instant.clone(), true), Field::new("end", instant, true)]);
    let mut output: Vec<Field> =
        input.fields().iter().take(keys).map(|field| field.as_ref().clone()).collect();
    output.push(Field::new("w", DataType::Struct(bounds), true));
    output.extend(results());
    GroupWindowSpec {
        kind,
        domain: TimeDomain::Event,
        time: time(input.index_of("t").unwrap()),
        keys: columns(input, keys),
        window_position: keys,
        calls: calls(input, "v"),
        sets: None,
        output: Arc::new(Schema::new(output)),
        row_watermark: Some(input.fields().len() - 1),
    }
}

/// Gives each row of a window its last instant as its time, and its count as its value.
struct Rowtime;

impl OperatorSpec for Rowtime {
    fn name(&self) -> &'static str {
        "Rowtime"
    }

    fn operator(&self, _context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Rowtime))
    }
}

impl Operator for Rowtime {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let ends = batch.column(1).as_struct().column(1).as_primitive::<TimestampMillisecondType>();
        let times: Int64Array = ends.unary(|end| end - 1);
        let columns = vec![batch.column(0).clone(), batch.column(2).clone(), Arc::new(times) as ArrayRef];
        output.emit(RecordBatch::try_new(timed_schema(), columns)?);
        Ok(())
    }
}

fn timed_schema() -> SchemaRef {
    schema(&["k", "v", "t"], &[])
}

/// A window over the rows of windows, which have no watermark of their own.
fn over_windows(input: &SchemaRef, keys: usize) -> GroupWindowSpec {
    GroupWindowSpec { row_watermark: None, ..window(WindowKind::Tumble { size: 60 }, input, keys) }
}

/// Every row of a window once with its key and once without.
fn expand_timed() -> ExpandSpec {
    let input = timed_schema();
    let output = schema(&["k", "set", "v", "t"], &[]);
    ExpandSpec { evaluator: Evaluator::new(None, Some((columns(&input, 3), input))), output, ..expand() }
}

fn over(frame: OverFrame) -> OverSpec {
    let input = input_schema();
    OverSpec {
        domain: TimeDomain::Event,
        time: time(2),
        partition: columns(&input, 1),
        frame,
        calls: calls(&input, "v"),
        visible: 3,
        output: over_schema(),
        row_watermark: Some(3),
        input,
    }
}

/// A GROUP BY of the first columns; the value is the second one.
fn group(input: SchemaRef, keys: usize, row_kind: Option<usize>) -> GroupAggregateSpec {
    let mut output: Vec<Field> =
        input.fields().iter().take(keys).map(|field| field.as_ref().clone()).collect();
    output.extend(results());
    output.push(Field::new(ROW_KIND, DataType::Int8, true));
    GroupAggregateSpec {
        keys: columns(&input, keys),
        calls: calls(&input, input.field(1).name()),
        row_kind,
        sets: None,
        output: Arc::new(Schema::new(output)),
        retention: Duration::from_millis(RETENTION as u64),
        input,
    }
}

fn distinct() -> DistinctSpec {
    let columns = schema(&["k", "v"], &[]);
    DistinctSpec {
        output: columns.clone(),
        columns,
        row_kind: None,
        retention: Duration::from_millis(RETENTION as u64),
    }
}

/// A left join by the key.
fn join() -> JoinSpec {
    let input = |names: [&str; 3], kept_without_match| JoinInput {
        schema: schema(&names, &[]),
        width: 3,
        keys: vec![0],
        kept_without_match,
        row_kind: None,
    };
    JoinSpec {
        inputs: [input(["lk", "lv", "lt"], true), input(["rk", "rv", "rt"], false)],
        residual: None,
        joined: schema(&["lk", "lv", "lt", "rk", "rv", "rt"], &[]),
    }
}

fn interval_join() -> IntervalJoinSpec {
    IntervalJoinSpec {
        join: join(),
        domain: TimeDomain::Event,
        times: [time(2), time(2)],
        attributes: [vec![], vec![]],
        row_watermarks: [Some(3), Some(3)],
        lower: -12,
        upper: 20,
    }
}

fn stream_join() -> StreamJoinSpec {
    StreamJoinSpec { join: join(), retention: Duration::from_millis(RETENTION as u64) }
}

/// Every row once with its key and once without.
fn expand() -> ExpandSpec {
    let input = input_schema();
    ExpandSpec {
        evaluator: Evaluator::new(None, Some((columns(&input, 4), input.clone()))),
        rolled_up: vec![vec![], vec![0]],
        set_position: 1,
        output: expanded_schema(),
    }
}

/// `A+ B` where `A` is above 1, and `B` below the first `A` when the pattern looks back.
fn pattern(looks_back: bool) -> MatchSpec {
    let input = input_schema();
    let v = || col("v", &input).unwrap();
    let value = |base| Slot::Value { expression: v(), base, offset: 0, whole: false };
    let last = |variable| Base::Last { variable: Some(variable), skip: 0 };
    let slot = |number| Arc::new(Column::new("v", number)) as Arc<dyn PhysicalExpr>;
    let condition = |slots: Vec<Slot>, op, right| Condition {
        schema: schema(&["v", "v"][..slots.len()], &[]),
        expression: Arc::new(BinaryExpr::new(slot(0), op, right)),
        slots,
    };
    let first = Base::First { variable: Some(0), skip: 0 };
    let above = condition(vec![value(last(0))], Binary::Gt, lit(1_i64));
    let below = condition(vec![value(last(1)), value(first)], Binary::Lt, slot(1));
    let measured = schema(&["k", "first", "last", "sum"], &[]);
    let call = calls(&input, "v").remove(1);
    let a = Pattern::Repeat { pattern: Box::new(Pattern::Variable(0)), least: 1, most: None, greedy: true };
    MatchSpec {
        partition_by: columns(&input, 1),
        order: RowOrder::EventTime { time: time(2), then: Vec::new() },
        variables: vec!["a".to_string(), "b".to_string()],
        pattern: Pattern::Sequence(vec![a, Pattern::Variable(1)]),
        conditions: vec![Some(above), looks_back.then_some(below)],
        within: Some(60),
        skip: Skip::PastLastRow,
        rows: MatchRows::One { keys: vec![0] },
        measures: Measures {
            slots: vec![
                value(first),
                value(last(1)),
                Slot::Aggregate { call, variable: Some(0), whole: true },
            ],
            schema: measured.clone(),
            evaluator: Evaluator::new(None, Some((columns(&measured, 4), measured))),
        },
        row_watermark: Some(3),
        input,
    }
}
