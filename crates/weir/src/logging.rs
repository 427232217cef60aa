//! Log lines: text for people, JSON for machines, always on standard error.

use std::io::{self, Write};

use anyhow::{anyhow, bail};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use weir_base::variables::Redactor;

/// Starts logging. The values of the job's global variables do not reach the log, whoever writes it.
pub fn start(level: &str, json: bool, redactor: Redactor) -> anyhow::Result<()> {
    let filter = filter(level)?;
    let writer = move || RedactedLines(redactor.clone());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    let result = match json {
        true => builder.json().flatten_event(true).try_init(),
        false => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
    };
    result.map_err(|error| anyhow!("logging cannot be started: {error}"))
}

/// Reads a filter. A word alone must be a level: it would count as the part of the program that is logged in full, and a
/// level with a typing mistake would hide all that the others have to say, errors included.
pub fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    let directives: Vec<&str> = level.split(',').map(str::trim).collect();
    let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    if let Some(word) = directives.iter().find(|text| !text.contains('=') && !is_level(text)) {
        bail!(
            "`log_level` has `{word}`, but must be error, warn, info, debug, trace or off, or name parts of the program with their level, such as `info,weir_engine=debug`"
        );
    }
    // The S3 library logs every refused request as an error and whole requests, signatures included, below that.
    EnvFilter::try_new(format!("{},s3s=off", directives.join(",")))
        .map_err(|error| anyhow!("`log_level` is `{level}`, which is not a filter: {error}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_filters_are_read_and_misspelt_levels_are_not() {
        for level in ["info", "WARN", "off", "info,weir_engine=debug", " info , weir=trace", "weir=debug"] {
            filter(level).unwrap();
        }
        for (level, word) in
            [("loud", "`loud`"), ("info,wran", "`wran`"), ("weir_engine", "`weir_engine`"), ("", "``")]
        {
            let refused = filter(level).unwrap_err().to_string();
            assert!(refused.contains(&format!("`log_level` has {word}")), "{refused}");
        }
        assert!(filter("weir=loud").is_err());
    }
}
