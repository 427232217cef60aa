//! Feeds operators that stand behind each other, cut and restored as told.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use weir_base::clock::ManualClock;
use weir_base::time::Timestamp;
use weir_engine::operator::{Element, KeyRange, Operator, OperatorContext, Output, key_hashes};
use weir_engine::watermark::{Generator, Interval, Strategy};
use weir_engine::{ROW_WATERMARK, TimeDomain};

use crate::subjects::{Stage, Subject, input_schema};

/// The retention of state that goes when it is idle.
pub const RETENTION: i64 = 200;

/// A row of an input.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub key: Option<&'static str>,
    pub value: i64,
    pub time: i64,
}

/// A row and the input it comes over.
#[derive(Debug, Clone)]
pub struct Event {
    pub input: usize,
    pub row: Row,
}

/// Before this message the state is saved, and restored at the parallelism.
#[derive(Debug, Clone)]
pub struct Cut {
    pub message: usize,
    pub parallelism: usize,
}

/// What came out.
#[derive(Debug)]
pub struct Found {
    /// The rows as text, sorted.
    pub rows: Vec<String>,
    pub late: u64,
    /// The greatest number of bytes of state, and what was left in the end.
    pub most: usize,
    pub left: usize,
}

/// The operators, by place and by subtask.
pub struct Stages<'a> {
    subject: &'a Subject,
    pub clock: ManualClock,
    operators: Vec<Vec<Box<dyn Operator>>>,
    /// The watermarks that they have given out, and what all subtasks of a place have reached.
    watermarks: Vec<Vec<Timestamp>>,
    reached: Vec<Timestamp>,
    rows: Vec<String>,
    late: u64,
    /// The most rows that an operator has given out in one step.
    pub most_at_once: usize,
}

impl<'a> Stages<'a> {
    pub fn new(subject: &'a Subject) -> Self {
        let (clock, rows) = (ManualClock::default(), Vec::new());
        let mut stages = Self {
            subject,
            clock,
            operators: vec![],
            watermarks: vec![],
            reached: vec![],
            rows,
            late: 0,
            most_at_once: 0,
        };
        stages.make(1);
        stages
    }

    /// Makes all operators anew, without state.
    fn make(&mut self, parallelism: usize) {
        let context = OperatorContext { clock: Arc::new(self.clock.clone()), idle_timeout: None };
        let operators = |stage: &Stage| {
            (0..parallelism).map(|_| stage.spec.operator(&context).unwrap()).collect::<Vec<_>>()
        };
        self.operators = self.subject.stages.iter().map(operators).collect();
        self.watermarks = vec![vec![Timestamp(i64::MIN); parallelism]; self.operators.len()];
        self.reached = vec![Timestamp(i64::MIN); self.operators.len()];
    }

    /// Saves the state and goes on from it with another number of subtasks.
    fn restore(&mut self, parallelism: usize) {
        let save = |operator: &mut Box<dyn Operator>| operator.snapshot().unwrap();
        let saved: Vec<Vec<Vec<u8>>> =
            self.operators.iter_mut().map(|stage| stage.iter_mut().map(save).collect()).collect();
        self.make(parallelism);
        for (operators, states) in self.operators.iter_mut().zip(&saved) {
            for (subtask, operator) in operators.iter_mut().enumerate() {
                operator.restore(states, &KeyRange { subtask, parallelism }).unwrap();
            }
        }
    }

    /// Takes rows of one input that are not late.
    pub fn take(&mut self, input: usize, rows: &[Row]) {
        self.rows_for(0, input, batch(rows, vec![i64::MIN; rows.len()]));
    }

    /// Sends each row to the subtask of an operator that its key belongs to, and what comes out to the next one.
    fn rows_for(&mut self, stage: usize, input: usize, all: RecordBatch) {
        let Some(operators) = self.operators.get_mut(stage) else {
            self.rows.extend(texts(&all));
            return;
        };
        let keys = self.subject.stages[stage].keys;
        let hashes = key_hashes(&all.columns()[..keys], all.num_rows()).unwrap();
        let parallelism = operators.len();
        let mut outputs = Vec::new();
        for (subtask, operator) in operators.iter_mut().enumerate() {
            let range = KeyRange { subtask, parallelism };
            let own: BooleanArray = hashes.iter().map(|hash| Some(range.contains(*hash))).collect();
            let mut output = Output::default();
            let own = filter_record_batch(&all, &own).unwrap();
            if own.num_rows() > 0 {
                operator.process(input, own, &mut output).unwrap();
                finish(operator, &mut output, &mut self.most_at_once);
            }
            outputs.push(output);
        }
        self.pass_on(stage, outputs);
    }

    /// Lets the input end. Returns how many rows have come out in all.
    pub fn end(&mut self) -> usize {
        self.watermark_for(0, Timestamp::MAX);
        self.rows.len()
    }

