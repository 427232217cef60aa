//! OVER windows: what is refused, where, and in which words; what the plan holds.

use datafusion_expr::LogicalPlan;

use super::queried;
use super::refusals::refused;
use crate::nodes::{OverFrame, OverWindow};

#[test]
fn windows_are_refused_with_their_place() {
    let mut wrong = vec![];
    for (query, message, marked) in [
        (
            "SELECT MAX(price) OVER (ORDER BY brand) FROM cars",
            "`ORDER BY` of `OVER` must be a time attribute (time attributes are declared by `TIMESTAMP BY column.rowtime` or `TIMESTAMP BY proctime.proctime`)",
            "brand",
        ),
        (
            "SELECT SUM(2) OVER (ORDER BY ts) FROM cars",
            "`SUM` over a constant has no meaning in `OVER` (count rows with `COUNT(*)`)",
            "2",
        ),
        (
            "SELECT SUM(price) OVER (PARTITION BY brand ORDER BY ts), SUM(price) OVER (ORDER BY ts) FROM cars",
            "all `OVER` windows of a SELECT must be the same (the first one stands at line 9, column 8; compute the other in a query around this one)",
            "SUM(price",
        ),
        (
            "SELECT id FROM cars WHERE COUNT(*) OVER (ORDER BY ts) > 1",
            "`OVER` is not allowed in `WHERE` (compute it in the select list of a sub-query without `GROUP BY`)",
            "COUNT",
        ),
        (
            "SELECT COUNT(*) OVER (ORDER BY ts) FROM cars GROUP BY TUMBLE(ts, INTERVAL '1' DAY)",
            "`OVER` is not allowed beside `GROUP BY` (compute it in the select list of a sub-query without `GROUP BY`)",
            "COUNT",
        ),
        (
            "SELECT SUM(COUNT(*) OVER (ORDER BY ts)) OVER (ORDER BY ts) FROM cars",
            "`OVER` is not allowed inside `OVER` (compute it in the select list of a sub-query without `GROUP BY`)",
            "COUNT",
        ),
    ] {
        let given = refused("a BIGINT, b BIGINT", query);
        if given != (message.to_string(), marked.to_string()) {
            wrong.push(format!("{query}\n    gives    {given:?}\n    expected {message:?} {marked:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn window(query: &str) -> OverWindow {
    let plan = queried(query, "UTC").unwrap_or_else(|error| panic!("{query}: {error}"));
    let LogicalPlan::Projection(projection) = &plan else { panic!("{plan}") };
    let LogicalPlan::Extension(extension) = projection.input.as_ref() else { panic!("{plan}") };
    extension.node.as_any().downcast_ref::<OverWindow>().expect("the node is an OVER window").clone()
}

#[test]
fn frames_are_read() {
    for (frame, expected) in [
        ("", OverFrame::Range(None)),
        ("RANGE UNBOUNDED PRECEDING", OverFrame::Range(None)),
        ("ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", OverFrame::Rows(None)),
        ("ROWS 4 PRECEDING", OverFrame::Rows(Some(4))),
        ("RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW", OverFrame::Range(Some(10_000))),
    ] {
        let node =
            window(&format!("SELECT COUNT(*) OVER (PARTITION BY brand ORDER BY ts {frame}) FROM cars"));
        assert_eq!((node.frame, node.event_time), (expected, true), "{frame}");
    }
}

#[test]
fn calls_of_one_window_share_a_node_and_equal_ones_a_column() {
    let over = "OVER (ORDER BY proctime ROWS 1 PRECEDING)";
    let node = window(&format!("SELECT AVG(n) {over} + 1, AVG(n) {over}, k, MAX(n) {over} FROM ticks"));
    assert_eq!((node.calls.len(), node.event_time), (2, false));
}
