//! Appends staged files to the output file, each once, whatever dies in between.
//!
//! Beside the output `out.csv` lie staged files `.out.csv.<epoch>.<subtask>.<random>.staged` and the journal
//! `.out.csv.journal`. Before a staged file is appended, the journal gets its name and the length
//! of the output; after the output is on the disk, the staged file is removed. So a staged file that
//! exists has not been committed, and an append that was cut short is known, taken back and repeated.
//! `.out.csv.run` names the run that began the output, so that only a new run begins it anew.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The names beside one output file.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    path: PathBuf,
    /// Written when the file is begun.
    header: Vec<u8>,
}

/// The append that is in progress.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    staged: String,
    /// Length of the output before it.
    base: u64,
}

impl Output {
    pub fn new(path: PathBuf, header: Vec<u8>) -> Self {
        Self { path, header }
    }

    /// Creates the staged file of a writer; its name tells the epoch.
    pub fn stage(&self, epoch: u64, subtask: usize) -> io::Result<(String, File)> {
        let name = format!("{}{epoch}.{subtask}.{:016x}.staged", self.prefix(), rand::random::<u64>());
        let file = OpenOptions::new().write(true).create_new(true).open(self.beside(&name))?;
        Ok((name, file))
    }

    /// Appends staged files in order; those that are gone were appended before.
    pub fn commit(&self, staged: &[String]) -> io::Result<()> {
        let _lock = self.lock()?;
        self.finish_interrupted()?;
        for name in staged {
            self.append(name)?;
        }
        self.remove(&self.journal())?;
        Ok(())
    }

    /// Removes everything staged, and begins the output anew unless this run has begun it before.
    pub fn begin(&self, run: &str) -> io::Result<()> {
        if let Some(directory) = self.path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let _lock = self.lock()?;
        let mark = self.beside(&format!("{}run", self.prefix()));
        if std::fs::read(&mark).is_ok_and(|begun| begun == run.as_bytes()) {
            self.finish_interrupted()?;
            self.remove(&self.journal())?;
            return self.remove_staged(|_| true);
        }
        self.remove_staged(|_| true)?;
        self.remove(&self.journal())?;
        let mut output = File::create(&self.path)?;
        output.write_all(&self.header)?;
        output.sync_data()?;
        // Written last: when this is cut short, the output is begun once more, and it is empty yet.
        self.replace(&mark, run.as_bytes())
    }

    /// Finishes an append that was cut short and removes what was staged after an epoch.
    pub fn discard_after(&self, epoch: u64) -> io::Result<()> {
        let _lock = self.lock()?;
        self.finish_interrupted()?;
        self.remove(&self.journal())?;
        self.remove_staged(|staged| staged > epoch)
    }

    fn append(&self, name: &str) -> io::Result<()> {
        let staged = self.beside(name);
        let mut input = match File::open(&staged) {
            Ok(input) => input,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut output = OpenOptions::new().append(true).create(true).open(&self.path)?;
        let base = output.metadata()?.len();
        self.write_journal(&Journal { staged: name.to_string(), base })?;
        if base == 0 {
            output.write_all(&self.header)?;
        }
        io::copy(&mut input, &mut output)?;
        output.sync_data()?;
        self.remove(&staged)?;
        self.sync_directory()
    }

    fn finish_interrupted(&self) -> io::Result<()> {
        let journal = match std::fs::read(self.journal()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let journal: Journal = serde_json::from_slice(&journal).map_err(io::Error::other)?;
        if self.beside(&journal.staged).exists() {
            let output = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path)?;
            if output.metadata()?.len() > journal.base {
                output.set_len(journal.base)?;
            }
            self.append(&journal.staged)?;
        }
        Ok(())
    }

    /// Writes the journal in one step: a reader sees the old one or the new one.
    fn write_journal(&self, journal: &Journal) -> io::Result<()> {
        self.replace(&self.journal(), &serde_json::to_vec(journal).map_err(io::Error::other)?)
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".new");
        let mut file = File::create(&temporary)?;
        file.write_all(content)?;
        file.sync_data()?;
        std::fs::rename(&temporary, path)?;
        self.sync_directory()
    }

