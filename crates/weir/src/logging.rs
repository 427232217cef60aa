//! Log lines: text for people, JSON for machines, always on standard error.

use tracing_subscriber::EnvFilter;

/// Starts logging. A filter that cannot be parsed is an error, so that a typing mistake does not hide everything.
pub fn start(level: &str, json: bool) -> anyhow::Result<()> {
    // The S3 library logs every refused request as an error and whole requests, signatures included, below that.
    let filter = EnvFilter::try_new(format!("{level},s3s=off"))
        .map_err(|error| anyhow::anyhow!("`log_level` is `{level}`, which is not a filter: {error}"))?;
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let result = match json {
        true => builder.json().flatten_event(true).try_init(),
        false => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
    };
    result.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}
