//! Limits of a process, where there are no control groups.
//!
//! The system refuses memory beyond `RLIMIT_DATA`, which counts what a process may write to, whether it has done so or not.
//! That is why the allocator, which takes a gibibyte at a time otherwise, is to take less ([`environment`]): the stacks of
//! threads come out of the same memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Least memory, in KiB, that the allocator takes at a time.
const LEAST_PIECE_KIB: u64 = 32 << 10;

/// What the system and the standard library say when there is no more memory: for a stack, and for anything else. The latter
/// aborts the process. Several threads may say it at once, each in pieces.
const REFUSALS: [&str; 2] = ["Cannot allocate memory (os error 12)", "memory allocation of "];

/// Newest bytes of a log in which a last word is looked for: a backtrace may come after it.
const TAIL: u64 = 64 << 10;

/// Refuses this process memory beyond `bytes`.
pub(super) fn limit_memory(bytes: u64) -> io::Result<()> {
    Ok(setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) })?)
}

/// Returns the variable of the environment that makes the allocator take a small part of `bytes` at a time. It reads it before
/// the program runs, so that a worker has to be started with it. Taking memory page by page, with
/// `MIMALLOC_ARENA_EAGER_COMMIT=0`, would be more exact, and costs a tenth of the speed of a job whose state grows.
pub(super) fn environment(bytes: u64) -> (&'static str, String) {
    ("MIMALLOC_ARENA_RESERVE", (bytes >> 10 >> 6).max(LEAST_PIECE_KIB).to_string())
}

/// Returns whether the end of a log says that the process was refused memory, after `beginning`, with which it begins.
pub(super) fn was_refused_memory(log: &Path, beginning: &str) -> bool {
    let Ok(tail) = tail(log) else { return false };
    let own = tail.rsplit(beginning).next().unwrap_or(&tail);
    REFUSALS.iter().any(|refusal| own.contains(refusal))
}

fn tail(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns a size of memory for people.
pub(super) fn size(bytes: u64) -> String {
    let mebibytes = bytes >> 20;
    match mebibytes % 1_024 {
        0 => format!("{} GiB", mebibytes / 1_024),
        _ => format!("{mebibytes} MiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_worker_is_its_own() {
        let place = tempfile::tempdir().unwrap();
        let log = place.path().join("worker.log");
        let refused = |text: &str| {
            std::fs::write(&log, text).unwrap();
            was_refused_memory(&log, "held to 1 SPU")
        };
        let beginning = "INFO held to 1 SPU, 4 GiB\n";
        assert!(!refused(beginning));
        assert!(refused(&format!("{beginning}INFO job runs\nmemory allocation of 64 bytes failed\n")));
        assert!(refused(&format!(
            "{beginning}memory allocation of memory allocation of 6464 bytes failed\n"
        )));
        assert!(!refused(&format!(
            "{beginning}memory allocation of 64 bytes failed\n{beginning}INFO job runs\n"
        )));
        assert!(refused(&format!("{beginning}mmap failed: Cannot allocate memory (os error 12)\n")));
        assert!(refused(&format!("{beginning}{}\nmemory allocation of 64 bytes failed", "x".repeat(9_000))));
        assert!(!was_refused_memory(&place.path().join("none"), "held to"));
    }

    #[test]
    fn the_allocator_takes_a_small_part_of_the_share_at_a_time() {
        assert_eq!(environment(8 << 30).1, "131072");
        assert_eq!(environment(512 << 20).1, "32768");
    }

    #[test]
    fn sizes_are_in_the_largest_unit_that_fits() {
        assert_eq!((size(8 << 30), size(1_536 << 20)), ("8 GiB".to_string(), "1536 MiB".to_string()));
    }
}
