//! Puts files in the place of sources and sinks, keeping how their records are encoded, and of dimension tables.

use std::path::PathBuf;

use anyhow::bail;
use weir_formats::FORMAT_OPTIONS;
use weir_sql::{Job, Options};

/// Replaces the connectors of streams and tables. The file of a table is csv, whatever the table's type is.
pub fn bind(job: &mut Job, bindings: &[(String, PathBuf)], replay_rate: Option<u64>) -> anyhow::Result<()> {
    for (stream, path) in bindings {
        if let Some(table) = job.tables.iter_mut().find(|table| table.name.eq_ignore_ascii_case(stream)) {
            table.options = file(&Options::default(), path);
            continue;
        }
        let source = job.sources.iter_mut().find(|source| source.name.eq_ignore_ascii_case(stream));
        let sink = job.sinks.iter_mut().find(|sink| sink.name.eq_ignore_ascii_case(stream));
        let options = match (source, sink) {
            (Some(source), _) => {
                source.options = file(&source.options, path);
                if let Some(rate) = replay_rate {
                    source.options.0.insert("rows_per_second".to_string(), rate.to_string());
                }
                continue;
            }
            (None, Some(sink)) => &mut sink.options,
            (None, None) => bail!("--bind: the job has no source, table or sink `{stream}`"),
        };
        *options = file(options, path);
    }
    Ok(())
}

/// Makes the bound sinks of a job write the whole changelog.
pub fn write_row_kinds(job: &mut Job, bindings: &[(String, PathBuf)]) {
    for sink in &mut job.sinks {
        if bindings.iter().any(|(stream, _)| sink.name.eq_ignore_ascii_case(stream)) {
            sink.options.0.insert("row_kinds".to_string(), "true".to_string());
        }
    }
}

fn file(declared: &Options, path: &std::path::Path) -> Options {
    let mut options = Options::default();
    options.0.insert("type".to_string(), "file".to_string());
    options.0.insert("path".to_string(), path.display().to_string());
    for name in FORMAT_OPTIONS {
        if let Some(value) = declared.get(name) {
            options.0.insert(name.to_string(), value.to_string());
        }
    }
    options.0.entry("encode".to_string()).or_insert_with(|| "csv".to_string());
    options
}
