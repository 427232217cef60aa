//! OVER windows as an operator.

use datafusion_expr::{Expr, UserDefinedLogicalNodeCore};
use weir_engine::graph::Exchange;
use weir_engine::operator::{OverFrame, OverSpec};
use weir_sql::nodes::{OverFrame as Frame, OverWindow};

use super::streams::{Rows, Translator, domain, nullable};
use super::{TranslateError, physical_expr};

impl Translator<'_> {
    pub(super) fn over(&mut self, node: &OverWindow, target: &str) -> Result<Rows, TranslateError> {
        let input = self.plan(&node.input, target)?;
        let of = node.input.schema();
        let Expr::Column(order) = &node.order else {
            return Err(TranslateError::Unsupported(format!("an order by the expression `{}`", node.order)));
        };
        let domain = domain(node.event_time);
        let partition =
            node.partition.iter().map(|key| physical_expr(key, of)).collect::<Result<Vec<_>, _>>()?;
        let calls = node
            .calls
            .iter()
            .map(|call| self.aggregate_call(call, of, &input))
            .collect::<Result<Vec<_>, _>>()?;
        let schema = nullable(UserDefinedLogicalNodeCore::schema(node).as_arrow());
        let visible = input.schema.fields().len();
        let spec = OverSpec {
            domain,
            time: self.time_column(of.as_arrow(), of.index_of_column(order)?),
            partition: partition.clone(),
            frame: match node.frame {
                Frame::Rows(rows) => OverFrame::Rows(rows),
                Frame::Range(millis) => OverFrame::Range(millis),
            },
            calls,
            input: input.full_schema(),
            visible,
            output: input.hidden.append_to(&schema),
            row_watermark: input.watermark_index().filter(|_| node.event_time),
        };
        let description = format!(
            "partitionBy: ({}), orderBy: ({}), window: ({}), aggregates: ({})",
            self.texts.list(&node.partition),
            node.order,
            node.frame,
            self.texts.list(&node.calls)
        );
        for (call, name) in node.calls.iter().zip(schema.fields()[visible..].iter().map(|field| field.name()))
        {
            self.texts.names(name.clone(), call);
        }
        let exchange = Exchange::Hash(partition);
        let id = self.operator(&format!("over-{target}"), description, spec, &input, exchange);
        Ok(Rows { node: id, schema, hidden: input.hidden })
    }
}
