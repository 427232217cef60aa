//! A job as the dataflow that the embedded engine runs.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_base::settings::JobSettings;
use weir_cloud::objects::{Objects, ObjectsConfig};
use weir_cloud::streams::LocalStreams;
use weir_connectors::{Environment, FileAccess, LogPrint, Network};
use weir_engine::graph::{Exchange, Graph, NodeId, NodeKind};
use weir_engine::sink::Guarantee;
use weir_sql::Job;

use crate::commands::text::clean;
use crate::commands::{Exit, Outcome};

/// Prints the operators of a job in the order in which rows pass them.
pub fn explain(job: &Job, time_zone: String, parallelism: usize, json: bool) -> Outcome {
    let place = tempfile::tempdir().context("no temporary directory can be made")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let streams = LocalStreams::open(&place.path().join("streams"), clock.clone());
    let environment = Environment {
        objects: Objects::new(ObjectsConfig::Local(place.path().join("objects"))),
        streams: Arc::new(streams.map_err(anyhow::Error::new)?),
        project: "explain".to_string(),
        job: "explain".to_string(),
        run: clock.now(),
        files: FileAccess::Anywhere,
        settings: JobSettings { parallelism, time_zone, ..JobSettings::default() },
        network: Network::default(),
        clock: clock.clone(),
        print: Arc::new(LogPrint::new(clock)),
        gateway: None,
        sinks: HashMap::new(),
        sources: HashMap::new(),
    };
    let graph =
        weir_runtime::dataflow(job, "0", &environment.settings, &environment).map_err(anyhow::Error::new)?;
    match json {
        true => println!("{}", as_json(&graph, parallelism)),
        false => print!("{}", clean(&as_text(&graph, parallelism))),
    }
    Ok(Exit::Done)
}

fn as_text(graph: &Graph, parallelism: usize) -> String {
    let mut text = format!("parallelism {parallelism}\n");
    for (index, node) in graph.nodes.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{} {}", index + 1, node.name);
        if node.description != node.name && !node.description.is_empty() {
            let _ = writeln!(text, "    {}", node.description);
        }
        for input in &node.inputs {
            let _ = writeln!(
                text,
                "    reads {} ({}{}){}",
                input.from.0 + 1,
                graph.node(input.from).name,
                if graph.is_changelog(input.from) { ", changelog" } else { ", append" },
                exchange(&input.exchange)
            );
        }
        if let Some(keeps) = keeps(&node.kind) {
            let _ = writeln!(text, "    keeps {keeps}");
        }
        if let Some(guarantee) = guarantee(&node.kind) {
            let _ = writeln!(text, "    guarantee with checkpoints: {guarantee}");
        }
    }
    text
}

fn as_json(graph: &Graph, parallelism: usize) -> Value {
    let nodes: Vec<Value> = graph
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let inputs: Vec<Value> = node
                .inputs
                .iter()
                .map(|input| json!({ "from": input.from.0 + 1, "exchange": input.exchange.to_string() }))
                .collect();
            json!({
                "number": index + 1,
                "id": node.id,
                "name": node.name,
                "description": node.description,
                "inputs": inputs,
                "changelog": graph.is_changelog(NodeId(index)),
                "keeps": keeps(&node.kind),
                "guarantee": guarantee(&node.kind),
            })
        })
        .collect();
    json!({ "parallelism": parallelism, "operators": nodes })
}

fn exchange(exchange: &Exchange) -> String {
    match exchange {
        Exchange::Forward => String::new(),
        Exchange::Hash(keys) if keys.is_empty() => ", all rows to one subtask".to_string(),
        Exchange::Hash(_) => ", by the hash of its keys".to_string(),
    }
}

fn keeps(kind: &NodeKind) -> Option<String> {
    match kind {
        NodeKind::Operator(spec) => spec.keeps(),
        NodeKind::Source(_) => Some("its read positions".to_string()),
        _ => None,
    }
}

fn guarantee(kind: &NodeKind) -> Option<&'static str> {
    let NodeKind::Sink(sink) = kind else { return None };
    Some(match sink.guarantee() {
        Guarantee::ExactlyOnce => "exactly once",
        Guarantee::AtLeastOnce => "at least once",
    })
}
