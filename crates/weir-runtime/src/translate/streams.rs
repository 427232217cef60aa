//! Sources, temp streams and sinks of a job as nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_expr::{LogicalPlan, Operator};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, Column, lit};
use weir_base::settings::{DEFAULT_IDLE_STATE_RETENTION, JobSettings};
use weir_base::text::Zone;
use weir_connectors::Environment;
use weir_engine::graph::{Exchange, Graph, Input, Node, NodeId, NodeKind, SourceNode};
use weir_engine::lookup::SharedLookup;
use weir_engine::operator::{AssignProctimeSpec, AssignWatermarkSpec, Evaluator, OperatorSpec};
use weir_engine::watermark::{Interval, Strategy};
use weir_engine::{ROW_KIND, ROW_WATERMARK, RowKind, TimeColumn, TimeDomain};
use weir_functions::clock::reads_clock;
use weir_functions::window::{has_utc_clock, window_of};
use weir_sql::nodes::StreamJoin;
use weir_sql::text::Texts;
use weir_sql::{Job, SourceStream, Target, TempStream, WatermarkInterval, WatermarkStrategy};

use super::TranslateError;

/// The hidden columns that follow the visible ones, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    /// The kind of each row: the rows are a changelog. Without it they are only added.
    pub(super) row_kind: bool,
    /// The watermark in force before each row.
    pub(super) row_watermark: bool,
}

impl Hidden {
    /// No hidden column.
    pub(super) const NONE: Self = Self { row_kind: false, row_watermark: false };

    /// Returns the schema with the hidden columns appended.
    pub(super) fn append_to(self, schema: &SchemaRef) -> SchemaRef {
        if self == Self::NONE {
            return schema.clone();
        }
        let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
        if self.row_kind {
            fields.push(Arc::new(Field::new(ROW_KIND, DataType::Int8, true)));
        }
        if self.row_watermark {
            fields.push(Arc::new(Field::new(ROW_WATERMARK, DataType::Int64, true)));
        }
        Arc::new(Schema::new(fields))
    }
}

/// The rows of a node.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) node: NodeId,
    /// Visible columns.
    pub(super) schema: SchemaRef,
    pub(super) hidden: Hidden,
}

impl Rows {
    /// Returns the index of the hidden row-kind column.
    pub(super) fn kind_index(&self) -> Option<usize> {
        self.hidden.row_kind.then(|| self.schema.fields().len())
    }

    /// Returns the index of the hidden row-watermark column.
    pub(super) fn watermark_index(&self) -> Option<usize> {
        self.hidden.row_watermark.then(|| self.schema.fields().len() + usize::from(self.hidden.row_kind))
    }

    /// Returns all columns, the hidden ones too.
    pub(super) fn full_schema(&self) -> SchemaRef {
        self.hidden.append_to(&self.schema)
    }

    /// Returns references to the hidden columns.
    pub(super) fn hidden_columns(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        let kind = self.kind_index().map(|index| (ROW_KIND, index));
        let watermark = self.watermark_index().map(|index| (ROW_WATERMARK, index));
        let column = |(name, index)| Arc::new(Column::new(name, index)) as Arc<dyn PhysicalExpr>;
        kind.into_iter().chain(watermark).map(column).collect()
    }
}

pub(super) struct Translator<'a> {
    pub(super) job: &'a Job,
    label: &'a str,
    zone: Zone,
    /// After this time without use the state of a key is dropped.
    pub(super) idle_state_retention: Duration,
    pub(super) environment: &'a Environment,
    pub(super) graph: Graph,
    ids: BTreeSet<String>,
    streams: BTreeMap<String, Rows>,
    /// Dimension tables by their declared names.
    pub(super) tables: BTreeMap<String, SharedLookup>,
    /// Writes expressions for the descriptions of operators.
    pub(super) texts: Texts,
    pub(super) processing_time: bool,
    /// Whether the job has operators on event time, which ask whether a row is late.
    asks_lateness: bool,
}

impl<'a> Translator<'a> {
    pub(super) fn new(
        job: &'a Job,
        label: &'a str,
        zone: Zone,
        settings: &JobSettings,
        environment: &'a Environment,
    ) -> Self {
        let processing_time = job.sources.iter().any(|s| s.time.proctime)
            || job.temps.iter().any(|t| t.time.proctime)
            || job.inserts.iter().any(|insert| asks_time(&insert.plan))
            || tells_idleness(job, settings);
        let asks_lateness = job.inserts.iter().any(|insert| asks_lateness(&insert.plan));
        Self {
            asks_lateness,
            job,
            label,
            zone,
            idle_state_retention: settings.idle_state_retention,
            environment,
            graph: Graph::default(),
            ids: BTreeSet::new(),
            streams: BTreeMap::new(),
            tables: BTreeMap::new(),
            texts: Texts::default(),
            processing_time,
        }
    }

