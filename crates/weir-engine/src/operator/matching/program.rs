//! Patterns as automata whose ways are in order of preference.
//!
//! Which of several possible matches is taken depends on the order in which alternatives, more iterations of a greedy
//! part and fewer of a reluctant one are tried. A [`Program`] keeps that order: of two ways out of a node the first
//! is preferred. All ways are followed at the same time, row by row, as a list of threads in order of preference, so a
//! pattern never takes more than one step per row and thread, whatever it looks like.

use super::Pattern;
use crate::operator::OperatorError;

/// The greatest number of variables of a pattern with its repetitions written out.
pub(super) const MAX_PLACES: u64 = 4_096;

/// A node of the automaton. `next` and the like are the numbers of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    /// Takes a row.
    Row { variable: u16, next: u32 },
    /// Goes both ways; the first is preferred.
    Split { first: u32, second: u32 },
    /// Begins an iteration that must take a row, of a repetition at this depth of nesting.
    Begin { depth: u16, next: u32 },
    /// Ends such an iteration.
    End { depth: u16, next: u32 },
    /// The pattern is complete.
    Accept,
}

/// An automaton.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) nodes: Vec<Node>,
    pub(super) start: u32,
    /// Number of depths at which iterations must take a row.
    depths: u16,
}

impl Program {
    /// Makes the automaton of a pattern.
    pub(super) fn compile(pattern: &Pattern) -> Result<Self, OperatorError> {
        if pattern.places() > MAX_PLACES {
            return Err(OperatorError::Pattern(format!(
                "the pattern has more than {MAX_PLACES} variables when its repetitions are written out"
            )));
        }
        let mut program = Self { nodes: vec![Node::Accept], start: 0, depths: 0 };
        program.start = program.add(pattern, 0, 0);
        Ok(program)
    }

    fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        (self.nodes.len() - 1) as u32
    }

    /// Adds the nodes of a pattern that goes on at `next`; returns where it begins.
    fn add(&mut self, pattern: &Pattern, next: u32, depth: u16) -> u32 {
        match pattern {
            Pattern::Variable(variable) => self.push(Node::Row { variable: *variable as u16, next }),
            Pattern::Sequence(parts) => {
                parts.iter().rev().fold(next, |next, part| self.add(part, next, depth))
            }
            Pattern::Alternatives(parts) => {
                let entries: Vec<u32> = parts.iter().map(|part| self.add(part, next, depth)).collect();
                let Some((last, others)) = entries.split_last() else { return next };
                others
                    .iter()
                    .rev()
                    .fold(*last, |second, first| self.push(Node::Split { first: *first, second }))
            }
            Pattern::Repeat { pattern, least, most, greedy } => {
                let optional = self.add_optional(pattern, *most, *least, *greedy, next, depth);
                (0..*least).fold(optional, |next, _| self.add(pattern, next, depth + 1))
            }
        }
    }

    /// Adds the iterations beyond the least number.
    fn add_optional(
        &mut self,
        pattern: &Pattern,
        most: Option<u32>,
        least: u32,
        greedy: bool,
        next: u32,
        depth: u16,
    ) -> u32 {
        let split = |body, exit| match greedy {
            true => Node::Split { first: body, second: exit },
            false => Node::Split { first: exit, second: body },
        };
        match most {
            None => {
                let again = self.push(Node::Accept);
                let body = self.add_iteration(pattern, again, depth);
                self.nodes[again as usize] = split(body, next);
                again
            }
            Some(most) => (least..most).fold(next, |following, _| {
                let body = self.add_iteration(pattern, following, depth);
                self.push(split(body, next))
            }),
        }
    }

    fn add_iteration(&mut self, pattern: &Pattern, next: u32, depth: u16) -> u32 {
        if pattern.least_rows() > 0 {
            return self.add(pattern, next, depth + 1);
        }
        self.depths = self.depths.max(depth + 1);
        let end = self.push(Node::End { depth, next });
        let body = self.add(pattern, end, depth + 1);
        self.push(Node::Begin { depth, next: body })
    }

    /// Returns the variable that a node that takes a row stands for.
    pub(super) fn variable(&self, node: u32) -> usize {
        match self.nodes[node as usize] {
            Node::Row { variable, .. } => usize::from(variable),
            _ => usize::MAX,
        }
    }

    /// Returns where a node goes on.
    pub(super) fn after(&self, node: u32) -> [Option<u32>; 2] {
        match self.nodes[node as usize] {
            Node::Row { next, .. } | Node::Begin { next, .. } | Node::End { next, .. } => [Some(next), None],
            Node::Split { first, second } => [Some(first), Some(second)],
            Node::Accept => [None, None],
        }
    }
}

/// Finds the nodes that take the next row. Its memory is reused from call to call.
#[derive(Debug)]
pub(super) struct Explorer {
    /// Round in which a node was last visited, for each number of depths with a row in their iteration.
    seen: Vec<u32>,
    round: u32,
    stack: Vec<(u32, u16)>,
    steps: u64,
}

impl Explorer {
    pub(super) fn new(program: &Program) -> Self {
        let layers = usize::from(program.depths) + 1;
        Self { seen: vec![0; program.nodes.len() * layers], round: 0, stack: Vec::new(), steps: 0 }
    }

    /// Returns how many nodes have been looked at so far.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// Forgets which nodes have been visited.
    pub(super) fn forget(&mut self) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.seen.fill(0);
            self.round = 1;
        }
    }

    /// Calls `found` for each node that takes a row and is reached from a node without one, in order of preference; of
    /// nodes visited since [`Explorer::forget`] not again. Returns whether the pattern is then complete, which is
    /// preferred to whatever would follow.
    pub(super) fn explore(&mut self, program: &Program, from: u32, mut found: impl FnMut(u32)) -> bool {
        let layers = usize::from(program.depths) + 1;
        // The outermost depth whose iteration has no row yet. Iterations inside it have none either.
        let all = program.depths;
        self.stack.clear();
        self.stack.push((from, all));
        while let Some((node, empty_from)) = self.stack.pop() {
            self.steps += 1;
            let known = program.nodes[node as usize];
            let layer = if matches!(known, Node::Row { .. } | Node::Accept) { 0 } else { empty_from };
            let seen = &mut self.seen[node as usize * layers + usize::from(layer)];
            if std::mem::replace(seen, self.round) == self.round {
                continue;
            }
            match known {
                Node::Row { .. } => found(node),
                Node::Split { first, second } => {
                    self.stack.push((second, empty_from));
                    self.stack.push((first, empty_from));
                }
                Node::Begin { depth, next } => self.stack.push((next, empty_from.min(depth))),
                // What is inside has ended, and what is outside has a row when this iteration has one.
                Node::End { depth, next } if empty_from > depth => self.stack.push((next, all)),
                Node::End { .. } => {}
                Node::Accept => return true,
            }
        }
        false
    }
}
