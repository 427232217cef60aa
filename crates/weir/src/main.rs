//! The `weir` command: a cloud stream service in one binary.

mod commands;
mod config;
mod logging;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run()
}
