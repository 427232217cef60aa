//! Follows the pattern through the rows of partitions.
//!
//! In one step a chunk of rows has come, in order, for many partitions. Each partition is visited on its own; a visit
//! stops where conditions have to be computed, so that those of all partitions are computed together, and goes on with
//! the answers. What is found is put in order afterwards, so neither chunks nor batches show in the output.

use std::ops::Range;

use super::definitions::Definitions;
use super::partition::{Partition, Partitions};
use super::path::Path;
use super::spec::Skip;
use super::threads::{Accepted, Stepper};
use super::ways::Follower;
use crate::operator::OperatorError;

/// How time passes in a step.
pub(super) struct StepClock {
    /// For each row of the chunk the instant up to which deadlines have passed before it. Never goes back.
    pub(super) before: Vec<i64>,
    /// The instant up to which deadlines have passed after the last row.
    pub(super) after: i64,
    /// Whether nothing follows.
    pub(super) ended: bool,
}

/// What has made a match final. Matches are given out in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trigger {
    /// A deadline that passed before the row of this number.
    Deadline { before: u32, deadline: i64 },
    /// A row of the chunk, by number.
    Row(u32),
    /// The end of the input.
    End,
}

impl Trigger {
    /// Returns what decides first between triggers: a deadline before a row comes before the row.
    pub(super) fn rank(self) -> (u32, u8, i64) {
        match self {
            Trigger::Deadline { before, deadline } => (before, 0, deadline),
            Trigger::Row(row) => (row, 1, 0),
            Trigger::End => (u32::MAX, 2, 0),
        }
    }
}

impl StepClock {
    fn deadline(&self, deadline: i64, last_row: Option<u32>) -> Trigger {
        let passed = self.before.partition_point(|instant| *instant < deadline) as u32;
        Trigger::Deadline { before: passed.max(last_row.map_or(0, |row| row + 1)), deadline }
    }
}

/// The work on one partition in a step.
pub(super) struct Visit {
    pub(super) partition: u32,
    /// The rows of the chunk that belong to it, as places in the list of the step.
    pub(super) events: Range<usize>,
    /// Rows of the partition that have come so far.
    pub(super) visible: u32,
    last_row: Option<u32>,
    trigger: Trigger,
    ended: bool,
    /// The answers for its threads that it waits for.
    answers: Option<Range<usize>>,
}

impl Visit {
    /// Makes a visit to a partition with so many rows that came earlier.
    pub(super) fn new(partition: u32, events: Range<usize>, visible: u32) -> Self {
        // Only a restored partition can have a match before anything happens.
        let trigger = Trigger::Deadline { before: 0, deadline: i64::MIN };
        Self { partition, events, visible, last_row: None, trigger, ended: false, answers: None }
    }

    /// Notes what matches are final by from now on. A deadline may have passed earlier than what closed the attempt before.
    fn happens(&mut self, trigger: Trigger) {
        if trigger.rank() > self.trigger.rank() {
            self.trigger = trigger;
        }
    }
}

/// Asks whether a condition holds for a thread and the row at the cursor of its partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) partition: u32,
    pub(super) thread: u32,
    /// Place of the answer.
    pub(super) answer: u32,
}

/// The questions of a round, and their answers.
#[derive(Default)]
pub(super) struct Round {
    /// By condition: those that look at earlier rows.
    pub(super) past: Vec<Vec<Question>>,
    /// By condition: those that could not be computed ahead.
    pub(super) whole: Vec<Vec<Question>>,
    pub(super) answers: Vec<bool>,
    /// The answers of the round before, with which visits go on.
    previous: Vec<bool>,
}

impl Round {
    /// Begins the next round.
    pub(super) fn next(&mut self, conditions: usize) {
        std::mem::swap(&mut self.answers, &mut self.previous);
        self.answers.clear();
        for questions in [&mut self.past, &mut self.whole] {
            questions.resize_with(conditions, Vec::new);
            questions.iter_mut().for_each(Vec::clear);
        }
    }
}

/// A match that can no longer grow.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) trigger: Trigger,
    pub(super) partition: u32,
    /// Place of its first row in the partition, and the number of its rows.
    pub(super) start: u32,
    pub(super) rows: u32,
    pub(super) path: Path,
    /// Its number in the partition.
    pub(super) number: u64,
}

/// What the partitions of a pattern have in common.
pub(super) struct Machine {
    pub(super) stepper: Stepper,
    /// Follows the pattern when conditions do not depend on the match.
    pub(super) follower: Option<Follower>,
    pub(super) variables: Vec<String>,
    pub(super) within: Option<i64>,
    pub(super) skip: Skip,
    /// A row is looked at when so many rows after it are there, or the input has ended.
    pub(super) ahead: u32,
    pub(super) finished: Vec<Finished>,
}

