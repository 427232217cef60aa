//! The file of a job test.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Value;
use weir_base::variables::Variables;

use super::compare::Order;

/// The name of a test file that stands for its folder.
const FOLDER_TEST: &str = "job.toml";
/// How the names of other test files end.
const TEST_SUFFIX: &str = ".test.toml";

/// A test file. Paths in it are relative to its directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the test shows, in one sentence.
    pub title: String,
    /// File with the job's text; that of the same name when neither this nor `sql` is given.
    pub job: Option<PathBuf>,
    /// The job's text itself.
    pub sql: Option<String>,
    /// Whether the order of output rows matters; an output may say otherwise for itself.
    #[serde(default = "any_order")]
    pub order: Order,
    /// Numbers that differ by less than this, relative to their size, are equal. Absent: texts are compared.
    pub tolerance: Option<f64>,
    /// Time zone of the job.
    pub time_zone: Option<String>,
    /// Global variables, which option values name as `{{name}}`.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Another repeatable processing-time clock.
    pub record_clock: Option<RecordClock>,
    /// Seconds after which idle state goes.
    pub idle_state_retention: Option<u64>,
    /// What happens to dirty records.
    #[serde(default)]
    pub dirty_data: DirtyData,
    /// Dirty records of the whole job, when that is part of what the job shows.
    pub dirty_records: Option<u64>,
    /// File with the dirty records that must be saved, one a line, in any order.
    pub saved_dirty_records: Option<PathBuf>,
    /// Late rows of the whole job, when that is part of what the job shows.
    pub late_rows: Option<u64>,
    /// The job must be refused or fail with a message that has this in it.
    pub fails: Option<String>,
    /// Source stream to its records.
    #[serde(default)]
    pub inputs: BTreeMap<String, Given>,
    /// Dimension table to its rows.
    #[serde(default)]
    pub tables: BTreeMap<String, Given>,
    /// Sink stream to what must reach it.
    #[serde(default)]
    pub outputs: BTreeMap<String, Output>,
    /// For the comparison with a batch engine; not looked at here.
    #[serde(default, rename = "batch")]
    _batch: Option<Value>,
    /// For the comparison with Flink; not looked at here.
    #[serde(default, rename = "flink")]
    _flink: Option<Value>,
    /// Where the file is; set when it is loaded.
    #[serde(skip)]
    path: PathBuf,
}

/// What a stream delivers.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// The records of a file.
    File(PathBuf),
    /// Records, one a line.
    Rows(Rows),
    /// Records that may have line breaks in them.
    Messages(Messages),
}

/// `rows = '''...'''`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// The records.
    pub rows: String,
}

/// `messages = ['''...''', ...]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Messages {
    /// The records.
    pub messages: Vec<String>,
}

/// Processing time of record k: `start_ms + k * step_ms`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordClock {
    /// Milliseconds since the epoch.
    pub start_ms: i64,
    /// Milliseconds.
    pub step_ms: u64,
}

impl Default for RecordClock {
    /// Record k is read at 2024-01-01 00:00:00 UTC plus k seconds.
    fn default() -> Self {
        Self { start_ms: 1_704_067_200_000, step_ms: 1_000 }
    }
}

/// The job's policy for dirty records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirtyData {
    /// Drop and count them.
    #[default]
    Drop,
    /// Drop, count and save them.
    Save,
    /// Fail the job.
    Fail,
}

/// One sink of a test.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The rows that must come, in the encoding of the sink.
    pub rows: Option<String>,
    /// File with those rows.
    pub expected: Option<PathBuf>,
    /// What must be left when withdrawn rows are taken away, as csv.
    #[serde(rename = "final")]
    pub left: Option<String>,
    /// Overrides the order of the test.
    pub order: Option<Order>,
    /// Query that computes the expected file with DuckDB; read by `scripts/duckdb_expected.py`.
    pub duckdb: Option<PathBuf>,
    /// For the comparison with a batch engine; not looked at here.
    #[serde(default, rename = "batch")]
    _batch: Option<Value>,
    /// For the comparison with Flink; not looked at here.
    #[serde(default, rename = "flink")]
    _flink: Option<Value>,
}

fn any_order() -> Order {
    Order::Any
}

