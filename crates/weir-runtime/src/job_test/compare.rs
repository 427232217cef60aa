//! Compares the rows that came out with the rows that should have.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How many differing rows a failure shows.
const SHOWN_ROWS: usize = 12;

/// Whether the order of rows matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Row by row.
    Fixed,
    /// As multisets.
    Any,
}

/// Returns what differs, for people, or `None` when the rows agree.
pub fn difference(expected: &str, actual: &str, order: Order, tolerance: Option<f64>) -> Option<String> {
    let mut expected: Vec<&str> = expected.lines().collect();
    let mut actual: Vec<&str> = actual.lines().collect();
    if order == Order::Any {
        expected.sort_unstable();
        actual.sort_unstable();
    }
    let same = expected.len() == actual.len()
        && expected.iter().zip(&actual).all(|(left, right)| rows_agree(left, right, tolerance));
    if same || (order == Order::Any && pairs_up(&expected, &actual, tolerance)) {
        return None;
    }
    let mut text = format!("{} rows expected, {} rows came out\n", expected.len(), actual.len());
    let unmatched = unmatched_rows(&expected, &actual);
    if unmatched.is_empty() {
        text.push_str(&first_misplaced(&expected, &actual));
    } else {
        for line in unmatched.iter().take(SHOWN_ROWS) {
            text.push_str(line);
        }
        if unmatched.len() > SHOWN_ROWS {
            text.push_str(&format!("  ... and {} more kinds of rows\n", unmatched.len() - SHOWN_ROWS));
        }
    }
    Some(text)
}

/// Tells whether each row has a partner of its own that agrees with it. Numbers that are nearly equal may be written so
/// differently that rows are not sorted alike.
fn pairs_up(expected: &[&str], actual: &[&str], tolerance: Option<f64>) -> bool {
    if tolerance.is_none() || expected.len() != actual.len() {
        return false;
    }
    let mut left: Vec<&str> = actual.to_vec();
    expected.iter().all(|row| match left.iter().position(|other| rows_agree(row, other, tolerance)) {
        Some(place) => {
            left.swap_remove(place);
            true
        }
        None => false,
    })
}

fn rows_agree(left: &str, right: &str, tolerance: Option<f64>) -> bool {
    let Some(tolerance) = tolerance else { return left == right };
    let (left, right): (Vec<&str>, Vec<&str>) = (left.split(',').collect(), right.split(',').collect());
    left.len() == right.len() && left.iter().zip(&right).all(|(a, b)| fields_agree(a, b, tolerance))
}

fn fields_agree(left: &str, right: &str, tolerance: f64) -> bool {
    if left == right {
        return true;
    }
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0),
        _ => false,
    }
}

/// Lists rows whose number of occurrences differs, as `- row` for missing and `+ row` for surplus ones.
fn unmatched_rows(expected: &[&str], actual: &[&str]) -> Vec<String> {
    let mut surplus: BTreeMap<&str, i64> = BTreeMap::new();
    for row in actual {
        *surplus.entry(row).or_default() += 1;
    }
    for row in expected {
        *surplus.entry(row).or_default() -= 1;
    }
    surplus
        .into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(row, count)| {
            let sign = if count < 0 { '-' } else { '+' };
            match count.abs() {
                1 => format!("  {sign} {row}\n"),
                times => format!("  {sign} {row}   ({times} times)\n"),
            }
        })
        .collect()
}

fn first_misplaced(expected: &[&str], actual: &[&str]) -> String {
    let place = expected.iter().zip(actual).position(|(left, right)| left != right).unwrap_or(0);
    format!(
        "  the rows are right, their order is not; first at row {}:\n  - {}\n  + {}\n",
        place + 1,
        expected.get(place).unwrap_or(&""),
        actual.get(place).unwrap_or(&"")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_in_another_order_agree_only_as_multisets() {
        assert_eq!(difference("a\nb\n", "b\na\n", Order::Any, None), None);
        let text = difference("a\nb\n", "b\na\n", Order::Fixed, None).unwrap();
        assert!(text.contains("order is not"), "{text}");
    }

    #[test]
    fn a_row_that_came_twice_is_shown() {
        let text = difference("a\nb\n", "a\nb\nb\n", Order::Any, None).unwrap();
        assert!(text.contains("+ b"), "{text}");
        assert!(!text.contains("- a"), "{text}");
    }

    #[test]
    fn a_missing_row_is_shown() {
        let text = difference("a\nb\n", "a\n", Order::Fixed, None).unwrap();
        assert!(text.contains("- b"), "{text}");
    }

    #[test]
    fn tolerance_applies_to_numbers_only() {
        assert_eq!(difference("x,0.1\n", "x,0.10000000001\n", Order::Any, Some(1e-9)), None);
        assert!(difference("x,0.1\n", "x,0.2\n", Order::Any, Some(1e-9)).is_some());
        assert!(difference("x,0.1\n", "y,0.1\n", Order::Any, Some(1e-9)).is_some());
        assert!(difference("x,0.1\n", "x,0.10000000001\n", Order::Any, None).is_some());
    }

    #[test]
    fn nearly_equal_numbers_may_be_sorted_differently() {
        let (expected, actual) = ("0.0005\n0.7\n", "0.7\n5.0E-4\n");
        assert_eq!(difference(expected, actual, Order::Any, Some(1e-9)), None);
        assert!(difference(expected, actual, Order::Fixed, Some(1e-9)).is_some());
        assert!(difference(expected, "0.7\n0.7\n", Order::Any, Some(1e-9)).is_some());
    }
}
