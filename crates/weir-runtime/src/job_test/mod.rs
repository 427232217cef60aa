//! Tests of jobs written as files: the form of the file, and what it is compared with.
//!
//! `docs/job-tests.md` describes the form for people. Running the job and telling the result is up to the command.

mod case;
mod compare;
mod fold;

pub use case::{Case, DirtyData, Given, Output, RecordClock, find};
pub use compare::{Order, difference};
pub use fold::fold;
