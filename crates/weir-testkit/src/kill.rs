//! Ending processes the hard way, and finding the workers of a service.
//!
//! Only processes that belong to a given data directory are ever touched.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Kills a process with SIGKILL. Returns whether it was still there.
pub fn kill_hard(pid: u32) -> bool {
    signal(pid, Signal::KILL)
}

/// Asks a process to end with SIGTERM. Returns whether it was still there.
pub fn ask_to_end(pid: u32) -> bool {
    signal(pid, Signal::TERM)
}

fn signal(pid: u32, signal: Signal) -> bool {
    i32::try_from(pid).ok().and_then(Pid::from_raw).is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// Returns the ids of the `weir worker` processes of the service whose data directory is given.
///
/// A worker is known by its command line and by a path below the data directory in its arguments, its environment
/// or as its working directory.
pub fn workers_of(data: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<u32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| is_worker_of(*pid, data))
        .collect();
    found.sort_unstable();
    found
}

/// Returns the id of the job that a `weir worker` process runs: the name of its folder.
pub fn job_of_worker(pid: u32) -> Option<i64> {
    let command_line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let folder = command_line.split(|byte| *byte == 0).nth(2)?;
    Path::new(std::str::from_utf8(folder).ok()?).file_name()?.to_str()?.parse().ok()
}

fn is_worker_of(pid: u32, data: &Path) -> bool {
    let place = Path::new("/proc").join(pid.to_string());
    let Ok(command_line) = std::fs::read(place.join("cmdline")) else { return false };
    let arguments: Vec<&[u8]> = command_line.split(|byte| *byte == 0).collect();
    if arguments.get(1) != Some(&b"worker".as_slice()) {
        return false;
    }
    let needle = data.as_os_str().as_encoded_bytes();
    let environment = std::fs::read(place.join("environ")).unwrap_or_default();
    contains(&command_line, needle)
        || contains(&environment, needle)
        || std::fs::read_link(place.join("cwd")).is_ok_and(|cwd| cwd.starts_with(data))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_the_word_worker_is_left_alone() {
        assert!(!is_worker_of(std::process::id(), Path::new("/")));
        assert_eq!(job_of_worker(std::process::id()), None);
    }

    #[test]
    fn a_killed_child_is_reported_as_there_once() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(kill_hard(child.id()));
        child.wait().unwrap();
        assert!(!kill_hard(child.id()));
    }
}
