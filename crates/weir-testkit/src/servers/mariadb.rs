//! A MariaDB server, which speaks the protocol of MySQL.

use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use super::{PASSWORD, Server, USER, free_port, program, run};

/// A MariaDB server with a database `cars`, which [`USER`] may change.
#[derive(Debug)]
pub struct MariaDb {
    server: Server,
}

impl MariaDb {
    /// Starts a server; `None` when it is not installed and need not be.
    pub fn start() -> anyhow::Result<Option<Self>> {
        let folders = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")];
        let (Some(install), Some(mariadbd)) =
            (program("mariadb-install-db", &folders)?, program("mariadbd", &folders)?)
        else {
            return Ok(None);
        };
        let place = tempfile::tempdir()?;
        let data = place.path().join("data");
        let as_root = if rustix::process::geteuid().is_root() { &["--user=root"][..] } else { &[] };
        let mut create = Command::new(install);
        create.arg("--no-defaults").arg(format!("--datadir={}", data.display())).args(as_root);
        create.args([
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
            "--innodb-log-file-size=4M",
        ]);
        run(create)?;
        let first = place.path().join("first.sql");
        let password = PASSWORD.replace('\'', "''");
        let statements = [
            "CREATE DATABASE cars CHARACTER SET utf8mb4;".to_string(),
            format!("CREATE USER '{USER}'@'%' IDENTIFIED BY '{password}';"),
            format!("GRANT ALL ON cars.* TO '{USER}'@'%';"),
        ];
        std::fs::write(&first, statements.join("\n"))?;
        let port = free_port()?;
        let mut serve = Command::new(mariadbd);
        serve.arg("--no-defaults").arg(format!("--datadir={}", data.display())).args(as_root);
        serve.arg(format!("--socket={}", place.path().join("socket").display()));
        serve.arg(format!("--init-file={}", first.display()));
        serve.args([&format!("--port={port}"), "--bind-address=127.0.0.1", "--innodb-log-file-size=4M"]);
        Ok(Some(Self { server: Server::start(serve, place, port, "ready for connections", Signal::KILL)? }))
    }

    /// Returns the port on the loopback address.
    pub fn port(&self) -> u16 {
        self.server.port
    }
}
