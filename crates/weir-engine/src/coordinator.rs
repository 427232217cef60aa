//! The coordinator of a job: triggers checkpoints, gathers snapshots, commits, and ends the job.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use weir_base::time::Timestamp;

use crate::checkpoint::{CheckpointStorage, Manifest, StateFile};
use crate::graph::NodeId;
use crate::job::{CheckpointMetrics, JobError, JobHandle, JobSpec, Outcome, Surroundings};
use crate::metrics::NodeCounters;
use crate::plan_tasks::{self, Plan};
use crate::sink::SharedSink;
use crate::source::SharedSource;
use crate::task::{SourceCommand, TaskEvent, TaskId, TaskState};

/// How often a commit that failed for a passing reason is tried.
const COMMIT_ATTEMPTS: u32 = 10;

/// What a handle asks of the coordinator.
#[derive(Debug)]
pub(crate) enum Request {
    /// Take a checkpoint and tell when it is complete.
    Checkpoint(oneshot::Sender<()>),
    /// Take a final checkpoint and end.
    Suspend,
}

/// The state by which one node is known outside the process.
pub(crate) struct NodeInfo {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A checkpoint under way.
struct Pending {
    epoch: u64,
    started: Instant,
    time_ms: i64,
    snapshots: BTreeMap<TaskId, TaskState>,
    /// Who asked for it.
    waiting: Vec<oneshot::Sender<()>>,
    /// Whether the job ends with it.
    last: bool,
}

/// Why the loop ended.
enum End {
    Tasks(Outcome),
    Suspended,
}

pub(crate) struct Coordinator {
    nodes: Vec<NodeInfo>,
    sinks: BTreeMap<NodeId, SharedSink>,
    sources: BTreeMap<NodeId, SharedSource>,
    commands: BTreeMap<TaskId, mpsc::Sender<SourceCommand>>,
    tasks: BTreeSet<TaskId>,
    finished: BTreeMap<TaskId, TaskState>,
    /// Prepared by snapshots but not committed yet, with the epoch they belong to.
    uncommitted: Vec<(u64, NodeId, Vec<u8>)>,
    pending: Option<Pending>,
    waiting: Vec<oneshot::Sender<()>>,
    suspending: bool,
    epoch: u64,
    transactional: bool,
    interval: Option<Duration>,
    parallelism: usize,
    storage: CheckpointStorage,
    surroundings: Surroundings,
    counters: Arc<Vec<NodeCounters>>,
    metrics: watch::Sender<CheckpointMetrics>,
    cancel: CancellationToken,
}

impl Coordinator {
    /// Builds the tasks of a job, opens and starts them.
    pub(crate) async fn start(spec: JobSpec, surroundings: Surroundings) -> Result<JobHandle, JobError> {
        let interval = spec.checkpoint_interval;
        let storage = spec.storage.clone();
        let parallelism = spec.parallelism;
        let (events, event_receiver) = mpsc::channel(256);
        let cancel = CancellationToken::new();
        let plan = plan_tasks::build(spec, &surroundings, events, cancel.clone()).await?;
        let Plan { nodes, counters, sources, sinks, tasks, commands, epoch, transactional } = plan;
        let (requests, request_receiver) = mpsc::channel(16);
        let (metrics, checkpoints) = watch::channel(CheckpointMetrics::default());
        let (outcome_sender, outcome) = watch::channel(None);
        let coordinator = Coordinator {
            nodes,
            sinks,
            sources,
            commands,
            tasks: tasks.iter().map(|task| task.id).collect(),
            finished: BTreeMap::new(),
            uncommitted: Vec::new(),
            pending: None,
            waiting: Vec::new(),
            suspending: false,
            epoch,
            transactional,
            interval,
            parallelism,
            storage,
            surroundings: surroundings.clone(),
            counters: counters.clone(),
            metrics,
            cancel: cancel.clone(),
        };
        for task in tasks {
            surroundings.spawner.spawn(&task.name, task.future);
        }
        let run = async move {
            let outcome = coordinator.run(event_receiver, request_receiver).await;
            let _ = outcome_sender.send(Some(outcome));
        };
        surroundings.spawner.spawn("coordinator", Box::pin(run));
        Ok(JobHandle { counters, checkpoints, requests, cancel, outcome })
    }

    async fn run(
        mut self,
        mut events: mpsc::Receiver<TaskEvent>,
        requests: mpsc::Receiver<Request>,
    ) -> Outcome {
        let end = self.serve(&mut events, requests).await;
        let cancel = self.cancel.clone();
        let outcome = match end {
            Ok(End::Suspended) => Outcome::Suspended,
            Ok(End::Tasks(Outcome::Finished)) => tokio::select! {
                biased;
                () = cancel.cancelled() => Outcome::Cancelled,
                finished = self.finish() => match finished {
                    Ok(()) => Outcome::Finished,
                    Err(error) => Outcome::Failed(error.to_string()),
                },
            },
            Ok(End::Tasks(outcome)) => outcome,
            Err(error) => Outcome::Failed(error.to_string()),
        };
        cancel.cancel();
        // Tasks hold files and connections; a job has ended when they have let go of them.
        let drained = async { while events.recv().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(5), drained).await;
        if let Err(reason) = self.surroundings.dirty.flush().await {
            tracing::warn!(reason, "dirty records could not be saved");
        }
        outcome
    }

