//! Computes constant parts of expressions once, with the dialect's own arithmetic: an overflow stays
//! in the plan and is an error of the row.

use std::sync::Arc;

use arrow::array::RecordBatchOptions;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::{ColumnarValue, Expr, Volatility};

use super::physical::checked;

/// Replaces every part that depends on no row by its value.
pub(super) fn fold(expr: Expr) -> Expr {
    let folded = expr.clone().transform_up(|node| {
        if !is_constant_operation(&node) {
            return Ok(Transformed::no(node));
        }
        Ok(match value(&node) {
            Some(value) => Transformed::yes(Expr::Literal(value, None)),
            None => Transformed::no(node),
        })
    });
    folded.map_or(expr, |folded| folded.data)
}

fn is_constant_operation(node: &Expr) -> bool {
    let foldable = match node {
        Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Immutable,
        Expr::BinaryExpr(_) | Expr::Cast(_) | Expr::Not(_) | Expr::Negative(_) | Expr::Like(_) => true,
        Expr::IsNull(_) | Expr::IsNotNull(_) | Expr::InList(_) | Expr::Case(_) => true,
        Expr::IsTrue(_) | Expr::IsFalse(_) | Expr::IsUnknown(_) => true,
        Expr::IsNotTrue(_) | Expr::IsNotFalse(_) | Expr::IsNotUnknown(_) => true,
        _ => false,
    };
    let mut literals = foldable;
    if foldable {
        // Looks at the operands alone; they have been folded already.
        let visited = node.apply_children(|operand| {
            literals &= matches!(operand, Expr::Literal(..));
            Ok(datafusion_common::tree_node::TreeNodeRecursion::Continue)
        });
        literals &= visited.is_ok();
    }
    literals
}

fn value(expr: &Expr) -> Option<ScalarValue> {
    let schema = Arc::new(Schema::empty());
    let physical = checked(expr, &DFSchema::empty()).ok()?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(schema, vec![], &options).ok()?;
    match physical.evaluate(&batch).ok()? {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0).ok(),
    }
}
