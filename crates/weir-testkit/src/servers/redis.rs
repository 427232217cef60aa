//! A Redis server.

use std::net::Ipv4Addr;
use std::process::Command;

use rustix::process::Signal;

use super::{PASSWORD, Server, free_port, program};
use crate::peer::PeerNetwork;

/// A Redis server with a password.
#[derive(Debug)]
pub struct Redis {
    /// The namespace that it runs in.
    namespace: Option<String>,
    host: Ipv4Addr,
    port: u16,
    server: Option<Server>,
}

impl Redis {
    /// Starts a server; `None` when it is not installed and need not be.
    pub fn start() -> anyhow::Result<Option<Self>> {
        Self::start_at(None, Ipv4Addr::LOCALHOST)
    }

    /// Starts a server in a network beside this machine.
    pub fn start_in(network: &PeerNetwork) -> anyhow::Result<Option<Self>> {
        Self::start_at(Some(network.name().to_string()), network.address())
    }

    fn start_at(namespace: Option<String>, host: Ipv4Addr) -> anyhow::Result<Option<Self>> {
        let mut redis = Self { namespace, host, port: free_port()?, server: None };
        Ok(redis.start_again()?.then_some(redis))
    }

    /// Starts the server, empty, on the port it had. Returns whether it is installed.
    pub fn start_again(&mut self) -> anyhow::Result<bool> {
        let Some(program) = program("redis-server", &[])? else { return Ok(false) };
        let place = tempfile::tempdir()?;
        let mut command = match &self.namespace {
            Some(namespace) => {
                let mut inside = Command::new("ip");
                inside.args(["netns", "exec", namespace]).arg(program);
                inside
            }
            None => Command::new(program),
        };
        let (host, port) = (self.host.to_string(), self.port.to_string());
        command.args(["--port", &port, "--bind", &host, "--save", "", "--appendonly", "no"]);
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
        format!("{}:{}", self.host, self.port)
    }

    /// Returns the password.
    pub fn password(&self) -> String {
        PASSWORD.replace(['\'', '"'], "")
    }
}
