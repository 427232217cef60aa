//! `UNNEST` and `LATERAL TABLE` as an operator.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_expr::UserDefinedLogicalNodeCore;
use weir_engine::graph::Exchange;
use weir_engine::operator::UnnestSpec;
use weir_sql::nodes::Unnest;

use super::streams::{Rows, Translator, columns, nullable};
use super::{TranslateError, physical_expr};

impl Translator<'_> {
    pub(super) fn unnest(&mut self, node: &Unnest, target: &str) -> Result<Rows, TranslateError> {
        let input = self.plan(&node.input, target)?;
        let of = node.input.schema();
        let collection = physical_expr(&node.collection, of)?;
        let kept = input.full_schema();
        let collected = Field::new("collection", collection.data_type(of.as_arrow())?, true);
        let mut fields: Vec<_> = kept.fields().iter().cloned().collect();
        fields.push(Arc::new(collected));
        let evaluated: SchemaRef = Arc::new(Schema::new(fields));
        let schema = nullable(UserDefinedLogicalNodeCore::schema(node).as_arrow());
        let spec = UnnestSpec {
            input: UnnestSpec::evaluator(columns(&kept), collection, evaluated),
            outer: node.outer,
            ordinality: node.ordinality,
            visible: input.schema.fields().len(),
            output: input.hidden.append_to(&schema),
        };
        let description = format!("unnest: ({})", self.texts.of(&node.collection));
        let id = self.operator(&format!("unnest-{target}"), description, spec, &input, Exchange::Forward);
        Ok(Rows { node: id, schema, hidden: input.hidden })
    }
}