/// Whether a visit can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    /// It has asked questions.
    Waits,
}

impl Machine {
    /// Returns how many of the rows that have come can be looked at.
    pub(super) fn decided(&self, visible: u32, ended: bool) -> u32 {
        if ended { visible } else { visible.saturating_sub(self.ahead) }
    }

    /// Goes on with a visit.
    pub(super) fn advance(
        &mut self,
        visit: &mut Visit,
        partitions: &mut Partitions,
        events: &[u32],
        clock: &StepClock,
        definitions: &Definitions,
        round: &mut Round,
    ) -> Result<Progress, OperatorError> {
        let Some(partition) = partitions.get_mut(visit.partition) else { return Ok(Progress::Done) };
        loop {
            if self.follow(visit, partition, definitions, round)? == Progress::Waits {
                return Ok(Progress::Waits);
            }
            let event = visit.events.clone().next().map(|place| events[place]);
            let now = event.map_or(clock.after, |row| clock.before[row as usize]);
            if let Some(deadline) = partition.deadline(self.within).filter(|deadline| *deadline <= now) {
                // A row that has come but waits for its neighbours may still be part of the match.
                let decided = self.decided(visit.visible, visit.ended);
                let waiting = partition.rows.range(decided as usize..visit.visible as usize);
                if !waiting.map(|row| row.time).any(|time| time <= deadline) {
                    visit.happens(clock.deadline(deadline, visit.last_row));
                    partition.cut();
                    continue;
                }
            }
            match event {
                Some(row) => {
                    visit.events.start += 1;
                    visit.visible += 1;
                    visit.last_row = Some(row);
                    visit.happens(Trigger::Row(row));
                }
                None if clock.ended && !visit.ended => {
                    visit.ended = true;
                    visit.happens(Trigger::End);
                }
                None if clock.ended && partition.open => partition.end(),
                None => return Ok(Progress::Done),
            }
        }
    }

    /// Follows the pattern as far as rows can be looked at.
    fn follow(
        &mut self,
        visit: &mut Visit,
        partition: &mut Partition,
        definitions: &Definitions,
        round: &mut Round,
    ) -> Result<Progress, OperatorError> {
        let decided = self.decided(visit.visible, visit.ended);
        if self.follower.is_some() {
            return self.follow_alike(visit, partition, definitions, round, decided);
        }
        loop {
            if !partition.open {
                if partition.start >= decided {
                    return Ok(Progress::Done);
                }
                partition.open = true;
                partition.cursor = partition.start;
                partition.accepted = self.stepper.begin(&mut partition.threads);
            }
            if partition.threads.is_empty() {
                let accepted = partition.accepted.take();
                self.resolve(visit, partition, accepted)?;
                continue;
            }
            if partition.cursor >= decided {
                return Ok(Progress::Done);
            }
            if self.is_too_late(partition) {
                partition.cut();
                continue;
            }
            let at = partition.cursor - partition.start;
            let answers = visit.answers.take();
            if let Some(answers) = answers {
                let known = &round.previous[answers];
                let (threads, accepted) = (&mut partition.threads, &mut partition.accepted);
                self.stepper.step(threads, accepted, at, |thread| known[thread])?;
            } else {
                let (answers, asked) = self.ask(visit.partition, partition, definitions, round);
                if asked {
                    visit.answers = Some(answers);
                    return Ok(Progress::Waits);
                }
                let first = answers.start;
                let known = &round.answers[answers];
                let (threads, accepted) = (&mut partition.threads, &mut partition.accepted);
                self.stepper.step(threads, accepted, at, |thread| known[thread])?;
                round.answers.truncate(first);
            }
            partition.cursor += 1;
        }
    }

    /// Follows the pattern as far as rows can be looked at, with conditions that do not depend on the match.
    fn follow_alike(
        &mut self,
        visit: &Visit,
        partition: &mut Partition,
        definitions: &Definitions,
        round: &mut Round,
        decided: u32,
    ) -> Result<Progress, OperatorError> {
        while let Some(follower) = &mut self.follower {
            if !partition.open {
                if partition.start >= decided {
                    break;
                }
                partition.open = true;
                let time = self.within.map(|_| partition.rows[partition.start as usize].time);
                follower.begin(&mut partition.ways, time)?;
            }
            partition.cursor = partition.start + partition.ways.at();
            if partition.ways.is_resolved() {
                let rows = partition.rows.range(partition.start as usize..);
                let accepted = follower.resolve(&self.stepper.program, &mut partition.ways, rows)?;
                self.resolve(visit, partition, accepted)?;
                continue;
            }
            if partition.cursor >= decided {
                break;
            }
            let row = partition.rows[partition.cursor as usize];
            if self.is_too_late(partition) {
                partition.cut();
            } else if row.doubts != 0 && self.doubts(visit.partition, partition, definitions, round) {
                return Ok(Progress::Waits);
            } else if let Some(follower) = &mut self.follower {
                follower.step(&self.stepper.program, &mut partition.ways, row.fits)?;
            }
        }
        Ok(Progress::Done)
    }

