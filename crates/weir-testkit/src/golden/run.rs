//! Runs a golden job in one mode through the `weir` binary and compares what comes out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use weir_engine::RowKind;
use weir_runtime::job_test::{DirtyData, Order, difference, fold};

use super::folder::Folder;
use super::mode::Mode;

/// A run that takes longer than this hangs: the largest input takes a second or two.
const DEADLINE: Duration = Duration::from_secs(120);

/// How long a slowed-down run lasts, so that kills and checkpoints meet it in the middle.
const SLOW_RUN: Duration = Duration::from_millis(1_200);

/// Runs `folder` in `mode` and returns what is wrong, with the command that repeats it.
pub fn run(weir: &Path, folder: &Folder, mode: Mode, seed: u64) -> anyhow::Result<()> {
    let place = tempfile::tempdir().context("cannot make a directory for the run")?;
    let directory = place.path().to_path_buf();
    let attempt = Attempt::new(weir, folder, mode, &directory)?;
    let outcome = if mode.is_killed() {
        attempt.run_with_kills(seed)
    } else {
        attempt.run_to_end(mode.parallelism()[0])
    };
    let outcome = outcome.and_then(|summary| attempt.check(&summary));
    outcome.map_err(|error| {
        let _ = place.keep();
        let mut text = format!("golden job `{}`, {mode}: {error:#}\n", folder.name);
        let _ = writeln!(text, "command: {}", attempt.shown());
        if mode.is_killed() {
            let _ = writeln!(text, "the run was killed at random points: repeat with WEIR_SEED={seed}");
        }
        let _ = write!(text, "files of the run: {}", directory.display());
        anyhow::anyhow!(text)
    })
}

/// One run of a golden job: its command line and its directory.
struct Attempt<'a> {
    weir: &'a Path,
    folder: &'a Folder,
    mode: Mode,
    place: &'a Path,
    arguments: Vec<String>,
}

impl<'a> Attempt<'a> {
    fn new(weir: &'a Path, folder: &'a Folder, mode: Mode, place: &'a Path) -> anyhow::Result<Self> {
        let mut attempt = Self { weir, folder, mode, place, arguments: Vec::new() };
        attempt.arguments = attempt.compose()?;
        Ok(attempt)
    }

    fn compose(&self) -> anyhow::Result<Vec<String>> {
        let described = &self.folder.case;
        let mut arguments = vec!["run".to_string(), shown(&self.folder.sql()?)];
        let mut option = |name: &str, value: String| arguments.extend([name.to_string(), value]);
        option("--data", shown(&self.place.join("data")));
        for (stream, file) in self.folder.inputs() {
            option("--bind", format!("{stream}={}", shown(&file)));
        }
        for stream in described.outputs.keys() {
            option("--bind", format!("{stream}={}", shown(&self.output(stream))));
        }
        if let Some(zone) = &described.time_zone {
            option("--time-zone", zone.clone());
        }
        for (name, value) in &described.variables {
            option("--variable", format!("{name}={value}"));
        }
        if let Some(clock) = described.record_clock {
            option("--record-clock", format!("{},{}", clock.start_ms, clock.step_ms));
        }
        if let Some(seconds) = described.idle_state_retention {
            option("--idle-state-retention", seconds.to_string());
        }
        match described.dirty_data {
            DirtyData::Drop => {}
            DirtyData::Save => option("--dirty-data", "2:bucket/dirty".to_string()),
            DirtyData::Fail => option("--dirty-data", "1".to_string()),
        }
        let row_kinds = self.folder.wants_row_kinds();
        if self.mode.has_checkpoints() {
            option("--checkpoint-dir", shown(&self.place.join("checkpoints")));
            option("--checkpoint-interval", "0.05".to_string());
            option("--checkpoint-mode", "exactly_once".to_string());
            option("--replay-rate", self.slow_rate()?.to_string());
        }
        if row_kinds {
            arguments.push("--row-kinds".to_string());
        }
        // The bucket of saved dirty records; a job does not make buckets.
        std::fs::create_dir_all(self.place.join("data/objects/bucket"))?;
        Ok(arguments)
    }

