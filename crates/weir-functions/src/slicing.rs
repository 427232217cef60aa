//! Kernels that count characters and cut strings: lengths, positions, SUBSTRING, OVERLAY, TRIM, padding.

use arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion_common::Result;

use crate::kernel::{Kernel, primitives, row_error, strings, written};
use crate::registry::Call;

/// The longest string that padding and repeating make, in characters.
const LONGEST: i64 = 16 * 1024 * 1024;

/// Returns the number of characters of a string.
fn characters(s: &str) -> usize {
    if s.is_ascii() { s.len() } else { s.chars().count() }
}

/// Returns the string from the character at `index`, the empty string when there is none.
fn from_character(s: &str, index: usize) -> &str {
    let at = if s.is_ascii() { Some(index) } else { s.char_indices().nth(index).map(|(at, _)| at) };
    at.and_then(|at| s.get(at..)).unwrap_or_default()
}

/// Returns the first `count` characters of a string.
fn first_characters(s: &str, count: usize) -> &str {
    let end = if s.is_ascii() { Some(count) } else { s.char_indices().nth(count).map(|(at, _)| at) };
    end.and_then(|end| s.get(..end)).unwrap_or(s)
}

fn count(characters: usize) -> Result<Option<i32>> {
    match i32::try_from(characters) {
        Ok(count) => Ok(Some(count)),
        Err(_) => row_error("a string is longer than INT can count".to_string()),
    }
}

/// Returns the function `CHAR_LENGTH`.
pub(crate) fn char_length() -> Call {
    let kernel = Kernel::new("char_length", 1, DataType::Int32, |a| {
        let s = a.text(0)?;
        primitives::<Int32Type>(a.rows, |row| s.get(row).map_or(Ok(None), |s| count(characters(s))))
    });
    Call { function: kernel.into_function(), returns: DataType::Int32 }
}