    fn remove_staged(&self, is_stale: impl Fn(u64) -> bool) -> io::Result<()> {
        let prefix = self.prefix();
        for entry in std::fs::read_dir(self.directory())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(rest) = name.strip_prefix(&prefix).filter(|rest| rest.ends_with(".staged")) else {
                continue;
            };
            let parts: Vec<&str> = rest.split('.').collect();
            let &[epoch, subtask, _, _] = parts.as_slice() else { continue };
            let (Ok(epoch), Ok(_)) = (epoch.parse(), subtask.parse::<usize>()) else { continue };
            if is_stale(epoch) {
                self.remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Keeps two committers of one output apart; released with the file.
    fn lock(&self) -> io::Result<File> {
        let name = self.beside(&format!("{}lock", self.prefix()));
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(name)?;
        file.lock()?;
        Ok(file)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(self.directory())?.sync_all()
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => Path::new("."),
        }
    }

    fn journal(&self) -> PathBuf {
        self.beside(&format!("{}journal", self.prefix()))
    }

    fn prefix(&self) -> String {
        format!(".{}.", self.path.file_name().unwrap_or_default().to_string_lossy())
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(output: &Output, epoch: u64, text: &str) -> String {
        let (name, mut file) = output.stage(epoch, 0).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        name
    }

    #[test]
    fn interrupted_append_is_taken_back_and_repeated() {
        let directory = tempfile::tempdir().unwrap();
        let output = Output::new(directory.path().join("out.csv"), b"h\n".to_vec());
        output.begin("1").unwrap();
        let first = staged(&output, 1, "a\n");
        output.commit(std::slice::from_ref(&first)).unwrap();
        let second = staged(&output, 2, "b\nc\n");
        // As if the process died in the middle of the append.
        output.write_journal(&Journal { staged: second.clone(), base: 4 }).unwrap();
        std::fs::write(&output.path, "h\na\nb\n").unwrap();
        output.commit(&[first, second.clone()]).unwrap();
        output.commit(&[second]).unwrap();
        assert_eq!(std::fs::read_to_string(&output.path).unwrap(), "h\na\nb\nc\n");
    }

    #[test]
    fn discard_finishes_what_was_begun_and_keeps_older_epochs() {
        let directory = tempfile::tempdir().unwrap();
        let output = Output::new(directory.path().join("out.csv"), Vec::new());
        output.begin("1").unwrap();
        let begun = staged(&output, 9, "a\n");
        output.write_journal(&Journal { staged: begun, base: 0 }).unwrap();
        let kept = staged(&output, 3, "b\n");
        let dropped = staged(&output, 4, "c\n");
        output.discard_after(3).unwrap();
        assert_eq!(std::fs::read_to_string(&output.path).unwrap(), "a\n");
        assert!(output.beside(&kept).exists());
        assert!(!output.beside(&dropped).exists());
    }

    #[test]
    fn only_a_new_run_begins_the_output_anew() {
        let directory = tempfile::tempdir().unwrap();
        let output = Output::new(directory.path().join("out.csv"), b"h\n".to_vec());
        let content = || std::fs::read_to_string(&output.path).unwrap();
        std::fs::write(&output.path, "of somebody else\n").unwrap();
        output.begin("job-7 1").unwrap();
        let first = staged(&output, 1, "a\n");
        output.commit(&[first]).unwrap();
        let lost = staged(&output, 2, "b\n");
        output.begin("job-7 1").unwrap();
        assert_eq!(content(), "h\na\n", "a restart keeps what is committed");
        assert!(!output.beside(&lost).exists());
        output.begin("job-7 2").unwrap();
        assert_eq!(content(), "h\n");
    }
}
