//! What is left of a changelog when withdrawn rows are taken away.

use weir_engine::RowKind;

/// Returns the rows that are added more often than withdrawn, each as often as that. The error names a row that is
/// withdrawn although it is not there.
pub fn fold(changelog: &[(RowKind, String)]) -> Result<Vec<String>, String> {
    let mut rows: Vec<&str> = Vec::new();
    for (kind, row) in changelog {
        if kind.is_added() {
            rows.push(row);
            continue;
        }
        match rows.iter().rposition(|held| *held == row.as_str()) {
            Some(at) => {
                rows.remove(at);
            }
            None => return Err(format!("`{}` withdraws the row `{row}`, which is not there", kind.sign())),
        }
    }
    Ok(rows.into_iter().map(str::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withdrawn_rows_are_gone() {
        let change = |kind, row: &str| (kind, row.to_string());
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
}
