//! Sockets in a folder whatever the length of its path.
//!
//! A socket address holds 108 bytes, less than many paths. The kernel's own name of an open
//! directory, `/proc/self/fd/N`, is short.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

const NAME: &str = "worker.sock";

pub(super) fn listen(folder: &Path) -> io::Result<UnixListener> {
    let directory = File::open(folder)?;
    UnixListener::bind(short_path(&directory))
}

pub(super) async fn connect(folder: &Path) -> io::Result<UnixStream> {
    let directory = File::open(folder)?;
    UnixStream::connect(short_path(&directory)).await
}

fn short_path(directory: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(NAME)
}
