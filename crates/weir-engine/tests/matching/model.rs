//! Row patterns straight from their definition: backtracking over the whole partition.

use weir_engine::operator::{Pattern, Skip};

use crate::case::{Case, Condition, Row, THIRD};

/// A row as it is given out; the classifier as the number of its variable.
pub type OutputRow = Vec<Option<i64>>;

/// The search would take too long.
#[derive(Debug)]
pub enum Outcome {
    /// The rows given out for one partition, in order.
    Rows(Vec<OutputRow>),
    /// The job fails: it would skip to a row that is not there.
    Fails,
    /// Backtracking takes too long to be worth it.
    TooLong,
}

struct Search<'a> {
    case: &'a Case,
    rows: &'a [Row],
    start: usize,
    steps: usize,
}

/// Called with the rows mapped so far; says whether the search has ended.
type Then<'b> = &'b mut dyn FnMut(&mut Search<'_>, &mut Vec<usize>) -> bool;

impl Search<'_> {
    /// Tries the ways of a pattern in order of preference until one of them leads to the end.
    fn go(&mut self, pattern: &Pattern, mapped: &mut Vec<usize>, then: Then<'_>) -> bool {
        self.steps += 1;
        if self.steps > 20_000 {
            return true;
        }
        match pattern {
            Pattern::Variable(variable) => {
                let Some(row) = self.rows.get(self.start + mapped.len()) else { return false };
                let too_late = |within| row.time - self.rows[self.start].time >= within;
                if self.case.within.is_some_and(too_late) {
                    return false;
                }
                mapped.push(*variable);
                let ended = holds(self.case, self.rows, self.start, mapped) && then(self, mapped);
                if !ended {
                    mapped.pop();
                }
                ended
            }
            Pattern::Sequence(parts) => self.sequence(parts, mapped, then),
            Pattern::Alternatives(parts) => parts.iter().any(|part| self.go(part, mapped, then)),
            Pattern::Repeat { .. } => self.repeat(pattern, 0, mapped, then),
        }
    }

    fn sequence(&mut self, parts: &[Pattern], mapped: &mut Vec<usize>, then: Then<'_>) -> bool {
        match parts.split_first() {
            None => then(self, mapped),
            Some((first, rest)) => {
                self.go(first, mapped, &mut |search, mapped| search.sequence(rest, mapped, then))
            }
        }
    }

    fn repeat(&mut self, pattern: &Pattern, done: u32, mapped: &mut Vec<usize>, then: Then<'_>) -> bool {
        let Pattern::Repeat { pattern: inner, least, most, greedy } = pattern else { return false };
        if done >= *least && !greedy && then(self, mapped) {
            return true;
        }
        if most.is_none_or(|most| done < most) {
            let before = mapped.len();
            let ended = self.go(inner, mapped, &mut |search, mapped| {
                // An iteration that is not needed must take a row.
                (done < *least || mapped.len() > before) && search.repeat(pattern, done + 1, mapped, then)
            });
            if ended {
                return true;
            }
        }
        done >= *least && *greedy && then(self, mapped)
    }
}

/// Returns the rows of the match mapped to a variable, as places in the match.
fn of(mapped: &[usize], variable: usize) -> Vec<usize> {
    (0..mapped.len()).filter(|place| mapped[*place] == variable).collect()
}

/// Tells whether the last row mapped meets the condition of its variable.
fn holds(case: &Case, rows: &[Row], start: usize, mapped: &[usize]) -> bool {
    let here = start + mapped.len() - 1;
    let variable = mapped[mapped.len() - 1];
    let value = rows[here].value;
    let own = of(mapped, variable);
    match case.conditions[variable] {
        Condition::Any => true,
        Condition::Above(limit) => value > limit,
        Condition::AbovePrevious => here > 0 && value > rows[here - 1].value,
        Condition::BelowNext => rows.get(here + 1).is_some_and(|next| value < next.value),
        Condition::NotBelowLastOf(other) => {
            of(mapped, other).last().is_some_and(|place| value >= rows[start + place].value)
        }
        Condition::DiffersFromFirstOf(other) => {
            of(mapped, other).first().is_some_and(|place| value != rows[start + place].value)
        }
        Condition::NotBelowOwnLast => match own.len() {
            0 | 1 => true,
            more => value >= rows[start + own[more - 2]].value,
        },
        Condition::SumAtMost(other, limit) => {
            let places = of(mapped, other);
            places.is_empty() || places.iter().map(|place| rows[start + place].value).sum::<i64>() <= limit
        }
        Condition::AboveAndNotBelowFirst(limit) => value > limit && value >= rows[start].value,
    }
}

/// Returns what one partition gives out; `rows` are in order.
pub fn outcome(case: &Case, rows: &[Row]) -> Outcome {
    let mut output = Vec::new();
    let (mut start, mut number) = (0, 0);
    while start < rows.len() {
        let mut search = Search { case, rows, start, steps: 0 };
        let mut mapped = Vec::new();
        let found = search.go(&case.pattern, &mut mapped, &mut |_, _| true);
        if search.steps > 20_000 {
            return Outcome::TooLong;
        }
        if !found || mapped.is_empty() {
            start += 1;
            continue;
        }
        number += 1;
        give_out(case, rows, start, &mapped, number, &mut output);
        let target = match case.skip {
            Skip::PastLastRow => Some(mapped.len()),
            Skip::ToNextRow => Some(1),
            Skip::ToFirst(variable) => of(&mapped, variable).first().copied(),
            Skip::ToLast(variable) => of(&mapped, variable).last().copied(),
        };
        match target {
            None | Some(0) => return Outcome::Fails,
            Some(rows) => start += rows,
        }
    }
    Outcome::Rows(output)
}

/// Adds the rows given out for a match; the columns are those of [`Case::spec`].
fn give_out(
    case: &Case,
    rows: &[Row],
    start: usize,
    mapped: &[usize],
    number: i64,
    output: &mut Vec<OutputRow>,
) {
    let value = |place: usize| rows[start + place].value;
    let presents = if case.all_rows { 1..=mapped.len() } else { mapped.len()..=mapped.len() };
    for present in presents {
        let so_far = &mapped[..present];
        let (a, b) = (of(so_far, 0), of(so_far, 1));
        let last = start + present - 1;
        let sum = |places: &[usize]| {
            (!places.is_empty()).then(|| places.iter().map(|place| value(*place)).sum::<i64>())
        };
        let mut row = vec![
            Some(number),
            Some(so_far[present - 1] as i64),
            Some(value(0)),
            Some(value(present - 1)),
            a.last().map(|place| value(*place)),
            b.get(1).map(|place| value(*place)),
            a.last().and_then(|place| (start + place).checked_sub(1)).map(|row| rows[row].value),
            rows.get(last + 1).map(|row| row.value),
            sum(&a),
            Some(mapped.len() as i64),
            of(mapped, 1).last().map(|place| value(*place)),
            sum(&(0..present).collect::<Vec<_>>()),
            of(so_far, THIRD).len().checked_sub(2).map(|place| value(of(so_far, THIRD)[place])),
        ];
        if case.all_rows {
            row.insert(0, Some(value(present - 1)));
        }
        output.push(row);
    }
}
