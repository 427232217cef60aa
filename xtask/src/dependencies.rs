//! Checks that every direct dependency has a row in `docs/dependencies.md` that says why it is there, and that no row is
//! left over.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;

use crate::layers::metadata;

/// Returns the complaints about the workspace at `root`.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let metadata = metadata(root)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let ours: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let used: BTreeSet<&str> = packages
        .iter()
        .flat_map(|package| package["dependencies"].as_array().into_iter().flatten())
        .filter_map(|dependency| dependency["name"].as_str())
        .filter(|name| !ours.contains(name))
        .collect();
    let page = root.join("docs/dependencies.md");
    let text = std::fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let mut complaints = unexplained(&used, &text);
    complaints.extend(left_over(&used, &text));
    Ok(complaints)
}

fn unexplained(used: &BTreeSet<&str>, page: &str) -> Vec<String> {
    used.iter()
        .filter(|name| !page.contains(&format!("| `{name}` |")))
        .map(|name| format!("docs/dependencies.md: `{name}` has no row that says why it is used"))
        .collect()
}

fn left_over(used: &BTreeSet<&str>, page: &str) -> Vec<String> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .filter(|(name, _)| !used.contains(name))
        .map(|(name, _)| {
            format!("docs/dependencies.md: no crate uses `{name}`; remove its row and its line in Cargo.toml")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_row_is_named() {
        let used = BTreeSet::from(["known", "new"]);
        let complaints = unexplained(&used, "| `known` | because | MIT |\n");
        assert_eq!(complaints.len(), 1);
        assert!(complaints[0].contains("`new`"));
    }
    #[test]
    fn a_row_without_a_dependency_is_named() {
        let page = "| Crate | Why |\n|---|---|\n| `known` | because |\n| `gone` | because |\n";
        let complaints = left_over(&BTreeSet::from(["known"]), page);
        assert_eq!(complaints.len(), 1);
        assert!(complaints[0].contains("`gone`"));
    }
}