    /// Returns the rows per second at which the longest input lasts [`SLOW_RUN`].
    fn slow_rate(&self) -> anyhow::Result<u64> {
        let mut longest = 1;
        for (_, file) in self.folder.inputs() {
            let rows = match file.is_dir() {
                true => std::fs::read_dir(&file)?.count() as u64,
                false => rows_of_file(&file)?,
            };
            longest = longest.max(rows);
        }
        Ok((longest * 1_000).div_ceil(SLOW_RUN.as_millis() as u64))
    }

    fn output(&self, stream: &str) -> PathBuf {
        self.place.join(format!("{stream}.out"))
    }

    fn shown(&self) -> String {
        let parallelism: Vec<String> = self.mode.parallelism().iter().map(usize::to_string).collect();
        format!(
            "{} {} --parallelism {}",
            self.weir.display(),
            self.arguments.join(" "),
            parallelism.join("|")
        )
    }

    fn spawn(&self, parallelism: usize) -> anyhow::Result<Run> {
        let log = self.place.join("stderr.log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let start = std::fs::metadata(&log)?.len();
        let child = Command::new(self.weir)
            .args(&self.arguments)
            .args(["--parallelism", &parallelism.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {}", self.weir.display()))?;
        Ok(Run { child, log, start: start as usize })
    }

    fn run_to_end(&self, parallelism: usize) -> anyhow::Result<String> {
        let mut run = self.spawn(parallelism)?;
        match run.wait_until(Instant::now() + DEADLINE)? {
            Some(summary) => Ok(summary),
            None => {
                run.kill()?;
                bail!("it did not end within {DEADLINE:?}; its messages:\n{}", run.messages()?)
            }
        }
    }

    /// Kills the run several times, then lets it end. A run that ends before its kill is done as well.
    fn run_with_kills(&self, seed: u64) -> anyhow::Result<String> {
        let mut random = StdRng::seed_from_u64(seed);
        let choices = self.mode.parallelism();
        for _ in 0..random.random_range(2..=4) {
            let mut run = self.spawn(choices[random.random_range(0..choices.len())])?;
            let life = Duration::from_millis(random.random_range(20..900));
            if let Some(summary) = run.wait_until(Instant::now() + life)? {
                return Ok(summary);
            }
            run.kill()?;
        }
        self.run_to_end(choices[random.random_range(0..choices.len())])
    }

    fn check(&self, summary: &str) -> anyhow::Result<()> {
        let described = &self.folder.case;
        for (stream, output) in &described.outputs {
            let file = self.output(stream);
            let actual = std::fs::read_to_string(&file).with_context(|| {
                format!("sink `{stream}` left no file {}; messages of the run:\n{summary}", file.display())
            })?;
            let order = match self.mode.keeps_order() {
                true => output.order.unwrap_or(described.order),
                false => Order::Any,
            };
            let (added, left) = match self.folder.wants_row_kinds() {
                false => (actual, None),
                true => without_kinds(&actual)?,
            };
            let expected = described.expected(output).map_err(anyhow::Error::msg)?;
            for (expected, found, order) in
                [(expected.as_ref(), Some(&added), order), (output.left.as_ref(), left.as_ref(), Order::Any)]
            {
                let (Some(expected), Some(found)) = (expected, found) else { continue };
                if let Some(text) = difference(expected, found, order, described.tolerance) {
                    bail!("sink `{stream}` differs from what is expected: {text}");
                }
            }
        }
        self.check_losses(summary)?;
        self.check_saved_dirty_records()
    }

    /// Compares the late and dirty rows of the summary. After a kill it tells of the last life only.
    fn check_losses(&self, summary: &str) -> anyhow::Result<()> {
        if self.mode.is_killed() {
            return Ok(());
        }
        let described = &self.folder.case;
        let (late, dirty) = losses(summary);
        for (what, expected, found) in
            [("late", described.late_rows, late), ("dirty", described.dirty_records, dirty)]
        {
            if expected.is_some_and(|expected| expected != found) {
                bail!(
                    "{} {what} rows expected, {found} counted; the summary:\n{summary}",
                    expected.unwrap_or(0)
                );
            }
        }
        Ok(())
    }

    fn check_saved_dirty_records(&self) -> anyhow::Result<()> {
        let Some(file) = &self.folder.case.saved_dirty_records else { return Ok(()) };
        let expected = std::fs::read_to_string(self.folder.case.file(file))?;
        let mut saved = Vec::new();
        collect_saved(&self.place.join("data"), &mut saved)?;
        if self.mode.is_killed() {
            // Saving is not part of a checkpoint: a record may be saved again after a failure.
            saved.sort_unstable();
            saved.dedup();
        }
        match difference(&expected, &saved.join("\n"), Order::Any, None) {
            None => Ok(()),
            Some(text) => bail!("the saved dirty records differ from {}: {text}", file.display()),
        }
    }
}

/// A run that has been started.
struct Run {
    child: std::process::Child,
    log: PathBuf,
    start: usize,
}

impl Run {
    /// Waits for the end; `None` when the time is up first. A run that ends with a failure is an error.
    fn wait_until(&mut self, deadline: Instant) -> anyhow::Result<Option<String>> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                let messages = self.messages()?;
                if !status.success() {
                    bail!("it ended with {status}; its messages:\n{messages}");
                }
                return Ok(Some(messages));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn messages(&self) -> anyhow::Result<String> {
        let bytes = std::fs::read(&self.log)?;
        Ok(String::from_utf8_lossy(&bytes[self.start.min(bytes.len())..]).into_owned())
    }
}

/// Takes the signs of a csv file of changes away. Returns the rows that are added, and those that are left when
/// withdrawn ones are taken away.
fn without_kinds(actual: &str) -> anyhow::Result<(String, Option<String>)> {
    let mut changes = Vec::new();
    for line in actual.lines() {
        let (sign, row) = line.split_once(' ').with_context(|| format!("`{line}` has no row kind"))?;
        let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];
        let kind = kinds.into_iter().find(|kind| kind.sign() == sign);
        changes.push((kind.with_context(|| format!("`{sign}` is not a row kind"))?, row.to_string()));
    }
    let lines = |rows: Vec<String>| rows.into_iter().map(|row| row + "\n").collect::<String>();
    let added = changes.iter().filter(|(kind, _)| kind.is_added()).map(|(_, row)| row.clone()).collect();
    let left = fold(&changes).map_err(anyhow::Error::msg)?;
    Ok((lines(added), Some(lines(left))))
}

/// Estimates the rows of a text file.
fn rows_of_file(file: &Path) -> anyhow::Result<u64> {
    match file.extension().is_some_and(|extension| extension == "gz") {
        // About eleven to one for text; only the duration of the run depends on it.
        true => Ok(std::fs::metadata(file)?.len() / 24),
        false => Ok(std::fs::read_to_string(file)?.lines().count() as u64),
    }
}

/// Sums the last two columns, late and dirty, of the table that a run prints at its end.
fn losses(summary: &str) -> (u64, u64) {
    let mut sums = (0, 0);
    for line in summary.lines() {
        let mut numbers = line.split_whitespace().rev().map_while(|word| word.parse::<u64>().ok());
        if let (Some(dirty), Some(late), Some(_out), Some(_in)) =
            (numbers.next(), numbers.next(), numbers.next(), numbers.next())
        {
            sums = (sums.0 + late, sums.1 + dirty);
        }
    }
    sums
}

/// Adds the records in every `dirty-*.jsonl` below `directory`.
fn collect_saved(directory: &Path, saved: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_saved(&path, saved)?;
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !(name.starts_with("dirty-") && name.ends_with(".jsonl")) {
            continue;
        }
        for line in std::fs::read_to_string(&path)?.lines() {
            let record: serde_json::Value =
                serde_json::from_str(line).with_context(|| format!("in {}", path.display()))?;
            let text = |member: &str| record[member].as_str().unwrap_or_default().to_string();
            if text("reason").is_empty() || text("stream").is_empty() {
                bail!("a saved dirty record has no reason or stream: {line}");
            }
            saved.push(text("data"));
        }
    }
    Ok(())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn losses_are_summed_over_the_rows_of_the_summary() {
        let summary = "stream            in  out  late  dirty\n\
                       ---------------  ---  ---  ----  -----\n\
                       Source: DIS_0_A   10    8     0      2\n\
                       window-1           8    3     4      1\n\
                       3 checkpoints, the last of 17 bytes\n";
        assert_eq!(super::losses(summary), (4, 3));
    }
}
