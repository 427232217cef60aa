//! Sources, temp streams and sinks of a job as nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_expr::LogicalPlan;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, lit};
use weir_base::text::Zone;
use weir_connectors::Environment;
use weir_engine::graph::{Exchange, Graph, Input, Node, NodeId, NodeKind, SourceNode};
use weir_engine::operator::Evaluator;
use weir_engine::watermark::{Interval, Strategy};
use weir_engine::{ROW_WATERMARK, TimeColumn};
use weir_sql::{Job, SourceStream, Target, TempStream, WatermarkInterval, WatermarkStrategy};

use super::TranslateError;

/// The rows of a node, with the hidden row-watermark column when they carry one.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) node: NodeId,
    /// Visible columns.
    pub(super) schema: SchemaRef,
    /// Whether the hidden column follows the visible ones.
    pub(super) row_watermark: bool,
}

impl Rows {
    /// Returns the index of the hidden column.
    pub(super) fn watermark_index(&self) -> Option<usize> {
        self.row_watermark.then(|| self.schema.fields().len())
    }
}

pub(super) struct Translator<'a> {
    pub(super) job: &'a Job,
    label: &'a str,
    pub(super) zone: Zone,
    environment: &'a Environment,
    pub(super) graph: Graph,
    ids: BTreeSet<String>,
    streams: BTreeMap<String, Rows>,
    processing_time: bool,
    /// Whether the job has windows, which alone ask whether a row is late.
    windows: bool,
}

impl<'a> Translator<'a> {
    pub(super) fn new(job: &'a Job, label: &'a str, zone: Zone, environment: &'a Environment) -> Self {
        let processing_time =
            job.sources.iter().any(|s| s.time.proctime) || job.temps.iter().any(|t| t.time.proctime);
        let windows = job.inserts.iter().any(|insert| has_window(&insert.plan));
        Self {
            windows,
            job,
            label,
            zone,
            environment,
            graph: Graph::default(),
            ids: BTreeSet::new(),
            streams: BTreeMap::new(),
            processing_time,
        }
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
        let connector = weir_connectors::source(source, self.environment)
            .map_err(|error| TranslateError::Connector { stream: source.name.clone(), error })?;
        let event_time = match (source.time.rowtime, source.time.watermark) {
            (Some(index), Some(watermark)) => {
                Some((TimeColumn { index, zone: self.zone }, strategy(watermark)))
            }
            _ => None,
        };
        let row_watermark = event_time.is_some() && self.windows;
        let schema = nullable(&source.schema);
        let kind = NodeKind::Source(SourceNode {
            connector,
            event_time,
            proctime: source.time.proctime,
            processing_time: self.processing_time,
            row_watermark,
            schema: with_row_watermark(&schema, row_watermark),
        });
        let name = self.stream_name("Source", &source.name, source.options.get("type"));
        let id = self.id(&format!("source-{}", source.name));
        let node = self.graph.add(Node { id, description: name.clone(), name, kind, inputs: Vec::new() });
        Ok(Rows { node, schema, row_watermark })
    }