    /// Asks for the conditions in doubt that decide how the row at the cursor is taken; they are settled by the answer.
    /// Returns whether there are any.
    fn doubts(
        &self,
        number: u32,
        partition: &Partition,
        definitions: &Definitions,
        round: &mut Round,
    ) -> bool {
        let row = partition.rows[partition.cursor as usize];
        let program = &self.stepper.program;
        let of_nodes =
            partition.ways.open().iter().map(|node| definitions.of_variable[program.variable(*node)]);
        let mut asked = 0_u64;
        for condition in of_nodes.flatten() {
            let bit = 1_u64 << condition;
            if row.fits & row.doubts & bit & !asked != 0 {
                asked |= bit;
                let question = Question { partition: number, thread: 0, answer: round.answers.len() as u32 };
                round.whole[usize::from(condition)].push(question);
                round.answers.push(true);
            }
        }
        asked != 0
    }

    fn is_too_late(&self, partition: &Partition) -> bool {
        let time = |row: u32| partition.rows[row as usize].time;
        self.within
            .is_some_and(|within| time(partition.cursor).saturating_sub(time(partition.start)) >= within)
    }

    /// Finds out which threads can take the row at the cursor. Returns the places of the answers, and whether some are
    /// still open.
    fn ask(
        &self,
        number: u32,
        partition: &Partition,
        definitions: &Definitions,
        round: &mut Round,
    ) -> (Range<usize>, bool) {
        let row = partition.rows[partition.cursor as usize];
        let first = round.answers.len();
        let mut asked = false;
        for (thread, of) in partition.threads.iter().enumerate() {
            let variable = self.stepper.program.variable(of.node);
            let Some(condition) = definitions.of_variable[variable] else {
                round.answers.push(true);
                continue;
            };
            let bit = 1_u64 << condition;
            let definition = &definitions.list[usize::from(condition)];
            let fits = row.fits & bit != 0;
            let question =
                Question { partition: number, thread: thread as u32, answer: round.answers.len() as u32 };
            if fits && row.doubts & bit != 0 {
                round.whole[usize::from(condition)].push(question);
                asked = true;
            } else if fits && definition.past.is_some() {
                round.past[usize::from(condition)].push(question);
                asked = true;
            }
            round.answers.push(fits);
        }
        (first..round.answers.len(), asked)
    }

    /// Ends an attempt: reports its match, if it has one, and says where the next attempt begins.
    fn resolve(
        &mut self,
        visit: &Visit,
        partition: &mut Partition,
        accepted: Option<Accepted>,
    ) -> Result<(), OperatorError> {
        partition.open = false;
        let start = partition.start;
        let Some(accepted) = accepted.filter(|accepted| accepted.end > 0) else {
            partition.start += 1;
            partition.ways.advance(1);
            return Ok(());
        };
        partition.matches += 1;
        let end = accepted.end;
        partition.start += match self.skip {
            Skip::PastLastRow => end,
            Skip::ToNextRow => 1,
            Skip::ToFirst(variable) => {
                let row = accepted.path.first(end, variable as u16, 0).ok();
                self.skip_to(row, "FIRST", variable, partition.matches)?
            }
            Skip::ToLast(variable) => {
                let row = accepted.path.last(end, variable as u16, 0);
                self.skip_to(row, "LAST", variable, partition.matches)?
            }
        };
        partition.ways.advance(partition.start - start);
        self.finished.push(Finished {
            trigger: visit.trigger,
            partition: visit.partition,
            start,
            rows: end,
            path: accepted.path,
            number: partition.matches,
        });
        Ok(())
    }

    fn skip_to(
        &self,
        row: Option<u32>,
        which: &str,
        variable: usize,
        number: u64,
    ) -> Result<u32, OperatorError> {
        let name = &self.variables[variable];
        let problem = match row {
            Some(0) => "is the first row of the match, so the same match would be found for ever",
            Some(row) => return Ok(row),
            None => "does not exist",
        };
        Err(OperatorError::Pattern(format!(
            "`AFTER MATCH SKIP TO {which} {name}`: in match {number} of a partition the row of `{name}` {problem}; skip to \
             a variable that every match has and that does not begin it, or use `SKIP PAST LAST ROW`"
        )))
    }
}
