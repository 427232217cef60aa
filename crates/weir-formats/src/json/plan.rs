//! The paths of all columns as one tree, so that a record is walked once.

use std::collections::BTreeMap;

use super::cursor::Cursor;
use super::members::{Keys, for_each_member};
use super::paths::{Path, Step};
use super::problem::{Misfits, Problem};
use super::values::Targets;

/// A column, and the steps to it from the object or value at hand.
type ColumnPath<'p> = (usize, &'p [Step]);

/// The keys that are wanted of one object.
#[derive(Debug, Default)]
pub(crate) struct ObjectPlan {
    keys: Keys,
    slots: Vec<Slot>,
}

/// One wanted key.
#[derive(Debug)]
struct Slot {
    node: Node,
    /// Every column at this key and below.
    columns: Vec<usize>,
    /// The visit in which the key was last met, and whether its spelling was exact then.
    seen: u64,
    was_exact: bool,
}

/// What is wanted of one value: the value itself, parts of it, or both.
#[derive(Debug, Default)]
struct Node {
    columns: Vec<usize>,
    object: Option<Box<ObjectPlan>>,
    elements: BTreeMap<usize, Node>,
}

impl ObjectPlan {
    /// Makes the plan of the paths that start in this object; each comes with its column.
    pub fn new(paths: &[ColumnPath<'_>]) -> Self {
        let mut grouped: Vec<(&str, Vec<ColumnPath<'_>>)> = Vec::new();
        for (column, path) in paths {
            let [Step::Key(key), rest @ ..] = path else { continue };
            match grouped.iter_mut().find(|(known, _)| known == key) {
                Some((_, members)) => members.push((*column, rest)),
                None => grouped.push((key, vec![(*column, rest)])),
            }
        }
        let keys = Keys::new(grouped.iter().map(|(key, _)| *key));
        let slots = grouped.iter().map(|(_, members)| Slot {
            node: Node::new(members),
            columns: members.iter().map(|(column, _)| *column).collect(),
            seen: 0,
            was_exact: false,
        });
        Self { keys, slots: slots.collect() }
    }

    /// Makes the plan of a record; returns also the columns that take its whole text.
    pub fn of_record(paths: &[Path]) -> (Self, Vec<usize>) {
        let mut steps = Vec::new();
        let mut whole = Vec::new();
        for (column, path) in paths.iter().enumerate() {
            match path {
                Path::Whole => whole.push(column),
                Path::Steps(path) => steps.push((column, path.as_slice())),
            }
        }
        (Self::new(&steps), whole)
    }

    /// Takes the object at the cursor and fills the columns that are found in it.
    pub fn read(&mut self, cursor: &mut Cursor<'_>, targets: &mut Targets) -> Result<(), Problem> {
        let visit = targets.next_visit();
        let slots = &mut self.slots;
        let mut misfits = Misfits::new();
        for_each_member(cursor, &mut self.keys, |cursor, found| {
            let Some(index) = found.slot else { return cursor.skip_value() };
            let slot = &mut slots[index];
            if slot.seen == visit {
                if slot.was_exact && !found.is_exact {
                    return cursor.skip_value();
                }
                // The last of equal keys wins, and an exact spelling over another.
                targets.forget(&slot.columns);
                misfits.retain(|(misfit, _)| *misfit != index);
            }
            slot.seen = visit;
            slot.was_exact = found.is_exact;
            let start = cursor.position;
            if let Err(problem) = slot.node.read(cursor, targets) {
                misfits.push((index, problem.behind_value(cursor, start)?));
                targets.forget(&slot.columns);
            }
            Ok(())
        })?;
        misfits.into_iter().next().map_or(Ok(()), |(_, problem)| Err(problem))
    }
}

impl Node {
    fn new(paths: &[ColumnPath<'_>]) -> Self {
        let mut node = Self::default();
        let mut members = Vec::new();
        let mut elements: BTreeMap<usize, Vec<ColumnPath<'_>>> = BTreeMap::new();
        for (column, path) in paths {
            match path {
                [] => node.columns.push(*column),
                [Step::Key(_), ..] => members.push((*column, *path)),
                [Step::Element(index), rest @ ..] => {
                    elements.entry(*index).or_default().push((*column, rest))
                }
            }
        }
        if !members.is_empty() {
            node.object = Some(Box::new(ObjectPlan::new(&members)));
        }
        node.elements = elements.iter().map(|(index, paths)| (*index, Node::new(paths))).collect();
        node
    }

    #[inline]
    fn read(&mut self, cursor: &mut Cursor<'_>, targets: &mut Targets) -> Result<(), Problem> {
        let start = cursor.position;
        for column in &self.columns {
            cursor.position = start;
            targets.read_column(*column, cursor)?;
        }
        if self.object.is_none() && self.elements.is_empty() {
            return Ok(());
        }
        cursor.position = start;
        match (cursor.peek(), &mut self.object) {
            (Some(b'{'), Some(object)) => object.read(cursor, targets),
            (Some(b'['), _) if !self.elements.is_empty() => self.read_elements(cursor, targets),
            // A path that leads through anything else ends there: its column is NULL.
            _ => cursor.skip_value(),
        }
    }

    fn read_elements(&mut self, cursor: &mut Cursor<'_>, targets: &mut Targets) -> Result<(), Problem> {
        cursor.position += 1;
        if cursor.peek() == Some(b']') {
            cursor.position += 1;
            return Ok(());
        }
        let mut index = 0;
        loop {
            match self.elements.get_mut(&index) {
                Some(node) => node.read(cursor, targets)?,
                None => cursor.skip_value()?,
            }
            index += 1;
            if !cursor.comma_or(b']')? {
                return Ok(());
            }
        }
    }
}
