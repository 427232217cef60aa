//! Starts, finds and ends worker processes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use tokio::process::{Child, Command as Process};
use tokio::sync::mpsc;
use weir_base::clock::Clock;
use weir_base::error::with_causes;
use weir_base::id::{ClusterId, JobId};
use weir_base::ipv4::Ipv4Network;
use weir_base::savepoint::{SavepointAsk, SavepointPlace};
use weir_base::time::Timestamp;
use weir_cloud::gateway::Gateway;
use weir_cloud::objects::{Objects, ObjectsError};
use weir_engine::checkpoint::CheckpointStorage;

use super::confine::{Bounds, Shares};
use super::discard::discard_staged;
use super::folder::{Folder, WorkerConfig, WorkerRequest};
use super::kill::kill;
use super::logs::{LogBegin, Logs};
use super::namespaces::Namespaces;
use super::protocol::Command;
use super::savepoints;
use super::watch::Watch;
use crate::{ConnectError, Observation, RemoveError, RunState, Runner, StartError, StartRequest};

/// How long a suspension at shutdown may take. The service promises to end within ten seconds.
const SUSPEND_LIMIT: Duration = Duration::from_secs(8);

/// How long the removal of what a deleted job left in one place may take; it is repeated until it works.
const CLEAR_LIMIT: Duration = Duration::from_secs(2);

/// What is known of one worker.
pub(super) struct Entry {
    pub(super) observation: Observation,
    /// Commands to the worker; `None` when it has ended.
    pub(super) commands: Option<mpsc::Sender<Command>>,
    /// The exclusive cluster that it runs in.
    cluster: Option<ClusterId>,
    /// What it knows that it may reach; `None` when that is not known here.
    reached: Option<BTreeSet<Ipv4Network>>,
    /// Its logs, when they go to a bucket.
    logs: Option<Logs>,
    /// Whether the service has killed it.
    pub(super) killed: bool,
}

impl Entry {
    /// Returns what is known of a worker that has ended.
    fn ended(observation: Observation) -> Self {
        Self { observation, commands: None, cluster: None, reached: None, logs: None, killed: false }
    }
}

/// All workers known.
pub(super) type Entries = Arc<Mutex<HashMap<JobId, Entry>>>;

/// Runs jobs as worker processes of this machine.
pub struct EmbeddedRunner {
    root: PathBuf,
    executable: PathBuf,
    config: WorkerConfig,
    shares: Shares,
    objects: Objects,
    clock: Arc<dyn Clock>,
    namespaces: Option<Namespaces>,
    entries: Entries,
}

/// Variables of the environment that a worker has from the service: how programs find their files, write texts, reach
/// networks and tell of their faults.
const FOR_WORKERS: &[&str] = &[
    "PATH",
    "LD_LIBRARY_PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "LANG",
    "RUST_BACKTRACE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
];

fn is_for_workers(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| FOR_WORKERS.contains(&name) || name.starts_with("LC_"))
}

impl EmbeddedRunner {
    /// Makes a runner whose workers have their folders under `root`, run `executable worker FOLDER` and are held to
    /// their share of the machine.
    pub fn new(
        root: PathBuf,
        executable: PathBuf,
        config: WorkerConfig,
        shares: Shares,
        objects: Objects,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(&root)?;
        let entries = Entries::default();
        Ok(Self { root, executable, config, shares, objects, clock, namespaces: None, entries })
    }

    /// Gives the workers of each cluster a network namespace, or none.
    #[must_use]
    pub fn with_namespaces(self, namespaces: Option<Namespaces>) -> Self {
        Self { namespaces, ..self }
    }

    fn with_entries<T>(&self, f: impl FnOnce(&mut HashMap<JobId, Entry>) -> T) -> T {
        f(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a line to what the service decided about a job.
    fn note_in(&self, folder: &Folder, text: &str) {
        // A job that was never started has no folder, and nothing of it runs.
        match folder.note(self.clock.now(), text) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(folder = %folder.path().display(), %error, "the log of the service about a job cannot be written");
            }
            _ => {}
        }
    }

