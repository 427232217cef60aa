//! Follows one worker over its socket until it has ended, and tells why it ended.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::mpsc;
use weir_base::clock::Clock;
use weir_base::id::JobId;
use weir_base::time::Timestamp;

use super::confine::Bounds;
use super::folder::Folder;
use super::logs::Logs;
use super::processes::Entries;
use super::protocol::Command;
use super::socket;
use crate::{Observation, RunState};

/// How long a new worker may take to open its socket.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// Pause between two looks at something that is about to happen.
const PAUSE: Duration = Duration::from_millis(10);

/// The service's end of one worker.
pub(super) struct Watch {
    pub(super) job: JobId,
    pub(super) folder: Folder,
    /// The process, when this service started it.
    pub(super) child: Option<Child>,
    /// What the worker is held to.
    pub(super) bounds: Option<Bounds>,
    /// Its logs, when they go to a bucket.
    pub(super) logs: Option<Logs>,
    pub(super) attempt: u64,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) entries: Entries,
    pub(super) clock: Arc<dyn Clock>,
}

impl Watch {
    pub(super) async fn run(mut self) {
        if let Some(stream) = self.connect().await {
            self.learn_pid(&stream);
            self.follow(stream).await;
        }
        let status = self.wait_for_exit().await;
        let mut want_of_memory = None;
        if let Some(bounds) = &self.bounds {
            // Asked before its control group goes, which knows.
            want_of_memory = bounds.want_of_memory(status, &self.folder.log());
            bounds.take_back().await;
        }
        let result = self.folder.read_result().filter(|result| result.attempt == self.attempt);
        let running_since =
            result.as_ref().map_or_else(|| self.running_since(), |result| result.running_since);
        if let Some(logs) = &self.logs {
            logs.copy_at_end(running_since).await;
        }
        self.conclude(result, running_since, status, want_of_memory);
    }

    /// Connects to the worker; `None` when it ends before its socket is open.
    async fn connect(&mut self) -> Option<UnixStream> {
        let attempts = async {
            loop {
                if let Ok(stream) = socket::connect(self.folder.path()).await {
                    return Some(stream);
                }
                let is_gone = match &mut self.child {
                    Some(child) => !matches!(child.try_wait(), Ok(None)),
                    None => !self.folder.has_worker(),
                };
                if is_gone {
                    return None;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(CONNECT_LIMIT, attempts).await.ok().flatten()
    }

    /// Asks the system whose socket it is: a worker that hangs does not say it, and has to be killed all the same.
    fn learn_pid(&self, stream: &UnixStream) {
        let pid = stream.peer_cred().ok().and_then(|peer| peer.pid()).and_then(|pid| u32::try_from(pid).ok());
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) =
            entries.get_mut(&self.job).filter(|entry| entry.observation.attempt == self.attempt)
        {
            entry.observation.pid = entry.observation.pid.or(pid);
        }
    }

    async fn follow(&mut self, stream: UnixStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut commands_open = true;
        loop {
            tokio::select! {
                line = lines.next_line() => {
                    let Ok(Some(line)) = line else { return };
                    match serde_json::from_str::<Observation>(&line) {
                        Ok(mut observation) => {
                            observation.at = self.clock.now();
                            self.update(observation);
                        }
                        Err(error) => tracing::warn!(job_id = %self.job, %error, "a message of the worker was not understood"),
                    }
                }
                command = self.commands.recv(), if commands_open => {
                    let Some(command) = command else {
                        commands_open = false;
                        continue;
                    };
                    let Ok(mut text) = serde_json::to_vec(&command) else { continue };
                    text.push(b'\n');
                    if write.write_all(&text).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn wait_for_exit(&mut self) -> Option<ExitStatus> {
        if let Some(child) = &mut self.child {
            return child.wait().await.ok();
        }
        while self.folder.has_worker() {
            tokio::time::sleep(PAUSE).await;
        }
        None
    }

    fn update(&self, observation: Observation) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) =
            entries.get_mut(&self.job).filter(|entry| entry.observation.attempt == self.attempt)
        {
            let runs = observation.running_since.is_some() && entry.observation.running_since.is_none();
            entry.observation = observation;
            if runs && let Err(error) = self.folder.note(self.clock.now(), "the job runs") {
                tracing::warn!(job_id = %self.job, %error, "the log of the job cannot be written");
            }
        }
    }

    /// Returns since when the job has run, if the worker has said so or noted it.
    fn running_since(&self) -> Option<Timestamp> {
        let said = {
            let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = entries.get(&self.job).filter(|entry| entry.observation.attempt == self.attempt);
            entry.and_then(|entry| entry.observation.running_since)
        };
        said.or_else(|| self.folder.running_since(self.attempt))
    }

    /// Says where the log is. Paths of the machine are for its operator.
    fn place_of_log(&self, running_since: Option<Timestamp>) -> String {
        match &self.logs {
            Some(logs) => format!("its log is {}", logs.shown(running_since)),
            None => format!(
                "its log is with the operator of the service, as that of job {}, attempt {}; with log_enabled the \
                 next one goes to the bucket of the job",
                self.job, self.attempt
            ),
        }
    }

    /// Stores how the run ended.
    fn conclude(
        mut self,
        result: Option<Observation>,
        running_since: Option<Timestamp>,
        status: Option<ExitStatus>,
        want_of_memory: Option<String>,
    ) {
        let place = self.place_of_log(running_since);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) =
            entries.get_mut(&self.job).filter(|entry| entry.observation.attempt == self.attempt)
        else {
            return;
        };
        entry.commands = None;
        match result {
            // The end of one that an earlier service process started may be the end of that one.
            Some(result) => entry.observation = Observation { adopted: self.child.is_none(), ..result },
            None => {
                let is_expected = entry.killed && want_of_memory.is_none();
                let reason = want_of_memory
                    .unwrap_or_else(|| format!("the worker process {}", how_it_ended(status, entry.killed)));
                let log = self.folder.log();
                if is_expected {
                    tracing::info!(job_id = %self.job, "worker ended by the service");
                } else {
                    tracing::warn!(job_id = %self.job, reason, log = %log.display(), "worker ended unexpectedly");
                }
                let reason = format!("{reason}; {place}");
                entry.observation.state = RunState::Failed(reason);
                entry.observation.running_since = running_since;
                entry.observation.at = self.clock.now();
            }
        }
        self.commands.close();
    }
}

fn how_it_ended(status: Option<ExitStatus>, killed_by_service: bool) -> String {
    if killed_by_service {
        return "was ended by the service".to_string();
    }
    match status.map(|status| (status.signal(), status.code())) {
        Some((Some(9), _)) => {
            "was killed (signal 9): by a person, or by the system because memory ran out".to_string()
        }
        Some((Some(signal), _)) => format!("was ended by signal {signal}"),
        Some((None, Some(code))) => format!("ended with exit code {code} without a result"),
        _ => "is gone without a result".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_killed_a_worker_is_told_when_the_service_did() {
        let killed = Some(ExitStatus::from_raw(9));
        assert_eq!(how_it_ended(killed, true), "was ended by the service");
        assert!(how_it_ended(killed, false).contains("by a person, or by the system"));
        assert_eq!(
            how_it_ended(Some(ExitStatus::from_raw(0x300)), false),
            "ended with exit code 3 without a result"
        );
    }
}
