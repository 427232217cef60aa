//! Kills a worker and waits until it is gone.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::folder::Folder;

/// How long a killed worker may take to go.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// Kills the worker of a folder and waits until the folder has none. A killed process is seen as a zombie while its last threads
/// still end, and keeps its files open until then.
pub(super) async fn kill(pid: u32, folder: &Folder) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let _ = kill_process(pid, Signal::KILL);
    let gone = async {
        while folder.has_worker() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = tokio::time::timeout(KILL_LIMIT, gone).await;
}
