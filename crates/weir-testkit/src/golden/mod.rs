//! Golden jobs: a folder with a job, its inputs and the rows that must come out, run in every way the engine knows.
//!
//! One folder gives the same rows however it runs: plainly, with checkpoints, killed and resumed, at any parallelism.

mod folder;
mod mode;
mod run;

pub use folder::Folder;
pub use mode::{Mode, all_modes};
pub use run::run;
