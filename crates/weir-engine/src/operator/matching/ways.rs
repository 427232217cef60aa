//! Attempts to match whose conditions do not depend on the match.
//!
//! Whether a match can be found from a node and a row on, and which one, is then the same for every attempt that gets
//! there, so no attempt looks for what an earlier one has found out. Of each row from the start of the attempt on are
//! remembered
//!
//! - the nodes at which it was waited for: the trail. An attempt that waits for a row at the same nodes as the one
//!   before it goes on where that one stopped;
//! - the nodes from which no match follows, when all ways of an attempt have ended by themselves;
//! - the nodes from which the preferred match is known, and the node of the next row on the way to it.
//!
//! So a partition takes a number of steps that grows with its rows and the nodes of the pattern, not with the product
//! of rows and attempts. Only an attempt that `WITHIN` cuts short finds out nothing but its trail. Which row is mapped
//! to which variable is not kept while rows come: it is found backwards, along the trail, when there is a match.

use std::collections::{HashSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion_common::DataFusionError;

use super::definitions::Definitions;
use super::partition::KeptRow;
use super::path::Path;
use super::program::{Explorer, Program};
use super::threads::Accepted;
use crate::operator::OperatorError;

/// The greatest number of bytes that the lists of one partition may take. A list is shared by the rows that have the
/// same one, so that only a pattern of very many variables, each row of which is waited for at other nodes, comes here.
const MAX_LIST_BYTES: usize = 256 << 20;

/// Nodes in the lists that are looked up to be shared.
const MAX_SHARED_NODES: usize = 1 << 16;

/// What follows the last node of a match.
const END: u32 = u32::MAX;

/// What is known of a row, as an attempt can come to it.
#[derive(Debug, Default)]
struct RowWays {
    /// The nodes at which the last attempt waited for it, in order of preference.
    open: Arc<[u32]>,
    /// The nodes from which no match follows: a bit for each node that takes a row.
    dead: Option<Arc<[u64]>>,
    /// The nodes from which the match is known, with the next node on the way to it.
    won: Vec<(u32, u32)>,
    /// Bytes of the lists that were made for this row.
    bytes: usize,
}

impl RowWays {
    fn is_dead(&self, place: u32) -> bool {
        self.dead.as_ref().is_some_and(|dead| dead[place as usize / 64] >> (place % 64) & 1 == 1)
    }

    fn next_of(&self, node: u32) -> Option<u32> {
        self.won.iter().find(|(of, _)| *of == node).map(|(_, next)| *next)
    }
}

/// A complete match: the number of its rows, and the node that took the last one.
#[derive(Debug, Clone, Copy)]
struct Best {
    end: u32,
    node: u32,
}

/// Rows that an attempt has passed: as far as `end`, each is waited for at the nodes that follow those of the row
/// before.
#[derive(Debug, Clone, Copy)]
struct Trail {
    end: u32,
    best: Option<Best>,
}

/// How the attempt of a partition stands, and what earlier ones have found out. Rows are counted from the first of the
/// attempt.
#[derive(Debug, Default)]
pub(super) struct Ways {
    rows: VecDeque<RowWays>,
    /// The row that is taken next.
    at: u32,
    /// The best match so far; every way left would give a better one.
    best: Option<Best>,
    /// Whether no further row can be part of the match, though one might fit.
    is_cut: bool,
    /// Whether there is no further row.
    has_ended: bool,
    /// What the attempt before has left.
    trail: Option<Trail>,
    /// The greatest time of the first row of an attempt.
    latest: Option<i64>,
    /// Whether the attempt may take as long as all earlier ones, so that it finds what they have found.
    trusts: bool,
    bytes: usize,
}

impl Ways {
    /// Returns the row that is taken next.
    pub(super) fn at(&self) -> u32 {
        self.at
    }

    /// Returns the nodes that may take it.
    pub(super) fn open(&self) -> &[u32] {
        self.rows.get(self.at as usize).map_or(&[], |row| &row.open)
    }

    /// Notes that no later row can be part of the attempt.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Notes that no row follows.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// Returns whether the attempt has found its match or none.
    pub(super) fn is_resolved(&self) -> bool {
        self.is_cut || self.has_ended || self.open().is_empty() || self.has_won()
    }

    fn has_won(&self) -> bool {
        let row = self.rows.get(self.at as usize);
        self.trusts
            && row.is_some_and(|row| row.open.first().is_some_and(|node| row.next_of(*node).is_some()))
    }

    /// Lets the next attempt begin so many rows later.
    pub(super) fn advance(&mut self, rows: u32) {
        for row in self.rows.drain(..self.rows.len().min(rows as usize)) {
            self.bytes -= row.bytes;
        }
        let before = |best: Best| Some(Best { end: best.end.checked_sub(rows)?, ..best });
        self.trail = self.trail.and_then(|trail| {
            Some(Trail { end: trail.end.checked_sub(rows)?, best: trail.best.and_then(before) })
        });
    }

    /// Forgets everything; no attempt is under way.
    pub(super) fn clear(&mut self) {
        if self.rows.capacity() > 0 {
            *self = Self { latest: self.latest, ..Self::default() };
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<RowWays>() + self.bytes
    }

    fn row(&mut self, at: u32) -> &mut RowWays {
        while self.rows.len() <= at as usize {
            self.rows.push_back(RowWays::default());
        }
        &mut self.rows[at as usize]
    }
}

/// Follows a pattern whose conditions do not depend on the match. Shared by the attempts of all partitions.
pub(super) struct Follower {
    explorer: Explorer,
    /// The nodes that take the first row, and whether the pattern is complete without one.
    first: Vec<u32>,
    is_complete: bool,
    /// For each node the bit of its condition; 0 takes every row.
    masks: Vec<u64>,
    /// For each node its number among those that take a row.
    places: Vec<u32>,
    /// Words of a bit for each node that takes a row.
    words: usize,
    /// Whether a later attempt may begin before the end of a match.
    goes_back: bool,
    lists: HashSet<Arc<[u32]>>,
    list_nodes: usize,
    next: Vec<u32>,
}

impl Follower {
    /// Returns what follows a pattern, or `None` when a condition depends on the match.
    pub(super) fn new(program: &Program, definitions: &Definitions, goes_back: bool) -> Option<Self> {
        if definitions.list.iter().any(|definition| definition.past.is_some()) {
            return None;
        }
        let nodes = 0..program.nodes.len() as u32;
        let mut takers = 0;
        let mut places = Vec::with_capacity(program.nodes.len());
        let mut masks = Vec::with_capacity(program.nodes.len());
        for node in nodes {
            let condition = definitions.of_variable.get(program.variable(node));
            masks.push(condition.copied().flatten().map_or(0, |condition| 1 << condition));
            places.push(takers);
            takers += u32::from(condition.is_some());
        }
        let mut explorer = Explorer::new(program);
        let mut first = Vec::new();
        explorer.forget();
        let is_complete = explorer.explore(program, program.start, |node| first.push(node));
        Some(Self {
            explorer,
            first,
            is_complete,
            masks,
            places,
            words: (takers as usize).div_ceil(64),
            goes_back,
            lists: HashSet::new(),
            list_nodes: 0,
            next: Vec::new(),
        })
    }

    /// Returns how many nodes have been looked at so far.
    pub(super) fn steps(&self) -> u64 {
        self.explorer.steps()
    }

    /// Begins an attempt. `time` is that of its first row, when it matters how long a match takes.
    pub(super) fn begin(&mut self, ways: &mut Ways, time: Option<i64>) -> Result<(), OperatorError> {
        ways.trusts = time.is_none_or(|time| ways.latest.is_none_or(|latest| latest <= time));
        ways.latest = ways.latest.max(time);
        ways.at = 0;
        ways.best = self.is_complete.then_some(Best { end: 0, node: END });
        (ways.is_cut, ways.has_ended) = (false, false);
        self.next.clear();
        for node in &self.first {
            if push(&mut self.next, *node, ways.rows.front(), &self.places, ways.trusts) {
                ways.best = None;
                break;
            }
        }
        self.arrive(ways)
    }

    /// Takes the row at the cursor; `fits` tells which conditions it meets.
    pub(super) fn step(
        &mut self,
        program: &Program,
        ways: &mut Ways,
        fits: u64,
    ) -> Result<(), OperatorError> {
        let Some(open) = ways.rows.get(ways.at as usize).map(|row| row.open.clone()) else { return Ok(()) };
        let row = ways.rows.get(ways.at as usize + 1);
        self.explorer.forget();
        self.next.clear();
        for node in open.iter().copied() {
            let mask = self.masks[node as usize];
            let [Some(from), _] = program.after(node) else { continue };
            if mask != 0 && fits & mask == 0 {
                continue;
            }
            let (next, places, trusts) = (&mut self.next, &self.places, ways.trusts);
            let mut won = false;
            let complete = self.explorer.explore(program, from, |node| {
                won = won || push(next, node, row, places, trusts);
            });
            if won {
                // What follows in the list is less preferred than the match that is known.
                break;
            }
            if complete {
                ways.best = Some(Best { end: ways.at + 1, node });
                break;
            }
        }
        ways.at += 1;
        self.arrive(ways)
    }

    /// Notes at which nodes the attempt waits for the row at the cursor, or goes on where an earlier one stopped.
    fn arrive(&mut self, ways: &mut Ways) -> Result<(), OperatorError> {
        let at = ways.at;
        if let Some(trail) = ways.trail.filter(|trail| ways.trusts && at <= trail.end)
            && *ways.row(at).open == *self.next
        {
            ways.trail = None;
            ways.best = trail.best.filter(|best| best.end > at).or(ways.best);
            ways.at = trail.end;
            return Ok(());
        }
        let (list, bytes) = self.shared();
        let row = ways.row(at);
        row.open = list;
        row.bytes += bytes;
        ways.bytes += bytes;
        check(ways.bytes)
    }

    /// Returns the nodes collected as a list, and the bytes newly taken for it.
    fn shared(&mut self) -> (Arc<[u32]>, usize) {
        if let Some(list) = self.lists.get(self.next.as_slice()) {
            return (list.clone(), 0);
        }
        if self.list_nodes > MAX_SHARED_NODES {
            self.lists.clear();
            self.list_nodes = 0;
        }
        let list: Arc<[u32]> = self.next.as_slice().into();
        self.list_nodes += list.len();
        self.lists.insert(list.clone());
        let bytes = size_of_val(&*list);
        (list, bytes)
    }

    /// Ends an attempt and returns its match. `rows` are those of the partition from the first of the attempt on.
    pub(super) fn resolve<'a>(
        &mut self,
        program: &Program,
        ways: &mut Ways,
        rows: impl Iterator<Item = &'a KeptRow>,
    ) -> Result<Option<Accepted>, OperatorError> {
        let at = ways.at;
        let won = ways.open().first().copied().filter(|_| ways.has_won());
        ways.trail = Some(Trail { end: at, best: ways.best });
        let ends_by_itself = !ways.is_cut;
        let best = ways.best.take().filter(|best| best.end > 0);
        // The last row that this attempt itself has found the node of.
        let goal = won.map(|node| (at, node)).or(best.map(|best| (best.end - 1, best.node)));
        let Some((last, node)) = goal else {
            if ends_by_itself {
                self.bury(ways, 1..=at);
            }
            return Ok(None);
        };
        let fits: Vec<u64> = rows.take(last as usize).map(|row| row.fits).collect();
        let mut nodes = self.way_to(program, ways, &fits, node)?;
        if won.is_some() {
            complete(ways, &mut nodes);
        }
        let end = nodes.len() as u32;
        if ends_by_itself {
            if self.goes_back {
                self.note_match(ways, &nodes, last);
            }
            self.bury(ways, end..=at);
        }
        let path = (0..end)
            .zip(&nodes)
            .fold(Path::EMPTY, |path, (at, node)| path.then(program.variable(*node) as u16, at));
        Ok(Some(Accepted { path, end }))
    }

    /// Finds the nodes that have taken the rows before one that is waited for at a node, and adds that node. `fits`
    /// tells which conditions those rows meet.
    fn way_to(
        &mut self,
        program: &Program,
        ways: &Ways,
        fits: &[u64],
        node: u32,
    ) -> Result<Vec<u32>, OperatorError> {
        let mut nodes = vec![node; fits.len() + 1];
        for (at, fits) in fits.iter().enumerate().rev() {
            let row = ways.rows.get(at);
            let before = row.and_then(|row| self.before(program, &row.open, *fits, nodes[at + 1]));
            nodes[at] = before.ok_or_else(|| {
                let bug = "a match of a row pattern has lost its way".to_string();
                OperatorError::Kernel(DataFusionError::Internal(bug))
            })?;
        }
        Ok(nodes)
    }

    /// Returns which of the nodes that wait for a row leads to a node that waits for the next one. It is the first that
    /// gets there, as in [`Follower::step`].
    fn before(&mut self, program: &Program, open: &[u32], fits: u64, next: u32) -> Option<u32> {
        self.explorer.forget();
        for node in open {
            let mask = self.masks[*node as usize];
            let [Some(from), _] = program.after(*node) else { continue };
            if mask != 0 && fits & mask == 0 {
                continue;
            }
            let mut is_found = false;
            self.explorer.explore(program, from, |node| is_found |= node == next);
            if is_found {
                return Some(*node);
            }
        }
        None
    }

    /// Notes of rows after the first how the match goes on from them, and that none follows from nodes that would have
    /// been preferred.
    fn note_match(&self, ways: &mut Ways, nodes: &[u32], last: u32) {
        for at in 1..=last as usize {
            let row = &mut ways.rows[at];
            if row.next_of(nodes[at]).is_none() {
                row.won.push((nodes[at], nodes.get(at + 1).copied().unwrap_or(END)));
                row.bytes += size_of::<(u32, u32)>();
                ways.bytes += size_of::<(u32, u32)>();
            }
            let ahead = row.open.iter().take_while(|node| **node != nodes[at]).count();
            self.bury_first(ways, at, ahead);
        }
    }

    /// Notes that no match follows from the nodes that rows have been waited for at.
    fn bury(&self, ways: &mut Ways, rows: RangeInclusive<u32>) {
        for at in rows {
            let nodes = ways.rows.get(at as usize).map_or(0, |row| row.open.len());
            self.bury_first(ways, at as usize, nodes);
        }
    }

    fn bury_first(&self, ways: &mut Ways, at: usize, nodes: usize) {
        let before = at.checked_sub(1).and_then(|before| ways.rows[before].dead.clone());
        let Some(row) = ways.rows.get_mut(at) else { return };
        let places = row.open[..nodes].iter().map(|node| self.places[*node as usize]);
        if places.clone().all(|place| row.is_dead(place)) {
            return;
        }
        let mut words = row.dead.as_ref().map_or_else(|| vec![0_u64; self.words], |dead| dead.to_vec());
        places.for_each(|place| words[place as usize / 64] |= 1 << (place % 64));
        row.dead = match before {
            Some(before) if *before == *words => Some(before),
            _ => {
                row.bytes += size_of_val(words.as_slice());
                ways.bytes += size_of_val(words.as_slice());
                Some(words.into())
            }
        };
    }
}

/// Adds what follows the last of the nodes on the way to a match that is known.
fn complete(ways: &Ways, nodes: &mut Vec<u32>) {
    while let Some(next) = nodes.last().and_then(|node| ways.rows.get(nodes.len() - 1)?.next_of(*node))
        && next != END
    {
        nodes.push(next);
    }
}

/// Adds a node that may take a row, unless no match follows from it. Returns whether the match from it is known.
fn push(next: &mut Vec<u32>, node: u32, row: Option<&RowWays>, places: &[u32], trusts: bool) -> bool {
    let Some(row) = row else {
        next.push(node);
        return false;
    };
    if row.is_dead(places[node as usize]) {
        return false;
    }
    next.push(node);
    trusts && row.next_of(node).is_some()
}

fn check(bytes: usize) -> Result<(), OperatorError> {
    if bytes <= MAX_LIST_BYTES {
        return Ok(());
    }
    Err(OperatorError::Pattern(format!(
        "the ways to go on with a match of a row pattern take more than {} MiB in one partition: add `WITHIN`, or give \
         the pattern fewer variables and smaller numbers of repetitions",
        MAX_LIST_BYTES >> 20
    )))
}
