//! Turns a graph into subtasks with their channels, restored from a checkpoint when there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use weir_base::clock::{Clock, ManualClock};
use weir_base::settings::CheckpointMode;
use weir_base::time::Timestamp;

use crate::channel::{OutputEdge, channel};
use crate::checkpoint::{CheckpointStorage, Manifest, OperatorState};
use crate::coordinator::{NodeInfo, commit_with_retry, first_epoch};
use crate::graph::{Exchange, Graph, NodeId, NodeKind, SourceNode};
use crate::job::{JobError, JobSpec, Surroundings};
use crate::metrics::NodeCounters;
use crate::operator::{Evaluator, KeyRange, LookupJoin, Operator, OperatorContext, OperatorError};
use crate::sink::{SharedSink, WriterContext};
use crate::source::{SharedSource, SourceReader};
use crate::split::SplitState;
use crate::task::{
    Chain, ChainLink, EventSender, LookupHead, OperatorTask, Rows, SinkTail, SourceCommand, SourceTask,
    TaskError, TaskEvent, TaskId, TaskInput,
};

/// A subtask ready to be started.
pub(crate) struct ReadyTask {
    pub(crate) id: TaskId,
    pub(crate) name: String,
    pub(crate) future: BoxFuture<'static, ()>,
}

/// A job ready to be started.
pub(crate) struct Plan {
    pub(crate) nodes: Vec<NodeInfo>,
    pub(crate) counters: Arc<Vec<NodeCounters>>,
    pub(crate) sources: BTreeMap<NodeId, SharedSource>,
    pub(crate) sinks: BTreeMap<NodeId, SharedSink>,
    pub(crate) tasks: Vec<ReadyTask>,
    pub(crate) commands: BTreeMap<TaskId, mpsc::Sender<SourceCommand>>,
    pub(crate) epoch: u64,
    pub(crate) transactional: bool,
}

/// The channels of one subtask.
#[derive(Default)]
struct Wiring {
    receivers: Vec<TaskInput>,
    outputs: Vec<OutputEdge>,
    rows: Option<Rows>,
}

struct Builder {
    graph: Graph,
    sources: BTreeMap<NodeId, Arc<SourceNode>>,
    parallelism: usize,
    restore: Option<Manifest>,
    states: BTreeMap<String, Vec<Vec<u8>>>,
    counters: Arc<Vec<NodeCounters>>,
    surroundings: Surroundings,
    events: EventSender,
    cancel: CancellationToken,
    epoch: u64,
    transactional: bool,
    idle_timeout: Option<std::time::Duration>,
    record_clock: Option<weir_base::settings::RecordClock>,
    commands: BTreeMap<TaskId, mpsc::Sender<SourceCommand>>,
}

/// Builds all subtasks, opens their sources and sinks, and restores their state. What the checkpoint
/// prepared is committed first.
pub(crate) async fn build(
    spec: JobSpec,
    surroundings: &Surroundings,
    events: EventSender,
    cancel: CancellationToken,
) -> Result<Plan, JobError> {
    let JobSpec {
        mut graph,
        parallelism,
        storage,
        checkpoint_interval,
        mode,
        restore,
        first_epoch: least,
        idle_timeout,
        record_clock,
    } = spec;
    let transactional = checkpoint_interval.is_some() && mode == CheckpointMode::ExactlyOnce;
    let nodes: Vec<NodeInfo> =
        graph.nodes.iter().map(|node| NodeInfo { id: node.id.clone(), name: node.name.clone() }).collect();
    let counters = graph
        .nodes
        .iter()
        .map(|node| NodeCounters::new(node.id.clone(), node.name.clone(), node.kind.label(), parallelism))
        .collect();
    let sinks = sinks_of(&graph);
    if let Some(manifest) = &restore {
        check_fits(manifest, &nodes)?;
        commit_restored(manifest, &nodes, &sinks).await?;
    }
    for (node, sink) in &sinks {
        let restored = restore.as_ref().map(|manifest| manifest.epoch);
        sink.discard_uncommitted(restored)
            .await
            .map_err(|error| JobError::Connector { name: nodes[node.0].name.clone(), error })?;
    }
    let states = match &restore {
        Some(manifest) => read_states(manifest, &storage).await?,
        None => BTreeMap::new(),
    };
    let sources = take_sources(&mut graph);
    let epoch =
        first_epoch(restore.as_ref().map(|manifest| manifest.epoch), surroundings.clock.now()).max(least);
    let mut builder = Builder {
        sources,
        graph,
        parallelism,
        restore,
        states,
        counters: Arc::new(counters),
        surroundings: surroundings.clone(),
        events,
        cancel,
        epoch,
        transactional,
        idle_timeout,
        record_clock,
        commands: BTreeMap::new(),
    };
    let tasks = builder.tasks(mode).await?;
    let sources = builder.sources.iter().map(|(node, source)| (*node, source.connector.clone())).collect();
    Ok(Plan {
        nodes,
        counters: builder.counters,
        sources,
        sinks,
        tasks,
        commands: builder.commands,
        epoch,
        transactional,
    })
}

