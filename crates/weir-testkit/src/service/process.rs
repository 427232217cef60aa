//! Starts, kills and restarts `weir serve` on a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::kill;

/// A service that is not up by then will not come up.
const START_LIMIT: Duration = Duration::from_secs(30);

/// SIGTERM must do within ten seconds; the rest is a slow machine.
const END_LIMIT: Duration = Duration::from_secs(20);

/// The password of the user `admin` in tests.
const PASSWORD: &str = "Test-Pass-4711";

/// What a test may choose about its service.
#[derive(Debug, Clone, Default)]
pub struct ServiceOptions {
    /// More arguments of `weir serve`.
    pub arguments: Vec<String>,
    /// More environment variables.
    pub environment: Vec<(String, String)>,
    /// What is in the data directory at the first start: a copy of this one.
    pub copy_of: Option<PathBuf>,
}

/// A running service. Dropping it ends the service and its workers.
#[derive(Debug)]
pub struct Service {
    weir: PathBuf,
    options: ServiceOptions,
    place: TempDir,
    child: Option<Child>,
}

impl Service {
    /// Starts a service on a directory of its own and a free port, and waits until it answers.
    pub fn start(weir: &Path, options: ServiceOptions) -> anyhow::Result<Self> {
        let place = tempfile::tempdir().context("cannot make a data directory")?;
        if let Some(from) = &options.copy_of {
            copy(from, &place.path().join("data"))
                .with_context(|| format!("cannot copy `{}`", from.display()))?;
        }
        let mut service = Self { weir: weir.to_path_buf(), options, place, child: None };
        service.start_again()?;
        Ok(service)
    }

    /// Returns the data directory.
    pub fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    /// Returns the file with everything the service said.
    pub fn log(&self) -> PathBuf {
        self.place.path().join("service.log")
    }

    /// Returns the password of the user `admin`.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Returns the address of the API, `http://host:port`.
    pub fn endpoint(&self) -> anyhow::Result<String> {
        read_address(&self.data().join("endpoint"))
    }

    /// Returns the address of the object endpoint, `http://host:port`.
    pub fn s3_endpoint(&self) -> anyhow::Result<String> {
        read_address(&self.data().join("s3-endpoint"))
    }

    /// Returns the address of the metrics, `http://host:port`.
    pub fn metrics_endpoint(&self) -> anyhow::Result<String> {
        read_address(&self.data().join("metrics-endpoint"))
    }

    /// Starts the service on the same directory after it was killed or ended.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let endpoint = self.data().join("endpoint");
        let _ = std::fs::remove_file(&endpoint);
        self.spawn()?;
        self.wait_until_up(&endpoint)
    }

    /// Starts the service as [`Self::start_again`] does and kills it after so long, whether it is up or not.
    pub fn start_and_kill(&mut self, life: Duration) -> anyhow::Result<()> {
        self.spawn()?;
        std::thread::sleep(life);
        self.kill()
    }

    fn spawn(&mut self) -> anyhow::Result<()> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log())?;
        let namespaces = std::env::var("WEIR_CLUSTER_NAMESPACES").unwrap_or_else(|_| "off".to_string());
        let child = Command::new(&self.weir)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(self.data())
            .args(&self.options.arguments)
            // One that is killed leaves its namespaces: only those have any that ask for them.
            .env("WEIR_CLUSTER_NAMESPACES", namespaces)
            .envs(self.options.environment.iter().cloned())
            .env("WEIR_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.weir.display()))?;
        self.child = Some(child);
        Ok(())
    }

    fn wait_until_up(&mut self, endpoint: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while read_address(endpoint).is_err() {
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("the service ended at once with {status}; it said:\n{}", self.messages());
            }
            if Instant::now() >= deadline {
                bail!("the service wrote no endpoint within {START_LIMIT:?}; it said:\n{}", self.messages());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Kills the service with SIGKILL; its workers stay.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Ends the service with SIGTERM and returns how it ended and how long that took.
    pub fn end(&mut self) -> anyhow::Result<(ExitStatus, Duration)> {
        let mut child = self.child.take().context("the service does not run")?;
        let start = Instant::now();
        kill::ask_to_end(child.id());
        while start.elapsed() < END_LIMIT {
            if let Some(status) = child.try_wait()? {
                return Ok((status, start.elapsed()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill()?;
        child.wait()?;
        bail!("the service did not end within {END_LIMIT:?} of SIGTERM; it said:\n{}", self.messages())
    }

    /// Returns the process ids of the workers, oldest first.
    pub fn workers(&self) -> Vec<u32> {
        kill::workers_of(&self.data())
    }

    /// Returns the most memory that the service has taken since it was started, in bytes.
    pub fn peak_memory(&self) -> anyhow::Result<u64> {
        let child = self.child.as_ref().context("the service does not run")?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|rest| rest.trim().strip_suffix(" kB"));
        Ok(kilobytes.context("/proc tells no VmHWM")?.parse::<u64>()? * 1024)
    }

    /// Returns all files of the data directory, and the one with what the service said.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = files_below(&self.data());
        files.push(self.log());
        files
    }

    /// Returns the last part of what the service said.
    pub fn messages(&self) -> String {
        last_lines(&self.log())
    }

    /// Returns the last part of what the workers said.
    pub fn worker_messages(&self) -> String {
        let Ok(folders) = std::fs::read_dir(self.data().join("workers")) else { return String::new() };
        let logs: Vec<String> =
            folders.flatten().map(|folder| last_lines(&folder.path().join("worker.log"))).collect();
        logs.join("\n")
    }

    /// Starts a second service on the same data directory, which must be refused; returns what it said.
    pub fn start_second(&self) -> anyhow::Result<String> {
        let mut child = Command::new(&self.weir)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(self.data())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.weir.display()))?;
        let deadline = Instant::now() + START_LIMIT;
        while child.try_wait()?.is_none() {
            if Instant::now() >= deadline {
                child.kill()?;
                child.wait()?;
                bail!("a second service on the same data directory was not refused");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            bail!("a second service on the same data directory ended well: {said}");
        }
        Ok(said)
    }

    /// Runs a `weir` command on the data directory of this service, `weir bucket ...` for one, and returns what it printed.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.weir)
            .args(arguments)
            .envs(self.options.environment.iter().cloned())
            .env("WEIR_DATA", self.data())
            .env("WEIR_ENDPOINT", self.endpoint()?)
            .env("WEIR_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", self.weir.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`weir {}` ended with {}: {said}", arguments.join(" "), output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Keeps the data directory for a person to look at and returns where it is.
    pub fn keep_data(&mut self) -> PathBuf {
        self.place.disable_cleanup(true);
        self.place.path().to_path_buf()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for worker in self.workers() {
            kill::kill_hard(worker);
        }
    }
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Copies the files below a directory; sockets are no files.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn last_lines(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

fn read_address(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let address = text.trim();
    if address.is_empty() {
        bail!("{} is empty", file.display());
    }
    Ok(match address.starts_with("http") {
        true => address.trim_end_matches('/').to_string(),
        false => format!("http://{address}"),
    })
}
