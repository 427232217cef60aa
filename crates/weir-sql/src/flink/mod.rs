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
mod zone;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use thiserror::Error;
use weir_base::text::Zone;

use crate::syntax::tokenize;
use crate::{Job, Position, Target};

/// What the text depends on besides the job.
#[derive(Debug, Clone, Default)]
pub struct FlinkOptions {
    /// The time zone of the job.
    pub time_zone: String,
    /// Files that stand in the place of sources and dimension tables: JSON lines of the declared columns.
    pub bindings: BTreeMap<String, PathBuf>,
}

impl FlinkOptions {
    /// Returns the time zone of the job; the service has checked it.
    fn zone(&self) -> Zone {
        Zone::parse(&self.time_zone).unwrap_or_default()
    }

    fn is_utc(&self) -> bool {
        self.zone() == Zone::UTC
    }
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
    /// The construct, what is wrong with it and what to do.
    pub reason: String,
    /// The construct as it stands in the text, when it has a word of its own.
    pub construct: Option<String>,
    /// Byte offset of the statement in the text, when one is concerned.
    pub offset: Option<usize>,
}

impl NotInFlink {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), construct: None, offset: None }
    }

    /// Refuses a construct by the word for it.
    fn of(construct: &str, why: impl fmt::Display) -> Self {
        let construct = construct.to_string();
        Self { reason: format!("`{construct}`: {why}"), construct: Some(construct), offset: None }
    }

    /// Returns the place in the text of the job: the first one in the statement where the construct is named, or that of
    /// the statement. A plan has no places, so a construct that is used twice is shown where it stands first.
    pub fn position(&self, text: &str) -> Option<Position> {
        let tokens = tokenize(text);
        let start =
            tokens.iter().position(|token| self.offset.is_none_or(|offset| token.offset >= offset))?;
        let whole = self.offset.is_none();
        let own = tokens[start..].iter().take_while(|token| whole || !token.is_symbol(";"));
        let word = self.construct.as_deref().and_then(|construct| construct.split(' ').next());
        let named = word.and_then(|word| {
            own.into_iter().find(|token| token.text.trim_matches('`').eq_ignore_ascii_case(word))
        });
        match named {
            Some(token) => Some(token.position),
            None if whole => None,
            None => Some(tokens[start].position),
        }
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
    for table in job.tables.iter().filter(|table| used.contains(&table.name.to_lowercase())) {
        script.setup.push(ddl::dimension(table, options)?);
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