    fn temp(&mut self, temp: &TempStream, index: usize) -> Result<Rows, TranslateError> {
        let inputs = self.inserts(Target::Temp(index))?;
        let title = format!("temp-{}", temp.name);
        let mut rows = self.union(inputs, &nullable(&temp.declared), &title)?;
        if temp.time.proctime {
            let schema = nullable(&temp.schema);
            let kind = NodeKind::AssignProctime {
                position: temp.declared.fields().len(),
                schema: with_row_watermark(&schema, rows.row_watermark),
            };
            let node = self.operator(
                &format!("{title}-proctime"),
                "proctime".to_string(),
                kind,
                &rows,
                Exchange::Forward,
            );
            rows = Rows { node, schema, ..rows };
        } else {
            rows.schema = nullable(&temp.schema);
        }
        if let (Some(column), Some(watermark)) = (temp.time.rowtime, temp.time.watermark) {
            rows = self.without_row_watermark(rows, &title);
            let kind = NodeKind::AssignWatermark {
                column: TimeColumn { index: column, zone: self.zone },
                strategy: strategy(watermark),
                schema: with_row_watermark(&rows.schema, true),
            };
            let description = format!("watermark on {}", temp.declared.field(column).name());
            let node =
                self.operator(&format!("{title}-watermark"), description, kind, &rows, Exchange::Forward);
            rows = Rows { node, row_watermark: true, ..rows };
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
        let mut parts = Vec::with_capacity(inputs.len());
        for rows in inputs {
            parts.push(self.without_row_watermark(rows, &title));
        }
        let rows = match parts.len() {
            1 => Rows { schema: schema.clone(), ..parts.remove(0) },
            _ => self.union(parts, &schema, &title)?,
        };
        let connector = weir_connectors::sink(sink, self.environment)
            .map_err(|error| TranslateError::Connector { stream: sink.name.clone(), error })?;
        let name = self.stream_name("Sink", &sink.name, sink.options.get("type"));
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

    /// Puts several inputs together under one schema. The hidden column stays when any of them has it.
    pub(super) fn union(
        &mut self,
        inputs: Vec<Rows>,
        schema: &SchemaRef,
        title: &str,
    ) -> Result<Rows, TranslateError> {
        let row_watermark = inputs.iter().any(|rows| rows.row_watermark);
        let output = with_row_watermark(schema, row_watermark);
        let mut aligned = Vec::with_capacity(inputs.len());
        for rows in inputs {
            let mut expressions = columns(&rows.schema);
            if row_watermark {
                expressions.push(match rows.watermark_index() {
                    Some(index) => Arc::new(Column::new(ROW_WATERMARK, index)) as Arc<dyn PhysicalExpr>,
                    // Rows of a window are given out ahead of the watermark, so they are never late.
                    None => lit(i64::MIN),
                });
            }
            let kind = NodeKind::Map(Evaluator::new(None, Some((expressions, output.clone()))));
            aligned.push(self.operator(
                &format!("{title}-input"),
                "columns".to_string(),
                kind,
                &rows,
                Exchange::Forward,
            ));
        }
        if let [node] = aligned.as_slice() {
            return Ok(Rows { node: *node, schema: schema.clone(), row_watermark });
        }
        let inputs = aligned.into_iter().map(|from| Input { from, exchange: Exchange::Forward }).collect();
        let id = self.id(&format!("{title}-union"));
        let kind = NodeKind::Map(Evaluator::new(None, None));
        let node = self.graph.add(Node {
            id,
            name: "Union".to_string(),
            description: "UNION ALL".to_string(),
            kind,
            inputs,
        });
        Ok(Rows { node, schema: schema.clone(), row_watermark })
    }

    /// Drops the hidden column when there is one.
    fn without_row_watermark(&mut self, rows: Rows, title: &str) -> Rows {
        if !rows.row_watermark {
            return rows;
        }
        let evaluator = Evaluator::new(None, Some((columns(&rows.schema), rows.schema.clone())));
        let node = self.operator(
            &format!("{title}-columns"),
            "columns".to_string(),
            NodeKind::Map(evaluator),
            &rows,
            Exchange::Forward,
        );
        Rows { node, schema: rows.schema, row_watermark: false }
    }

    /// Adds an operator with one input.
    pub(super) fn operator(
        &mut self,
        title: &str,
        description: String,
        kind: NodeKind,
        input: &Rows,
        exchange: Exchange,
    ) -> NodeId {
        let id = self.id(title);
        let inputs = vec![Input { from: input.node, exchange }];
        self.graph.add(Node { id, name: operator_name(&kind), description, kind, inputs })
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

    fn stream_name(&self, role: &str, stream: &str, kind: Option<&str>) -> String {
        format!(
            "{role}: {}_{}_{}",
            kind.unwrap_or_default().to_uppercase(),
            self.label,
            stream.to_uppercase()
        )
    }
}

fn has_window(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Aggregate(_)) || plan.inputs().into_iter().any(has_window)
}

fn operator_name(kind: &NodeKind) -> String {
    match kind {
        NodeKind::Map(_) => "Calc",
        NodeKind::AssignWatermark { .. } => "Watermark",
        NodeKind::AssignProctime { .. } => "Proctime",
        NodeKind::Window(_) => "GroupWindow",
        NodeKind::Source(_) => "Source",
        NodeKind::Sink(_) => "Sink",
    }
    .to_string()
}

fn strategy(watermark: WatermarkStrategy) -> Strategy {
    let interval = match watermark.interval {
        WatermarkInterval::Rows(rows) => Interval::Rows(rows),
        WatermarkInterval::Range(range) => Interval::Range(range),
    };
    Strategy { interval, delay: watermark.delay }
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

/// Appends the hidden column to a schema when asked to.
pub(super) fn with_row_watermark(schema: &SchemaRef, row_watermark: bool) -> SchemaRef {
    if !row_watermark {
        return schema.clone();
    }
    let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(ROW_WATERMARK, DataType::Int64, true)));
    Arc::new(Schema::new(fields))
}
