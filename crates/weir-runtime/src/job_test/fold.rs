//! What is left of a changelog when withdrawn rows are taken away.

use std::collections::HashMap;

use weir_engine::RowKind;

/// Returns the rows that are added more often than withdrawn, each as often as that, in the order in which they were added.
/// A withdrawn row takes away the last of its equals. The error names a row that is withdrawn although it is not there.
pub fn fold(changelog: &[(RowKind, String)]) -> Result<Vec<String>, String> {
    // The places of the rows that are there, the last one on top.
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut is_left = vec![false; changelog.len()];
    for (place, (kind, row)) in changelog.iter().enumerate() {
        let places = places.entry(row.as_str()).or_default();
        if kind.is_added() {
            is_left[place] = true;
            places.push(place);
            continue;
        }
        match places.pop() {
            Some(added) => is_left[added] = false,
            None => return Err(format!("`{}` withdraws the row `{row}`, which is not there", kind.sign())),
        }
    }
    let left = changelog.iter().zip(is_left).filter(|(_, is_left)| *is_left);
    Ok(left.map(|((_, row), _)| row.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: RowKind, row: &str) -> (RowKind, String) {
        (kind, row.to_string())
    }

    #[test]
    fn withdrawn_rows_are_gone() {
        let changelog = [
            change(RowKind::Insert, "a,1"),
            change(RowKind::Insert, "b,1"),
            change(RowKind::UpdateBefore, "a,1"),
            change(RowKind::UpdateAfter, "a,2"),
            change(RowKind::Delete, "b,1"),
        ];
        assert_eq!(fold(&changelog).unwrap(), ["a,2"]);
        assert!(fold(&changelog[2..3]).unwrap_err().contains("a,1"));
    }

    #[test]
    fn the_last_of_equal_rows_goes_and_the_others_keep_their_places() {
        let changelog = [
            change(RowKind::Insert, "a"),
            change(RowKind::Insert, "b"),
            change(RowKind::Insert, "a"),
            change(RowKind::Insert, "c"),
            change(RowKind::Delete, "a"),
        ];
        assert_eq!(fold(&changelog).unwrap(), ["a", "b", "c"]);
        let twice = [&changelog[..], &[change(RowKind::Delete, "a"), change(RowKind::Delete, "a")]].concat();
        assert!(fold(&twice).unwrap_err().contains("withdraws the row `a`, which is not there"));
    }
}
