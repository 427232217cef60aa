//! Calls of `ip` (iproute2) and `nft` (nftables), the programs by which the networks of the machine are changed.

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// A call takes a few milliseconds. One that waits for a lock of the system is not waited for longer than this.
const LIMIT: Duration = Duration::from_secs(5);

/// Where the programs are when the environment does not lead to them.
const FOLDER: &str = "/usr/sbin";

/// Calls `ip` with arguments. Returns what it says.
pub(super) async fn ip(arguments: &[&str]) -> Result<Vec<u8>, String> {
    run("ip", arguments, "").await
}

/// Calls `ip` with arguments inside a namespace. Returns what it says.
pub(super) async fn ip_inside(namespace: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    run("ip", &[&["-netns", namespace][..], arguments].concat(), "").await
}

/// Gives `ip` lines of arguments, inside a namespace or outside of all. It stops at the first that fails.
pub(super) async fn ip_batch(inside: Option<&str>, lines: &str) -> Result<(), String> {
    match inside {
        Some(namespace) => run("ip", &["-netns", namespace, "-batch", "-"], lines).await,
        None => run("ip", &["-batch", "-"], lines).await,
    }
    .map(drop)
}

/// Gives `nft` rules, all of which are taken or none.
pub(super) async fn nft(arguments: &[&str], rules: &str) -> Result<(), String> {
    run("nft", &[arguments, &["--file", "-"][..]].concat(), rules).await.map(drop)
}

async fn run(program: &str, arguments: &[&str], input: &str) -> Result<Vec<u8>, String> {
    let call = format!("`{program} {}`", arguments.join(" "));
    let output = tokio::time::timeout(LIMIT, output(program, arguments, input)).await;
    match output {
        Ok(Ok(output)) if output.status.success() => Ok(output.stdout),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{call} failed: {}", said.lines().next().unwrap_or_default().trim()))
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("the program `{program}` is not installed"))
        }
        Ok(Err(error)) => Err(format!("{call} cannot be run: {error}")),
        Err(_) => Err(format!("{call} has not ended within {} s", LIMIT.as_secs())),
    }
}

async fn output(program: &str, arguments: &[&str], input: &str) -> io::Result<Output> {
    let mut child = match spawn(program, arguments) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            spawn(&format!("{FOLDER}/{program}"), arguments)?
        }
        other => other?,
    };
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input.as_bytes()).await {
            // It has failed and says why.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    child.wait_with_output().await
}

fn spawn(program: &str, arguments: &[&str]) -> io::Result<Child> {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}
