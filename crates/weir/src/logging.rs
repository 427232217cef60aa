//! Log lines: text for people, JSON for machines, always on standard error.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use weir_base::variables::Redactor;

/// Starts logging. A filter that cannot be parsed is an error, so that a typing mistake does not hide everything. The
/// values of the job's global variables do not reach the log, whoever writes it.
pub fn start(level: &str, json: bool, redactor: Redactor) -> anyhow::Result<()> {
    // The S3 library logs every refused request as an error and whole requests, signatures included, below that.
    let filter = EnvFilter::try_new(format!("{level},s3s=off"))
        .map_err(|error| anyhow::anyhow!("`log_level` is `{level}`, which is not a filter: {error}"))?;
    let writer = move || RedactedLines(redactor.clone());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    let result = match json {
        true => builder.json().flatten_event(true).try_init(),
        false => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
    };
    result.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}

/// Writes lines to standard error without the values of global variables. The formatter hands over whole lines.
struct RedactedLines(Redactor);

impl Write for RedactedLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line)?;
        Ok(line.len())
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        match std::str::from_utf8(line) {
            Ok(text) => io::stderr().write_all(self.0.redact(text).as_bytes()),
            Err(_) => io::stderr().write_all(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
