//! OVER windows in a select list.
//!
//! A call with OVER is first bound as a window expression that carries its window. When the whole list is
//! bound, the calls move into one [`OverWindow`] and the list reads its columns.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_expr::expr::{AggregateFunction, WindowFunction, WindowFunctionParams};
use datafusion_expr::{
    Expr, Extension, LogicalPlan, SortExpr, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition,
};
use sqlparser::ast::{
    Expr as SqlExpr, Function, Value, WindowFrameBound as SqlBound, WindowFrameUnits as SqlUnits, WindowSpec,
    WindowType,
};
use weir_functions::conversion::type_name;

use super::aggregate;
use super::bound::{Bound, TimeAttribute};
use super::expr::{Binder, Stage};
use super::literal::constant_millis;
use super::query::{Planner, fresh_names};
use super::refuse::{Checked, Place, hinted};
use super::scope::Scope;
use crate::nodes::{Over, OverFrame, OverWindow};

impl Binder<'_> {
    /// Checks an aggregate with OVER.
    pub(super) fn over(
        &self,
        name: &str,
        call: &Function,
        window: &WindowType,
        place: Place,
    ) -> Checked<Bound> {
        let why = match self.stage {
            Stage::Row(why) | Stage::Group(_, why) => Some(why),
            Stage::Pattern(_) => Some("inside `MATCH_RECOGNIZE`"),
            Stage::Select(_) => None,
        };
        if let Some(why) = why {
            let error = place.refuse(format!("`OVER` is not allowed {why}"));
            let hint = "compute it in the select list of a sub-query without `GROUP BY`";
            return Err(hinted(error, Some(hint.to_string())));
        }
        if !aggregate::is_aggregate(name) {
            let error = place.refuse(format!("`{name}` is no aggregate, so it takes no `OVER`"));
            return Err(hinted(
                error,
                Some(format!("the aggregates are `{}`", aggregate::NAMES.join("`, `"))),
            ));
        }
        let WindowType::WindowSpec(window) = window else {
            return Err(place.unavailable("a named window"));
        };
        let written = self.written(call, name, place)?;
        let input = Binder { stage: Stage::Row("inside `OVER`"), ..*self };
        for argument in &written.arguments {
            if matches!(input.bind(argument)?.expr, Expr::Literal(..)) {
                let error =
                    self.at(*argument).refuse(format!("`{name}` over a constant has no meaning in `OVER`"));
                return Err(hinted(error, Some("count rows with `COUNT(*)`".to_string())));
            }
        }
        let window = input.over_window(window, place)?;
        let value = self.aggregate(name, &written, place)?;
        let expr = value.expr.transform_down(|node| match node {
            Expr::AggregateFunction(call) => {
                Ok(Transformed::new(window.around(call), true, TreeNodeRecursion::Jump))
            }
            other => Ok(Transformed::no(other)),
        });
        let expr = expr.map_err(|error| place.refuse(error.to_string()))?.data;
        Ok(Bound::new(expr, value.data_type))
    }

    fn over_window(&self, window: &WindowSpec, place: Place) -> Checked<BoundWindow> {
        let mut partition = Vec::with_capacity(window.partition_by.len());
        for key in &window.partition_by {
            let value = self.bind(key)?;
            if matches!(value.data_type, DataType::Null | DataType::Map(..)) {
                let text = format!("{} cannot be a key of `PARTITION BY`", type_name(&value.data_type));
                return Err(self.at(key).refuse(text));
            }
            partition.push(value.expr);
        }
        let [order] = window.order_by.as_slice() else {
            return Err(place.refuse("`OVER` needs `ORDER BY` with one time attribute"));
        };
        let (order, order_place) = (self.bind(&order.expr)?, self.at(&order.expr));
        if order.time.is_none() {
            let error = order_place.refuse("`ORDER BY` of `OVER` must be a time attribute");
            let hint = "time attributes are declared by `TIMESTAMP BY column.rowtime` or `TIMESTAMP BY proctime.proctime`";
            return Err(hinted(error, Some(hint.to_string())));
        }
        let frame = match &window.window_frame {
            None => OverFrame::Range(None),
            Some(frame) => match (&frame.start_bound, frame.units) {
                (SqlBound::Preceding(None), SqlUnits::Rows) => OverFrame::Rows(None),
                (SqlBound::Preceding(None), _) => OverFrame::Range(None),
                (SqlBound::Preceding(Some(rows)), SqlUnits::Rows) => {
                    OverFrame::Rows(Some(self.frame_rows(rows)?))
                }
                (SqlBound::Preceding(Some(range)), _) => OverFrame::Range(Some(self.frame_range(range)?)),
                _ => return Err(place.unavailable("a frame that does not begin before its row")),
            },
        };
        Ok(BoundWindow { partition, order: order.expr, frame })
    }

    fn frame_rows(&self, rows: &SqlExpr) -> Checked<u64> {
        let number = match rows {
            SqlExpr::Value(value) => match &value.value {
                Value::Number(digits, _) => digits.parse().ok(),
                _ => None,
            },
            _ => None,
        };
        number.ok_or_else(|| self.at(rows).refuse("a frame of `ROWS` is measured in a whole number of rows"))
    }

    fn frame_range(&self, range: &SqlExpr) -> Checked<i64> {
        let (place, range) = (self.at(range), self.bind(range)?);
        match constant_millis(&range) {
            Some(millis) if millis >= 0 => Ok(millis),
            _ => Err(place.refuse("a frame of `RANGE` is measured by a constant interval")),
        }
    }
}

