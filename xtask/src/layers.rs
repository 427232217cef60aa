//! Checks that every crate uses only crates of lower layers.
//!
//! The table here is the one of `docs/architecture.md`; a crate that is missing in either is a complaint.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

/// Crates by layer, lowest first. In layer 4 `weir-control` may use `weir-runtime`, so it has a layer of its own.
const LAYERS: &[&[&str]] = &[
    &["weir-base"],
    &["weir-functions", "weir-formats", "weir-cloud"],
    &["weir-sql", "weir-engine", "weir-client"],
    &["weir-connectors", "weir-store"],
    &["weir-runtime"],
    &["weir-control"],
    &["weir-api"],
    &["weir"],
];

/// Crates that tests and people use; they may use anything, and nothing but tests may use them.
const DEVELOPMENT: &[&str] = &["weir-testkit", "xtask"];

/// One dependency of a workspace crate on another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Use {
    by: String,
    of: String,
    for_tests: bool,
}

/// Returns the complaints about the workspace at `root`.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let metadata = metadata(root)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let names: Vec<String> =
        packages.iter().filter_map(|package| package["name"].as_str()).map(String::from).collect();
    let mut complaints = unknown_crates(&names);
    complaints.extend(forbidden_uses(&uses(packages, &names)));
    let table = root.join("docs/architecture.md");
    let text = std::fs::read_to_string(&table).with_context(|| format!("cannot read {}", table.display()))?;
    complaints.extend(undocumented_crates(&names, &text));
    Ok(complaints)
}

/// Returns what `cargo metadata` says of the packages of the workspace.
pub fn metadata(root: &Path) -> anyhow::Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn uses(packages: &[Value], names: &[String]) -> Vec<Use> {
    let mut uses = Vec::new();
    for package in packages {
        let by = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let of = dependency["name"].as_str().unwrap_or_default();
            if names.iter().any(|name| name == of) {
                let for_tests = dependency["kind"].as_str() == Some("dev");
                uses.push(Use { by: by.to_string(), of: of.to_string(), for_tests });
            }
        }
    }
    uses
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|crates| crates.contains(&name))
}

fn unknown_crates(names: &[String]) -> Vec<String> {
    names
        .iter()
        .filter(|name| layer(name).is_none() && !DEVELOPMENT.contains(&name.as_str()))
        .map(|name| {
            format!(
                "layers: crate `{name}` has no layer; add it to xtask/src/layers.rs and docs/architecture.md"
            )
        })
        .collect()
}

fn forbidden_uses(uses: &[Use]) -> Vec<String> {
    uses.iter().filter_map(complaint).collect()
}

fn complaint(found: &Use) -> Option<String> {
    let Use { by, of, for_tests } = found;
    if DEVELOPMENT.contains(&by.as_str()) {
        return None;
    }
    if DEVELOPMENT.contains(&of.as_str()) {
        return (!for_tests).then(|| format!("layers: `{by}` uses `{of}`, which only tests may use"));
    }
    let (user, used) = (layer(by)?, layer(of)?);
    (user <= used).then(|| {
        format!("layers: `{by}` (layer {user}) uses `{of}` (layer {used}); a crate may use only lower layers")
    })
}

fn undocumented_crates(names: &[String], architecture: &str) -> Vec<String> {
    names
        .iter()
        .filter(|name| !architecture.contains(&format!("| `{name}` |")))
        .map(|name| format!("layers: crate `{name}` has no row in the table of docs/architecture.md"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(by: &str, of: &str, for_tests: bool) -> Vec<String> {
        forbidden_uses(&[Use { by: by.into(), of: of.into(), for_tests }])
    }

    #[test]
    fn a_lower_layer_may_be_used() {
        assert!(found("weir-engine", "weir-base", false).is_empty());
        assert!(found("weir-control", "weir-runtime", false).is_empty());
    }

    #[test]
    fn the_same_and_a_higher_layer_may_not() {
        assert_eq!(found("weir-sql", "weir-engine", false).len(), 1);
        assert_eq!(found("weir-base", "weir-sql", false).len(), 1);
        assert_eq!(found("weir-runtime", "weir-control", true).len(), 1);
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        assert_eq!(found("weir", "weir-testkit", false).len(), 1);
        assert!(found("weir", "weir-testkit", true).is_empty());
    }

    #[test]
    fn a_crate_without_a_layer_is_named() {
        assert_eq!(unknown_crates(&["weir-new".to_string(), "weir-base".to_string()]).len(), 1);
    }
}