    /// Notes a worker that ended while no service looked. Returns its logs when they are not all in their bucket.
    fn take_up_ended(
        &self,
        job: JobId,
        folder: &Folder,
        observation: Observation,
    ) -> Option<(Logs, Option<Timestamp>)> {
        let request = folder.read_request().ok();
        let logs = request.and_then(|request| Logs::of(&request, &self.objects, folder));
        let running_since = observation.running_since;
        let entry = Entry { logs: logs.clone(), ..Entry::ended(observation) };
        self.with_entries(|entries| entries.insert(job, entry));
        logs.filter(|logs| !logs.are_copied()).map(|logs| (logs, running_since))
    }

    /// Starts a worker that holds `lock`, the one of its folder, for its life.
    fn spawn(&self, folder: &Folder, lock: File, bounds: Option<&Bounds>) -> io::Result<Child> {
        let log = File::options().create(true).append(true).open(folder.log())?;
        Process::new(&self.executable)
            .arg("worker")
            .arg(folder.path())
            // What the environment tells the service, secrets among it, is not for a process that runs what users wrote.
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| is_for_workers(name)))
            .envs(bounds.and_then(Bounds::environment))
            // A worker reads nothing from its standard input: it is where the lock is kept open.
            .stdin(Stdio::from(lock))
            .stdout(log.try_clone()?)
            .stderr(log)
            // A group of its own, so that Ctrl-C at the service's terminal does not reach it.
            .process_group(0)
            .spawn()
    }

    fn watch(&self, folder: Folder, request: WorkerRequest, child: Option<Child>, observation: Observation) {
        let logs = Logs::of(&request, &self.objects, &folder);
        let WorkerRequest { start, bounds, .. } = request;
        let (commands, receiver) = mpsc::channel(8);
        let entry = Entry {
            observation: observation.clone(),
            commands: Some(commands),
            cluster: start.cluster,
            // One that an earlier service process started may have been told something else since.
            reached: child.as_ref().and(destinations_of(&start)),
            logs: logs.clone(),
            killed: false,
        };
        self.with_entries(|entries| entries.insert(start.job, entry));
        let watch = Watch {
            job: start.job,
            folder,
            child,
            bounds,
            logs,
            attempt: observation.attempt,
            commands: receiver,
            entries: self.entries.clone(),
            clock: self.clock.clone(),
        };
        tokio::spawn(watch.run());
    }

    /// Whether a worker of the job lives, whoever started it.
    fn has_worker(&self, job: JobId) -> bool {
        Folder::new(&self.root, job).has_worker()
    }

    fn starting(&self, attempt: u64, pid: Option<u32>) -> Observation {
        Observation::starting(attempt, self.clock.now(), pid)
    }

    /// Returns the network namespace in which a worker has to run.
    async fn namespace_for(&self, request: &StartRequest) -> Result<Option<PathBuf>, StartError> {
        let (Some(namespaces), Some(cluster)) = (&self.namespaces, request.cluster) else { return Ok(None) };
        let Some(destinations) = destinations_of(request) else { return Ok(None) };
        let provided = namespaces.provide(cluster, &destinations).await;
        provided.map(Some).map_err(|reason| {
            StartError(format!("the network namespace of cluster {cluster} cannot be made: {reason}"))
        })
    }

    /// Ends what is left of the worker of a job, whoever started it.
    async fn end_worker(&self, job: JobId, folder: &Folder) {
        let live = |entry: &Entry| entry.commands.as_ref().and(entry.observation.pid);
        let known = self.with_entries(|entries| entries.get(&job).and_then(live));
        if let Some(pid) = folder.worker_pid().or(known.filter(|_| folder.has_worker())) {
            self.with_entries(|entries| entries.get_mut(&job).map(|entry| entry.killed = true));
            kill(pid, folder).await;
        }
    }

    /// Removes what the job shows over the gateway, what it staged, and its checkpoints.
    async fn clear(&self, job: JobId, folder: &Folder, bucket: Option<String>) -> Result<(), RemoveError> {
        let shown = Gateway::new(&self.config.gateway).remove(job).await;
        shown.map_err(|error| RemoveError::NotYet(error.to_string()))?;
        let discarded = async {
            match folder.read_request() {
                Ok(mut request) => {
                    // As the installation is now: the request may be of an earlier release, or sealed with an earlier key.
                    request.config = self.config.clone();
                    discard_staged(&request, self.clock.clone(), CLEAR_LIMIT).await
                }
                Err(_) => Vec::new(),
            }
        };
        let removed = async {
            let bucket = bucket?;
            let removed = tokio::time::timeout(CLEAR_LIMIT, self.remove_checkpoints(job, &bucket)).await;
            removed.unwrap_or_else(|_| Err(format!("the bucket `{bucket}` does not answer"))).err()
        };
        // Side by side: a bucket of a sink that refuses or does not answer does not keep the checkpoints.
        let (mut failures, removed) = tokio::join!(discarded, removed);
        failures.extend(removed);
        savepoints::remove_errors(failures)
    }

    async fn remove_checkpoints(&self, job: JobId, bucket: &str) -> Result<(), String> {
        let store = match self.objects.bucket(bucket).await {
            Ok(store) => store,
            Err(ObjectsError::NoBucket(_)) => return Ok(()),
            Err(error) => return Err(with_causes(&error)),
        };
        let storage = CheckpointStorage::new(store, format!("jobs/checkpoint/{job}"));
        savepoints::remove_all(&storage).await
    }

    /// Returns the live workers.
    fn live(&self) -> Vec<(JobId, mpsc::Sender<Command>)> {
        self.with_entries(|entries| {
            let live = |(job, entry): (&JobId, &Entry)| Some((*job, entry.commands.clone()?));
            entries.iter().filter_map(live).collect()
        })
    }
}