    fn watermark_for(&mut self, stage: usize, watermark: Timestamp) {
        let Some(operators) = self.operators.get_mut(stage) else { return };
        let mut outputs = Vec::new();
        for operator in operators {
            let mut output = Output::default();
            operator.watermark(TimeDomain::Event, watermark, &mut output).unwrap();
            finish(operator, &mut output, &mut self.most_at_once);
            outputs.push(output);
        }
        self.pass_on(stage, outputs);
    }

    /// Hands rows on, then the watermark that all subtasks have reached.
    fn pass_on(&mut self, stage: usize, outputs: Vec<Output>) {
        for (subtask, output) in outputs.into_iter().enumerate() {
            assert!(output.dirty.is_empty());
            self.late += output.late;
            for element in output.elements {
                match element {
                    Element::Batch(batch) => self.rows_for(stage + 1, 0, batch),
                    Element::Watermark(_, watermark) => self.watermarks[stage][subtask] = watermark,
                    Element::Idle => {}
                }
            }
        }
        let reached = self.watermarks[stage].iter().copied().min().unwrap();
        if reached > self.reached[stage] {
            self.reached[stage] = reached;
            self.watermark_for(stage + 1, reached);
        }
    }

    /// Lets the time of the machine pass.
    pub fn tick(&mut self, now: i64) {
        self.clock.set(Timestamp(now));
        for operator in self.operators.iter_mut().flatten() {
            operator.tick(Timestamp(now), &mut Output::default()).unwrap();
        }
    }

    pub fn state_bytes(&self) -> usize {
        self.operators.iter().flatten().map(|operator| operator.state_bytes()).sum()
    }
}

/// Resumes an operator until nothing is left undone.
fn finish(operator: &mut Box<dyn Operator>, output: &mut Output, most: &mut usize) {
    let mut step = std::mem::take(output);
    loop {
        let batches = step.elements.iter().filter_map(|element| match element {
            Element::Batch(batch) => Some(batch.num_rows()),
            _ => None,
        });
        *most = (*most).max(batches.sum());
        let is_unfinished = step.is_unfinished();
        output.elements.append(&mut step.elements);
        output.dirty.append(&mut step.dirty);
        output.late += step.late;
        if !is_unfinished {
            return;
        }
        step = Output::default();
        operator.resume(&mut step).unwrap();
    }
}

/// Runs events. A message is some rows of one input, with the watermark that follows them.
pub fn run(subject: &Subject, events: &[Event], size: usize, delay: i64, cuts: &[Cut]) -> Found {
    let delay = Duration::from_millis(delay as u64);
    let strategy = Strategy { interval: Interval::Rows(1), delay };
    let mut generators = vec![Generator::new(strategy); subject.inputs];
    let mut stages = Stages::new(subject);
    let mut most = 0;
    let same = |a: &Event, b: &Event| a.input % subject.inputs == b.input % subject.inputs;
    let messages = events.chunk_by(same).flat_map(|chunk| chunk.chunks(size));
    for (message, chunk) in messages.enumerate() {
        for cut in cuts.iter().filter(|cut| cut.message == message) {
            stages.restore(cut.parallelism);
        }
        // The clock moves on as messages come, so that some keys become idle.
        stages.clock.set(Timestamp(message as i64 * 40));
        let input = chunk[0].input % subject.inputs;
        let rows: Vec<Row> = chunk.iter().map(|event| event.row).collect();
        let watermarks = rows
            .iter()
            .map(|row| {
                let before = generators[input].current().0;
                generators[input].observe(row.time);
                before
            })
            .collect();
        stages.rows_for(0, input, batch(&rows, watermarks));
        let combined = generators.iter().map(Generator::current).min().unwrap();
        stages.watermark_for(0, combined);
        most = most.max(stages.state_bytes());
    }
    stages.watermark_for(0, Timestamp::MAX);
    stages.tick(events.len() as i64 * 40 + RETENTION);
    let left = stages.state_bytes();
    stages.rows.sort();
    Found { rows: stages.rows, late: stages.late, most, left }
}

fn batch(rows: &[Row], watermarks: Vec<i64>) -> RecordBatch {
    RecordBatch::try_new(
        input_schema(),
        vec![
            Arc::new(rows.iter().map(|row| row.key).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| row.value).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.time).collect::<Int64Array>()),
            Arc::new(Int64Array::from(watermarks)),
        ],
    )
    .unwrap()
}

/// Writes rows as text, the row watermark left out: it depends on who else has read how far.
fn texts(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let formatters: Vec<ArrayFormatter<'_>> = columns
        .filter(|(field, _)| field.name() != ROW_WATERMARK)
        .map(|(_, column)| ArrayFormatter::try_new(column.as_ref() as &dyn Array, &options).unwrap())
        .collect();
    let text = |row| {
        let values: Vec<String> =
            formatters.iter().map(|formatter| formatter.value(row).to_string()).collect();
        values.join(",")
    };
    (0..batch.num_rows()).map(text).collect()
}
