//! A network beside this machine, for tests of namespaces: a namespace of its own with an address, joined to the machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::servers::program;

/// How long a connection may take that is not refused.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The network. Dropping it removes it.
#[derive(Debug)]
pub struct PeerNetwork {
    name: String,
    /// Tells the networks of tests apart that run at the same time.
    number: u8,
}

impl PeerNetwork {
    /// Makes a network; `None` when there can be no namespaces and need not be.
    pub fn make() -> anyhow::Result<Option<Self>> {
        if !has_namespaces()? {
            return Ok(None);
        }
        static MADE: AtomicU8 = AtomicU8::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let id = std::process::id();
        // Those of a process are far from each other, so that they do not meet those of the next process.
        let number = id.to_le_bytes()[0].wrapping_add(made.wrapping_mul(101));
        let network = Self { name: format!("weir-test-{id}-{made}"), number };
        let (name, outer) = (network.name(), format!("peer{id}-{made}"));
        let (machine, own) = (network.machine(), network.address());
        ip(&["netns", "add", name])?;
        ip(&["link", "add", &outer, "type", "veth", "peer", "name", "eth0", "netns", name])?;
        ip(&["addr", "add", &format!("{machine}/24"), "dev", &outer])?;
        ip(&["link", "set", &outer, "up"])?;
        ip(&["-netns", name, "addr", "add", &format!("{own}/24"), "dev", "eth0"])?;
        ip(&["-netns", name, "link", "set", "eth0", "up"])?;
        ip(&["-netns", name, "link", "set", "lo", "up"])?;
        Ok(Some(network))
    }

    /// Returns the name of the namespace.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its addresses, which are kept for tests of networks (RFC 2544) and no machine has.
    pub fn cidr(&self) -> String {
        format!("198.18.{}.0/24", self.number)
    }

    /// Returns the address of this machine in it.
    pub fn machine(&self) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.number, 1)
    }

    /// Returns the address at which servers in it listen.
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.number, 2)
    }
}

impl Drop for PeerNetwork {
    fn drop(&mut self) {
        // The other end of the link goes with it.
        let _ = ip(&["netns", "del", &self.name]);
    }
}

/// Whether this process has the programs and the rights for network namespaces. Without programs a test is skipped, after a
/// word, or fails with `WEIR_TEST_SERVERS=required`; without rights it is skipped in any case, as no set-up mends that.
pub fn has_namespaces() -> anyhow::Result<bool> {
    static LACKING: OnceLock<Option<String>> = OnceLock::new();
    let folders = [PathBuf::from("/usr/sbin")];
    if program("ip", &folders)?.is_none() || program("nft", &folders)?.is_none() {
        return Ok(false);
    }
    let lacking = LACKING.get_or_init(|| try_namespace().err().map(|error| format!("{error:#}")));
    if let Some(lacking) = lacking {
        eprintln!("SKIPPED: this process can make no network namespaces: {lacking}");
    }
    Ok(lacking.is_none())
}

fn try_namespace() -> anyhow::Result<()> {
    let name = format!("weir-trial-{}", std::process::id());
    ip(&["netns", "add", &name])?;
    ip(&["netns", "del", &name])?;
    call("nft", &["list", "tables"]).map(drop)
}

/// Connects from inside a namespace, as any program there would.
pub fn connect_inside(namespace: &str, address: SocketAddr) -> io::Result<()> {
    let namespace = std::fs::File::open(Path::new("/run/netns").join(namespace))?;
    // The thread does not come back, and ends.
    let connected = std::thread::spawn(move || {
        use std::os::fd::AsFd;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        TcpStream::connect_timeout(&address, CONNECT_LIMIT).map(drop)
    });
    connected.join().map_err(|_| io::Error::other("the thread inside has panicked"))?
}

/// Calls `ip` and returns what it says.
pub fn ip(arguments: &[&str]) -> anyhow::Result<String> {
    call("ip", arguments)
}

/// Calls a program of the system and returns what it says.
pub fn call(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(program)
        .args(arguments)
        .env("PATH", format!("{path}:/usr/sbin"))
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {arguments:?} failed: {said}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
