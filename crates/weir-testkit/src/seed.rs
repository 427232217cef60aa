//! The one random number of a test run, printed when something fails.

use std::time::{SystemTime, UNIX_EPOCH};

/// The environment variable that repeats a run.
pub const SEED_VARIABLE: &str = "WEIR_SEED";

/// Returns the seed of this run: `WEIR_SEED` when it is set, else one from the clock.
pub fn seed_of_run() -> u64 {
    match std::env::var(SEED_VARIABLE).ok().and_then(|text| text.parse().ok()) {
        Some(seed) => seed,
        None => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |now| now.as_secs() ^ u64::from(now.subsec_nanos()) << 20),
    }
}
