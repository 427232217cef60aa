//! The folder of a worker: request, socket, log and result.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use arrow::temporal_conversions;
use serde::{Deserialize, Serialize};
use weir_base::id::JobId;
use weir_base::time::Timestamp;
use weir_base::variables::Variables;
use weir_cloud::sealing::Sealer;

use super::confine::Bounds;
use super::logs::LogBegin;
use crate::{Observation, StartRequest};

/// What a worker needs to know of the installation. Secrets stand in a file that only the owner can read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorkerConfig {
    /// Directory of the embedded stream store.
    pub streams: PathBuf,
    /// Directory of what sinks show over the gateway.
    #[serde(default)]
    pub gateway: PathBuf,
    /// Where objects are kept.
    pub objects: ObjectsPlace,
    /// Directories that `file` streams may use.
    pub file_directories: Vec<PathBuf>,
    /// File with the key that opens sealed variables.
    #[serde(default)]
    pub sealing_key: PathBuf,
    /// Filter of log levels, such as `info`.
    pub log_level: String,
    /// Whether log lines are JSON.
    pub log_json: bool,
}

impl WorkerConfig {
    /// An installation that keeps all it has, objects included, under one directory.
    pub fn under(root: &Path) -> Self {
        Self {
            streams: root.join("streams"),
            gateway: root.join("gateway"),
            objects: ObjectsPlace::Local(root.join("objects")),
            file_directories: Vec::new(),
            sealing_key: root.join("sealing.key"),
            log_level: "info".to_string(),
            log_json: false,
        }
    }
}

/// What the secret key of an S3 endpoint is sealed for.
pub const OBJECTS_KEY: &str = "objects_secret_key";

/// Where objects are kept.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectsPlace {
    /// A local directory.
    Local(PathBuf),
    /// An S3 endpoint.
    S3 {
        /// `http://host:port`.
        endpoint: String,
        /// Region.
        region: String,
        /// Access key.
        access_key: String,
        /// Secret key, sealed for [`OBJECTS_KEY`].
        #[serde(default)]
        sealed_secret_key: String,
    },
}

impl std::fmt::Debug for ObjectsPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ObjectsPlace::Local(path) => f.debug_tuple("Local").field(path).finish(),
            ObjectsPlace::S3 { endpoint, .. } => {
                f.debug_struct("S3").field("endpoint", endpoint).finish_non_exhaustive()
            }
        }
    }
}

/// Everything a worker is started with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WorkerRequest {
    pub(super) start: StartRequest,
    pub(super) config: WorkerConfig,
    /// What the worker is held to; `None` holds it to nothing.
    #[serde(default)]
    pub(super) bounds: Option<Bounds>,
    /// Where its logs begin; `None` in the request of a release that did not note it.
    #[serde(default)]
    pub(super) log_begin: Option<LogBegin>,
    /// The network namespace that the worker moves into.
    #[serde(default)]
    pub(super) namespace: Option<PathBuf>,
}

impl WorkerRequest {
    /// Opens the global variables that the job names.
    pub(super) fn variables(&self) -> Result<Variables, String> {
        let sealer = Sealer::new(&self.config.sealing_key);
        crate::open_variables(&self.start.project, &self.start.variables, &sealer)
            .map_err(|error| format!("a global variable cannot be read: {error}"))
    }
}

const BEGUN: &str = "begun";
const PID: &str = "pid";
/// Both name an attempt, so that they say nothing of the next one.
const COPIED: &str = "logs-copied";
const RUNNING_SINCE: &str = "running-since";

