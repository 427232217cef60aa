//! A golden job's folder: `job.toml` says what is bound to which stream and what is expected.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::compare::Order;

/// `job.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// What the job shows, in one sentence.
    pub title: String,
    /// Whether the order of output rows matters; an output may say otherwise for itself.
    pub order: Order,
    /// Numbers that differ by less than this, relative to their size, are equal. Absent: texts are compared.
    pub tolerance: Option<f64>,
    /// Time zone of the job.
    pub time_zone: Option<String>,
    /// A repeatable processing-time clock.
    pub record_clock: Option<RecordClock>,
    /// What happens to dirty records.
    #[serde(default)]
    pub dirty_data: DirtyData,
    /// Dirty records of the whole job, when that is part of what the job shows.
    pub dirty_records: Option<u64>,
    /// File with the dirty records that must be saved, one a line, in any order.
    pub saved_dirty_records: Option<PathBuf>,
    /// Late rows of the whole job, when that is part of what the job shows.
    pub late_rows: Option<u64>,
    /// Source stream to file, or to a directory of files.
    #[serde(default)]
    pub inputs: BTreeMap<String, PathBuf>,
    /// Sink stream to what must reach it.
    pub outputs: BTreeMap<String, Output>,
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

/// The job's policy for dirty records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirtyData {
    /// Drop and count them.
    #[default]
    Drop,
    /// Drop, count and save them.
    Save,
}

/// One sink of a golden job.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// File with the expected rows, in the encoding of the sink.
    pub expected: PathBuf,
    /// Overrides the order of the job.
    pub order: Option<Order>,
    /// Query that computes the expected file with DuckDB; read by `scripts/duckdb_expected.py`.
    pub duckdb: Option<PathBuf>,
}

/// A golden job.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Name of the folder.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its `job.toml`.
    pub description: Description,
}

impl Folder {
    /// Reads a folder; complains about files that it names and that are not there.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let file = path.join("job.toml");
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let description: Description =
            toml::from_str(&text).with_context(|| format!("in {}", file.display()))?;
        let name =
            path.file_name().and_then(|name| name.to_str()).context("a job folder has a name")?.to_string();
        let folder = Self { name, path: path.to_path_buf(), description };
        folder.check_files()?;
        Ok(folder)
    }

    /// Reads every folder below `directory` that has a `job.toml`, sorted by name.
    pub fn load_all(directory: &Path) -> anyhow::Result<Vec<Self>> {
        let mut folders = Vec::new();
        for entry in
            std::fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?
        {
            let path = entry?.path();
            if path.join("job.toml").is_file() {
                folders.push(Self::load(&path)?);
            }
        }
        folders.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(folders)
    }

    /// Returns the path of the job's text.
    pub fn sql(&self) -> PathBuf {
        self.path.join("job.sql")
    }

    fn check_files(&self) -> anyhow::Result<()> {
        let described = &self.description;
        let mut named = vec![self.sql()];
        named.extend(described.inputs.values().map(|file| self.path.join(file)));
        named.extend(described.saved_dirty_records.iter().map(|file| self.path.join(file)));
        for output in described.outputs.values() {
            named.push(self.path.join(&output.expected));
            named.extend(output.duckdb.iter().map(|file| self.path.join(file)));
        }
        for file in named {
            if !file.exists() {
                bail!("golden job `{}` needs the file {}, which is missing", self.name, file.display());
            }
        }
        if described.outputs.is_empty() {
            bail!("golden job `{}` has no outputs, so it shows nothing", self.name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_golden_job_of_the_repository_loads() {
        let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/jobs");
        let folders = Folder::load_all(&jobs).unwrap();
        assert!(folders.len() >= 19, "only {} golden jobs found", folders.len());
    }

    #[test]
    fn a_missing_file_is_named() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("job.sql"), "").unwrap();
        std::fs::write(
            place.path().join("job.toml"),
            "title = \"t\"\norder = \"any\"\n[outputs.s]\nexpected = \"s.csv\"\n",
        )
        .unwrap();
        let error = Folder::load(place.path()).unwrap_err().to_string();
        assert!(error.contains("s.csv"), "{error}");
    }
}
