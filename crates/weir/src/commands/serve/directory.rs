//! The data directory: who owns it, and where the service listens.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};

use crate::commands::private;

/// What of the directory tells of jobs and accounts, besides files that are private in any case.
const KEPT: [&str; 5] = ["workers", "streams", "gateway", "objects", "weir.db"];
/// Those of these that are directories and always here.
const DIRECTORIES: usize = 3;

/// A data directory that this process owns.
pub struct DataDirectory {
    path: PathBuf,
    /// The lock lasts as long as the file is open; the system drops it when the process dies.
    _lock: File,
}

/// Where a service listens.
pub struct Listens {
    pub api: SocketAddr,
    pub s3: Option<SocketAddr>,
    pub metrics: Option<SocketAddr>,
}

impl DataDirectory {
    /// Makes the directory when it is missing and takes it. Fails when another service has it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        private::make_directories(path)
            .with_context(|| format!("the data directory `{}` cannot be made", path.display()))?;
        let path = path
            .canonicalize()
            .with_context(|| format!("the data directory `{}` cannot be opened", path.display()))?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            // Others who could open it could take it, too.
            .mode(0o600)
            .open(path.join("lock"))
            .with_context(|| format!("the data directory `{}` cannot be written", path.display()))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let endpoint = std::fs::read_to_string(path.join("endpoint")).unwrap_or_default();
            let whose = match endpoint.trim() {
                "" => String::new(),
                address => format!(", at {address}"),
            };
            bail!(
                "another weir service runs on the data directory `{}`{whose}; end it first, or choose another directory with --data",
                path.display()
            );
        }
        keep_private(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes where the service listens, complete or not at all.
    pub fn announce(&self, listens: &Listens) -> io::Result<()> {
        let more = [("s3-endpoint", listens.s3), ("metrics-endpoint", listens.metrics)];
        for (name, address) in more {
            if let Some(address) = address {
                self.write(name, &format!("http://{address}\n"))?;
            }
        }
        // The last: whoever waits for it finds the others.
        self.write("endpoint", &format!("http://{}\n", listens.api))
    }

    /// Removes what [`DataDirectory::announce`] wrote.
    pub fn retract(&self) {
        for name in ["endpoint", "s3-endpoint", "metrics-endpoint"] {
            let _ = std::fs::remove_file(self.path.join(name));
        }
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let temporary = self.path.join(format!("{name}.new"));
        std::fs::write(&temporary, text)?;
        std::fs::rename(temporary, self.path.join(name))
    }
}

/// Makes the directories of what is kept so that only this user reads them, also in a data directory that others can read.
/// What was there before may be open on purpose, such as for a program that copies it: it stays, and is told.
fn keep_private(path: &Path) -> anyhow::Result<()> {
    for name in &KEPT[..DIRECTORIES] {
        let directory = path.join(name);
        private::make_directories(&directory)
            .with_context(|| format!("the directory `{}` cannot be made", directory.display()))?;
    }
    if private::open_to_others([path.to_path_buf()]).is_empty() {
        return Ok(());
    }
    for open in private::open_to_others(KEPT.map(|name| path.join(name))) {
        tracing::warn!(path = %open.display(), "other users of this machine can read what the service keeps; `chmod -R o-rwx` on it ends that");
    }
    Ok(())
}
