//! Moves the process of a worker into the network namespace of its cluster.
//!
//! What the job needs of the service itself is not in that network: the buckets behind an S3 endpoint, and the name service
//! of the machine. One thread stays outside for these, and no connector runs on it.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rustix::thread::{
    CapabilitySet, CapabilitySets, LinkNameSpaceType, capabilities, move_into_link_name_space,
    set_capabilities, set_no_new_privs,
};
use tokio::runtime::{Builder, Handle, Runtime};
use weir_connectors::NameService;

/// What a worker keeps of the rights of root: files, whoever they belong to.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID);

/// The thread of a worker that stayed in the network of the machine.
#[derive(Debug)]
pub struct Outside(Runtime);

impl Outside {
    /// Returns what runs tasks there. A task, not a closure that blocks: the thread for that would be started by the caller, in
    /// the network of the caller.
    pub fn handle(&self) -> &Handle {
        self.0.handle()
    }

    /// Returns the name service of the machine.
    pub(crate) fn names(&self) -> Arc<dyn NameService> {
        Arc::new(Names(self.handle().clone()))
    }
}

/// Asks the name service of the machine outside.
struct Names(Handle);

#[async_trait]
impl NameService for Names {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let host = host.to_string();
        let found = self.0.spawn(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        });
        found.await?
    }
}

/// Moves this process into a namespace, and gives up the rights by which it could leave.
pub(super) fn enter(path: &Path) -> Result<Outside, String> {
    let failed =
        |what: &str, error: io::Error| format!("the network namespace {} {what}: {error}", path.display());
    let namespace = File::open(path).map_err(|e| failed("cannot be opened", e))?;
    let unsafe_to_run = |error: io::Error| format!("the worker cannot give up its rights: {error}");
    let outside = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("outside")
        .enable_all()
        .build()
        .map_err(|e| format!("a thread for the network of the machine cannot be started: {e}"))?;
    // Whatever other threads that one needs, it starts itself, as restricted as it is.
    outside
        .block_on(outside.spawn(async { give_up_rights() }))
        .map_err(io::Error::other)
        .flatten()
        .map_err(unsafe_to_run)?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|e| failed("cannot be entered", e.into()))?;
    give_up_rights().map_err(unsafe_to_run)?;
    Ok(Outside(outside))
}

/// Gives up, for this thread and those that it starts, all rights of root but [`KEPT`]. No program that it starts has them.
fn give_up_rights() -> io::Result<()> {
    set_no_new_privs(true)?;
    let present = capabilities(None)?;
    let kept = CapabilitySets {
        effective: present.effective & KEPT,
        permitted: present.permitted & KEPT,
        inheritable: present.inheritable & KEPT,
    };
    Ok(set_capabilities(None, kept)?)
}
