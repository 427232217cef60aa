//! One trait 'run a job': the embedded worker process.
