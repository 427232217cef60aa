//! Runs the job of a test under stress: in batches of random sizes, by several subtasks, and killed and restored from its last
//! checkpoint, also by other numbers of subtasks. What comes out must be what comes out of a run that nothing disturbs.

mod chance;
mod lives;
mod sink;
mod source;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use weir_engine::sink::SharedSink;
use weir_engine::source::SharedSource;
use weir_runtime::job_test::{Case, Order, difference, fold};
use weir_sql::Job;
use weir_sql::changelog::Changelogs;

use self::chance::Course;
use self::lives::Stage;
use self::sink::Staged;
use self::source::{Pauses, Recording, Replay};
use super::capture::{Capture, Row};
use super::judge::{self, Observed, Verdict, judge};
use super::run::{self, Prepared};

/// What a stressed run is taken for: neither killed, or killed.
const RUNS: [bool; 2] = [false, true];

/// Runs a test without stress and judges it, then under stress. On a thread of its own, so that the seed tells who is
/// served when.
pub fn run(case: &Case, limit: Duration, seed: u64) -> Verdict {
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")
        .and_then(|runtime| runtime.block_on(stressed(case, limit, seed)));
    outcome.unwrap_or_else(|error| Verdict::unreadable(format!("{error:#}")))
}

async fn stressed(case: &Case, limit: Duration, seed: u64) -> anyhow::Result<Verdict> {
    let prepared = match run::prepare(case)? {
        Ok(prepared) => prepared,
        Err(refusal) => {
            return Ok(judge(case, &Observed { failure: Some(refusal), ..Observed::default() }));
        }
    };
    let plain = run::run_job(case, &prepared, limit).await?;
    let mut verdict = judge(case, &plain);
    if !verdict.passed() {
        return Ok(verdict);
    }
    for (number, killed) in RUNS.into_iter().enumerate() {
        let mut random = Course::seeded(seed, &case.name(), number as u64);
        let inputs = recordings(&prepared, case).await?;
        let is_divided = inputs.values().any(|input| input.splits() > 1);
        let course = Course::random(&mut random, killed, if is_divided { 1 } else { usize::MAX });
        let found = observe(case, &prepared, &inputs, &course, limit).await?;
        if let Some(complaint) = complaint(case, &prepared.job, &plain, &found, &course) {
            let mut text =
                format!("under stress ({course}), though not without; repeat with --stress {seed}\n");
            let _ = write!(text, "{complaint}");
            verdict.complaint = Some(text);
            break;
        }
    }
    Ok(verdict)
}

/// Reads the inputs of a job once.
async fn recordings(prepared: &Prepared, case: &Case) -> anyhow::Result<BTreeMap<String, Recording>> {
    let environment = prepared.environment(case, HashMap::new())?;
    let mut recordings = BTreeMap::new();
    for source in &prepared.job.sources {
        let connector = weir_connectors::source(source, &environment)?;
        recordings.insert(source.name.to_lowercase(), Recording::of(&connector).await?);
    }
    Ok(recordings)
}

async fn observe(
    case: &Case,
    prepared: &Prepared,
    inputs: &BTreeMap<String, Recording>,
    course: &Course,
    limit: Duration,
) -> anyhow::Result<Observed> {
    let captures = prepared.captures(case)?;
    let staged: BTreeMap<String, Staged> =
        captures.into_iter().map(|(name, capture): (String, Capture)| (name, Staged::new(capture))).collect();
    let sinks =
        staged.iter().map(|(name, sink)| (name.clone(), Arc::new(sink.clone()) as SharedSink)).collect();
    let sources = |pauses: &Arc<Pauses>, seed: u64| replays(inputs, pauses, seed);
    let mut observed = live(case, prepared, &sinks, &sources, course, limit).await?;
    observed.outputs = staged.iter().map(|(name, sink)| (name.clone(), sink.rows())).collect();
    Ok(observed)
}

