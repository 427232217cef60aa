//! How rows flow from one INSERT statement of a job to another.
//!
//! It tells in which order they are planned: what fills a temp stream before what reads it, because the
//! clock of its event time is that of what fills it. In the text they may stand in any order.

use std::collections::{HashMap, HashSet};

use crate::syntax::ast::{InsertInto, Name};

/// An INSERT, and how many streams of each kind are declared before it.
pub(super) struct Pending<'a> {
    pub(super) insert: &'a InsertInto,
    pub(super) sources: usize,
    pub(super) temps: usize,
    pub(super) sinks: usize,
    pub(super) tables: usize,
}

/// Returns the INSERT statements as indices, each after those that fill what it reads. Those of a cycle, which a job
/// cannot have, come in any order.
pub(super) fn order(pending: &[Pending<'_>]) -> Vec<usize> {
    let mut filling: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, Pending { insert, .. }) in pending.iter().enumerate() {
        filling.entry(insert.target.value.to_lowercase()).or_default().push(index);
    }
    let mut order = Vec::with_capacity(pending.len());
    let mut seen = vec![false; pending.len()];
    // A stack of its own: a job may have thousands of temp streams in a row.
    let mut stack = Vec::new();
    for start in 0..pending.len() {
        stack.push((start, false));
        while let Some((index, inputs_are_done)) = stack.pop() {
            if inputs_are_done {
                order.push(index);
                continue;
            }
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            stack.push((index, true));
            // What fills a stream is needed once.
            let tables = pending[index].insert.tables.iter();
            let inputs = tables.filter_map(|table| filling.remove(&table.value.to_lowercase())).flatten();
            stack.extend(inputs.map(|input| (input, false)));
        }
    }
    order
}

/// Returns the first target that is filled from itself; `read` has the target of each INSERT and the streams it reads.
pub(super) fn cycle(read: &[(Name, Vec<String>)]) -> Option<&Name> {
    let mut inputs: HashMap<String, Vec<String>> = HashMap::new();
    for (target, names) in read {
        let names = names.iter().map(|name| name.to_lowercase());
        inputs.entry(target.value.to_lowercase()).or_default().extend(names);
    }
    // Streams from which no cycle is reached.
    let mut done: HashSet<&str> = HashSet::new();
    for (target, _) in read {
        let start = target.value.to_lowercase();
        let Some((start, names)) =
            inputs.get_key_value(&start).filter(|(start, _)| !done.contains(start.as_str()))
        else {
            continue;
        };
        // The streams from the first to the one looked at, each with those that it reads and that are still to follow.
        let mut path = vec![(start.as_str(), names.iter())];
        while let Some((name, next)) = path.last_mut() {
            let Some(input) = next.next() else {
                done.insert(name);
                path.pop();
                continue;
            };
            if let Some(first) = path.iter().position(|(name, _)| name == input) {
                let of_cycle = |target: &str| path[first..].iter().any(|(name, _)| *name == target);
                let mut targets = read.iter().map(|(target, _)| target);
                return targets.find(|target| of_cycle(&target.value.to_lowercase()));
            }
            if let Some((input, inputs)) = inputs.get_key_value(input)
                && !done.contains(input.as_str())
            {
                path.push((input, inputs.iter()));
            }
        }
    }
    None
}