fn remove_folder(folder: &Folder) -> Result<(), RemoveError> {
    folder.remove().map_err(|error| RemoveError::NotYet(format!("its folder cannot be removed: {error}")))
}

/// Says how an attempt begins.
fn submission(request: &StartRequest) -> String {
    let from = match (request.resume, &request.savepoint) {
        (true, _) => "from its newest checkpoint",
        (false, Some(_)) => "from its savepoint",
        (false, None) => "afresh",
    };
    format!("attempt {}: submitted to a worker of {} SPU, {from}", request.attempt, request.spus)
}

#[async_trait]
impl Runner for EmbeddedRunner {
    async fn start(&self, request: StartRequest) -> Result<(), StartError> {
        let (job, attempt) = (request.job, request.attempt);
        if self.live().iter().any(|(live, _)| *live == job) {
            return Err(StartError("its worker of an earlier run has not ended yet".to_string()));
        }
        let folder = Folder::new(&self.root, job);
        let failed = |error| StartError(format!("the worker process cannot be started: {error}"));
        folder.make().map_err(failed)?;
        let Some(lock) = folder.lock().map_err(failed)? else {
            return Err(StartError("its worker of an earlier run has not ended yet".to_string()));
        };
        folder.clear_run();
        let namespace = self.namespace_for(&request).await?;
        let bounds = self.shares.give(job, request.spus).map_err(|error| {
            StartError(format!("the control group of the worker cannot be made: {error}"))
        })?;
        let log_begin = Some(LogBegin::now(&folder, self.clock.now()));
        self.note_in(&folder, &submission(&request));
        let request =
            WorkerRequest { start: request, config: self.config.clone(), bounds, log_begin, namespace };
        let child = folder
            .write_request(&request)
            .and_then(|()| self.spawn(&folder, lock, request.bounds.as_ref()))
            .map_err(failed)?;
        if let Some(pid) = child.id()
            && let Err(error) = folder.write_pid(pid)
        {
            // Its socket tells it too, unless it hangs before it opens it.
            tracing::warn!(job_id = %job, %error, "the process id of the worker cannot be noted");
        }
        let observation = self.starting(attempt, child.id());
        self.watch(folder, request, Some(child), observation);
        Ok(())
    }

    async fn stop(&self, job: JobId) {
        let commands = self.with_entries(|entries| entries.get(&job)?.commands.clone());
        if let Some(commands) = commands {
            let _ = commands.try_send(Command::Stop);
        }
    }

    async fn savepoint(&self, job: JobId, ask: SavepointAsk) {
        let commands = self.with_entries(|entries| entries.get(&job)?.commands.clone());
        if let Some(commands) = commands {
            let _ = commands.try_send(Command::Savepoint(ask));
        }
    }

    async fn remove_savepoint(&self, job: JobId, place: &SavepointPlace) -> Result<(), RemoveError> {
        let folder = Folder::new(&self.root, job);
        let removed = tokio::time::timeout(CLEAR_LIMIT, savepoints::remove(place, &self.objects, &folder));
        let removed = removed.await.unwrap_or_else(|_| Err("its bucket does not answer".to_string()));
        removed.map_err(savepoints::remove_error)
    }

