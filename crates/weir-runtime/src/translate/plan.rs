//! Logical plans as operators.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::{Distinct, Expr, LogicalPlan, UserDefinedLogicalNode};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;
use weir_engine::graph::{Exchange, Node, NodeKind, SourceNode};
use weir_engine::operator::Evaluator;
use weir_engine::values::Values;
use weir_sql::nodes::{Expand, LookupJoin, MatchRecognize, OverWindow, StreamJoin, Unnest};

use super::streams::{Hidden, Rows, Translator, nullable};
use super::{TranslateError, physical_expr};

impl Translator<'_> {
    /// Adds the nodes of a plan. `target` is the stream it is for; it becomes part of the ids.
    pub(super) fn plan(&mut self, plan: &LogicalPlan, target: &str) -> Result<Rows, TranslateError> {
        let Rows { node, schema, hidden } = self.node(plan, target)?;
        Ok(self.given(node, schema, hidden))
    }

    fn node(&mut self, plan: &LogicalPlan, target: &str) -> Result<Rows, TranslateError> {
        match plan {
            LogicalPlan::Projection(projection) => {
                let schema = nullable(projection.schema.as_arrow());
                match projection.input.as_ref() {
                    LogicalPlan::Filter(filter) => {
                        let input = self.plan(&filter.input, target)?;
                        let of = filter.input.schema();
                        self.calc(
                            &input,
                            of,
                            Some(&filter.predicate),
                            Some((&projection.expr, schema)),
                            target,
                        )
                    }
                    other => {
                        let input = self.plan(other, target)?;
                        self.calc(&input, other.schema(), None, Some((&projection.expr, schema)), target)
                    }
                }
            }
            LogicalPlan::Filter(filter) => {
                let input = self.plan(&filter.input, target)?;
                self.calc(&input, filter.input.schema(), Some(&filter.predicate), None, target)
            }
            LogicalPlan::SubqueryAlias(alias) => self.plan(&alias.input, target),
            LogicalPlan::TableScan(scan) => {
                let rows = self.stream(scan.table_name.table())?;
                let Some(projection) = &scan.projection else { return Ok(rows) };
                let schema: SchemaRef = Arc::new(
                    rows.schema.project(projection).map_err(datafusion_common::DataFusionError::from)?,
                );
                let expressions = projection
                    .iter()
                    .map(|index| {
                        Arc::new(Column::new(rows.schema.field(*index).name(), *index))
                            as Arc<dyn PhysicalExpr>
                    })
                    .collect();
                Ok(self.evaluate(&rows, None, Some((expressions, schema)), "columns".to_string(), target))
            }
            LogicalPlan::Union(union) => {
                let mut inputs = Vec::with_capacity(union.inputs.len());
                for input in &union.inputs {
                    inputs.push(self.plan(input, target)?);
                }
                self.union(inputs, &nullable(union.schema.as_arrow()), target)
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, target),
            LogicalPlan::Distinct(Distinct::All(input)) => self.distinct(input, target),
            LogicalPlan::Extension(extension) => self.extension(&extension.node, target),
            LogicalPlan::EmptyRelation(empty) => {
                let batch = null_rows(nullable(empty.schema.as_arrow()), usize::from(empty.produce_one_row))?;
                Ok(self.constants(batch, target))
            }
            LogicalPlan::Values(values)
                if values.values.iter().flatten().any(|e| !matches!(e, Expr::Literal(..))) =>
            {
                self.computed_values(&values.values, &nullable(values.schema.as_arrow()), target)
            }
            LogicalPlan::Values(values) => {
                let batch = evaluate_values(&values.values, &nullable(values.schema.as_arrow()))?;
                Ok(self.constants(batch, target))
            }
            other => Err(TranslateError::Unsupported(format!("`{}`", other.display()))),
        }
    }

    /// Adds rows of expressions that are evaluated when the job runs, as those of a SELECT without FROM are: they
    /// read the clock, draw random numbers, or fail.
    fn computed_values(
        &mut self,
        rows: &[Vec<Expr>],
        schema: &SchemaRef,
        target: &str,
    ) -> Result<Rows, TranslateError> {
        let mut inputs = Vec::with_capacity(rows.len());
        for row in rows {
            let empty = null_rows(Arc::new(Schema::empty()), 1)?;
            let input = self.constants(empty, target);
            let projection = Some((row.as_slice(), schema.clone()));
            inputs.push(self.calc(&input, &DFSchema::empty(), None, projection, target)?);
        }
        match inputs.len() {
            1 => Ok(inputs.remove(0)),
            _ => self.union(inputs, schema, target),
        }
    }

    /// Adds the nodes of a plan that streams have and DataFusion has not.
    fn extension(
        &mut self,
        node: &Arc<dyn UserDefinedLogicalNode>,
        target: &str,
    ) -> Result<Rows, TranslateError> {
        if let Some(unnest) = node.as_any().downcast_ref::<Unnest>() {
            return self.unnest(unnest, target);
        }
        if let Some(expand) = node.as_any().downcast_ref::<Expand>() {
            return self.expand(expand, target);
        }
        if let Some(join) = node.as_any().downcast_ref::<StreamJoin>() {
            return self.stream_join(join, target);
        }
        if let Some(over) = node.as_any().downcast_ref::<OverWindow>() {
            return self.over(over, target);
        }
        if let Some(join) = node.as_any().downcast_ref::<LookupJoin>() {
            return self.lookup(join, target);
        }
        if let Some(node) = node.as_any().downcast_ref::<MatchRecognize>() {
            return self.match_recognize(node, target);
        }
        Err(TranslateError::Unsupported(format!("`{}`", node.name())))
    }

    fn calc(
        &mut self,
        input: &Rows,
        schema: &DFSchema,
        filter: Option<&Expr>,
        projection: Option<(&[Expr], SchemaRef)>,
        target: &str,
    ) -> Result<Rows, TranslateError> {
        let mut description = Vec::new();
        let filter = match filter {
            Some(predicate) => {
                description.push(format!("where: ({})", self.texts.of(predicate)));
                Some(physical_expr(predicate, schema)?)
            }
            None => None,
        };
        let projection = match projection {
            Some((expressions, output)) => {
                description.push(format!("select: ({})", self.texts.list(expressions)));
                let expressions = expressions
                    .iter()
                    .map(|expression| physical_expr(expression, schema))
                    .collect::<Result<Vec<_>, _>>()?;
                Some((expressions, output))
            }
            None => None,
        };
        Ok(self.evaluate(input, filter, projection, description.join(", "), target))
    }

    /// Adds a filter and projection that lets the hidden columns through.
    pub(super) fn evaluate(
        &mut self,
        input: &Rows,
        filter: Option<Arc<dyn PhysicalExpr>>,
        projection: Option<(Vec<Arc<dyn PhysicalExpr>>, SchemaRef)>,
        description: String,
        target: &str,
    ) -> Rows {
        let schema = projection.as_ref().map_or_else(|| input.schema.clone(), |(_, schema)| schema.clone());
        let projection = projection.map(|(mut expressions, schema)| {
            expressions.extend(input.hidden_columns());
            (expressions, input.hidden.append_to(&schema))
        });
        let evaluator = Evaluator::new(filter, projection);
        let node = self.operator(&format!("calc-{target}"), description, evaluator, input, Exchange::Forward);
        Rows { node, schema, hidden: input.hidden }
    }

    fn constants(&mut self, batch: RecordBatch, target: &str) -> Rows {
        let schema = batch.schema();
        let kind = NodeKind::Source(SourceNode {
            connector: Arc::new(Values::new(batch)),
            event_time: None,
            proctime: false,
            processing_time: self.processing_time,
            row_watermark: false,
            schema: schema.clone(),
        });
        let id = self.id(&format!("values-{target}"));
        let name = "Source: VALUES".to_string();
        let node = self.graph.add(Node { id, description: name.clone(), name, kind, inputs: Vec::new() });
        Rows { node, schema, hidden: Hidden::NONE }
    }
}

