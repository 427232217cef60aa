//! Servers of others for tests: Redis, PostgreSQL and MariaDB, each in a process and a directory of its own.
//!
//! A test without the program is skipped with a word; with `WEIR_TEST_SERVERS=required`, as in continuous
//! integration, it fails. `scripts/setup_servers.sh` installs all three.

mod mariadb;
mod postgres;
mod redis;

pub use mariadb::MariaDb;
pub use postgres::Postgres;
pub use redis::Redis;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A server that is not ready by then will not be.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The user that tests connect as, where the server has users.
pub const USER: &str = "weir";
/// Its password, and that of Redis.
pub const PASSWORD: &str = "hunter2 '\"@:/";

/// A running server. Dropping it ends it.
#[derive(Debug)]
struct Server {
    place: TempDir,
    port: u16,
    child: Child,
    end: Signal,
}

impl Server {
    /// Starts a program that listens on `port`, and waits until its log has the line that says so.
    fn start(
        mut command: Command,
        place: TempDir,
        port: u16,
        ready: &str,
        end: Signal,
    ) -> anyhow::Result<Self> {
        let log = std::fs::File::create(place.path().join("server.log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let mut server = Self { place, port, child, end };
        server.wait_until_ready(ready)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, ready: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let log = std::fs::read_to_string(self.place.path().join("server.log")).unwrap_or_default();
            if log.contains(ready) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended at once with {status}; it said:\n{log}");
            }
            if Instant::now() >= deadline {
                bail!("the server is not ready after {START_LIMIT:?}; it said:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if pid.is_none_or(|pid| kill_process(pid, self.end).is_err()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Returns the path of a program, or `None`, after a word, when it is not installed and need not be.
pub(crate) fn program(name: &str, folders: &[PathBuf]) -> anyhow::Result<Option<PathBuf>> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(folders.iter().cloned())
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    if found.is_some() {
        return Ok(found);
    }
    if std::env::var("WEIR_TEST_SERVERS").is_ok_and(|value| value == "required") {
        bail!(
            "`{name}` is not installed, and WEIR_TEST_SERVERS says it must be; run scripts/setup_servers.sh"
        );
    }
    eprintln!("SKIPPED: `{name}` is not installed; scripts/setup_servers.sh installs it");
    Ok(None)
}

/// Returns a port that nobody listens on now.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Runs a program to its end and fails with what it said when it fails.
fn run(command: Command) -> anyhow::Result<()> {
    run_with(command, "")
}

/// Like [`run`], with something for the program to read.
fn run_with(mut command: Command, input: &str) -> anyhow::Result<()> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{:?} failed with {}:\n{said}", command.get_program(), output.status);
    }
    Ok(())
}
