//! What `weir run` tells at the end: rows in, out, late and dirty of every stream.

use weir_engine::job::JobHandle;
use weir_sql::Job;

use crate::commands::text::table;

/// Prints the summary to standard error.
pub fn print(job: &Job, handle: &JobHandle) {
    let metrics = handle.metrics();
    let mut rows = Vec::new();
    for node in &metrics {
        let title = match node.kind {
            "source" | "sink" => node.name.clone(),
            // Operators are of interest only where they lose rows.
            _ if node.late > 0 || node.dirty > 0 => node.id.clone(),
            _ => continue,
        };
        rows.push(vec![
            title,
            node.records_in.to_string(),
            node.records_out.to_string(),
            node.late.to_string(),
            node.dirty.to_string(),
        ]);
    }
    eprint!("{}", table(&["stream", "in", "out", "late", "dirty"], &rows));
    let checkpoints = handle.checkpoint_metrics();
    if checkpoints.completed > 0 {
        eprintln!("{} checkpoints, the last of {} bytes", checkpoints.completed, checkpoints.bytes);
    }
    let unused = job.sources.iter().filter(|source| {
        let suffix = format!("_{}", source.name.to_uppercase());
        !metrics.iter().any(|node| node.name.ends_with(&suffix))
    });
    for source in unused {
        eprintln!("note: no INSERT reads `{}`", source.name);
    }
}
