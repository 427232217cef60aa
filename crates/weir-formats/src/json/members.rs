//! Walking the members of an object, expecting its keys where the last object had them.
//!
//! Producers write the same keys in the same order with the same blanks, record after record. So the text
//! between two values (comma, key, colon) is remembered and compared as a whole; only when it differs is
//! the key scanned and looked up.

use hashbrown::HashMap;

use super::cursor::Cursor;
use super::escapes::unescape;
use super::problem::Problem;

/// Beyond this many texts the memory is cleared: records whose keys are data would fill it.
const LONGEST_ORDER: usize = 128;
/// A longer text between two values is not remembered.
const LONGEST_TEXT: usize = 256;

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Which of the wanted keys, or `None` for one that nobody wants.
    pub slot: Option<usize>,
    /// Whether the spelling is exactly the wanted one.
    pub is_exact: bool,
}

/// The wanted keys of one object.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    exact: HashMap<Vec<u8>, usize>,
    folded: HashMap<String, usize>,
    order: Vec<Expected>,
}

#[derive(Debug)]
struct Expected {
    text: Box<[u8]>,
    found: Found,
}

impl Keys {
    /// Makes the wanted keys; a key's position is its slot.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut keys = Self::default();
        for (slot, name) in names.into_iter().enumerate() {
            keys.exact.entry(name.as_bytes().to_vec()).or_insert(slot);
            keys.folded.entry(name.to_lowercase()).or_insert(slot);
        }
        keys
    }

    fn look_up(&self, key: &[u8]) -> Found {
        if let Some(slot) = self.exact.get(key) {
            return Found { slot: Some(*slot), is_exact: true };
        }
        let folded = String::from_utf8_lossy(key).to_lowercase();
        Found { slot: self.folded.get(&folded).copied(), is_exact: false }
    }

    /// Remembers that `text` was met at place `next` of the order, and returns the place after it.
    fn remember(&mut self, next: usize, text: &[u8], found: Found) -> usize {
        if text.len() > LONGEST_TEXT {
            return next;
        }
        let known = self.order.iter().position(|expected| *expected.text == *text);
        match known {
            Some(place) if place >= next => return place + 1,
            Some(place) => {
                let expected = self.order.remove(place);
                self.order.insert(next - 1, expected);
                return next;
            }
            None => {}
        }
        if self.order.len() >= LONGEST_ORDER {
            self.order.clear();
        }
        let place = next.min(self.order.len());
        self.order.insert(place, Expected { text: text.into(), found });
        place + 1
    }

    /// Returns what the expected text at a place stands for and its length, when it is the next text.
    #[inline]
    fn expected(&self, place: usize, rest: &[u8]) -> Option<(Found, usize)> {
        let expected = self.order.get(place)?;
        rest.starts_with(&expected.text).then_some((expected.found, expected.text.len()))
    }
}

/// Calls `on_value` for each member with the cursor at its value, which it must take.
/// The cursor is at the opening brace; afterwards it is behind the closing one.
#[inline]
pub(crate) fn for_each_member<'a>(
    cursor: &mut Cursor<'a>,
    keys: &mut Keys,
    mut on_value: impl FnMut(&mut Cursor<'a>, Found) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut next = 0;
    let mut is_first = true;
    loop {
        let rest = &cursor.bytes[cursor.position..];
        let found = if let Some((found, length)) = keys.expected(next, rest) {
            cursor.position += length;
            next += 1;
            found
        } else if let Some((found, length)) = keys.expected(next + 1, rest) {
            // One optional member was left out.
            cursor.position += length;
            next += 2;
            found
        } else {
            match scan_key(cursor, keys, is_first, &mut next)? {
                Some(found) => found,
                None => return Ok(()),
            }
        };
        is_first = false;
        on_value(cursor, found)?;
    }
}

/// Takes the next separator and key, or the closing brace (`None`).
fn scan_key(
    cursor: &mut Cursor<'_>,
    keys: &mut Keys,
    is_first: bool,
    next: &mut usize,
) -> Result<Option<Found>, Problem> {
    let start = cursor.position;
    if is_first {
        cursor.position += 1;
        if cursor.peek() == Some(b'}') {
            cursor.position += 1;
            return Ok(None);
        }
    } else if !cursor.comma_or(b'}')? {
        return Ok(None);
    }
    let key = cursor.key()?;
    let found = if key.has_escapes {
        let mut unescaped = Vec::new();
        unescape(key.raw, key.at, &mut unescaped)?;
        keys.look_up(&unescaped)
    } else {
        keys.look_up(key.raw)
    };
    // The blanks before the value belong to the text, so that they too are compared and not scanned.
    cursor.peek();
    *next = keys.remember(*next, &cursor.bytes[start..cursor.position], found);
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(keys: &mut Keys, text: &str) -> Option<Vec<(Option<usize>, bool)>> {
        let mut found = Vec::new();
        let mut cursor = Cursor::new(text.as_bytes());
        for_each_member(&mut cursor, keys, |cursor, key| {
            found.push((key.slot, key.is_exact));
            cursor.skip_value()
        })
        .ok()?;
        Some(found)
    }

    #[test]
    fn keys_are_found_in_any_order_with_any_blanks() {
        let mut keys = Keys::new(["a", "b", "C"]);
        let (a, b, none) = ((Some(0), true), (Some(1), true), (None, false));
        for _ in 0..3 {
            assert_eq!(walk(&mut keys, r#"{"a":1,"b":2,"x":3}"#), Some(vec![a, b, none]));
            assert_eq!(walk(&mut keys, r#"{"b":1,"a":2}"#), Some(vec![b, a]));
            assert_eq!(walk(&mut keys, r#"{ "a" : 1 , "b" : 2 }"#), Some(vec![a, b]));
            assert_eq!(walk(&mut keys, r#"{"b":1}"#), Some(vec![b]));
            assert_eq!(walk(&mut keys, "{}"), Some(vec![]));
            assert_eq!(walk(&mut keys, r#"{"a":1,"a":2}"#), Some(vec![a, a]));
            assert_eq!(
                walk(&mut keys, r#"{"c":1,"A":1,"\u0061":1}"#),
                Some(vec![(Some(2), false), (Some(0), false), a])
            );
            assert_eq!(walk(&mut keys, r#"{"a":1,}"#), None);
            assert_eq!(walk(&mut keys, r#"{"a":1 "b":2}"#), None);
            assert_eq!(walk(&mut keys, r#"{,"b":2}"#), None);
        }
    }

    #[test]
    fn the_memory_of_keys_is_bounded() {
        let mut keys = Keys::new(["a"]);
        for i in 0..10_000 {
            assert_eq!(walk(&mut keys, &format!(r#"{{"k{i}":1,"a":2}}"#)).map(|found| found.len()), Some(2));
        }
        assert!(keys.order.len() <= LONGEST_ORDER);
    }
}
