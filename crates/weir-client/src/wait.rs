//! Waiting until something is where it should be: looking again and again, as the service tells nothing by itself.

use std::time::{Duration, Instant};

use crate::error::ClientError;

/// Time between two looks: short at first, as most jobs start within a second.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Whether something is where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Reached,
    /// It may get there.
    Pending,
    /// It will not get there by itself.
    Missed,
}

/// Looks until nothing is pending any more, or until the limit, and returns what was seen last.
pub async fn wait<S>(
    limit: Option<Duration>,
    look: impl AsyncFn() -> Result<S, ClientError>,
    mut is_pending: impl FnMut(&S) -> bool,
) -> Result<S, ClientError> {
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let seen = look().await?;
        if !is_pending(&seen) || limit.is_some_and(|limit| began.elapsed() + pause > limit) {
            return Ok(seen);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
