//! The execution graph of a job as the API answers it.

use serde_json::{Value, json};
use weir_base::time::Timestamp;
use weir_engine::graph::{Graph, NodeKind};

/// Makes the graph document: an array with one object.
pub fn execution_graph(
    graph: &Graph,
    job_id: i64,
    name: &str,
    parallelism: usize,
    started: Timestamp,
) -> Value {
    let number = |index: usize| index + 1;
    let nodes: Vec<Value> = graph
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let inputs: Vec<Value> = node
                .inputs
                .iter()
                .enumerate()
                .map(|(num, input)| {
                    json!({
                        "num": num,
                        "id": number(input.from.0).to_string(),
                        "ship_strategy": input.exchange.to_string(),
                        "exchange": "pipelined_bounded",
                    })
                })
                .collect();
            json!({
                "id": number(index).to_string(),
                "parallelism": parallelism,
                "operator": node.name,
                "operator_strategy": node.kind.label(),
                "description": node.description,
                "chain_operators_id": [node.id],
                "inputs": inputs,
                "optimizer_properties": {},
            })
        })
        .collect();
    let operators: Vec<Value> = graph
        .nodes
        .iter()
        .map(|node| {
            let (kind, tags) = match &node.kind {
                NodeKind::Source(_) => ("Source", ""),
                NodeKind::Sink(_) => ("Sink", "[SINK]"),
                _ => ("operator", "[PROCESS]"),
            };
            let inputs: Vec<&str> =
                node.inputs.iter().map(|input| graph.node(input.from).id.as_str()).collect();
            json!({
                "id": node.id,
                "name": node.name,
                "type": kind,
                "contents": node.description,
                "parallelism": parallelism,
                "tags": tags,
                "input_operators_id": inputs,
            })
        })
        .collect();
    json!([{
        "jid": format!("{job_id:032x}"),
        "name": name,
        "isStoppable": true,
        "state": "RUNNING",
        "start-time": started.0,
        "end-time": -1,
        "duration": 0,
        "nodes": nodes,
        "operator_list": operators,
    }])
}
