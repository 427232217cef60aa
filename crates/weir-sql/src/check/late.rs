//! Which operators drop rows because a source has event time and says nothing of its watermark.

use std::collections::HashSet;

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::LogicalPlan;

use crate::plan::AppendOnly;
use crate::{Job, Target, Warning};

/// Returns a warning for each of the sources whose event time an operator depends on, at the first such operator.
pub(super) fn warnings(job: &Job, operators: &[AppendOnly], sources: &[String]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warned: Vec<String> = Vec::new();
    for operator in operators {
        let Some(input) = operator.input_in_event_time() else { continue };
        for source in reached(job, input) {
            let is_source = sources.iter().any(|name| name.eq_ignore_ascii_case(&source));
            if is_source && !warned.contains(&source) {
                warnings.push(operator.without_watermark(&source));
                warned.push(source);
            }
        }
    }
    warnings
}

/// Returns the streams whose watermarks a plan sees. The job has no cycle of streams.
fn reached(job: &Job, plan: &LogicalPlan) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut plans = vec![plan];
    while let Some(plan) = plans.pop() {
        // The closure returns no error, so the walk cannot fail.
        let _ = plan.apply(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let name = scan.table_name.table();
                match job.temps.iter().position(|temp| temp.name.eq_ignore_ascii_case(name)) {
                    // With a watermark of its own it does not matter where its rows come from.
                    Some(index) if job.temps[index].time.watermark.is_some() => {}
                    Some(index) if !seen.insert(index) => {}
                    Some(index) => {
                        let fills = job.inserts.iter().filter(|insert| insert.target == Target::Temp(index));
                        plans.extend(fills.map(|insert| &insert.plan));
                    }
                    None => found.push(name.to_string()),
                }
            }
            Ok(TreeNodeRecursion::Continue)
        });
    }
    found
}
