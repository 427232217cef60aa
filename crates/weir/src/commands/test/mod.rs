//! `weir test`: runs job tests that are written as files. Their form is `docs/job-tests.md`.

mod capture;
mod judge;
mod run;
mod stress;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use weir_base::variables::Redactor;
use weir_runtime::job_test::{Case, find};

use self::judge::Verdict;
use super::variables::{variable_arguments, variables};
use super::{Exit, Outcome, runtime};
use crate::logging;

pub fn command() -> Command {
    Command::new("test")
        .about("Run job tests: files with a job, its inputs and the rows that must come out")
        .arg(
            Arg::new("place")
                .value_name("DIR|FILE")
                .default_value(".")
                .action(ArgAction::Append)
                .help("Directories with `*.test.toml` and `job.toml` files, or such files"),
        )
        .arg(Arg::new("only").long("only").value_name("TEXT").help("Run the tests whose path has this in it"))
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print one JSON object for each test, with every row and its kind"),
        )
        .arg(
            Arg::new("stress")
                .long("stress")
                .value_name("SEED")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("")
                .help("Run each job also in random batches, by several subtasks, killed and restored; the seed repeats it"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("SECONDS")
                .value_parser(clap::value_parser!(u64).range(1..))
                .default_value("60")
                .help("A test that runs longer has failed"),
        )
        .args(variable_arguments())
        .arg(
            Arg::new("log-level")
                .long("log-level")
                .value_name("LEVEL")
                .default_value("error")
                .help("Least severe level that is logged"),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let given = variables(matches)?;
    let level = matches.get_one::<String>("log-level").map_or("error", String::as_str);
    // One log for many jobs: what is a secret is told by the command line alone.
    logging::start(level, false, Redactor::new(&given, ""))?;
    let tests = tests(matches)?;
    let json = matches.get_flag("json");
    let limit = Duration::from_secs(matches.get_one::<u64>("timeout").copied().unwrap_or(60));
    let stress = seed(matches)?;
    if let Some(seed) = stress {
        eprintln!("stress: seed {seed}");
    }
    let runtime = runtime()?;
    let started = Instant::now();
    let mut failed = 0;
    for path in &tests {
        let since = Instant::now();
        let case = Case::load(path).map(|case| case.with_variables(&given));
        let verdict = match (case, stress) {
            (Ok(case), None) => runtime.block_on(run::run(&case, limit)),
            (Ok(case), Some(seed)) => stress::run(&case, limit, seed),
            (Err(complaint), _) => Verdict::unreadable(complaint),
        };
        failed += usize::from(!verdict.passed());
        match json {
            true => println!("{}", shown_json(path, &verdict)),
            false => print_line(path, &verdict, since.elapsed()),
        }
    }
    if !json {
        let passed = tests.len() - failed;
        println!("{passed} passed, {failed} failed ({:.1} s)", started.elapsed().as_secs_f64());
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Refused })
}

/// Returns the seed of `--stress`: the given one, or one drawn now.
fn seed(matches: &ArgMatches) -> anyhow::Result<Option<u64>> {
    match matches.get_one::<String>("stress").map(String::as_str) {
        None => Ok(None),
        Some("") => Ok(Some(u64::from(rand::random::<u32>()))),
        Some(text) => text.parse().map(Some).with_context(|| format!("--stress: `{text}` is not a number")),
    }
}

fn tests(matches: &ArgMatches) -> anyhow::Result<Vec<PathBuf>> {
    let mut tests = Vec::new();
    for place in matches.get_many::<String>("place").unwrap_or_default() {
        tests.extend(find(Path::new(place)).with_context(|| format!("`{place}` cannot be read"))?);
    }
    if let Some(only) = matches.get_one::<String>("only") {
        tests.retain(|path| path.to_string_lossy().contains(only.as_str()));
    }
    if tests.is_empty() {
        bail!("there is no test here: a test is a file `NAME.test.toml` or `job.toml`");
    }
    Ok(tests)
}

fn print_line(path: &Path, verdict: &Verdict, took: Duration) {
    let word = if verdict.passed() { "ok    " } else { "FAILED" };
    println!("{word} {} ({} ms)", path.display(), took.as_millis());
    if let Some(complaint) = &verdict.complaint {
        for line in complaint.trim_end().lines() {
            println!("       {line}");
        }
    }
}

fn shown_json(path: &Path, verdict: &Verdict) -> serde_json::Value {
    let outputs: serde_json::Map<String, serde_json::Value> = verdict
        .outputs
        .iter()
        .map(|(name, output)| {
            let rows: Vec<_> = output.rows.iter().map(|(kind, text)| json!([kind.sign(), text])).collect();
            (name.clone(), json!({ "passed": output.passed, "rows": rows }))
        })
        .collect();
    json!({
        "test": path.display().to_string(),
        "passed": verdict.passed(),
        "message": verdict.complaint,
        "late_rows": verdict.late_rows,
        "dirty_records": verdict.dirty_records,
        "outputs": outputs,
    })
}
