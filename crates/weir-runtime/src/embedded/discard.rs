//! Removes what a deleted job staged in sinks and never committed.

use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::error::with_causes;
use weir_connectors::Network;

use super::folder::WorkerRequest;
use super::worker::{check, environment, objects};

/// Removes what the job staged outside of its folder. What has gone with a bucket or a stream is no error.
pub(super) async fn discard_staged(request: &WorkerRequest, clock: Arc<dyn Clock>) -> Result<(), String> {
    let job = match check(request) {
        Ok(job) => job,
        // A text that is refused has staged nothing, unless a global variable of its has gone since.
        Err(reason) => {
            tracing::info!(job_id = %request.start.job, reason, "what the job may have staged is not looked for");
            return Ok(());
        }
    };
    let environment = environment(request, objects(request, None)?, Network::default(), clock)?;
    for sink in &job.sinks {
        weir_connectors::discard_staged(sink, &environment).await.map_err(|error| with_causes(&error))?;
    }
    Ok(())
}
