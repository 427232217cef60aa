//! A Redis server.

use std::process::Command;

use rustix::process::Signal;

use super::{PASSWORD, Server, free_port, program};

/// A Redis server with a password.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    server: Option<Server>,
}

impl Redis {
    /// Starts a server; `None` when it is not installed and need not be.
    pub fn start() -> anyhow::Result<Option<Self>> {
        let mut redis = Self { port: free_port()?, server: None };
        Ok(redis.start_again()?.then_some(redis))
    }

    /// Starts the server, empty, on the port it had. Returns whether it is installed.
    pub fn start_again(&mut self) -> anyhow::Result<bool> {
        let Some(program) = program("redis-server", &[])? else { return Ok(false) };
        let place = tempfile::tempdir()?;
        let mut command = Command::new(program);
        let port = self.port.to_string();
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.arg("--dir").arg(place.path()).args(["--requirepass", &PASSWORD.replace(['\'', '"'], "")]);
        self.server =
            Some(Server::start(command, place, self.port, "Ready to accept connections", Signal::KILL)?);
        Ok(true)
    }

    /// Ends the server.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Returns `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns the password.
    pub fn password(&self) -> String {
        PASSWORD.replace(['\'', '"'], "")
    }
}
