//! A golden job's folder: a job test whose inputs and outputs are files.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use weir_runtime::job_test::{Case, Given};

/// A golden job.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Name of the folder.
    pub name: String,
    /// Its `job.toml`.
    pub case: Case,
}

impl Folder {
    /// Reads a folder; complains about files that it names and that are not there.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let case = Case::load(&path.join("job.toml")).map_err(anyhow::Error::msg)?;
        for (stream, given) in case.inputs.iter().chain(&case.tables) {
            if !matches!(given, Given::File(_)) {
                bail!("golden job `{}`: the records of `{stream}` must be in a file", case.name());
            }
        }
        Ok(Self { name: case.name(), case })
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

    /// Returns whether some result is compared after withdrawn rows are taken away, so that sinks must tell their kinds.
    pub fn wants_row_kinds(&self) -> bool {
        self.case.outputs.values().any(|output| output.left.is_some())
    }

    /// Returns the path of the job's text.
    pub fn sql(&self) -> anyhow::Result<PathBuf> {
        self.case.sql_file().with_context(|| format!("golden job `{}` has no file with its text", self.name))
    }

    /// Returns the streams and tables with their files.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.case.inputs.iter().chain(&self.case.tables).filter_map(|(stream, given)| match given {
            Given::File(file) => Some((stream.as_str(), self.case.file(file))),
            _ => None,
        })
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
}