fn sinks_of(graph: &Graph) -> BTreeMap<NodeId, SharedSink> {
    let sink = |(index, node): (usize, &crate::graph::Node)| match &node.kind {
        NodeKind::Sink(sink) => Some((NodeId(index), sink.clone())),
        _ => None,
    };
    graph.nodes.iter().enumerate().filter_map(sink).collect()
}

/// Moves the sources out of the graph; maps without effect take their place, so that chains stay the same.
fn take_sources(graph: &mut Graph) -> BTreeMap<NodeId, Arc<SourceNode>> {
    let mut sources = BTreeMap::new();
    for (index, node) in graph.nodes.iter_mut().enumerate() {
        if matches!(node.kind, NodeKind::Source(_)) {
            let nothing = NodeKind::Operator(Arc::new(Evaluator::new(None, None)));
            if let NodeKind::Source(source) = std::mem::replace(&mut node.kind, nothing) {
                sources.insert(NodeId(index), Arc::new(source));
            }
        }
    }
    sources
}

fn check_fits(manifest: &Manifest, nodes: &[NodeInfo]) -> Result<(), JobError> {
    match manifest.operators.keys().find(|id| !nodes.iter().any(|node| node.id == **id)) {
        None => Ok(()),
        Some(id) => {
            Err(JobError::State(format!("it holds state of `{id}`, which the job does not have; {WAY_OUT}")))
        }
    }
}

/// What helps when saved state does not fit.
const WAY_OUT: &str = "run the job afresh or restore its former text";

/// An operator cannot go on from its saved state, mostly because the text of the job was changed.
fn unrestored(id: &str, error: &OperatorError) -> JobError {
    JobError::State(format!(
        "it holds state of `{id}` that the operator cannot go on from: {error}; {WAY_OUT}"
    ))
}

async fn commit_restored(
    manifest: &Manifest,
    nodes: &[NodeInfo],
    sinks: &BTreeMap<NodeId, SharedSink>,
) -> Result<(), JobError> {
    for (node, sink) in sinks {
        let info = &nodes[node.0];
        let Some(state) = manifest.operators.get(&info.id) else { continue };
        let committables = decode_all(&state.committables)?;
        if !committables.is_empty() {
            commit_with_retry(sink, &committables, &info.name).await?;
        }
    }
    Ok(())
}

fn decode_all(texts: &[String]) -> Result<Vec<Vec<u8>>, JobError> {
    texts
        .iter()
        .map(|text| BASE64.decode(text).map_err(|e| JobError::State(format!("sink state: {e}"))))
        .collect()
}

async fn read_states(
    manifest: &Manifest,
    storage: &CheckpointStorage,
) -> Result<BTreeMap<String, Vec<Vec<u8>>>, JobError> {
    let mut states = BTreeMap::new();
    for (id, operator) in manifest.operators.iter().filter(|(_, operator)| !operator.files.is_empty()) {
        let mut by_subtask = vec![Vec::new(); manifest.parallelism];
        for file in &operator.files {
            let bytes = storage.read_state(manifest.epoch, file).await?;
            if let Some(state) = by_subtask.get_mut(file.subtask) {
                *state = bytes.to_vec();
            }
        }
        states.insert(id.clone(), by_subtask);
    }
    Ok(states)
}

impl Builder {
    async fn tasks(&mut self, mode: CheckpointMode) -> Result<Vec<ReadyTask>, JobError> {
        let chains = self.chains();
        let mut splits: BTreeMap<usize, Vec<Vec<SplitState>>> = BTreeMap::new();
        for (index, nodes) in chains.iter().enumerate() {
            if let Some(source) = self.sources.get(&nodes[0]).cloned() {
                splits.insert(index, self.assign_splits(nodes[0], &source).await?);
            }
        }
        let mut wirings = self.wire(&chains, &splits);
        let mut tasks = Vec::new();
        for (index, nodes) in chains.iter().enumerate() {
            for subtask in 0..self.parallelism {
                let id = TaskId { chain: index, subtask };
                let wiring = std::mem::take(&mut wirings[index][subtask]);
                let chain = self.chain(nodes, subtask, wiring.outputs).await?;
                let name = self.graph.node(nodes[0]).name.clone();
                let run = match splits.get(&index) {
                    Some(splits) => {
                        let (task, reader) =
                            self.source_task(id, nodes[0], chain, splits[subtask].clone()).await?;
                        task.run(reader).boxed()
                    }
                    None => {
                        let aligned = mode == CheckpointMode::ExactlyOnce;
                        let (events, cancel) = (self.events.clone(), self.cancel.clone());
                        OperatorTask::new(id, chain, wiring.receivers, aligned, events, cancel).run().boxed()
                    }
                };
                tasks.push(self.ready(id, name, run));
            }
        }
        Ok(tasks)
    }