    fn observe(&self, job: JobId) -> Option<Observation> {
        self.with_entries(|entries| entries.get(&job).map(|entry| entry.observation.clone()))
    }

    async fn adopt(&self) -> Vec<JobId> {
        self.shares.sweep(|job| self.has_worker(job));
        let folders = match Folder::all(&self.root) {
            Ok(folders) => folders,
            Err(error) => {
                tracing::error!(%error, "the folders of workers cannot be read; running workers are not adopted");
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        let mut uncopied = Vec::new();
        for (job, folder) in folders {
            if let Some(result) = folder.read_result() {
                let observation = Observation { adopted: true, ..result };
                uncopied.extend(self.take_up_ended(job, &folder, observation));
                found.push(job);
            } else if folder.has_worker()
                && let Ok(request) = folder.read_request()
            {
                let observation = self.starting(request.start.attempt, folder.worker_pid());
                self.watch(folder, request, None, observation);
                found.push(job);
            } else if folder.has_begun()
                && let Ok(request) = folder.read_request()
            {
                // It ended while no service looked. The reconciler must know that it ran: perhaps its checkpoints
                // are all that is known of this run.
                let attempt = request.start.attempt;
                let observation = Observation {
                    state: RunState::Stopped,
                    adopted: true,
                    running_since: folder.running_since(attempt),
                    ..self.starting(attempt, None)
                };
                uncopied.extend(self.take_up_ended(job, &folder, observation));
            } else if let Ok(request) = folder.read_request() {
                // It ended before it had read anything, or was not started any more; what it said counts all the same.
                let running_since = folder.running_since(request.start.attempt);
                let logs = Logs::of(&request, &self.objects, &folder).filter(|logs| !logs.are_copied());
                uncopied.extend(logs.map(|logs| (logs, running_since)));
            }
        }
        // Their workers ended while no service looked.
        join_all(uncopied.iter().map(|(logs, running_since)| logs.copy_at_end(*running_since))).await;
        found
    }

    async fn note(&self, job: JobId, text: &str) {
        let folder = Folder::new(&self.root, job);
        self.note_in(&folder, text);
        let ended = |entry: &Entry| {
            // Before it runs it is not known in which directory its logs belong; they are copied at its end.
            let is_known = entry.commands.is_none() || entry.observation.running_since.is_some();
            entry.logs.clone().filter(|_| is_known).map(|logs| (logs, entry.observation.running_since))
        };
        let Some((logs, running_since)) = self.with_entries(|entries| entries.get(&job).and_then(ended))
        else {
            return;
        };
        tokio::spawn(async move {
            if let Err(error) = logs.copy_manager_log(running_since).await {
                tracing::warn!(job_id = %job, error, "the log of the service about a job could not be copied to its bucket; the next line of it brings it along");
            }
        });
    }

    async fn kill(&self, job: JobId) {
        self.end_worker(job, &Folder::new(&self.root, job)).await;
    }

    async fn remove(&self, job: JobId, checkpoint_bucket: Option<String>) -> Result<(), RemoveError> {
        let folder = Folder::new(&self.root, job);
        self.end_worker(job, &folder).await;
        if folder.has_worker() {
            return Err(RemoveError::NotYet("its worker is still there".to_string()));
        }
        self.with_entries(|entries| entries.remove(&job));
        self.clear(job, &folder, checkpoint_bucket).await?;
        // Last: it tells what there is to clear.
        remove_folder(&folder)
    }

    async fn abandon(&self, job: JobId) -> Result<(), RemoveError> {
        remove_folder(&Folder::new(&self.root, job))
    }

    async fn connect_clusters(
        &self,
        clusters: &BTreeMap<ClusterId, BTreeSet<Ipv4Network>>,
    ) -> Result<(), ConnectError> {
        self.with_entries(|entries| {
            for entry in entries.values_mut() {
                let reached = entry.cluster.and_then(|cluster| clusters.get(&cluster));
                let (Some(reached), Some(commands)) = (reached, &entry.commands) else { continue };
                // One that was not taken is given again the next time.
                if entry.reached.as_ref() != Some(reached)
                    && commands.try_send(Command::Reach(reached.clone())).is_ok()
                {
                    entry.reached = Some(reached.clone());
                }
            }
        });
        match &self.namespaces {
            Some(namespaces) => namespaces.keep(clusters).await.map_err(ConnectError),
            None => Ok(()),
        }
    }

    async fn suspend_all(&self) {
        let live = self.live();
        for (_, commands) in &live {
            let _ = commands.try_send(Command::Suspend);
        }
        let ended = async {
            for (_, commands) in &live {
                commands.closed().await;
            }
        };
        if tokio::time::timeout(SUSPEND_LIMIT, ended).await.is_err() {
            for (job, _) in self.live() {
                tracing::warn!(job_id = %job, "the worker is still at its final checkpoint; it goes on and is adopted at the next start");
            }
        }
        self.shares.close(|job| self.has_worker(job));
        if let Some(namespaces) = &self.namespaces {
            let live = |entry: &Entry| entry.commands.as_ref().and(entry.cluster);
            let kept = self.with_entries(|entries| entries.values().filter_map(live).collect());
            if let Err(error) = namespaces.keep_only(&kept).await {
                tracing::warn!(error, "a network namespace is left; the next start removes it");
            }
        }
    }
}

/// Returns what a job may reach when it starts; `None` is everything.
fn destinations_of(start: &StartRequest) -> Option<BTreeSet<Ipv4Network>> {
    start.settings.network.destinations.as_ref().map(|networks| networks.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;

    use weir_base::clock::SystemClock;
    use weir_base::id::ProjectId;
    use weir_base::settings::JobSettings;
    use weir_cloud::objects::ObjectsConfig;

    use super::super::confine::Confinement;
    use super::*;

    fn runner(root: &Path) -> EmbeddedRunner {
        let config = WorkerConfig::under(root);
        let objects = Objects::new(ObjectsConfig::Local(root.join("objects")));
        let shares = Shares::new(Confinement::Limits, 4 << 30, root).unwrap();
        let clock = Arc::new(SystemClock);
        EmbeddedRunner::new(root.join("workers"), "false".into(), config, shares, objects, clock).unwrap()
    }

    fn worker_request(start: StartRequest, runner: &EmbeddedRunner) -> WorkerRequest {
        WorkerRequest { start, config: runner.config.clone(), bounds: None, log_begin: None, namespace: None }
    }

    fn request(attempt: u64) -> StartRequest {
        StartRequest {
            job: JobId(7),
            project: ProjectId("p1".to_string()),
            cluster: None,
            name: "j1".to_string(),
            attempt,
            sql: String::new(),
            variables: Default::default(),
            buckets: ["bk1".to_string()].into(),
            settings: JobSettings::default(),
            spus: 2,
            resume: false,
            fresh_since: Timestamp(0),
            savepoint: None,
        }
    }

    #[tokio::test]
    async fn a_worker_that_died_unseen_counts_only_if_it_had_begun() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(&root.path().join("workers"), JobId(7));
        let first = runner(root.path());
        folder.make().unwrap();
        folder.write_request(&worker_request(request(3), &first)).unwrap();
        first.adopt().await;
        assert_eq!(first.observe(JobId(7)), None, "it did nothing yet");
        folder.mark_begun().unwrap();
        let second = runner(root.path());
        second.adopt().await;
        let seen = second.observe(JobId(7)).unwrap();
        assert_eq!((seen.attempt, seen.state), (3, RunState::Stopped));
    }

    #[tokio::test]
    async fn a_job_gets_no_second_worker_while_one_that_nobody_knows_lives() {
        let root = tempfile::tempdir().unwrap();
        let runner = runner(root.path());
        let folder = Folder::new(&root.path().join("workers"), JobId(7));
        folder.make().unwrap();
        let lock = folder.lock().unwrap().unwrap();
        let refusal = runner.start(request(1)).await.unwrap_err();
        assert_eq!(refusal.to_string(), "its worker of an earlier run has not ended yet");
        drop(lock);
        runner.start(request(1)).await.unwrap();
    }

    #[tokio::test]
    async fn a_removed_job_takes_an_unknown_worker_and_what_it_staged_along() {
        let root = tempfile::tempdir().unwrap();
        let runner = runner(root.path());
        let folder = Folder::new(&root.path().join("workers"), JobId(7));
        folder.make().unwrap();
        let sql = r#"CREATE SOURCE STREAM s (a BIGINT) WITH (type = "datagen");
            CREATE SINK STREAM t (a BIGINT) WITH (
              type = "obs", encode = "csv", obs_dir = "bk1/out", rolling_size = "1k");
            INSERT INTO t SELECT a FROM s;"#;
        let request = StartRequest { sql: sql.to_string(), ..request(1) };
        folder.write_request(&worker_request(request, &runner)).unwrap();
        let staging = root.path().join("objects/bk1/.weir/staging");
        for job in ["job-7", "job-8"] {
            std::fs::create_dir_all(staging.join(job).join("t/5")).unwrap();
            std::fs::write(staging.join(job).join("t/5/0-1"), "x").unwrap();
        }
        let lock = folder.lock().unwrap().unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").stdin(lock).spawn().unwrap();
        folder.write_pid(child.id()).unwrap();
        runner.remove(JobId(7), Some("gone".to_string())).await.unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert!(!folder.path().exists());
        assert!(!staging.join("job-7/t/5/0-1").exists() && staging.join("job-8/t/5/0-1").exists());
    }

    #[tokio::test]
    async fn a_worker_is_gone_when_nothing_of_it_holds_the_lock_any_more() {
        let root = tempfile::tempdir().unwrap();
        let runner = runner(root.path());
        let folder = Folder::new(&root.path().join("workers"), JobId(7));
        folder.make().unwrap();
        let lock = folder.lock().unwrap().unwrap();
        // As the last threads of a killed process do, something keeps the lock for a moment.
        let keeps_it = "exec 3<&0; sleep 0.2 <&3 & exec sleep 60";
        let mut child = std::process::Command::new("sh").args(["-c", keeps_it]).stdin(lock).spawn().unwrap();
        let command_line = format!("/proc/{}/cmdline", child.id());
        while !std::fs::read(&command_line).unwrap().starts_with(b"sleep") {
            tokio::task::yield_now().await;
        }
        folder.write_pid(child.id()).unwrap();
        runner.remove(JobId(7), None).await.unwrap();
        assert!(!folder.path().exists());
        child.wait().unwrap();
    }

    #[tokio::test]
    async fn a_killed_worker_leaves_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let runner = runner(root.path());
        let folder = Folder::new(&root.path().join("workers"), JobId(7));
        folder.make().unwrap();
        std::fs::write(folder.log(), "said").unwrap();
        let lock = folder.lock().unwrap().unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").stdin(lock).spawn().unwrap();
        folder.write_pid(child.id()).unwrap();
        runner.kill(JobId(7)).await;
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert_eq!(std::fs::read_to_string(folder.log()).unwrap(), "said");
    }

    #[tokio::test]
    async fn a_worker_whose_process_is_not_known_keeps_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let runner = runner(root.path());
        let folder = Folder::new(&root.path().join("workers"), JobId(7));
        folder.make().unwrap();
        let lock = folder.lock().unwrap().unwrap();
        assert!(runner.remove(JobId(7), None).await.is_err());
        assert!(folder.path().exists());
        drop(lock);
        runner.remove(JobId(7), None).await.unwrap();
        assert!(!folder.path().exists());
    }