/// Returns the function `POSITION`.
pub(crate) fn position() -> Call {
    let kernel = Kernel::new("position", 2, DataType::Int32, |a| {
        let (x, s) = (a.text(0)?, a.text(1)?);
        primitives::<Int32Type>(a.rows, |row| {
            let (Some(x), Some(s)) = (x.get(row), s.get(row)) else { return Ok(None) };
            s.find(x).map_or(Ok(Some(0)), |byte| count(characters(&s[..byte]) + 1))
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Int32 }
}

/// Returns the function `SUBSTRING` with two or three arguments.
pub(crate) fn substring(arguments: usize) -> Call {
    let kernel = Kernel::new("substring", arguments, DataType::Utf8, |a| {
        let (s, from) = (a.text(0)?, a.primitive::<Int64Type>(1)?);
        let length = if a.len() == 3 { Some(a.primitive::<Int64Type>(2)?) } else { None };
        strings(a.rows, |row| {
            let (Some(s), Some(from)) = (s.get(row), from.get(row)) else { return Ok(None) };
            let tail = from_position(s, from);
            let Some(length) = &length else { return Ok(Some(tail)) };
            let length = length.get(row).and_then(|length| usize::try_from(length).ok());
            Ok(length.map(|length| first_characters(tail, length)))
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// Returns a string from a position on: 1 is the first character, as 0 is; negative ones count from the end.
fn from_position(s: &str, position: i64) -> &str {
    if let Ok(position) = usize::try_from(position) {
        return from_character(s, position.saturating_sub(1));
    }
    let length = characters(s);
    match usize::try_from(position.unsigned_abs()) {
        Ok(back) if back <= length => from_character(s, length - back),
        _ => "",
    }
}

/// Returns the function `OVERLAY` with three or four arguments.
pub(crate) fn overlay(arguments: usize) -> Call {
    let kernel = Kernel::new("overlay", arguments, DataType::Utf8, |a| {
        let (s, r, from) = (a.text(0)?, a.text(1)?, a.primitive::<Int64Type>(2)?);
        let length = if a.len() == 4 { Some(a.primitive::<Int64Type>(3)?) } else { None };
        written(a.rows, |row, out| {
            let (Some(s), Some(r), Some(from)) = (s.get(row), r.get(row), from.get(row)) else {
                return Ok(false);
            };
            let length = match &length {
                Some(length) => match length.get(row) {
                    Some(length) => length,
                    None => return Ok(false),
                },
                None => i64::try_from(characters(r)).unwrap_or(i64::MAX),
            };
            let head = usize::try_from(from).ok().and_then(|from| from.checked_sub(1));
            let Some(head) = head.filter(|head| *head < characters(s)) else {
                out.push_str(s);
                return Ok(true);
            };
            let length = usize::try_from(length).unwrap_or(0);
            out.push_str(first_characters(s, head));
            out.push_str(r);
            out.push_str(from_character(s, head.saturating_add(length)));
            Ok(true)
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// The end of a string that something is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The start.
    Left,
    /// The end.
    Right,
}

/// Returns the function `LPAD` or `RPAD`.
pub(crate) fn pad(name: &'static str, end: End) -> Call {
    let kernel = Kernel::new(name, 3, DataType::Utf8, move |a| {
        let (s, length, pad) = (a.text(0)?, a.primitive::<Int64Type>(1)?, a.text(2)?);
        written(a.rows, |row, out| {
            let (Some(s), Some(length), Some(pad)) = (s.get(row), length.get(row), pad.get(row)) else {
                return Ok(false);
            };
            pad_to(s, length, pad, end, out)
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

fn pad_to(s: &str, length: i64, pad: &str, end: End, out: &mut String) -> Result<bool> {
    let Ok(wanted) = usize::try_from(length) else { return Ok(false) };
    if length > LONGEST {
        return row_error(format!("padding to {length} characters is more than the limit of {LONGEST}"));
    }
    let present = characters(s);
    if wanted <= present {
        out.push_str(first_characters(s, wanted));
        return Ok(true);
    }
    if pad.is_empty() {
        return Ok(false);
    }
    if end == End::Right {
        out.push_str(s);
    }
    out.extend(pad.chars().cycle().take(wanted - present));
    if end == End::Left {
        out.push_str(s);
    }
    Ok(true)
}

/// Returns the function `REPEAT`.
pub(crate) fn repeat() -> Call {
    let kernel = Kernel::new("repeat", 2, DataType::Utf8, |a| {
        let (s, n) = (a.text(0)?, a.primitive::<Int64Type>(1)?);
        written(a.rows, |row, out| {
            let (Some(s), Some(n)) = (s.get(row), n.get(row)) else { return Ok(false) };
            let times = usize::try_from(n).unwrap_or(0);
            let limit = usize::try_from(LONGEST).unwrap_or(usize::MAX);
            if s.len().saturating_mul(times) > limit {
                return row_error(format!(
                    "a string repeated {n} times is longer than the limit of {LONGEST}"
                ));
            }
            if !s.is_empty() {
                (0..times).for_each(|_| out.push_str(s));
            }
            Ok(true)
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// The end of a string that `TRIM` works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrimSide {
    /// Both ends.
    Both,
    /// The start.
    Leading,
    /// The end.
    Trailing,
}

/// Returns the function behind `TRIM`: arguments are the string and the characters to remove.
pub fn trim(side: TrimSide) -> Call {
    let kernel = Kernel::new("trim", 2, DataType::Utf8, move |a| {
        let (s, what) = (a.text(0)?, a.text(1)?);
        strings(a.rows, |row| {
            let (Some(mut s), Some(what)) = (s.get(row), what.get(row)) else { return Ok(None) };
            if side != TrimSide::Trailing {
                s = s.trim_start_matches(|c| what.contains(c));
            }
            if side != TrimSide::Leading {
                s = s.trim_end_matches(|c| what.contains(c));
            }
            Ok(Some(s))
        })
    });
    Call { function: kernel.variant(format!("{side:?}")).into_function(), returns: DataType::Utf8 }
}
