//! `GROUP BY` with a window as an operator.

use std::sync::Arc;

use datafusion_common::{DFSchema, DataFusionError};
use datafusion_expr::expr::NullTreatment;
use datafusion_expr::{Aggregate, Expr};
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use weir_engine::graph::Exchange;
use weir_engine::operator::{AggregateCall, GroupWindowSpec, WindowKind};
use weir_functions::window::{TIME_ATTRIBUTE, window_of};

use super::group::grouping_sets;
use super::streams::{Hidden, Rows, Translator, domain, nullable};
use super::{TranslateError, physical_expr};

impl Translator<'_> {
    pub(super) fn window(&mut self, aggregate: &Aggregate, target: &str) -> Result<Rows, TranslateError> {
        let input = self.plan(&aggregate.input, target)?;
        let schema = aggregate.input.schema();
        let found = aggregate.group_expr.iter().enumerate().find_map(|(position, expression)| {
            window_of(expression).map(|(kind, time)| (position, kind, time))
        });
        let Some((window_position, kind, time)) = found else {
            return Err(TranslateError::Unsupported("GROUP BY without a window".to_string()));
        };
        let Expr::Column(column) = &time else {
            return Err(TranslateError::Unsupported(format!("a window over the expression `{time}`")));
        };
        let index = schema.index_of_column(column)?;
        let event_time = schema.field(index).metadata().get(TIME_ATTRIBUTE).is_none_or(|of| of != "proctime");
        let keys = aggregate
            .group_expr
            .iter()
            .enumerate()
            .filter(|(position, _)| *position != window_position)
            .map(|(_, expression)| physical_expr(expression, schema))
            .collect::<Result<Vec<_>, _>>()?;
        let calls = aggregate
            .aggr_expr
            .iter()
            .map(|expression| self.aggregate_call(expression, schema, &input))
            .collect::<Result<Vec<_>, _>>()?;
        let output = nullable(aggregate.schema.as_arrow());
        let spec = GroupWindowSpec {
            kind: engine_kind(kind),
            domain: domain(event_time),
            time: self.time_column(schema.as_arrow(), index),
            keys: keys.clone(),
            window_position,
            calls,
            sets: grouping_sets(&aggregate.input),
            output: output.clone(),
            row_watermark: input.watermark_index().filter(|_| event_time),
        };
        let description = format!(
            "groupBy: ({}), aggregates: ({})",
            self.texts.list(&aggregate.group_expr),
            self.texts.list(&aggregate.aggr_expr)
        );
        self.texts.computes(aggregate.group_expr.iter().chain(&aggregate.aggr_expr));
        let title = format!("window-{target}");
        let node = self.operator(&title, description, spec, &input, Exchange::Hash(keys));
        Ok(Rows { node, schema: output, hidden: Hidden::NONE })
    }

    pub(super) fn aggregate_call(
        &self,
        expression: &Expr,
        schema: &DFSchema,
        input: &Rows,
    ) -> Result<AggregateCall, TranslateError> {
        let name = expression.schema_name().to_string();
        let mut inner = expression;
        while let Expr::Alias(alias) = inner {
            inner = &alias.expr;
        }
        let Expr::AggregateFunction(call) = inner else {
            return Err(TranslateError::Unsupported(format!("the aggregate `{expression}`")));
        };
        if call.params.filter.is_some() || !call.params.order_by.is_empty() {
            return Err(TranslateError::Unsupported(format!("FILTER or ORDER BY in `{expression}`")));
        }
        let arguments = call
            .params
            .args
            .iter()
            .map(|argument| physical_expr(argument, schema))
            .collect::<Result<Vec<_>, DataFusionError>>()?;
        let function = AggregateExprBuilder::new(call.func.clone(), arguments)
            .schema(input.full_schema())
            .alias(name)
            .with_distinct(call.params.distinct)
            .with_ignore_nulls(call.params.null_treatment == Some(NullTreatment::IgnoreNulls))
            .build()?;
        Ok(AggregateCall { function: Arc::new(function) })
    }
}

fn engine_kind(kind: weir_functions::window::WindowKind) -> WindowKind {
    use weir_functions::window::WindowKind as Marker;
    match kind {
        Marker::Tumble { size_ms } => WindowKind::Tumble { size: size_ms },
        Marker::Hop { slide_ms, size_ms } => WindowKind::Hop { slide: slide_ms, size: size_ms },
        Marker::Session { gap_ms } => WindowKind::Session { gap: gap_ms },
    }
}
