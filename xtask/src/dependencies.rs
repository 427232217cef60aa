//! Checks that every direct dependency has a row in `docs/dependencies.md` that says why it is there.

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
    Ok(unexplained(&used, &text))
}

fn unexplained(used: &BTreeSet<&str>, page: &str) -> Vec<String> {
    used.iter()
        .filter(|name| !page.contains(&format!("| `{name}` |")))
        .map(|name| format!("docs/dependencies.md: `{name}` has no row that says why it is used"))
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
}