    /// `cat` is a worker that complains and ends.
    #[tokio::test]
    async fn the_last_words_of_every_attempt_and_what_was_decided_are_in_the_bucket() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("objects/bk1")).unwrap();
        let runner = EmbeddedRunner { executable: "cat".into(), ..runner(root.path()) };
        let logs = root.path().join("objects/bk1/jobs/logs");
        for attempt in [1, 2] {
            let settings = JobSettings { log_bucket: Some("bk1".to_string()), ..JobSettings::default() };
            runner.start(StartRequest { settings, ..request(attempt) }).await.unwrap();
            let ended = async {
                loop {
                    if let Some(Observation { state: RunState::Failed(reason), .. }) =
                        runner.observe(JobId(7))
                    {
                        return reason;
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let reason = tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
            let (_, place) = reason.split_once("; its log is bk1/jobs/logs/").expect(&reason);
            assert!(!reason.contains(&*root.path().to_string_lossy()), "{reason}");
            let said = std::fs::read_to_string(logs.join(place)).unwrap();
            assert_eq!(said.matches("worker:").count(), 1, "{said}");
            let decided = std::fs::read_to_string(logs.join(place).with_file_name("jobmanager.log")).unwrap();
            let submitted = format!("Z attempt {attempt}: submitted to a worker of 2 SPU, afresh\n");
            assert!(decided.ends_with(&submitted) && decided.lines().count() == 1, "{decided}");
        }
        let attempts = std::fs::read_dir(&logs).unwrap().count();
        assert_eq!(attempts, 2);
    }
}
