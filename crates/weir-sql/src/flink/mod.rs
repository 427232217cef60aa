//! The second back end of the planner: a checked job as Flink SQL text.
//!
//! The text is made from the plan, where names are resolved and every conversion is spelled out, and not from the job's
//! text; so what Flink is told is what the embedded engine runs. What Flink SQL cannot say, or says with another
//! meaning, is refused with the reason.

mod ddl;
mod expression;
mod function;
mod literal;
mod plan;
mod types;

use std::collections::BTreeMap;
use std::path::PathBuf;

use thiserror::Error;

use crate::{Job, Target};

/// What the text depends on besides the job.
#[derive(Debug, Clone, Default)]
pub struct FlinkOptions {
    /// The time zone of the job.
    pub time_zone: String,
    /// Files that stand in the place of sources and dimension tables: JSON lines of the declared columns.
    pub bindings: BTreeMap<String, PathBuf>,
}

/// A job as Flink SQL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlinkScript {
    /// Settings, tables and views, in order.
    pub setup: Vec<String>,
    /// The query of every sink.
    pub queries: Vec<FlinkQuery>,
}

/// What reaches one sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlinkQuery {
    /// Name of the sink.
    pub sink: String,
    /// A SELECT; its changelog is what the sink is given.
    pub sql: String,
}

/// Why a job cannot run on Flink.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Flink SQL cannot do this job: {reason}")]
pub struct NotInFlink {
    /// The construct and what is wrong with it.
    pub reason: String,
    /// Byte offset of the statement in the text, when one is concerned.
    pub offset: Option<usize>,
}

impl NotInFlink {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), offset: None }
    }
}

type Translated<T> = Result<T, NotInFlink>;

/// Translates a job into Flink SQL as Flink 1.20 reads it.
pub fn flink_script(job: &Job, options: &FlinkOptions) -> Result<FlinkScript, NotInFlink> {
    let mut script = FlinkScript { setup: ddl::settings(job)?, queries: Vec::new() };
    let used = used_streams(job);
    for source in job.sources.iter().filter(|source| used.contains(&source.name.to_lowercase())) {
        script.setup.push(ddl::source(source, options, &job.redactor)?);
    }
    for (index, temp) in job.temps.iter().enumerate() {
        let queries = queries_of(job, Target::Temp(index), options)?;
        if !queries.is_empty() {
            script.setup.push(ddl::view(temp, &queries)?);
        }
    }
    for (index, sink) in job.sinks.iter().enumerate() {
        let queries = queries_of(job, Target::Sink(index), options)?;
        if !queries.is_empty() {
            script.queries.push(FlinkQuery { sink: sink.name.clone(), sql: queries.join("\nUNION ALL\n") });
        }
    }
    Ok(script)
}

fn queries_of(job: &Job, target: Target, options: &FlinkOptions) -> Translated<Vec<String>> {
    job.inserts
        .iter()
        .filter(|insert| insert.target == target)
        .map(|insert| {
            plan::query(&insert.plan, job, options)
                .map_err(|error| NotInFlink { offset: error.offset.or(Some(insert.offset)), ..error })
        })
        .collect()
}

/// Returns the names in lower case of the streams that some query reads.
fn used_streams(job: &Job) -> Vec<String> {
    let mut names = Vec::new();
    for insert in &job.inserts {
        plan::scanned(&insert.plan, &mut names);
    }
    names
}

/// Returns a name as Flink reads it whatever it is.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
