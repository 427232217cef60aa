//! Repository checks: `cargo xtask layers`, `cargo xtask dependencies`, `cargo xtask docs`, or `all` of them.

mod dependencies;
mod layers;
mod sources;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

type Check = fn(&Path) -> anyhow::Result<Vec<String>>;

const USAGE: &str = "usage: cargo xtask <check>

checks:
  layers         every crate uses only crates of lower layers
  dependencies   every direct dependency has a line that says why
  docs           every source file says what it is for, is not too long, and its open ends name an issue
  all            the three together";

fn main() -> ExitCode {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("layers") => layers::check(&root),
        Some("dependencies") => dependencies::check(&root),
        Some("docs") => sources::check(&root),
        Some("all") => check_all(&root),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(1);
        }
    };
    match outcome {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            for complaint in complaints {
                eprintln!("{complaint}");
            }
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn check_all(root: &Path) -> anyhow::Result<Vec<String>> {
    let checks: [Check; 3] = [layers::check, dependencies::check, sources::check];
    let mut complaints = Vec::new();
    for check in checks {
        complaints.extend(check(root)?);
    }
    Ok(complaints)
}
