//! Puts files in the place of sources and sinks, keeping how their records are encoded.

use anyhow::bail;
use weir_formats::FORMAT_OPTIONS;
use weir_sql::{Job, Options};

use super::arguments::Arguments;

/// Replaces the connectors of streams.
pub fn bind(job: &mut Job, arguments: &Arguments) -> anyhow::Result<()> {
    for (stream, path) in &arguments.bindings {
        let source = job.sources.iter_mut().find(|source| source.name.eq_ignore_ascii_case(stream));
        let sink = job.sinks.iter_mut().find(|sink| sink.name.eq_ignore_ascii_case(stream));
        let options = match (source, sink) {
            (Some(source), _) => {
                source.options = file(&source.options, path);
                if let Some(rate) = arguments.replay_rate {
                    source.options.0.insert("rows_per_second".to_string(), rate.to_string());
                }
                continue;
            }
            (None, Some(sink)) => &mut sink.options,
            (None, None) => bail!("--bind: the job has no source or sink `{stream}`"),
        };
        *options = file(options, path);
        if arguments.row_kinds {
            options.0.insert("row_kinds".to_string(), "true".to_string());
        }
    }
    Ok(())
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
