//! Made-up rows of any declared columns, for development and load tests.

mod column;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use weir_base::connector::{ConnectorSpec, Need, Role, RoleSpec};
use weir_engine::error::ConnectorError;
use weir_engine::source::SharedSource;
use weir_sql::SourceStream;

use self::column::{Column, Ranges};
use crate::catalog::text;
use crate::environment::Environment;
use crate::generate::{Generator, GeneratorSource, Step};
use crate::options::{StreamOptions, check};

/// 2024-01-01 00:00:00.
const START_TIME_MS: i64 = 1_704_067_200_000;
const MAX_SPLITS: u32 = 1_000;

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "datagen",
    summary: "Made-up rows, for development. The same options give the same rows every time.",
    roles: &[RoleSpec {
        role: Role::Source,
        options: &[
            text("rows_per_second", Need::Optional("0"), "How fast rows come; 0 is as fast as possible."),
            text(
                "number_of_rows",
                Need::Optional(""),
                "How many rows there are; without it the stream never ends.",
            ),
            text("seed", Need::Optional("0"), "Another number gives other rows."),
            text("splits", Need::Optional("1"), "Parts that may be read in parallel, at most 1000."),
            text(
                "sequence",
                Need::Optional(""),
                "Numeric and STRING columns, separated by commas, that hold the number of the row, from 0.",
            ),
            text("min", Need::Optional("0"), "Least value of numeric columns."),
            text("max", Need::Optional("100"), "Greatest value of numeric columns."),
            text("length", Need::Optional("8"), "Letters of STRING columns, at most 10000."),
            text(
                "distinct_values",
                Need::Optional("0"),
                "How many different values STRING columns have; 0 is no limit.",
            ),
            text(
                "start_time",
                Need::Optional("2024-01-01 00:00:00"),
                "The TIMESTAMP of the first row, `yyyy-MM-dd HH:mm:ss`.",
            ),
            text("time_step", Need::Optional("1000"), "Milliseconds between the TIMESTAMPs of two rows."),
        ],
        ignored: &["encode"],
        rule: Some(rule),
        columns: None,
    }],
    shared_cluster: true,
};

/// Makes the connector of a stream.
pub(crate) fn source(
    stream: &SourceStream,
    environment: &Environment,
) -> Result<SharedSource, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let Reading { splits, rate, seed, rows, ranges } = Reading::new(&options)?;
    let generator = Rows {
        schema: Arc::clone(&stream.declared),
        columns: columns(stream, &options, &ranges)?,
        seed,
        rows,
        splits: u64::from(splits),
    };
    Ok(Arc::new(GeneratorSource {
        generator: Arc::new(generator),
        splits,
        rate,
        clock: Arc::clone(&environment.clock),
    }))
}

/// What the options say about the rows.
struct Reading {
    splits: u32,
    rate: Option<f64>,
    seed: u64,
    rows: Option<u64>,
    ranges: Ranges,
}

impl Reading {
    fn new(options: &StreamOptions<'_>) -> Result<Self, ConnectorError> {
        Ok(Self {
            splits: options.count("splits", 1, MAX_SPLITS)?,
            rate: options.rate("rows_per_second")?,
            seed: options.number("seed")?.unwrap_or(0),
            rows: options.number("number_of_rows")?,
            ranges: ranges(options)?,
        })
    }
}

fn rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    check(SPEC.role(Role::Source), option, |options| Reading::new(options).map(drop))
}

fn columns(
    stream: &SourceStream,
    options: &StreamOptions<'_>,
    ranges: &Ranges,
) -> Result<Vec<Column>, ConnectorError> {
    let sequence: Vec<&str> = options
        .get("sequence")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let fields = stream.declared.fields();
    if let Some(unknown) =
        sequence.iter().find(|name| !fields.iter().any(|f| f.name().eq_ignore_ascii_case(name)))
    {
        return Err(options.error("sequence", format!("the stream has no column `{unknown}`")));
    }
    let column = |(index, field): (usize, &Arc<arrow::datatypes::Field>)| {
        let is_sequence = sequence.iter().any(|name| field.name().eq_ignore_ascii_case(name));
        let is_rowtime = stream.time.rowtime == Some(index);
        Column::new(field.data_type(), is_sequence, is_rowtime, ranges).map_err(|message| {
            ConnectorError::permanent(format!(
                "stream `{}`, column `{}`: {message}",
                stream.name,
                field.name()
            ))
        })
    };
    fields.iter().enumerate().map(column).collect()
}

fn ranges(options: &StreamOptions<'_>) -> Result<Ranges, ConnectorError> {
    let (min, max) = (options.number("min")?.unwrap_or(0.0), options.number("max")?.unwrap_or(100.0));
    if !(f64::is_finite(min) && f64::is_finite(max) && min <= max) {
        return Err(options.error("min", "must not be greater than `max`"));
    }
    let length = options.number::<usize>("length")?.unwrap_or(8);
    if length > 10_000 {
        return Err(options.error("length", "must be at most 10000"));
    }
    let start_ms = options.instant("start_time", &weir_base::text::Zone::UTC)?.unwrap_or(START_TIME_MS);
    let step_ms = options.number::<i64>("time_step")?.unwrap_or(1_000);
    Ok(Ranges {
        min,
        max,
        length,
        distinct: options.number("distinct_values")?.unwrap_or(0),
        start_ms,
        step_ms,
    })
}

/// Row `k` of split `s` is row `k * splits + s` of the stream.
struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    seed: u64,
    rows: Option<u64>,
    splits: u64,
}

impl Generator for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn first(&self, _split: u32) -> u64 {
        0
    }

    fn step(&self, split: u32, position: u64, most: usize) -> Result<Option<Step>, ConnectorError> {
        let split = u64::from(split);
        let end =
            self.rows.map_or(u64::MAX / self.splits, |rows| rows.saturating_sub(split).div_ceil(self.splits));
        let next = end.min(position.saturating_add(most as u64));
        if next <= position {
            return Ok(None);
        }
        let numbers: Vec<u64> = (position..next).map(|row| row * self.splits + split).collect();
        let make = |(lane, column): (usize, &Column)| column.make(self.seed, lane as u64, &numbers);
        let arrays: Vec<ArrayRef> = self.columns.iter().enumerate().map(make).collect();
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| ConnectorError::permanent(error.to_string()))?;
        Ok(Some(Step { rows, next }))
    }
}