    /// Wraps a task so that its failure, also a panic, reaches the coordinator.
    fn ready(&self, id: TaskId, name: String, run: BoxFuture<'static, Result<(), TaskError>>) -> ReadyTask {
        let events = self.events.clone();
        let failed_name = name.clone();
        let future = async move {
            let error = match AssertUnwindSafe(run).catch_unwind().await {
                Ok(Ok(()) | Err(TaskError::Cancelled)) => return,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the operator panicked; this is a bug, see the log of the worker".to_string(),
            };
            let _ = events.send(TaskEvent::Failed { name: failed_name, error }).await;
        };
        ReadyTask { id, name: format!("{name} ({})", id.subtask), future: future.boxed() }
    }

    fn chains(&self) -> Vec<Vec<NodeId>> {
        self.graph.chains(self.parallelism)
    }

    /// Makes the channels between chains. Writers stand before their readers.
    fn wire(
        &self,
        chains: &[Vec<NodeId>],
        splits: &BTreeMap<usize, Vec<Vec<SplitState>>>,
    ) -> Vec<Vec<Wiring>> {
        let chain_of = |node: NodeId| chains.iter().position(|chain| chain.contains(&node)).unwrap_or(0);
        let mut wirings: Vec<Vec<Wiring>> =
            chains.iter().map(|_| (0..self.parallelism).map(|_| Wiring::default()).collect()).collect();
        for (reader, nodes) in chains.iter().enumerate() {
            for (place, input) in self.graph.node(nodes[0]).inputs.iter().enumerate() {
                let writer = chain_of(input.from);
                let keys = match &input.exchange {
                    Exchange::Hash(keys) if self.parallelism > 1 => Some(keys),
                    _ => None,
                };
                for from in 0..self.parallelism {
                    let readers = if keys.is_some() { 0..self.parallelism } else { from..from + 1 };
                    let rows = wirings[writer][from].rows.unwrap_or(Rows::Possible);
                    let mut senders = Vec::new();
                    for to in readers {
                        let (sender, receiver) = channel();
                        senders.push(sender);
                        wirings[reader][to].receivers.push(TaskInput { input: place, receiver, rows });
                    }
                    wirings[writer][from].outputs.push(OutputEdge { senders, keys: keys.cloned() });
                }
            }
            for (subtask, wiring) in wirings[reader].iter_mut().enumerate() {
                let possible = match splits.get(&reader) {
                    Some(splits) => !splits[subtask].is_empty(),
                    None => wiring.receivers.iter().any(|from| from.rows == Rows::Possible),
                };
                wiring.rows = Some(if possible { Rows::Possible } else { Rows::Never });
            }
        }
        wirings
    }

    async fn chain(
        &self,
        nodes: &[NodeId],
        subtask: usize,
        outputs: Vec<OutputEdge>,
    ) -> Result<Chain, JobError> {
        // Each chain has a clock of its own: how far another one has got must not show.
        let record_clock =
            self.record_clock.as_ref().map(|clock| ManualClock::new(Timestamp(clock.start_ms)));
        let clock: Arc<dyn Clock> = match &record_clock {
            Some(clock) => Arc::new(clock.clone()),
            None => self.surroundings.clock.clone(),
        };
        let mut links = Vec::new();
        let mut sink = None;
        let mut lookup = None;
        for id in nodes.iter().filter(|id| !self.sources.contains_key(id)) {
            let node = self.graph.node(*id);
            let counters = self.counters[id.0].subtasks[subtask].clone();
            let sources = self.graph.sources_of(*id).join(", ");
            if let NodeKind::Sink(connector) = &node.kind {
                let context = self.writer_context(&node.id, subtask)?;
                let writer = connector
                    .open(context)
                    .await
                    .map_err(|error| JobError::Connector { name: node.name.clone(), error })?;
                let (connector, transactional) = (connector.clone(), self.transactional);
                let flushes = self.epoch;
                sink = Some(SinkTail { node: *id, connector, writer, counters, transactional, flushes });
                continue;
            }
            if let NodeKind::Lookup(spec) = &node.kind {
                lookup = Some(LookupHead {
                    name: node.name.clone(),
                    sources,
                    join: LookupJoin::new(Arc::clone(spec)),
                    counters,
                    clock: self.surroundings.clock.clone(),
                    cancel: self.cancel.clone(),
                    reports_memory: subtask == 0,
                });
                continue;
            }
            let operator = self.operator(*id, subtask, &clock)?;
            links.push(ChainLink { node: *id, sources, operator, counters });
        }
        let head = self.counters[nodes[0].0].subtasks[subtask].clone();
        let dirty = self.surroundings.dirty.clone();
        let (cancel, epoch) = (self.cancel.clone(), self.epoch);
        Ok(Chain { lookup, links, sink, outputs, head, dirty, clock, record_clock, cancel, epoch })
    }

