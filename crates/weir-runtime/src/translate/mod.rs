//! From a checked job to a dataflow: streams become sources and sinks, logical plans become operators.

mod group;
mod join;
mod lookup;
mod matching;
mod over;
mod plan;
mod streams;
mod unnest;
mod window;

use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, DataFusionError};
use datafusion_expr::Expr;
use datafusion_expr::expr::ScalarFunction;
use datafusion_physical_expr::PhysicalExpr;
use thiserror::Error;
use weir_base::settings::JobSettings;
use weir_base::text::Zone;
use weir_connectors::Environment;
use weir_engine::error::ConnectorError;
use weir_engine::graph::Graph;
use weir_sql::Job;

/// A checked job could not be turned into a dataflow.
#[derive(Debug, Error)]
pub enum TranslateError {
    /// The connector of a stream or a dimension table refused its options; it names them.
    #[error("{0}")]
    Connector(#[from] ConnectorError),
    /// A plan holds a node that the engine does not run; a bug of the planner.
    #[error("the engine does not run {0}")]
    Unsupported(String),
    /// An expression could not be prepared.
    #[error("{0}")]
    Plan(#[from] DataFusionError),
    /// The job's time zone is not known.
    #[error(
        "`{0}` is not a time zone: use an IANA name such as `Asia/Shanghai`, or an offset such as `+08:00`"
    )]
    TimeZone(String),
}

/// Makes the dataflow of a job.
///
/// `label` tells jobs apart in the names of sources and sinks (`Source: DIS_{label}_CARS`).
pub fn dataflow(
    job: &Job,
    label: &str,
    settings: &JobSettings,
    environment: &Environment,
) -> Result<Graph, TranslateError> {
    let zone = Zone::parse(&settings.time_zone)
        .ok_or_else(|| TranslateError::TimeZone(settings.time_zone.clone()))?;
    let mut translator = Translator::new(job, label, zone, settings, environment);
    translator.run()?;
    Ok(translator.graph)
}

/// Prepares an expression for one run of the job: its random sequences begin.
fn physical_expr(expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let begin = |expr: Expr| {
        Ok(match expr {
            Expr::ScalarFunction(call) => match weir_functions::begun(&call.func) {
                Some(func) => Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, ..call })),
                None => Transformed::no(Expr::ScalarFunction(call)),
            },
            other => Transformed::no(other),
        })
    };
    weir_sql::physical_expr(&expr.clone().transform_up(begin)?.data, schema)
}

use streams::Translator;
pub(crate) use streams::stream_name;