impl Case {
    /// Reads a test file and checks that it shows something and that the files it names are there. The error is
    /// for people.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        let mut case: Self = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        case.path = path.to_path_buf();
        case.check().map_err(|complaint| format!("{}: {complaint}", path.display()))?;
        Ok(case)
    }

    /// Returns the test with more global variables, which win over its own.
    pub fn with_variables(mut self, more: &Variables) -> Self {
        self.variables.extend(more.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        self
    }

    /// Returns the name of the test: that of its file without the suffix, or of its folder.
    pub fn name(&self) -> String {
        let file = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match file.strip_suffix(TEST_SUFFIX) {
            Some(name) => name.to_string(),
            None => {
                self.directory().file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
            }
        }
    }

    /// Returns where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a file that the test names.
    pub fn file(&self, named: &Path) -> PathBuf {
        self.directory().join(named)
    }

    /// Returns the path of the file with the job's text; `None` when the test holds it itself.
    pub fn sql_file(&self) -> Option<PathBuf> {
        if self.sql.is_some() {
            return None;
        }
        Some(match &self.job {
            Some(job) => self.file(job),
            None if self.path.ends_with(FOLDER_TEST) => self.directory().join("job.sql"),
            None => self.directory().join(format!("{}.sql", self.name())),
        })
    }

    /// Returns the job's text.
    pub fn sql(&self) -> Result<String, String> {
        match (&self.sql, self.sql_file()) {
            (Some(text), _) => Ok(text.clone()),
            (None, Some(file)) => std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error)),
            (None, None) => Err("the test has no job".to_string()),
        }
    }

    /// Returns the rows that must reach a sink, or `None` when only what is left is compared.
    pub fn expected(&self, output: &Output) -> Result<Option<String>, String> {
        match (&output.rows, &output.expected) {
            (Some(rows), _) => Ok(Some(rows.clone())),
            (None, Some(file)) => {
                let file = self.file(file);
                std::fs::read_to_string(&file).map(Some).map_err(|error| unreadable(&file, &error))
            }
            (None, None) => Ok(None),
        }
    }

    fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn check(&self) -> Result<(), String> {
        if self.sql.is_some() && self.job.is_some() {
            return Err("`job` and `sql` cannot both be given".to_string());
        }
        if self.outputs.is_empty() && self.fails.is_none() {
            return Err("the test has neither outputs nor `fails`, so it shows nothing".to_string());
        }
        let mut named: Vec<PathBuf> = self.sql_file().into_iter().collect();
        for given in self.inputs.values().chain(self.tables.values()) {
            if let Given::File(file) = given {
                named.push(self.file(file));
            }
        }
        named.extend(self.saved_dirty_records.iter().map(|file| self.file(file)));
        for (name, output) in &self.outputs {
            if output.rows.is_some() && output.expected.is_some() {
                return Err(format!("output `{name}` has both `rows` and `expected`"));
            }
            if output.rows.is_none() && output.expected.is_none() && output.left.is_none() {
                return Err(format!("output `{name}` has neither `rows`, `expected` nor `final`"));
            }
            named.extend(output.expected.iter().chain(&output.duckdb).map(|file| self.file(file)));
        }
        match named.iter().find(|file| !file.exists()) {
            Some(file) => Err(format!("the file {} is missing", file.display())),
            None => Ok(()),
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be read: {error}", path.display())
}

/// Returns the test files below a directory, or the file itself, in order of their paths.
pub fn find(place: &Path) -> io::Result<Vec<PathBuf>> {
    if !place.is_dir() {
        return Ok(vec![place.to_path_buf()]);
    }
    let mut found = Vec::new();
    let mut directories = vec![place.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() {
                directories.push(path);
            } else if name == FOLDER_TEST || name.ends_with(TEST_SUFFIX) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Case, String> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("t.test.toml");
        std::fs::write(&path, text).unwrap();
        Case::load(&path).map_err(|error| error.replace(&place.path().display().to_string(), "DIR"))
    }

    #[test]
    fn a_test_may_hold_everything_itself() {
        let case = load(
            "title = 't'\nsql = 'x'\n[inputs.a]\nrows = '1'\n[inputs.m]\nmessages = ['1', '2']\n[outputs.o]\nfinal = ''",
        )
        .unwrap();
        assert_eq!((case.name().as_str(), case.order), ("t", Order::Any));
        assert!(matches!(case.inputs["a"], Given::Rows(_)));
        assert!(matches!(&case.inputs["m"], Given::Messages(m) if m.messages.len() == 2));
    }

    #[test]
    fn mistakes_in_a_test_are_named() {
        for (text, complaint) in [
            (
                "title = 't'\nsql = 'x'",
                "DIR/t.test.toml: the test has neither outputs nor `fails`, so it shows nothing",
            ),
            ("title = 't'\n[outputs.o]\nrows = ''", "DIR/t.test.toml: the file DIR/t.sql is missing"),
            (
                "title = 't'\nsql = 'x'\n[outputs.o]\norder = 'any'",
                "DIR/t.test.toml: output `o` has neither `rows`, `expected` nor `final`",
            ),
            ("title = 't'\nsql = 'x'\ntypo = 1\n[outputs.o]\nrows = ''", "unknown field `typo`"),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.contains(complaint), "{error}");
        }
    }
}
