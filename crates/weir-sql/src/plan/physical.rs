//! Expressions of a plan as the engine evaluates them.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, Result};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::{Expr, Operator};
use datafusion_physical_expr::expressions::{BinaryExpr, CastExpr};
use datafusion_physical_expr::{PhysicalExpr, ScalarFunctionExpr, create_physical_expr};
use weir_functions::{Call, comparison, conversion};

use super::{library_options, on_large_stack};

/// Makes the evaluator of an expression over rows of `schema`. Integer and decimal `+`, `-` and `*`
/// fail instead of wrapping around, casts say in the words of the dialect what does not fit; FLOAT and DOUBLE compare by the rules of IEEE 754.
pub fn physical(expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
    on_large_stack(|| checked(expr, schema))
}

/// Does the work of [`physical`] on a stack that is large enough.
pub(super) fn checked(expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
    let context = PhysicalPlanningContext::default();
    let properties = ExecutionProps { config_options: Some(library_options()), ..ExecutionProps::new() };
    let plain = create_physical_expr(expr, schema, &properties, &context)?;
    let checked = plain.transform_up(|node| {
        if let Some(cast) = node.downcast_ref::<CastExpr>() {
            return Ok(Transformed::yes(number_cast(cast, schema.as_arrow())?));
        }
        let Some(binary) = node.downcast_ref::<BinaryExpr>() else { return Ok(Transformed::no(node)) };
        if let Some(compared) = floats_compared(binary, schema.as_arrow())? {
            return Ok(Transformed::yes(compared));
        }
        if !matches!(binary.op(), Operator::Plus | Operator::Minus | Operator::Multiply) {
            return Ok(Transformed::no(node));
        }
        let checked = BinaryExpr::new(Arc::clone(binary.left()), *binary.op(), Arc::clone(binary.right()))
            .with_fail_on_overflow(true);
        Ok(Transformed::yes(Arc::new(checked) as Arc<dyn PhysicalExpr>))
    })?;
    Ok(checked.data)
}

/// Replaces a cast, which is always one of numbers: what the library says of a number that does not fit names types as
/// no user writes them.
fn number_cast(cast: &CastExpr, schema: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
    let call = conversion::number(&cast.expr().data_type(schema)?, cast.cast_type());
    function(call, vec![Arc::clone(cast.expr())], schema)
}

fn function(
    call: Call,
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    schema: &Schema,
) -> Result<Arc<dyn PhysicalExpr>> {
    Ok(Arc::new(ScalarFunctionExpr::try_new(call.function, arguments, schema, library_options())?))
}

/// Replaces a comparison of FLOAT or DOUBLE: that of the library orders them so that 0.0 and -0.0 differ.
fn floats_compared(binary: &BinaryExpr, schema: &Schema) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let of = binary.left().data_type(schema)?;
    let Some(call) = comparison::floats(*binary.op(), &of) else { return Ok(None) };
    let arguments = vec![Arc::clone(binary.left()), Arc::clone(binary.right())];
    function(call, arguments, schema).map(Some)
}