    async fn serve(
        &mut self,
        events: &mut mpsc::Receiver<TaskEvent>,
        mut requests: mpsc::Receiver<Request>,
    ) -> Result<End, JobError> {
        let mut checkpoint_at = self.interval.map(|interval| Instant::now() + interval);
        let mut sample = tokio::time::interval(Duration::from_secs(1));
        let mut requests_open = true;
        loop {
            let next_checkpoint = async {
                match checkpoint_at {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Ok(End::Tasks(Outcome::Cancelled)),
                request = requests.recv(), if requests_open => match request {
                    Some(Request::Checkpoint(reply)) => {
                        self.waiting.push(reply);
                        self.trigger().await?;
                    }
                    Some(Request::Suspend) => {
                        self.suspending = true;
                        self.trigger().await?;
                    }
                    None => requests_open = false,
                },
                _ = sample.tick() => self.counters.iter().for_each(NodeCounters::sample),
                () = next_checkpoint => {
                    checkpoint_at = self.interval.map(|interval| Instant::now() + interval);
                    self.trigger().await?;
                }
                event = events.recv() => match event {
                    Some(event) => self.event(event)?,
                    None => return Ok(End::Tasks(Outcome::Failed("all tasks are gone".to_string()))),
                },
            }
            if self.pending.as_ref().is_some_and(|pending| self.is_gathered(pending))
                && let Some(pending) = self.pending.take()
            {
                let last = pending.last;
                let cancel = self.cancel.clone();
                tokio::select! {
                    biased;
                    // Every step can be repeated after a restart.
                    () = cancel.cancelled() => return Ok(End::Tasks(Outcome::Cancelled)),
                    done = self.complete(pending) => done?,
                }
                if last {
                    return Ok(End::Suspended);
                }
                if self.suspending || !self.waiting.is_empty() {
                    // Requests that came while this checkpoint was under way want one of their own.
                    self.trigger().await?;
                }
            }
            if self.finished.len() == self.tasks.len() {
                return Ok(End::Tasks(Outcome::Finished));
            }
        }
    }

    fn event(&mut self, event: TaskEvent) -> Result<(), JobError> {
        match event {
            TaskEvent::Snapshot { task, epoch, state } => {
                if let Some(pending) = self.pending.as_mut().filter(|pending| pending.epoch == epoch) {
                    pending.snapshots.insert(task, state);
                }
            }
            TaskEvent::Finished { task, state } => {
                self.finished.insert(task, state);
            }
            TaskEvent::Failed { name, error } => return Err(JobError::Task { name, error }),
        }
        Ok(())
    }

    /// Starts a checkpoint unless one is under way.
    async fn trigger(&mut self) -> Result<(), JobError> {
        if self.pending.is_some() {
            return Ok(());
        }
        self.epoch += 1;
        let epoch = self.epoch;
        self.pending = Some(Pending {
            epoch,
            started: Instant::now(),
            time_ms: self.surroundings.clock.now().0,
            snapshots: BTreeMap::new(),
            waiting: std::mem::take(&mut self.waiting),
            last: self.suspending,
        });
        let last = self.suspending;
        for (task, commands) in &self.commands {
            if !self.finished.contains_key(task) {
                // A source that ends at this moment answers with its final state instead.
                let _ = commands.send(SourceCommand { epoch, last }).await;
            }
        }
        Ok(())
    }

    fn is_gathered(&self, pending: &Pending) -> bool {
        self.tasks.iter().all(|task| pending.snapshots.contains_key(task) || self.finished.contains_key(task))
    }

    /// Writes a gathered checkpoint, then commits what it holds.
    async fn complete(&mut self, mut pending: Pending) -> Result<(), JobError> {
        let epoch = pending.epoch;
        let finished = pending.snapshots.is_empty();
        let mut states = std::mem::take(&mut pending.snapshots);
        for (task, state) in &mut self.finished {
            // A task that ended after its snapshot belongs to the next checkpoint: its readers may have taken
            // theirs before. One that has no snapshot had no input left, nor had those it read from.
            if let Entry::Vacant(entry) = states.entry(*task) {
                if let Some((node, committable)) = state.committable.take() {
                    self.uncommitted.push((epoch, node, committable));
                }
                entry.insert(state.clone());
            }
        }
        self.surroundings.dirty.flush().await.map_err(JobError::Dirty)?;
        let mut manifest = self.manifest(epoch, pending.time_ms, finished);
        for (task, state) in states {
            self.add_to_manifest(&mut manifest, task, state).await?;
        }
        for (_, node, committable) in &self.uncommitted {
            let entry = manifest.operators.entry(self.nodes[node.0].id.clone()).or_default();
            entry.committables.push(BASE64.encode(committable));
        }
        self.storage.complete(&manifest).await?;
        self.commit().await?;
        self.tell_sources(&manifest).await;
        if let Err(error) = self.storage.remove_older(epoch).await {
            tracing::warn!(%error, "older checkpoints could not be removed, will retry with the next one");
        }
        self.metrics.send_modify(|metrics| {
            metrics.completed += 1;
            metrics.duration = pending.started.elapsed();
            metrics.bytes = manifest.state_bytes;
            metrics.epoch = Some(epoch);
        });
        for reply in pending.waiting {
            let _ = reply.send(());
        }
        Ok(())
    }

    fn manifest(&self, epoch: u64, time_ms: i64, finished: bool) -> Manifest {
        Manifest {
            format: crate::checkpoint::FORMAT,
            epoch,
            time_ms,
            parallelism: self.parallelism,
            finished,
            ..Manifest::default()
        }
    }

    async fn add_to_manifest(
        &mut self,
        manifest: &mut Manifest,
        task: TaskId,
        state: TaskState,
    ) -> Result<(), JobError> {
        let epoch = manifest.epoch;
        if let Some((node, splits)) = state.splits {
            manifest.operators.entry(self.nodes[node.0].id.clone()).or_default().splits.extend(splits);
        }
        for (node, bytes) in state.operators {
            let id = &self.nodes[node.0].id;
            let name = format!("{id}-{}", task.subtask);
            let size = bytes.len() as u64;
            self.storage.write_state(epoch, &name, bytes).await?;
            manifest.state_bytes += size;
            let file = StateFile { subtask: task.subtask, name, bytes: size };
            manifest.operators.entry(id.clone()).or_default().files.push(file);
        }
        if let Some((node, state)) = state.sink {
            let writers = &mut manifest.operators.entry(self.nodes[node.0].id.clone()).or_default().writers;
            if !state.is_empty() {
                manifest.state_bytes += state.len() as u64;
                writers.push(BASE64.encode(state));
            }
        }
        if let Some((node, committable)) = state.committable {
            self.uncommitted.push((epoch, node, committable));
        }
        Ok(())
    }

    /// Commits everything prepared, sink by sink.
    async fn commit(&mut self) -> Result<(), JobError> {
        let mut by_sink: BTreeMap<NodeId, Vec<Vec<u8>>> = BTreeMap::new();
        for (_, node, committable) in self.uncommitted.drain(..) {
            by_sink.entry(node).or_default().push(committable);
        }
        for (node, committables) in by_sink {
            commit_with_retry(&self.sinks[&node], &committables, &self.nodes[node.0].name).await?;
        }
        Ok(())
    }

    async fn tell_sources(&self, manifest: &Manifest) {
        for (node, source) in &self.sources {
            let Some(state) = manifest.operators.get(&self.nodes[node.0].id) else { continue };
            let splits: Vec<_> = state.splits.iter().map(|state| state.split.clone()).collect();
            if let Err(error) = source.checkpoint_complete(&splits).await {
                tracing::warn!(source = self.nodes[node.0].name, %error, "read positions could not be stored outside");
            }
        }
    }

    /// Ends a job whose tasks have all finished: the last output becomes visible.
    async fn finish(&mut self) -> Result<(), JobError> {
        self.pending = None;
        if !self.transactional {
            return Ok(());
        }
        self.epoch += 1;
        let time_ms = self.surroundings.clock.now().0;
        let pending = Pending {
            epoch: self.epoch,
            started: Instant::now(),
            time_ms,
            snapshots: BTreeMap::new(),
            waiting: std::mem::take(&mut self.waiting),
            last: false,
        };
        self.complete(pending).await
    }
}

/// Commits, trying again while the sink says that may help.
pub(crate) async fn commit_with_retry(
    sink: &SharedSink,
    committables: &[Vec<u8>],
    name: &str,
) -> Result<(), JobError> {
    let mut delay = Duration::from_millis(100);
    let mut attempt = 1;
    loop {
        match sink.commit(committables).await {
            Ok(()) => return Ok(()),
            Err(error) if error.transient && attempt < COMMIT_ATTEMPTS => {
                if attempt == 1 {
                    tracing::warn!(sink = name, %error, "commit failed, will retry");
                }
                attempt += 1;
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(Duration::from_secs(10));
            }
            Err(error) => return Err(JobError::Connector { name: name.to_string(), error }),
        }
    }
}

/// Returns the epoch that a run begins with: above every epoch of earlier runs, so that names made from
/// epochs are never used twice, also after a fresh start.
pub(crate) fn first_epoch(restored: Option<u64>, now: Timestamp) -> u64 {
    restored.unwrap_or(0).max(u64::try_from(now.0).unwrap_or(0))
}
