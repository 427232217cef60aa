//! The service of the demo: a child process on a temporary directory and a free port.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A service that is not up by then will not come up.
const START_LIMIT: Duration = Duration::from_secs(20);

pub struct Service {
    child: Child,
    directory: TempDir,
    pub endpoint: String,
    pub metrics: String,
    pub password: String,
    pub ready_after: Duration,
}

impl Service {
    pub async fn start() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("weir-demo-")
            .tempdir()
            .context("no temporary directory can be made")?;
        let password = super::random_password()?;
        let data = directory.path().join("data");
        let log = std::fs::File::create(directory.path().join("service.log"))?;
        let began = Instant::now();
        let child = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .env("WEIR_ADMIN_PASSWORD", &password)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the service cannot be started")?;
        let mut service = Self {
            child,
            directory,
            endpoint: String::new(),
            metrics: String::new(),
            password,
            ready_after: Duration::ZERO,
        };
        while service.endpoint.is_empty() {
            if let Some(status) = service.child.try_wait()? {
                let log =
                    std::fs::read_to_string(service.directory.path().join("service.log")).unwrap_or_default();
                bail!("the service ended at once ({status}): {log}");
            }
            if began.elapsed() > START_LIMIT {
                bail!("the service is not up after {START_LIMIT:?}");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            service.endpoint = address(&data.join("endpoint"));
        }
        service.metrics = address(&data.join("metrics-endpoint"));
        service.ready_after = began.elapsed();
        Ok(service)
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Leaves the service and its data when this program ends.
    pub fn keep(mut self) {
        self.directory.disable_cleanup(true);
        // Dropping the child would end it.
        std::mem::forget(self.child);
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends the service as an operator would.
    pub async fn end(&mut self) -> anyhow::Result<()> {
        if let Some(pid) =
            self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw)
        {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        }
        let status = tokio::time::timeout(Duration::from_secs(15), self.child.wait())
            .await
            .context("the service did not end")??;
        if !status.success() {
            bail!("the service ended with {status}");
        }
        Ok(())
    }
}

/// Returns the address in a file; nothing when it is not there yet.
fn address(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default().trim().to_string()
}