    /// Returns a time attribute with the zone of its wall clocks.
    pub(super) fn time_column(&self, schema: &Schema, index: usize) -> TimeColumn {
        let zone = if has_utc_clock(schema.field(index)) { Zone::UTC } else { self.zone };
        TimeColumn { index, zone }
    }

    /// Adds all nodes: temp streams after the inserts that fill them, sinks last.
    pub(super) fn run(&mut self) -> Result<(), TranslateError> {
        for (index, _) in self.job.sinks.iter().enumerate() {
            self.sink(index)?;
        }
        Ok(())
    }

    /// Returns the rows of a source or temp stream, adding its nodes when it is read for the first time.
    pub(super) fn stream(&mut self, name: &str) -> Result<Rows, TranslateError> {
        let key = name.to_lowercase();
        if let Some(rows) = self.streams.get(&key) {
            return Ok(rows.clone());
        }
        let job = self.job;
        let rows = if let Some(source) = job.sources.iter().find(|s| s.name.eq_ignore_ascii_case(name)) {
            self.source(source)?
        } else if let Some(index) = job.temps.iter().position(|t| t.name.eq_ignore_ascii_case(name)) {
            self.temp(&job.temps[index], index)?
        } else {
            return Err(TranslateError::Unsupported(format!("a read of the unknown stream `{name}`")));
        };
        self.streams.insert(key, rows.clone());
        Ok(rows)
    }

    fn source(&mut self, source: &SourceStream) -> Result<Rows, TranslateError> {
        let connector = weir_connectors::source(source, self.environment)?;
        let event_time = match (source.time.rowtime, source.time.watermark) {
            (Some(index), Some(watermark)) => {
                Some((self.time_column(&source.schema, index), strategy(watermark)))
            }
            _ => None,
        };
        let row_watermark = event_time.is_some() && self.asks_lateness;
        let hidden = Hidden { row_watermark, ..Hidden::NONE };
        let schema = nullable(&source.schema);
        let kind = NodeKind::Source(SourceNode {
            connector,
            event_time,
            proctime: source.time.proctime,
            processing_time: self.processing_time,
            row_watermark,
            schema: hidden.append_to(&schema),
        });
        let name = stream_name("Source", self.label, &source.name, source.options.get("type"));
        let id = self.id(&format!("source-{}", source.name));
        let node = self.graph.add(Node { id, description: name.clone(), name, kind, inputs: Vec::new() });
        Ok(Rows { node, schema, hidden })
    }

    fn temp(&mut self, temp: &TempStream, index: usize) -> Result<Rows, TranslateError> {
        let inputs = self.inserts(Target::Temp(index))?;
        let title = format!("temp-{}", temp.name);
        let mut rows = self.union(inputs, &nullable(&temp.declared), &title)?;
        if temp.time.proctime {
            let schema = nullable(&temp.schema);
            let spec = AssignProctimeSpec {
                position: temp.declared.fields().len(),
                schema: rows.hidden.append_to(&schema),
            };
            let node = self.operator(
                &format!("{title}-proctime"),
                "proctime".to_string(),
                spec,
                &rows,
                Exchange::Forward,
            );
            rows = self.given(node, schema, rows.hidden);
        } else {
            rows.schema = nullable(&temp.schema);
        }
        if let (Some(column), Some(watermark)) = (temp.time.rowtime, temp.time.watermark) {
            rows = self.without_row_watermark(rows, &title);
            let hidden = Hidden { row_watermark: true, ..rows.hidden };
            let spec = AssignWatermarkSpec {
                column: self.time_column(&temp.schema, column),
                strategy: strategy(watermark),
                schema: hidden.append_to(&rows.schema),
            };
            let description = format!("watermark on {}", temp.declared.field(column).name());
            let node =
                self.operator(&format!("{title}-watermark"), description, spec, &rows, Exchange::Forward);
            rows = self.given(node, rows.schema, hidden);
        }
        Ok(rows)
    }

    fn sink(&mut self, index: usize) -> Result<(), TranslateError> {
        let sink = &self.job.sinks[index];
        let inputs = self.inserts(Target::Sink(index))?;
        if inputs.is_empty() {
            return Ok(());
        }
        let schema = nullable(&sink.schema);
        let title = format!("sink-{}", sink.name);
        let connector = weir_connectors::sink(sink, self.environment)?;
        let mut parts = Vec::with_capacity(inputs.len());
        for rows in inputs {
            let rows = match connector.takes_row_kinds() {
                true => rows,
                false => self.added_rows(rows, &title),
            };
            parts.push(self.without_row_watermark(rows, &title));
        }
        let rows = match parts.len() {
            1 => Rows { schema: schema.clone(), ..parts.remove(0) },
            _ => self.union(parts, &schema, &title)?,
        };
        let name = stream_name("Sink", self.label, &sink.name, sink.options.get("type"));
        let id = self.id(&title);
        let inputs = vec![Input { from: rows.node, exchange: Exchange::Forward }];
        self.graph.add(Node { id, description: name.clone(), name, kind: NodeKind::Sink(connector), inputs });
        Ok(())
    }