fn null_rows(schema: SchemaRef, rows: usize) -> Result<RecordBatch, TranslateError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let columns =
        schema.fields().iter().map(|field| arrow::array::new_null_array(field.data_type(), rows)).collect();
    let batch = RecordBatch::try_new_with_options(schema, columns, &options)
        .map_err(datafusion_common::DataFusionError::from)?;
    Ok(batch)
}

fn evaluate_values(rows: &[Vec<Expr>], schema: &SchemaRef) -> Result<RecordBatch, TranslateError> {
    let empty = DFSchema::empty();
    let nothing = RecordBatch::try_new_with_options(
        Arc::new(Schema::empty()),
        Vec::new(),
        &RecordBatchOptions::new().with_row_count(Some(1)),
    )
    .map_err(datafusion_common::DataFusionError::from)?;
    let mut columns: Vec<Vec<ScalarValue>> = vec![Vec::with_capacity(rows.len()); schema.fields().len()];
    for row in rows {
        for (column, expression) in columns.iter_mut().zip(row) {
            let value = physical_expr(expression, &empty)?.evaluate(&nothing)?.into_array(1)?;
            column.push(ScalarValue::try_from_array(&value, 0)?);
        }
    }
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for (values, field) in columns.into_iter().zip(schema.fields()) {
        let values = values
            .into_iter()
            .map(|value| value.cast_to(field.data_type()))
            .collect::<Result<Vec<_>, _>>()?;
        arrays.push(ScalarValue::iter_to_array(values)?);
    }
    Ok(RecordBatch::try_new(schema.clone(), arrays).map_err(datafusion_common::DataFusionError::from)?)
}
