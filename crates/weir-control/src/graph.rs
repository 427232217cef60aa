//! The execution graph as the API answers it: what the runtime stored, with the members that change.

use serde_json::{Map, Value, json};
use weir_base::time::Timestamp;
use weir_store::JobRecord;

use crate::status::Status;

/// Returns the graph, an array with one object, with identity, state and times of the job filled in.
pub(crate) fn with_state(stored: Value, job: &JobRecord, status: Status, now: Timestamp) -> Value {
    let mut graph = match stored {
        Value::Array(items) => match items.into_iter().next() {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        },
        Value::Object(object) => object,
        _ => Map::new(),
    };
    let end = if status.is_transient() || status == Status::Running { None } else { job.facts.stopped_at };
    let start = job.facts.start_time;
    graph.insert("jid".into(), json!(format!("{:032x}", job.id.0)));
    graph.insert("name".into(), json!(job.definition.name));
    graph.insert("isStoppable".into(), json!(status.can_stop()));
    graph.insert("state".into(), json!(state_name(status)));
    graph.insert("start-time".into(), json!(start));
    graph.insert("end-time".into(), json!(end.map_or(-1, |end| end.0)));
    graph.insert("duration".into(), json!(weir_base::time::millis(end.unwrap_or(now).since(start))));
    Value::Array(vec![Value::Object(graph)])
}

fn state_name(status: Status) -> &'static str {
    match status {
        Status::Init | Status::Downloading | Status::Idle => "CREATED",
        Status::Submitting | Status::ArrearageRecovering => "INITIALIZING",
        Status::Running | Status::Savepointing => "RUNNING",
        Status::SubmitFail | Status::RunningException => "FAILED",
        Status::Canceling | Status::CancelFail => "CANCELLING",
        Status::CancelSuccess => "CANCELED",
        Status::Finish => "FINISHED",
        Status::ArrearageStopped => "SUSPENDED",
    }
}
