//! Limits of a process, where there are no control groups.
//!
//! The system refuses memory beyond `RLIMIT_DATA`, which counts what a process may write to, whether it has done so or not.
//! That is why the allocator must not take memory in advance ([`ENVIRONMENT`]).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Makes the allocator take memory when it is needed and not a gibibyte at a time. It reads that before the program runs,
/// so that the service has to say so when it starts a worker.
pub(in super::super) const ENVIRONMENT: (&str, &str) = ("MIMALLOC_ARENA_EAGER_COMMIT", "0");

/// Newest bytes of a log in which a last word is looked for: a backtrace may come after it.
const TAIL: u64 = 64 << 10;

/// Refuses this process memory beyond `bytes`.
pub(super) fn limit_memory(bytes: u64) -> io::Result<()> {
    Ok(setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) })?)
}

/// Returns whether the end of a log says that the process was refused memory, after `beginning`, with which it begins.
pub(super) fn was_refused_memory(log: &Path, beginning: &str) -> bool {
    // As the standard library says it, before it aborts the process. Several threads may say so at once, each in pieces.
    tail(log).is_ok_and(|tail| {
        tail.rsplit(beginning).next().is_some_and(|own| own.contains("memory allocation of "))
    })
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
        assert!(refused(&format!("{beginning}{}\nmemory allocation of 64 bytes failed", "x".repeat(9_000))));
        assert!(!was_refused_memory(&place.path().join("none"), "held to"));
    }

    #[test]
    fn sizes_are_in_the_largest_unit_that_fits() {
        assert_eq!((size(8 << 30), size(1_536 << 20)), ("8 GiB".to_string(), "1536 MiB".to_string()));
    }
}