    fn operator(
        &self,
        id: NodeId,
        subtask: usize,
        clock: &Arc<dyn Clock>,
    ) -> Result<Box<dyn Operator>, JobError> {
        let node = self.graph.node(id);
        let NodeKind::Operator(spec) = &node.kind else {
            return Err(JobError::State(format!("`{}` is not an operator", node.name)));
        };
        let context = OperatorContext { clock: clock.clone(), idle_timeout: self.idle_timeout };
        let mut operator = spec.operator(&context)?;
        if let Some(states) = self.states.get(&node.id) {
            let range = KeyRange { subtask, parallelism: self.parallelism };
            operator.restore(states, &range).map_err(|error| unrestored(&node.id, &error))?;
        }
        Ok(operator)
    }

    fn saved(&self, id: &str) -> Option<&OperatorState> {
        self.restore.as_ref()?.operators.get(id)
    }

    fn writer_context(&self, id: &str, subtask: usize) -> Result<WriterContext, JobError> {
        let states = match self.saved(id) {
            Some(saved) => decode_all(&saved.writers)?
                .into_iter()
                .enumerate()
                .filter(|(index, _)| index % self.parallelism == subtask)
                .map(|(_, state)| state)
                .collect(),
            None => Vec::new(),
        };
        let restored_epoch = self.restore.as_ref().map(|manifest| manifest.epoch);
        Ok(WriterContext { subtask, parallelism: self.parallelism, restored_epoch, states })
    }

    /// Deals the splits of a source out to its subtasks: those of the checkpoint, then new ones.
    async fn assign_splits(&self, id: NodeId, source: &SourceNode) -> Result<Vec<Vec<SplitState>>, JobError> {
        let node = self.graph.node(id);
        let mut splits = self.saved(&node.id).map(|saved| saved.splits.clone()).unwrap_or_default();
        if self.restore.is_some() && source.connector.is_bounded() {
            // What has appeared since the job began is not part of its input.
            return Ok(self.deal(splits));
        }
        let known = source
            .connector
            .splits()
            .await
            .map_err(|error| JobError::Connector { name: node.name.clone(), error })?;
        let restored = self.restore.is_some();
        // A set, because a directory may hold a hundred thousand objects.
        let saved: BTreeSet<String> = splits.iter().map(|saved| saved.split.id.clone()).collect();
        for mut split in known {
            if !saved.contains(&split.id) {
                if restored {
                    // It came into being while the job ran: everything in it is new.
                    split.position = None;
                }
                splits.push(SplitState { split, generator: None, records: 0 });
            }
        }
        Ok(self.deal(splits))
    }

    fn deal(&self, mut splits: Vec<SplitState>) -> Vec<Vec<SplitState>> {
        splits.sort_by(|a, b| a.split.id.cmp(&b.split.id));
        let mut assigned = vec![Vec::new(); self.parallelism];
        for (index, split) in splits.into_iter().enumerate() {
            assigned[index % self.parallelism].push(split);
        }
        assigned
    }

    async fn source_task(
        &mut self,
        id: TaskId,
        node: NodeId,
        chain: Chain,
        splits: Vec<SplitState>,
    ) -> Result<(SourceTask, Box<dyn SourceReader>), JobError> {
        let source = self.sources[&node].clone();
        let name = self.graph.node(node).name.clone();
        let reader = source
            .connector
            .open(splits.iter().map(|state| state.split.clone()).collect())
            .await
            .map_err(|error| JobError::Connector { name: name.clone(), error })?;
        let (sender, commands) = mpsc::channel(4);
        self.commands.insert(id, sender);
        let task = SourceTask {
            id,
            node,
            name,
            source,
            chain,
            counters: self.counters[node.0].subtasks[id.subtask].clone(),
            splits,
            commands,
            events: self.events.clone(),
            cancel: self.cancel.clone(),
            clock: self.surroundings.clock.clone(),
            record_clock: self.record_clock.clone(),
            idle_timeout: self.idle_timeout,
        };
        Ok((task, reader))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_that_does_not_fit_names_its_operator_and_what_to_do() {
        let error = OperatorError::State("the saved groups are not those of the job".to_string());
        assert_eq!(
            unrestored("group-1", &error).to_string(),
            "the checkpoint does not fit the job: it holds state of `group-1` that the operator cannot go on from: \
             the saved groups are not those of the job; run the job afresh or restore its former text"
        );
    }
}
