//! Runs every golden job of `tests/jobs` in every way: plainly, with checkpoints, killed and resumed, in parallel.
//!
//! Every folder is a test of its own, so that a failure has the name of its job, and a new folder needs nothing
//! but itself: `cargo test -p weir --test golden session_event`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use weir_testkit::golden::{Folder, all_modes, run};
use weir_testkit::seed::seed_of_run;

fn main() -> ExitCode {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/jobs");
    let folders = match jobs.canonicalize().map_err(anyhow::Error::from).and_then(|jobs: PathBuf| {
        let folders = Folder::load_all(&jobs)?;
        anyhow::ensure!(!folders.is_empty(), "there is no job in {}", jobs.display());
        Ok(folders)
    }) {
        Ok(folders) => folders,
        Err(error) => {
            eprintln!("the golden jobs cannot be read: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let trial = |folder: Folder| Trial::test(folder.name.clone(), move || check(&folder));
    libtest_mimic::run(&Arguments::from_args(), folders.into_iter().map(trial).collect()).exit_code()
}

/// Runs one job in all modes and reports every mode that fails, not only the first.
fn check(folder: &Folder) -> Result<(), Failed> {
    let weir = Path::new(env!("CARGO_BIN_EXE_weir"));
    let seed = seed_of_run();
    let failures: Vec<String> = all_modes()
        .into_iter()
        .filter_map(|mode| run(weir, folder, mode, seed).err())
        .map(|error| format!("{error:#}"))
        .collect();
    match failures.len() {
        0 => Ok(()),
        failed => {
            Err(format!("{failed} of {} modes failed\n\n{}", all_modes().len(), failures.join("\n\n")).into())
        }
    }
}
