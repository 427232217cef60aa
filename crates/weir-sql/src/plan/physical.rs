//! Expressions of a plan as the engine evaluates them.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion_common::config::ConfigOptions;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, Result};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::{Expr, Operator};
use datafusion_physical_expr::expressions::BinaryExpr;
use datafusion_physical_expr::{PhysicalExpr, ScalarFunctionExpr, create_physical_expr};
use weir_functions::comparison;

/// Makes the evaluator of an expression over rows of `schema`. Integer and decimal `+`, `-` and `*`
/// fail instead of wrapping around; FLOAT and DOUBLE compare by the rules of IEEE 754.
pub fn physical(expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
    // Both passes below are recursive, and callers may run on small stacks.
    stacker::grow(super::STACK_BYTES, || checked(expr, schema))
}

/// Does the work of [`physical`] on a stack that is large enough.
pub(super) fn checked(expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
    let context = PhysicalPlanningContext::default();
    let plain = create_physical_expr(expr, schema, &ExecutionProps::new(), &context)?;
    let checked = plain.transform_up(|node| {
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

/// Replaces a comparison of FLOAT or DOUBLE: that of the library orders them so that 0.0 and -0.0 differ.
fn floats_compared(binary: &BinaryExpr, schema: &Schema) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let of = binary.left().data_type(schema)?;
    let Some(call) = comparison::floats(*binary.op(), &of) else { return Ok(None) };
    let arguments = vec![Arc::clone(binary.left()), Arc::clone(binary.right())];
    let options = Arc::new(ConfigOptions::default());
    Ok(Some(Arc::new(ScalarFunctionExpr::try_new(call.function, arguments, schema, options)?)))
}