fn replays(
    inputs: &BTreeMap<String, Recording>,
    pauses: &Arc<Pauses>,
    seed: u64,
) -> HashMap<String, SharedSource> {
    let replay = |(number, (name, input)): (usize, (&String, &Recording))| {
        let replay = Replay::new(input.clone(), Arc::clone(pauses), seed.wrapping_add(number as u64));
        (name.clone(), Arc::new(replay) as SharedSource)
    };
    inputs.iter().enumerate().map(replay).collect()
}

/// Runs a job through its course. The rows of its sinks are not among what is returned.
async fn live(
    case: &Case,
    prepared: &Prepared,
    sinks: &BTreeMap<String, SharedSink>,
    sources: lives::MakeSources<'_>,
    course: &Course,
    limit: Duration,
) -> anyhow::Result<Observed> {
    let environment = prepared.environment(case, HashMap::new())?;
    let name = case.name();
    let stage = Stage { job: &prepared.job, name: &name, environment: &environment, sinks, sources };
    Ok(match tokio::time::timeout(limit, stage.run(course)).await {
        Ok(ended) => Observed {
            late_rows: ended.metrics.iter().map(|node| node.late).sum(),
            dirty_records: ended.metrics.iter().map(|node| node.dirty).sum(),
            failure: ended.failure,
            ..Observed::default()
        },
        Err(_) => {
            let failure = format!("it did not end within {} s", limit.as_secs());
            Observed { failure: Some(failure), ..Observed::default() }
        }
    })
}

/// Returns what a stressed run did otherwise than the plain one.
fn complaint(case: &Case, job: &Job, plain: &Observed, found: &Observed, course: &Course) -> Option<String> {
    match (&plain.failure, &found.failure) {
        // Which rows are committed before a failure is up to the checkpoints.
        (Some(_), Some(_)) => return None,
        (Some(_), None) => return Some("it does not fail".to_string()),
        (None, Some(reason)) => return Some(reason.clone()),
        (None, None) => {}
    }
    for (name, output) in &case.outputs {
        let rows = |observed: &Observed| observed.outputs.get(name).cloned().unwrap_or_default();
        let (wanted, rows) = (rows(plain), rows(found));
        let has_changes = wanted.iter().chain(&rows).any(|row| row.kind != weir_engine::RowKind::Insert);
        let text = match has_changes && !course.keeps_order() {
            true => compare_left(&wanted, &rows, case.tolerance),
            false => judge::compare(case, output, &rows, course.keeps_order()),
        };
        if let Some(text) = text {
            return Some(format!("sink `{name}`: {text}"));
        }
    }
    // A life that was killed takes its counters along.
    if course.is_killed() {
        return None;
    }
    let told = |what: &str, wanted: u64, counted: u64| {
        (wanted != counted).then(|| format!("{wanted} {what} counted without stress, {counted} with it"))
    };
    // On the way to a result that changes there may be rows that cannot be computed, here more and there less.
    let dirty =
        || told("dirty records", plain.dirty_records, found.dirty_records).filter(|_| !has_changelog(job));
    told("late rows", plain.late_rows, found.late_rows).or_else(dirty)
}

/// Tells whether rows anywhere in a job may be withdrawn.
fn has_changelog(job: &Job) -> bool {
    let changelogs = Changelogs::of(job);
    job.inserts.iter().any(|insert| changelogs.cause(&insert.plan).is_some())
}

/// Compares what two changelogs leave. When several subtasks give out changes of changes, the ways to a result differ.
fn compare_left(wanted: &[Row], found: &[Row], tolerance: Option<f64>) -> Option<String> {
    let left = |rows: &[Row]| {
        let changes: Vec<_> = rows.iter().map(|row| (row.kind, row.csv.clone())).collect();
        fold(&changes)
    };
    match (left(wanted), left(found)) {
        (Ok(wanted), Ok(found)) => {
            let text = difference(&judge::lines(&wanted), &judge::lines(&found), Order::Any, tolerance)?;
            Some(format!("what is left when withdrawn rows are gone: {text}"))
        }
        (Err(complaint), _) | (_, Err(complaint)) => Some(complaint),
    }
}

#[cfg(test)]
mod tests;