/// The folder of one job's worker.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(root: &Path, job: JobId) -> Self {
        Self(root.join(job.to_string()))
    }

    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// Lists the folders of all jobs.
    pub(super) fn all(root: &Path) -> io::Result<Vec<(JobId, Folder)>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(root)? {
            let entry = entry?;
            if let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                found.push((JobId(id), Folder(entry.path())));
            }
        }
        Ok(found)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn log(&self) -> PathBuf {
        self.0.join("worker.log")
    }

    /// What the service decided about the job.
    pub(super) fn manager_log(&self) -> PathBuf {
        self.0.join("jobmanager.log")
    }

    /// Adds a line to what the service decided.
    pub(super) fn note(&self, at: Timestamp, text: &str) -> io::Result<()> {
        let at = temporal_conversions::timestamp_ms_to_datetime(at.0).unwrap_or_default();
        let line = format!("{} {text}\n", at.format("%Y-%m-%dT%H:%M:%S%.3fZ"));
        File::options().create(true).append(true).open(self.manager_log())?.write_all(line.as_bytes())
    }

    /// Notes that all logs of an attempt are in their bucket.
    pub(super) fn mark_logs_copied(&self, attempt: u64) {
        if let Err(error) = self.replace(COPIED, attempt.to_string().as_bytes()) {
            tracing::warn!(folder = %self.0.display(), %error, "that the logs are copied cannot be noted; the next start of the service copies them again");
        }
    }

    /// Returns whether all logs of an attempt are in their bucket.
    pub(super) fn has_logs_copied(&self, attempt: u64) -> bool {
        std::fs::read_to_string(self.0.join(COPIED)).is_ok_and(|noted| noted == attempt.to_string())
    }

    /// Notes since when an attempt runs. Its worker may die while no service looks, and its logs belong where that says.
    pub(super) fn write_running_since(&self, attempt: u64, since: Timestamp) -> io::Result<()> {
        let content = serde_json::to_vec(&(attempt, since)).map_err(io::Error::other)?;
        self.replace(RUNNING_SINCE, &content)
    }

    /// Returns since when an attempt runs or ran.
    pub(super) fn running_since(&self, attempt: u64) -> Option<Timestamp> {
        let content = std::fs::read(self.0.join(RUNNING_SINCE)).ok()?;
        let (noted, since): (u64, Timestamp) = serde_json::from_slice(&content).ok()?;
        (noted == attempt).then_some(since)
    }

    /// Takes the lock that says that the folder has a worker; `None` when another one lives.
    ///
    /// The lock belongs to the open file. The service hands it to the worker that it starts, so that from the
    /// start of the process to its end, and not a moment longer, nobody else can have it.
    pub(super) fn lock(&self) -> io::Result<Option<File>> {
        let file = File::options().create(true).truncate(false).write(true).open(self.0.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Returns whether a worker of this folder lives, whoever started it.
    pub(super) fn has_worker(&self) -> bool {
        matches!(self.lock(), Ok(None))
    }

    /// Checkpoints of jobs that keep none in a bucket: written only when the service suspends them.
    pub(super) fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// The savepoint of a job that has no bucket.
    pub(super) fn savepoint(&self) -> PathBuf {
        self.0.join("savepoint")
    }

    /// Notes the process that was given the lock, so that another service process can kill it.
    pub(super) fn write_pid(&self, pid: u32) -> io::Result<()> {
        self.replace(PID, pid.to_string().as_bytes())
    }

    /// Returns the process that holds the lock. The number of one that has gone may mean another process by
    /// now, which is why it is told of a living worker only.
    pub(super) fn worker_pid(&self) -> Option<u32> {
        if !self.has_worker() {
            return None;
        }
        std::fs::read_to_string(self.0.join(PID)).ok()?.parse().ok()
    }

    /// Notes that the worker may write checkpoints from now on. Checkpoints of earlier runs are gone by then.
    pub(super) fn mark_begun(&self) -> io::Result<()> {
        File::create(self.0.join(BEGUN)).map(drop)
    }

    /// Returns whether the last worker may have written checkpoints.
    pub(super) fn has_begun(&self) -> bool {
        self.0.join(BEGUN).exists()
    }

    pub(super) fn make(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.0)
    }

    pub(super) fn write_request(&self, request: &WorkerRequest) -> io::Result<()> {
        self.replace("request.json", &serde_json::to_vec(request).map_err(io::Error::other)?)
    }

    pub(super) fn read_request(&self) -> io::Result<WorkerRequest> {
        let text = std::fs::read(self.0.join("request.json"))?;
        serde_json::from_slice(&text).map_err(io::Error::other)
    }

    /// Stores how a run ended.
    pub(super) fn write_result(&self, observation: &Observation) -> io::Result<()> {
        self.replace("result.json", &serde_json::to_vec(observation).map_err(io::Error::other)?)
    }

    /// Writes a file beside and renames it when it is on the disk, so that it is never read half. Only the
    /// owner may read it: a request holds secrets.
    fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let temporary = self.0.join(format!("{name}.new"));
        // One that a crash left keeps the rights it has.
        match std::fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = File::options().create_new(true).write(true).mode(0o600).open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(temporary, self.0.join(name))?;
        File::open(&self.0)?.sync_all()
    }

    pub(super) fn read_result(&self) -> Option<Observation> {
        let text = std::fs::read(self.0.join("result.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Removes what an earlier run left, its checkpoints excepted.
    pub(super) fn clear_run(&self) {
        for name in ["result.json", "worker.sock", BEGUN, PID] {
            let _ = std::fs::remove_file(self.0.join(name));
        }
    }

    /// Removes the folder unless it has a worker.
    pub(super) fn remove(&self) -> io::Result<()> {
        if !self.0.exists() {
            return Ok(());
        }
        // Held until the files are gone, so that no worker begins in between.
        let Some(_lock) = self.lock()? else {
            return Err(io::Error::other("its worker is still there"));
        };
        std::fs::remove_dir_all(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_a_worker_as_long_as_the_process_with_its_lock_lives() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path(), JobId(7));
        folder.make().unwrap();
        assert!(!folder.has_worker());
        let lock = folder.lock().unwrap().unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").stdin(lock).spawn().unwrap();
        assert!(folder.has_worker(), "the child keeps the lock, this process has given it away");
        assert!(folder.lock().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!folder.has_worker());
    }

    #[test]
    fn the_folder_of_a_living_worker_is_not_removed_and_names_its_process() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path(), JobId(7));
        folder.remove().unwrap();
        folder.make().unwrap();
        folder.write_pid(4_711).unwrap();
        assert_eq!(folder.worker_pid(), None, "that process is gone");
        let lock = folder.lock().unwrap().unwrap();
        assert_eq!(folder.worker_pid(), Some(4_711));
        assert!(folder.remove().unwrap_err().to_string().contains("still there"));
        drop(lock);
        folder.remove().unwrap();
        assert!(!folder.path().exists());
    }
}
