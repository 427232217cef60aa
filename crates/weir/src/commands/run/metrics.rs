//! The counters of a running job as lines of JSON, for measurements.

use std::fs::File;
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use weir_engine::job::JobHandle;

const PAUSE: Duration = Duration::from_secs(1);

/// Where the lines go.
pub struct MetricsFile {
    file: File,
    since: Instant,
}

impl MetricsFile {
    /// Makes the file; one that is there is begun anew.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("the metrics file `{}` cannot be written", path.display());
        Ok(Self { file: File::create(path).with_context(context)?, since: Instant::now() })
    }

    /// Writes a line every second until something has ended, and a last one then.
    pub async fn follow<T>(&mut self, handle: &JobHandle, end: impl Future<Output = T>) -> io::Result<T> {
        let mut end = std::pin::pin!(end);
        loop {
            match tokio::time::timeout(PAUSE, &mut end).await {
                Ok(ended) => {
                    self.write(handle)?;
                    return Ok(ended);
                }
                Err(_) => self.write(handle)?,
            }
        }
    }

    fn write(&mut self, handle: &JobHandle) -> io::Result<()> {
        let line = json!({ "seconds": self.since.elapsed().as_secs_f64(), "nodes": handle.metrics() });
        // In one write, so that who reads along does not meet half a line.
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}
