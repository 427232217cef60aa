//! Files and directories that only the user of the service reads: they hold hashes of passwords and the texts of jobs.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes a directory and those above it; one that is there stays as it is.
pub fn make_directories(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a directory that is not there yet.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Makes an empty file; one that is there stays as it is.
pub fn make_file(path: &Path) -> io::Result<()> {
    File::options().create(true).truncate(false).write(true).mode(0o600).open(path).map(drop)
}

/// Returns those of the paths that users who are neither the owner nor in its group can read.
pub fn open_to_others(paths: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let is_open = |path: &PathBuf| path.metadata().is_ok_and(|found| found.permissions().mode() & 0o007 != 0);
    paths.into_iter().filter(is_open).collect()
}
