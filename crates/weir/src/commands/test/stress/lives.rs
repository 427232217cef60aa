//! Runs one job through its lives: checkpoints and kills at the moments of its course.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use object_store::memory::InMemory;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{AbortHandle, JoinHandle};
use weir_base::clock::Clock;
use weir_base::settings::{CheckpointMode, CheckpointSettings};
use weir_base::spawn::{Spawner, TokioSpawner};
use weir_base::time::Timestamp;
use weir_connectors::Environment;
use weir_engine::checkpoint::CheckpointStorage;
use weir_engine::job::{JobHandle, Outcome};
use weir_engine::metrics::NodeMetrics;
use weir_engine::sink::SharedSink;
use weir_engine::source::SharedSource;
use weir_runtime::Launch;
use weir_sql::Job;

use super::chance::{Course, Life, Patience, Pause, Then};
use super::source::{Pauses, Release};

/// Checkpoints are taken at pauses alone.
const NEVER: Duration = Duration::from_secs(1_000_000);

/// Makes the sources of one life: each waits at the pauses and draws from the seed.
pub type MakeSources<'a> = &'a dyn Fn(&Arc<Pauses>, u64) -> HashMap<String, SharedSource>;

/// A job, and what stands in the places of its streams.
pub struct Stage<'a> {
    pub job: &'a Job,
    pub name: &'a str,
    pub environment: &'a Environment,
    pub sinks: &'a BTreeMap<String, SharedSink>,
    pub sources: MakeSources<'a>,
}

/// How the last life ended.
pub struct Ended {
    pub failure: Option<String>,
    /// Counters of the last life.
    pub metrics: Vec<NodeMetrics>,
}

impl Stage<'_> {
    /// Runs the job to its end.
    pub async fn run(&self, course: &Course) -> Ended {
        let storage = CheckpointStorage::new(Arc::new(InMemory::new()), "checkpoints");
        for life in &course.lives {
            match self.live(course, life, &storage).await {
                Ok(None) => {}
                Ok(Some(ended)) => return ended,
                Err(reason) => return Ended { failure: Some(reason), metrics: Vec::new() },
            }
        }
        Ended { failure: Some("its last life was killed".to_string()), metrics: Vec::new() }
    }

    /// Returns `None` when the life ended with a kill.
    async fn live(
        &self,
        course: &Course,
        life: &Life,
        storage: &CheckpointStorage,
    ) -> Result<Option<Ended>, String> {
        let (pauses, mut waiting) = Pauses::new(life.pauses.iter().map(|pause| pause.at).collect());
        let mut environment = self.environment.clone();
        environment.settings.parallelism = life.parallelism;
        environment.settings.checkpoint = course.has_checkpoints.then(|| CheckpointSettings {
            mode: CheckpointMode::ExactlyOnce,
            interval: NEVER,
            bucket: String::new(),
        });
        environment.sinks =
            self.sinks.iter().map(|(name, sink)| (name.to_lowercase(), sink.clone())).collect();
        environment.sources = (self.sources)(&pauses, life.seed);
        let launch = Launch {
            job: self.job,
            id: 0,
            name: self.name,
            environment: &environment,
            storage: storage.clone(),
            resume: true,
            savepoint: None,
            fresh_since: Timestamp(0),
        };
        let tasks = Arc::new(Tasks::default());
        let clock: Arc<dyn Clock> = environment.clock.clone();
        let launched = launch.start_on(clock, tasks.clone()).await?;
        let handle = &launched.handle;
        let ended = tokio::select! {
            biased;
            ended = follow(handle, life, &mut waiting) => ended,
            () = killed_early(life) => None,
        };
        let Some(outcome) = ended else {
            tasks.kill().await;
            return Ok(None);
        };
        let failure = match outcome {
            Outcome::Failed(reason) => Some(self.job.redactor.redact(&reason).into_owned()),
            _ => None,
        };
        Ok(Some(Ended { failure, metrics: handle.metrics() }))
    }
}

/// Follows a life up to its end, or to the moment at which it is killed.
async fn follow(
    handle: &JobHandle,
    life: &Life,
    waiting: &mut UnboundedReceiver<Release>,
) -> Option<Outcome> {
    let mut pauses = life.pauses.iter();
    loop {
        let release = tokio::select! {
            biased;
            outcome = handle.wait() => return Some(outcome),
            Some(release) = waiting.recv() => release,
        };
        let Some(Pause { checkpoint, then, .. }) = pauses.next() else { continue };
        match checkpoint {
            None => {}
            Some(Patience::UntilComplete) => {
                handle.checkpoint().await;
            }
            Some(Patience::Turns(count)) => {
                tokio::select! {
                    biased;
                    _ = handle.checkpoint() => {}
                    () = turns(*count) => {}
                }
            }
        }
        if let Then::Kill { released, turns: count } = then {
            // Dropping it lets the reader go on.
            let kept = (!released).then_some(release);
            turns(*count).await;
            drop(kept);
            return None;
        }
    }
}

async fn killed_early(life: &Life) {
    match life.killed_after {
        Some(count) => turns(count).await,
        None => std::future::pending().await,
    }
}

/// Lets every other task have so many turns.
async fn turns(count: u32) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// The tasks of one life, which end at the next point where they wait when the life is killed.
#[derive(Default)]
struct Tasks(Mutex<Vec<AbortHandle>>);

impl Spawner for Tasks {
    fn spawn(&self, name: &str, task: BoxFuture<'static, ()>) -> JoinHandle<()> {
        let handle = TokioSpawner.spawn(name, task);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(handle.abort_handle());
        handle
    }
}

impl Tasks {
    /// Ends all tasks and waits until they are gone, so that nothing of one life reaches the next.
    async fn kill(&self) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.iter().for_each(AbortHandle::abort);
        while tasks.iter().any(|task| !task.is_finished()) {
            tokio::task::yield_now().await;
        }
    }
}
