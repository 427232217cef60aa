//! A PostgreSQL server.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use rustix::process::Signal;

use super::{PASSWORD, Server, USER, free_port, program, run, run_with};

/// A PostgreSQL server with a database `cars`, which [`USER`] owns.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
}

impl Postgres {
    /// Starts a server; `None` when it is not installed and need not be.
    pub fn start() -> anyhow::Result<Option<Self>> {
        Self::start_with("scram-sha-256")
    }

    /// Starts a server for many connections, to which passwords are told as they are: by SCRAM, a connection takes a build without
    /// optimization about a tenth of a second.
    pub fn start_for_many() -> anyhow::Result<Option<Self>> {
        Self::start_with("password")
    }

    fn start_with(authentication: &str) -> anyhow::Result<Option<Self>> {
        let folders = versions();
        let (Some(initdb), Some(postgres)) = (program("initdb", &folders)?, program("postgres", &folders)?)
        else {
            return Ok(None);
        };
        let place = tempfile::tempdir()?;
        let owner = owner()?;
        let (data, password) = (place.path().join("data"), place.path().join("password"));
        std::fs::write(&password, PASSWORD)?;
        if let Some((user, group)) = owner {
            for path in [place.path(), &password] {
                std::os::unix::fs::chown(path, Some(user), Some(group))?;
            }
        }
        let mut create = command(&initdb, place.path(), owner);
        create.args([
            "--no-sync",
            &format!("--auth={authentication}"),
            "--encoding=UTF8",
            "--locale=C",
            "--username",
            USER,
        ]);
        create.arg("--pwfile").arg(&password).arg("--pgdata").arg(&data);
        run(create)?;
        // A server of one user, without a postmaster, runs the statements it reads.
        let mut first = command(&postgres, place.path(), owner);
        first.arg("--single").arg("-D").arg(&data).arg("postgres");
        run_with(first, "CREATE DATABASE cars;\n")?;
        let port = free_port()?;
        let mut serve = command(&postgres, place.path(), owner);
        serve.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            // What a test writes need not survive the machine.
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            // Stores that tests have left keep their connections for a moment.
            "max_connections=400",
        ] {
            serve.args(["-c", setting]);
        }
        // SIGQUIT ends the server and all its processes at once.
        Ok(Some(Self {
            server: Server::start(serve, place, port, "ready to accept connections", Signal::QUIT)?,
        }))
    }

    /// Returns the port on the loopback address.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Returns the address of a database, with user and password.
    pub fn address(&self, database: &str) -> String {
        let password: String = PASSWORD.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("postgres://{USER}:{password}@127.0.0.1:{}/{database}", self.server.port)
    }

    /// Writes the database `cars` to a file, as an operator does.
    pub fn dump(&self, to: &Path) -> anyhow::Result<()> {
        let mut dump = self.client("pg_dump")?;
        dump.args(["--format=custom", "--file"]).arg(to).arg("cars");
        run(dump)
    }

    /// Makes a database of what was written.
    pub fn restore(&self, dump: &Path, database: &str) -> anyhow::Result<()> {
        let mut create = self.client("createdb")?;
        create.arg(database);
        run(create)?;
        let mut restore = self.client("pg_restore")?;
        restore.args(["--exit-on-error", "--dbname", database]).arg(dump);
        run(restore)
    }

    /// Returns a program that talks to the server; it comes with the server.
    fn client(&self, name: &str) -> anyhow::Result<Command> {
        let program = program(name, &versions())?.with_context(|| format!("there is no `{name}`"))?;
        let mut command = Command::new(program);
        command.args(["--host=127.0.0.1", "--username", USER]).env("PGPASSWORD", PASSWORD);
        command.arg("--port").arg(self.server.port.to_string());
        Ok(command)
    }
}

fn command(program: &Path, place: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(place);
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

/// Returns the user and group that the server must run as: it refuses to be root.
fn owner() -> anyhow::Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let user = users.lines().find(|line| line.starts_with("postgres:"));
    let user = user.context("there is no user `postgres` to run the server as")?;
    let fields: Vec<&str> = user.split(':').collect();
    match fields.as_slice() {
        [_, _, user, group, ..] => Ok(Some((user.parse()?, group.parse()?))),
        _ => anyhow::bail!("/etc/passwd has a malformed line for `postgres`"),
    }
}

/// Returns the folders in which Debian keeps the programs, the newest version first.
fn versions() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders
}
