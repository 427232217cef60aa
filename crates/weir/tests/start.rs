//! What the start of a service tells and leaves behind.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");

/// A command whose surroundings choose no option.
fn weir(data: &Path) -> Command {
    let mut command = Command::new(WEIR);
    let home = data.parent().unwrap();
    command.env_clear().env("HOME", home).env("WEIR_DATA", data).env("WEIR_CLUSTER_NAMESPACES", "off");
    command.current_dir(home).stdin(Stdio::null());
    command
}

fn serve(data: &Path) -> Command {
    let mut command = weir(data);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

/// A service that is up, and what it said until then.
struct Up {
    child: Child,
    said: String,
}

impl Up {
    fn start(data: &Path) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = serve(data);
        let child = command.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
        let mut up = Self { child, said: String::new() };
        // It holds the other ends of the pipe: without them a service that ends is the end of what it says.
        drop(command);
        for line in BufReader::new(reader).lines() {
            let line = line.unwrap();
            up.said.push_str(&format!("{line}\n"));
            if line.contains(" ready ") {
                return up;
            }
        }
        panic!("the service did not start; it said:\n{}", up.said);
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Returns what others than the owner may do with a file.
fn others_may(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o077
}

#[test]
fn a_start_that_fails_makes_no_account_whose_password_nobody_has_seen() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let failed = serve(&data).args(["--smtp-url", "http://x", "--smtp-sender", "a@b"]).output().unwrap();
    assert!(!failed.status.success() && said(&failed).contains("smtp"), "{}", said(&failed));
    let up = Up::start(&data);
    assert!(up.said.contains("user admin with the password "), "{}", up.said);
}

#[test]
fn what_the_service_keeps_is_for_its_user_alone() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    let up = Up::start(&data);
    for name in ["weir.db", "weir.db-wal", "workers", "objects", "streams", "gateway", "lock"] {
        assert_eq!(others_may(&data.join(name)), 0, "{name}");
    }
    assert!(!up.said.contains("other users"), "{}", up.said);
    let copy = place.path().join("copy");
    let backup = weir(&data).arg("backup").arg("--to").arg(&copy).output().unwrap();
    assert!(backup.status.success(), "{}", said(&backup));
    assert_eq!((others_may(&copy), others_may(&copy.join("weir.db"))), (0, 0));
    drop(up);

    // What an earlier release has left open is told.
    std::fs::set_permissions(data.join("weir.db"), Permissions::from_mode(0o644)).unwrap();
    let up = Up::start(&data);
    let warned = up.said.lines().find(|line| line.contains("other users")).unwrap_or_default();
    assert!(warned.contains("weir.db"), "{}", up.said);
}

#[test]
fn a_misspelt_level_of_the_log_is_refused_before_anything_is_made() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let failed = serve(&data).args(["--log-level", "loud"]).output().unwrap();
    assert!(
        !failed.status.success() && said(&failed).contains("`log_level` has `loud`"),
        "{}",
        said(&failed)
    );
    assert!(!data.exists());
}

#[test]
fn a_taken_port_is_told_before_anything_is_made() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = weir(&data).args(["serve", "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains(&format!("`listen`: {address} cannot be listened on")),
        "{}",
        said(&output)
    );
    assert!(!data.exists());
}
