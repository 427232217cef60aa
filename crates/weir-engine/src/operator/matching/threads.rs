//! The threads of an attempt to match: the ways of the automaton that are still open, in order of preference.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use datafusion_common::ScalarValue;

use super::path::{Path, Read};
use super::program::{Explorer, Program};
use crate::operator::OperatorError;

/// The greatest number of threads of an attempt. Only conditions that look at earlier rows of a match can make
/// threads that differ in more than their node, and a pattern that makes so many is a mistake.
pub(super) const MAX_THREADS: usize = 10_000;

/// One open way.
#[derive(Debug)]
pub(super) struct Thread {
    /// The node that takes the next row.
    pub(super) node: u32,
    pub(super) path: Path,
    /// The aggregates that conditions look at, as far as they have been computed.
    pub(super) folds: Option<Arc<[Fold]>>,
}

/// An aggregate over the rows of a variable before `upto`.
#[derive(Debug, Clone, Default)]
pub(super) struct Fold {
    pub(super) upto: u32,
    pub(super) state: Option<Vec<ScalarValue>>,
}

/// A complete match: its path and the number of its rows.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) path: Path,
    pub(super) end: u32,
}

/// Moves threads on. Shared by the attempts of all partitions.
pub(super) struct Stepper {
    pub(super) program: Program,
    explorer: Explorer,
    /// For each node, which of `sets` later conditions may read.
    live: Vec<u32>,
    sets: Vec<Vec<Read>>,
    /// Whether any condition reads earlier rows of a match.
    reads: bool,
    next: Vec<Thread>,
    /// Threads of `next` that may be the same: the last one with a fingerprint, and the one before it.
    last_alike: HashMap<u64, u32>,
    before_alike: Vec<u32>,
}

const NOBODY: u32 = u32::MAX;

impl Stepper {
    /// `reads` tells what the condition of each variable reads of the rows before the one it is about.
    pub(super) fn new(program: Program, reads: &[Vec<Read>]) -> Self {
        let (live, sets) = live_reads(&program, reads);
        Self {
            explorer: Explorer::new(&program),
            reads: reads.iter().any(|reads| !reads.is_empty()),
            program,
            live,
            sets,
            next: Vec::new(),
            last_alike: HashMap::new(),
            before_alike: Vec::new(),
        }
    }

    /// Returns how many nodes have been looked at so far.
    pub(super) fn steps(&self) -> u64 {
        self.explorer.steps()
    }

    /// Begins an attempt. Returns the match of no row when the pattern prefers it to what the threads may find.
    pub(super) fn begin(&mut self, threads: &mut Vec<Thread>) -> Option<Accepted> {
        self.explorer.forget();
        let complete = self.explorer.explore(&self.program, self.program.start, |node| {
            threads.push(Thread { node, path: Path::EMPTY, folds: None });
        });
        complete.then_some(Accepted { path: Path::EMPTY, end: 0 })
    }

    /// Takes the row at `at`, counted from the first of the attempt; `takes` tells whether the thread of a number can.
    pub(super) fn step(
        &mut self,
        threads: &mut Vec<Thread>,
        accepted: &mut Option<Accepted>,
        at: u32,
        takes: impl Fn(usize) -> bool,
    ) -> Result<(), OperatorError> {
        self.last_alike.clear();
        self.before_alike.clear();
        self.explorer.forget();
        let end = at + 1;
        for (number, thread) in threads.drain(..).enumerate() {
            if !takes(number) {
                continue;
            }
            let variable = self.program.variable(thread.node);
            let path = thread.path.then(variable as u16, at);
            if self.reads {
                self.explorer.forget();
            }
            let [Some(from), _] = self.program.after(thread.node) else { continue };
            let (live, sets, next) = (&self.live, &self.sets, &mut self.next);
            let (last_alike, before_alike) = (&mut self.last_alike, &mut self.before_alike);
            let reads = self.reads;
            let complete = self.explorer.explore(&self.program, from, |node| {
                if reads {
                    let read = &sets[live[node as usize] as usize];
                    let last = last_alike.entry(fingerprint(node, &path, end, read)).or_insert(NOBODY);
                    let mut other = *last;
                    while other != NOBODY {
                        let twin = &next[other as usize];
                        if twin.node == node && read.iter().all(|read| twin.path.agrees(&path, end, *read)) {
                            return;
                        }
                        other = before_alike[other as usize];
                    }
                    before_alike.push(*last);
                    *last = next.len() as u32;
                }
                next.push(Thread { node, path: path.clone(), folds: thread.folds.clone() });
            });
            if complete {
                // What follows in the list is less preferred than this.
                *accepted = Some(Accepted { path, end });
                break;
            }
            if self.next.len() > MAX_THREADS {
                self.next.clear();
                return Err(OperatorError::Pattern(format!(
                    "a row pattern has more than {MAX_THREADS} partial matches that begin with the same row: let fewer rows \
                     fit several variables, or look at fewer earlier rows in `DEFINE`"
                )));
            }
        }
        std::mem::swap(threads, &mut self.next);
        Ok(())
    }
}

fn fingerprint(node: u32, path: &Path, end: u32, reads: &[Read]) -> u64 {
    let mut hasher = DefaultHasher::new();
    node.hash(&mut hasher);
    for read in reads {
        path.fingerprint(end, *read).hash(&mut hasher);
    }
    hasher.finish()
}

/// Returns for each node what the conditions at it and after it read, as numbers of sets.
fn live_reads(program: &Program, reads: &[Vec<Read>]) -> (Vec<u32>, Vec<Vec<Read>>) {
    let mut distinct: Vec<Read> = Vec::new();
    for read in reads.iter().flatten() {
        if !distinct.contains(read) {
            distinct.push(*read);
        }
    }
    let words = distinct.len().div_ceil(64);
    let mut live = vec![vec![0_u64; words]; program.nodes.len()];
    for (node, live) in live.iter_mut().enumerate() {
        for read in reads.get(program.variable(node as u32)).into_iter().flatten() {
            let place = distinct.iter().position(|other| other == read).unwrap_or_default();
            live[place / 64] |= 1 << (place % 64);
        }
    }
    let mut changed = words > 0;
    while changed {
        changed = false;
        for node in 0..live.len() {
            for after in program.after(node as u32).into_iter().flatten() {
                let of_after = live[after as usize].clone();
                for (own, others) in live[node].iter_mut().zip(of_after) {
                    changed |= *own | others != *own;
                    *own |= others;
                }
            }
        }
    }
    let mut numbers: HashMap<Vec<u64>, u32> = HashMap::new();
    let mut sets = Vec::new();
    let live = live
        .into_iter()
        .map(|bits| {
            *numbers.entry(bits).or_insert_with_key(|bits| {
                let is_live = |place: &usize| bits[place / 64] >> (place % 64) & 1 == 1;
                sets.push((0..distinct.len()).filter(is_live).map(|place| distinct[place]).collect());
                (sets.len() - 1) as u32
            })
        })
        .collect();
    (live, sets)
}
