//! Decides how often, when and how things die.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use weir_testkit::seed::seed_of_run;

/// One blow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// The worker dies.
    Worker,
    /// The service dies, comes again and adopts the worker; then the worker dies.
    ServiceAlone,
    /// The service dies, and the worker while nobody looks.
    ServiceThenWorker,
    /// The worker dies, and the service while it notices or restarts the job.
    WorkerThenService,
}

/// How often, when and how things die.
pub struct Plan {
    /// Kills of workers.
    pub worker_kills: u32,
    /// Kills of the service.
    pub service_kills: u32,
    /// What repeats the run.
    pub seed: u64,
    random: StdRng,
}

impl Plan {
    /// Reads the plan of this run.
    pub fn from_environment() -> Self {
        let number = |name: &str, default| {
            std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let worker_kills: u32 = number("WEIR_CRASH_KILLS", 8);
        let seed = seed_of_run();
        Self {
            worker_kills,
            // Each comes with a kill of the worker.
            service_kills: number("WEIR_CRASH_SERVER_KILLS", 2).min(worker_kills),
            seed,
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// Returns all strikes in their order. Each kills the worker once; those of the service are spread evenly.
    pub fn strikes(&mut self) -> Vec<Strike> {
        let kinds = [Strike::ServiceThenWorker, Strike::ServiceAlone, Strike::WorkerThenService];
        // So that short runs do not always leave out the same kind.
        let first = self.random.random_range(0..kinds.len());
        let services_until = |kill: u32| kill * self.service_kills / self.worker_kills.max(1);
        (0..self.worker_kills)
            .map(|kill| match services_until(kill + 1) - services_until(kill) {
                0 => Strike::Worker,
                _ => kinds[(first + services_until(kill) as usize) % kinds.len()],
            })
            .collect()
    }

    /// Returns how long the job is left alone. Checkpoints are taken every second: some blows meet one, some come
    /// before the first, some while the job starts.
    pub fn pause(&mut self) -> Duration {
        Duration::from_millis(self.random.random_range(20..2_400))
    }

    /// Returns how long the service is away.
    pub fn absence(&mut self) -> Duration {
        Duration::from_millis(self.random.random_range(0..700))
    }

    /// Returns a number of records.
    pub fn records(&mut self, most: u32) -> u32 {
        self.random.random_range(1..=most)
    }
}
