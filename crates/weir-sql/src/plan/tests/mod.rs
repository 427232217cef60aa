//! Tests of plans: a fixture of streams, the values of constant expressions, refusals, windows.

mod aggregates;
mod expressions;
mod functions;
mod groups;
mod joins;
mod lookups;
mod over;
mod refusals;
mod shapes;
mod unnest;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMillisecondType};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion_common::DFSchema;
use datafusion_expr::{Expr, LogicalPlan};
use weir_base::connector::TableKeys;
use weir_base::text::format_timestamp;
use weir_functions::conversion::{to_text, type_name};

use super::query::Planner;
use super::refuse::Place;
use super::{PlanOptions, Planned, Streams, physical, plan_insert};
use crate::syntax::ast::{CreateStream, InsertInto, Statement, StreamKind};
use crate::{
    CheckError, DimensionTable, Options, Position, SinkStream, SourceStream, TIME_ATTRIBUTE, Target,
    TempStream, TimeClause,
};

/// The streams of a text and its INSERT statements.
#[derive(Default)]
struct Fixture {
    sources: Vec<SourceStream>,
    temps: Vec<TempStream>,
    sinks: Vec<SinkStream>,
    tables: Vec<DimensionTable>,
    inserts: Vec<InsertInto>,
}

impl Fixture {
    fn parse(text: &str) -> Self {
        Self::try_parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn try_parse(text: &str) -> Result<Self, CheckError> {
        let mut fixture = Fixture::default();
        for statement in crate::syntax::parse(text)? {
            match statement {
                Statement::Create(stream) => fixture.declare(stream),
                Statement::Function(_) => {}
                Statement::Insert(insert) => fixture.inserts.push(insert),
            }
        }
        Ok(fixture)
    }

    fn declare(&mut self, stream: CreateStream) {
        let name = stream.name.value.clone();
        let fields: Vec<Field> = stream
            .columns
            .iter()
            .map(|column| Field::new(&column.name.value, column.data_type.clone(), true))
            .collect();
        let declared = Arc::new(Schema::new(fields));
        let syntax = stream.time.unwrap_or_default();
        let position = |name: &crate::syntax::ast::Name| {
            declared.fields().iter().position(|field| field.name().eq_ignore_ascii_case(&name.value))
        };
        let time = TimeClause {
            rowtime: syntax.rowtime.as_ref().and_then(position),
            watermark: syntax.watermark.map(|(interval, delay)| crate::WatermarkStrategy { interval, delay }),
            proctime: syntax.proctime.is_some(),
        };
        let schema = visible(&declared, &time);
        match stream.kind {
            StreamKind::Source => {
                self.sources.push(SourceStream { name, declared, schema, options: Options::default(), time });
            }
            StreamKind::Temp => self.temps.push(TempStream { name, declared, schema, time }),
            StreamKind::Sink => self.sinks.push(SinkStream {
                name,
                schema: declared,
                partitioned: Vec::new(),
                options: Options::default(),
            }),
            StreamKind::Table => {
                let keys = match stream.options.iter().find(|option| option.name.value == "keys") {
                    Some(option) => {
                        TableKeys::Exactly(option.value.split(',').map(|key| key.parse().unwrap()).collect())
                    }
                    None => TableKeys::Any,
                };
                let options = Options::default();
                self.tables.push(DimensionTable { name, schema: declared, options, keys });
            }
        }
    }

    fn plan(&self, time_zone: &str) -> Result<(Target, LogicalPlan), CheckError> {
        self.planned(time_zone).map(|planned| (planned.target, planned.plan))
    }

    fn planned(&self, time_zone: &str) -> Result<Planned, CheckError> {
        let streams =
            Streams { sources: &self.sources, temps: &self.temps, sinks: &self.sinks, tables: &self.tables };
        let options = PlanOptions { time_zone: time_zone.to_string() };
        let insert = self.inserts.last().expect("the text has an INSERT");
        plan_insert(insert, &streams, &options)
    }
}

fn visible(declared: &SchemaRef, time: &TimeClause) -> SchemaRef {
    let marked = |field: Field, kind: &str| {
        field.with_metadata(HashMap::from([(TIME_ATTRIBUTE.to_string(), kind.to_string())]))
    };
    let mut fields: Vec<Field> = declared.fields().iter().map(|field| field.as_ref().clone()).collect();
    if let Some(index) = time.rowtime {
        fields[index] = marked(fields[index].clone(), "rowtime");
    }
    if time.proctime {
        let instant = DataType::Timestamp(TimeUnit::Millisecond, None);
        fields.push(marked(Field::new("proctime", instant, true), "proctime"));
    }
    Arc::new(Schema::new(fields))
}

/// The streams that most tests read and write.
const STREAMS: &str = "
CREATE SOURCE STREAM cars (id STRING, brand STRING, price INT, weight DOUBLE, made DATE, tags ARRAY[STRING],
  attrs MAP[STRING, INT], place ROW<city STRING, geo ROW<lat DOUBLE, lon DOUBLE>>, ts TIMESTAMP)
  WITH (type = 'x') TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE SOURCE STREAM ticks (k STRING, n BIGINT, small SMALLINT, d DECIMAL(5,2), f FLOAT)
  WITH (type = 'x') TIMESTAMP BY proctime.proctime;
";

/// Plans a query over [`STREAMS`] into a sink with these columns.
fn planned(columns: &str, query: &str) -> Result<LogicalPlan, CheckError> {
    let text =
        format!("{STREAMS}CREATE SINK STREAM o ({columns}) WITH (type = 'x');\nINSERT INTO o\n{query}");
    Fixture::try_parse(&text)?.plan("UTC").map(|(_, plan)| plan)
}

/// Plans a query over [`STREAMS`] without a sink, so that its columns keep their types.
fn queried(query: &str, time_zone: &str) -> Result<LogicalPlan, CheckError> {
    let fixture = Fixture::try_parse(&format!("{STREAMS}INSERT INTO o {query}"))?;
    let streams = Streams {
        sources: &fixture.sources,
        temps: &fixture.temps,
        sinks: &fixture.sinks,
        tables: &fixture.tables,
    };
    let options = PlanOptions { time_zone: time_zone.to_string() };
    let place = Place { position: Position { line: 1, column: 1 }, length: 1 };
    let planner = Planner {
        insert: &fixture.inserts[0],
        streams: &streams,
        options: &options,
        place,
        warnings: Default::default(),
        append_only: Default::default(),
    };
    planner.query(&fixture.inserts[0].query).map(|output| output.plan)
}

/// Returns the expressions of the outermost projection.
fn projected(plan: &LogicalPlan) -> &[Expr] {
    match plan {
        LogicalPlan::Projection(projection) => &projection.expr,
        other => panic!("not a projection: {other}"),
    }
}

/// Returns the type and the text of the only value of an expression, evaluated over `batch`.
fn evaluated(expr: &Expr, schema: &DFSchema, batch: &RecordBatch) -> Result<(String, String), String> {
    let physical = physical(expr, schema).map_err(|error| error.strip_backtrace())?;
    let value = physical.evaluate(batch).map_err(|error| error.strip_backtrace())?;
    let array = value.into_array(batch.num_rows()).map_err(|error| error.strip_backtrace())?;
    let name = type_name(array.data_type());
    if array.is_null(0) {
        return Ok((name, "NULL".to_string()));
    }
    if let Some(times) = array.as_primitive_opt::<TimestampMillisecondType>() {
        return Ok((name, format_timestamp(times.value(0))));
    }
    let text = to_text(array.data_type()).unwrap_or_else(|| panic!("no text of {name}"));
    let call = text.function.call(vec![datafusion_expr::col("v")]);
    let field = Field::new("v", array.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).expect("one column");
    let schema = DFSchema::try_from(batch.schema().as_ref().clone()).expect("one column");
    let text = super::physical(&call, &schema).expect("a cast").evaluate(&batch).expect("a cast to text");
    let text = text.into_array(1).expect("one row");
    Ok((name, text.as_string::<i32>().value(0).to_string()))
}

/// Returns the type and text of a constant expression: `"INT 4"`.
fn constant(expression: &str, time_zone: &str) -> Result<String, String> {
    let plan = queried(&format!("SELECT {expression}"), time_zone).map_err(|error| error.to_string())?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch =
        RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).expect("no columns");
    let (name, text) = evaluated(&projected(&plan)[0], &DFSchema::empty(), &batch)?;
    Ok(format!("{name} {text}"))
}

/// Checks a table of constant expressions and reports every difference at once.
fn check_constants(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(expression, expected)| {
            let result = constant(expression, "UTC").unwrap_or_else(|error| format!("error: {error}"));
            (result != *expected)
                .then(|| format!("{expression}\n    gives    {result}\n    expected {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}
