//! The dataflow of a job as a planner describes it: nodes, and how rows travel between them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use crate::operator::{LookupSpec, OperatorSpec};
use crate::sink::SharedSink;
use crate::source::SharedSource;
use crate::time_column::TimeColumn;
use crate::watermark::Strategy;

/// Index of a node in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// How rows travel from one node to the next.
#[derive(Clone)]
pub enum Exchange {
    /// From each subtask to the subtask of the same number.
    Forward,
    /// To the subtask that owns the key.
    Hash(Vec<Arc<dyn PhysicalExpr>>),
}

/// An input of a node.
#[derive(Clone)]
pub struct Input {
    /// The node it comes from.
    pub from: NodeId,
    /// How.
    pub exchange: Exchange,
}

/// A declared source with its time attributes.
pub struct SourceNode {
    /// Reads the rows.
    pub connector: SharedSource,
    /// Event time: the column and how watermarks are made.
    pub event_time: Option<(TimeColumn, Strategy)>,
    /// Whether a column with the processing time follows the declared ones.
    pub proctime: bool,
    /// Whether the job has windows on processing time, which need to be told how it passes.
    pub processing_time: bool,
    /// Whether the hidden row-watermark column follows, for operators that drop late rows.
    pub row_watermark: bool,
    /// Columns given out.
    pub schema: SchemaRef,
}

/// What a node does.
pub enum NodeKind {
    /// Reads.
    Source(SourceNode),
    /// Turns rows into rows. An operator that does not ask which input a row comes from reads several as UNION ALL.
    Operator(Arc<dyn OperatorSpec>),
    /// Joins with a dimension table. It waits for the table, so that it always begins a chain.
    Lookup(Arc<LookupSpec>),
    /// Writes.
    Sink(SharedSink),
}

/// A step of the dataflow.
pub struct Node {
    /// Stable id made from what the node means, so that an edited job can find its state again.
    pub id: String,
    /// Shown name, such as `Source: DIS_7_CARS`.
    pub name: String,
    /// What it does, for the execution graph.
    pub description: String,
    /// What it does.
    pub kind: NodeKind,
    /// Where its rows come from; empty for sources.
    pub inputs: Vec<Input>,
}

/// The dataflow of a job. Inputs refer to earlier nodes only.
#[derive(Default)]
pub struct Graph {
    /// The nodes.
    pub nodes: Vec<Node>,
    changelogs: BTreeSet<NodeId>,
}

impl Graph {
    /// Returns the names of the sources whose rows a node sees, each once, in their order.
    pub(crate) fn sources_of(&self, id: NodeId) -> Vec<&str> {
        let (mut seen, mut open, mut names) = (BTreeSet::new(), vec![id], Vec::new());
        while let Some(id) = open.pop() {
            let node = self.node(id);
            if !seen.insert(id.0) {
                continue;
            }
            if node.inputs.is_empty() {
                names.push((id.0, node.name.as_str()));
            }
            open.extend(node.inputs.iter().map(|input| input.from));
        }
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// Adds a node whose inputs are in the graph already.
    pub fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    /// Notes that the rows which a node gives out are a changelog: some withdraw earlier ones.
    pub fn mark_changelog(&mut self, id: NodeId) {
        self.changelogs.insert(id);
    }

    /// Returns whether the rows which a node gives out are a changelog.
    pub fn is_changelog(&self, id: NodeId) -> bool {
        self.changelogs.contains(&id)
    }

    /// Returns a node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Returns the nodes that read from `id`.
    pub fn consumers(&self, id: NodeId) -> Vec<NodeId> {
        let reads = |node: &Node| node.inputs.iter().any(|input| input.from == id);
        (0..self.nodes.len()).map(NodeId).filter(|consumer| reads(self.node(*consumer))).collect()
    }

    /// Groups nodes into chains: a node joins the chain of its only input when it is the only
    /// reader of it, no exchange is needed and it does not wait for others than its input. Every chain runs as one task per subtask.
    pub(crate) fn chains(&self, parallelism: usize) -> Vec<Vec<NodeId>> {
        let mut chains: Vec<Vec<NodeId>> = Vec::new();
        for id in (0..self.nodes.len()).map(NodeId) {
            let node = self.node(id);
            let previous = match node.inputs.as_slice() {
                _ if matches!(node.kind, NodeKind::Lookup(_)) => None,
                [input] if parallelism == 1 || matches!(input.exchange, Exchange::Forward) => {
                    (self.consumers(input.from).len() == 1).then_some(input.from)
                }
                _ => None,
            };
            let chain =
                previous.and_then(|previous| chains.iter_mut().find(|chain| chain.last() == Some(&previous)));
            match chain {
                Some(chain) => chain.push(id),
                None => chains.push(vec![id]),
            }
        }
        chains
    }
}

impl NodeKind {
    /// Returns `source`, `sink` or `operator`.
    pub fn label(&self) -> &'static str {
        match self {
            NodeKind::Source(_) => "source",
            NodeKind::Sink(_) => "sink",
            _ => "operator",
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Exchange::Forward => "FORWARD",
            Exchange::Hash(_) => "HASH",
        })
    }
}