/// A window as written after one call.
struct BoundWindow {
    partition: Vec<Expr>,
    order: Expr,
    frame: OverFrame,
}

impl BoundWindow {
    /// Returns the call with its window.
    fn around(&self, call: AggregateFunction) -> Expr {
        let (units, start) = match self.frame {
            OverFrame::Rows(rows) => (WindowFrameUnits::Rows, ScalarValue::UInt64(rows)),
            OverFrame::Range(millis) => (WindowFrameUnits::Range, ScalarValue::Int64(millis)),
        };
        let start = WindowFrameBound::Preceding(start);
        let params = WindowFunctionParams {
            args: call.params.args,
            partition_by: self.partition.clone(),
            order_by: vec![SortExpr::new(self.order.clone(), true, false)],
            window_frame: WindowFrame::new_bounds(units, start, WindowFrameBound::CurrentRow),
            filter: None,
            null_treatment: call.params.null_treatment,
            distinct: call.params.distinct,
        };
        let fun = WindowFunctionDefinition::AggregateUDF(call.func);
        Expr::WindowFunction(Box::new(WindowFunction { fun, params }))
    }
}

/// Returns the window of a call that [`BoundWindow::around`] made, and the call without it.
fn apart(call: &WindowFunction, scope: &Scope) -> Option<(Over, Expr)> {
    let WindowFunctionDefinition::AggregateUDF(function) = &call.fun else { return None };
    let params = &call.params;
    let aggregate = AggregateFunction::new_udf(
        function.clone(),
        params.args.clone(),
        params.distinct,
        None,
        vec![],
        params.null_treatment,
    );
    let frame = match &params.window_frame.start_bound {
        WindowFrameBound::Preceding(ScalarValue::UInt64(rows)) => OverFrame::Rows(*rows),
        WindowFrameBound::Preceding(ScalarValue::Int64(millis)) => OverFrame::Range(*millis),
        _ => return None,
    };
    let order = params.order_by.first()?.expr.clone();
    let attribute = scope.columns.iter().find(|column| Expr::Column(column.column.clone()) == order)?.time?;
    let event_time = attribute == TimeAttribute::Rowtime;
    let over = Over { partition: params.partition_by.clone(), order, event_time, frame };
    Some((over, Expr::AggregateFunction(aggregate)))
}

impl Planner<'_> {
    /// Moves the calls with OVER of a select list into a node of their own. Returns the plan to project from; the
    /// expressions then read its columns.
    pub(super) fn over_windows(
        &self,
        values: Vec<(&mut Expr, Place)>,
        scope: &Scope,
    ) -> Checked<LogicalPlan> {
        let mut calls: Vec<Expr> = Vec::new();
        let mut window: Option<(Over, Place)> = None;
        let mut aggregates = Vec::new();
        for (value, place) in &values {
            for call in window_calls(value) {
                let parts = match &call {
                    Expr::WindowFunction(of) => apart(of, scope),
                    _ => None,
                };
                let Some((over, aggregate)) = parts else {
                    return Err(place.refuse("this `OVER` cannot be planned"));
                };
                match &window {
                    None => window = Some((over, *place)),
                    Some((first, _)) if *first == over => {}
                    Some((_, at)) => {
                        let error = place.refuse("all `OVER` windows of a SELECT must be the same");
                        let at = at.position;
                        let hint = format!(
                            "the first one stands at line {}, column {}; compute the other in a query around this one",
                            at.line, at.column
                        );
                        return Err(hinted(error, Some(hint)));
                    }
                }
                if !calls.contains(&call) {
                    calls.push(call);
                    aggregates.push(aggregate);
                }
            }
        }
        let Some((over, place)) = window else { return Ok(scope.plan.clone()) };
        let time = if over.event_time { TimeAttribute::Rowtime } else { TimeAttribute::Proctime };
        self.needs_append_only("`OVER`", Some(time), place, &scope.plan);
        let names = fresh_names(&scope.plan, "over", calls.len());
        let node = OverWindow::try_new(scope.plan.clone(), over, aggregates, &names)
            .map_err(|error| self.unplanned(error))?;
        for (value, place) in values {
            let rewritten = std::mem::take(value).transform_down(|node| {
                match calls.iter().position(|call| *call == node) {
                    Some(index) => {
                        let column = datafusion_common::Column::from_name(&names[index]);
                        Ok(Transformed::new(Expr::Column(column), true, TreeNodeRecursion::Jump))
                    }
                    None => Ok(Transformed::no(node)),
                }
            });
            *value = rewritten.map_err(|error| place.refuse(error.to_string()))?.data;
        }
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }
}

fn window_calls(value: &Expr) -> Vec<Expr> {
    let mut calls = Vec::new();
    let visited = value.apply(|node| {
        if matches!(node, Expr::WindowFunction(_)) {
            calls.push(node.clone());
            return Ok(TreeNodeRecursion::Jump);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "the visitor never fails");
    calls
}
