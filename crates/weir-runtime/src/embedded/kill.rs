//! Kills a process and waits until it is gone.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// How long a killed worker may take to go.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// Kills a worker and waits until it is gone.
pub(super) async fn kill(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let _ = kill_process(pid, Signal::KILL);
    let gone = async {
        while test_kill_process(pid).is_ok() && !is_zombie(pid) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = tokio::time::timeout(KILL_LIMIT, gone).await;
}

fn is_zombie(pid: Pid) -> bool {
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
    let Ok(stat) = std::fs::read_to_string(Path::new(&path)) else { return false };
    // The state follows the command's name, which stands in parentheses and may hold anything.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}