    /// Adds the queries of all INSERTs into a stream.
    fn inserts(&mut self, target: Target) -> Result<Vec<Rows>, TranslateError> {
        let job = self.job;
        let name = match target {
            Target::Sink(index) => &job.sinks[index].name,
            Target::Temp(index) => &job.temps[index].name,
        };
        let mut inputs = Vec::new();
        for insert in job.inserts.iter().filter(|insert| insert.target == target) {
            inputs.push(self.plan(&insert.plan, name)?);
        }
        Ok(inputs)
    }

    /// Puts several inputs together under one schema. A hidden column stays when any of them has it.
    pub(super) fn union(
        &mut self,
        inputs: Vec<Rows>,
        schema: &SchemaRef,
        title: &str,
    ) -> Result<Rows, TranslateError> {
        let hidden = Hidden {
            row_kind: inputs.iter().any(|rows| rows.hidden.row_kind),
            row_watermark: inputs.iter().any(|rows| rows.hidden.row_watermark),
        };
        let output = hidden.append_to(schema);
        let mut aligned = Vec::with_capacity(inputs.len());
        for rows in inputs {
            let mut expressions = columns(&rows.schema);
            if hidden.row_kind {
                expressions.push(match rows.kind_index() {
                    Some(index) => Arc::new(Column::new(ROW_KIND, index)) as Arc<dyn PhysicalExpr>,
                    None => lit(RowKind::Insert as i8),
                });
            }
            if hidden.row_watermark {
                expressions.push(match rows.watermark_index() {
                    Some(index) => Arc::new(Column::new(ROW_WATERMARK, index)) as Arc<dyn PhysicalExpr>,
                    // Rows of a window are given out ahead of the watermark, so they are never late.
                    None => lit(i64::MIN),
                });
            }
            let columns = Evaluator::new(None, Some((expressions, output.clone())));
            let node = self.operator(
                &format!("{title}-input"),
                "columns".to_string(),
                columns,
                &rows,
                Exchange::Forward,
            );
            aligned.push(self.given(node, schema.clone(), hidden));
        }
        if aligned.len() == 1 {
            return Ok(aligned.remove(0));
        }
        let inputs =
            aligned.into_iter().map(|rows| Input { from: rows.node, exchange: Exchange::Forward }).collect();
        let id = self.id(&format!("{title}-union"));
        let kind = NodeKind::Operator(Arc::new(Evaluator::new(None, None)));
        let node = self.graph.add(Node {
            id,
            name: "Union".to_string(),
            description: "UNION ALL".to_string(),
            kind,
            inputs,
        });
        Ok(self.given(node, schema.clone(), hidden))
    }

    /// Returns the rows that a node gives out; the graph learns whether they are a changelog.
    pub(super) fn given(&mut self, node: NodeId, schema: SchemaRef, hidden: Hidden) -> Rows {
        if hidden.row_kind {
            self.graph.mark_changelog(node);
        }
        Rows { node, schema, hidden }
    }

    /// Drops the hidden row-watermark column when there is one.
    fn without_row_watermark(&mut self, rows: Rows, title: &str) -> Rows {
        if !rows.hidden.row_watermark {
            return rows;
        }
        let hidden = Hidden { row_watermark: false, ..rows.hidden };
        let kept = hidden.append_to(&rows.schema);
        let evaluator = Evaluator::new(None, Some((columns(&kept), kept)));
        let node = self.operator(
            &format!("{title}-columns"),
            "columns".to_string(),
            evaluator,
            &rows,
            Exchange::Forward,
        );
        self.given(node, rows.schema, hidden)
    }

    /// Keeps the rows of a changelog that are added, and drops their kind: what a sink of messages has written
    /// cannot be withdrawn.
    fn added_rows(&mut self, rows: Rows, title: &str) -> Rows {
        let Some(index) = rows.kind_index() else { return rows };
        let kind = || Arc::new(Column::new(ROW_KIND, index)) as Arc<dyn PhysicalExpr>;
        let is = |of: RowKind| binary_equal(kind(), lit(of as i8));
        let added = Arc::new(BinaryExpr::new(is(RowKind::Insert), Operator::Or, is(RowKind::UpdateAfter)));
        let hidden = Hidden { row_kind: false, ..rows.hidden };
        let mut expressions = columns(&rows.schema);
        if let Some(watermark) = rows.watermark_index() {
            expressions.push(Arc::new(Column::new(ROW_WATERMARK, watermark)));
        }
        let evaluator = Evaluator::new(Some(added), Some((expressions, hidden.append_to(&rows.schema))));
        let node = self.operator(
            &format!("{title}-added"),
            "added rows".to_string(),
            evaluator,
            &rows,
            Exchange::Forward,
        );
        Rows { node, schema: rows.schema, hidden }
    }

