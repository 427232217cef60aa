//! What was called and killed, in the order in which it happened, so that a failure can be understood.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Lines that a failure shows; all are in the file.
const SHOWN: usize = 60;

/// The log of a run.
pub struct Log {
    begin: Instant,
    file: PathBuf,
    lines: Mutex<(std::fs::File, VecDeque<String>)>,
}

impl Log {
    /// Starts the log of a run.
    pub fn start(file: &Path) -> std::io::Result<Self> {
        let lines = Mutex::new((std::fs::File::create(file)?, VecDeque::new()));
        Ok(Self { begin: Instant::now(), file: file.to_path_buf(), lines })
    }

    /// Adds a line.
    pub fn write(&self, who: &str, what: impl std::fmt::Display) {
        let line = format!("{:9.3} {who:<8} {what}", self.begin.elapsed().as_secs_f64());
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(lines.0, "{line}");
        lines.1.push_back(line);
        if lines.1.len() > SHOWN {
            lines.1.pop_front();
        }
    }

    /// Returns the last lines and where all of them are.
    pub fn last(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: Vec<&str> = lines.1.iter().map(String::as_str).collect();
        format!("the last calls, all are in {}:\n{}", self.file.display(), shown.join("\n"))
    }
}