    /// Adds an operator with one input.
    pub(super) fn operator(
        &mut self,
        title: &str,
        description: String,
        spec: impl OperatorSpec,
        input: &Rows,
        exchange: Exchange,
    ) -> NodeId {
        self.operator_of(title, description, spec, vec![Input { from: input.node, exchange }])
    }

    /// Adds an operator with any number of inputs.
    pub(super) fn operator_of(
        &mut self,
        title: &str,
        description: String,
        spec: impl OperatorSpec,
        inputs: Vec<Input>,
    ) -> NodeId {
        let (id, name) = (self.id(title), spec.name().to_string());
        self.graph.add(Node { id, name, description, kind: NodeKind::Operator(Arc::new(spec)), inputs })
    }

    /// Makes an id from what a node means; a number is added when two nodes mean the same.
    pub(super) fn id(&mut self, title: &str) -> String {
        let base: String = title
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '_' })
            .collect();
        let mut id = base.clone();
        let mut number = 2;
        while !self.ids.insert(id.clone()) {
            id = format!("{base}-{number}");
            number += 1;
        }
        id
    }
}

/// Returns the shown name of a source or sink, such as `Source: DIS_7_CARS`.
pub(crate) fn stream_name(role: &str, label: &str, stream: &str, kind: Option<&str>) -> String {
    format!("{role}: {}_{label}_{}", kind.unwrap_or_default().to_uppercase(), stream.to_uppercase())
}

fn asks_lateness(plan: &LogicalPlan) -> bool {
    let asks = match plan {
        LogicalPlan::Aggregate(node) => node.group_expr.iter().any(|key| window_of(key).is_some()),
        LogicalPlan::Window(_) | LogicalPlan::Join(_) | LogicalPlan::Extension(_) => true,
        _ => false,
    };
    asks || plan.inputs().into_iter().any(asks_lateness)
}

/// Tells whether an expression of the plan reads the clock.
fn asks_time(plan: &LogicalPlan) -> bool {
    plan.expressions().iter().any(reads_clock) || plan.inputs().into_iter().any(asks_time)
}

/// Tells whether the instant of each record decides what operators forget: in a run with a record clock for which a
/// retention is set. The machine's clock tells that by itself; and nothing is forgotten in a run with a record clock and
/// the default, so that its batches need not be cut into single records.
fn tells_idleness(job: &Job, settings: &JobSettings) -> bool {
    settings.record_clock.is_some()
        && settings.idle_state_retention != DEFAULT_IDLE_STATE_RETENTION
        && job.inserts.iter().any(|insert| keeps_until_idle(&insert.plan))
}

/// Tells whether a plan has state that goes when it has been idle.
fn keeps_until_idle(plan: &LogicalPlan) -> bool {
    let keeps = match plan {
        LogicalPlan::Aggregate(node) => !node.group_expr.iter().any(|key| window_of(key).is_some()),
        LogicalPlan::Distinct(_) => true,
        LogicalPlan::Extension(node) => {
            let join = node.node.as_any().downcast_ref::<StreamJoin>();
            join.is_some_and(|join| join.bounds.is_none())
        }
        _ => false,
    };
    keeps || plan.inputs().into_iter().any(keeps_until_idle)
}

fn binary_equal(left: Arc<dyn PhysicalExpr>, right: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(left, Operator::Eq, right))
}

fn strategy(watermark: WatermarkStrategy) -> Strategy {
    let interval = match watermark.interval {
        WatermarkInterval::Rows(rows) => Interval::Rows(rows),
        WatermarkInterval::Range(range) => Interval::Range(range),
    };
    Strategy { interval, delay: watermark.delay }
}

/// Returns whose watermarks tell a time attribute.
pub(super) fn domain(event_time: bool) -> TimeDomain {
    match event_time {
        true => TimeDomain::Event,
        false => TimeDomain::Processing,
    }
}

/// Returns references to all columns of a schema.
pub(super) fn columns(schema: &SchemaRef) -> Vec<Arc<dyn PhysicalExpr>> {
    schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| Arc::new(Column::new(field.name(), index)) as Arc<dyn PhysicalExpr>)
        .collect()
}

/// Returns the schema with every column nullable: all columns of the dialect are.
pub(super) fn nullable(schema: &Schema) -> SchemaRef {
    let fields: Vec<Field> =
        schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    Arc::new(Schema::new(fields))
}
