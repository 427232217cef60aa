//! Files that survive a crash: replaced as a whole, locked between processes, directories synced.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A lock between processes, and between threads of one; released when dropped.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Waits for the lock. The file is created when it is missing, its directory is not.
    pub(crate) fn acquire(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        loop {
            match file.lock() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(Self { _file: file }),
            }
        }
    }
}

/// Replaces a file by a JSON document; a crash leaves the old or the new one, never a part.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let parent = path.parent().ok_or_else(|| io::Error::other("a document has a directory"))?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("document");
    // The hash of a long name keeps the temporary one within the limit of the file system.
    let temporary =
        parent.join(format!(".{:08x}-{}", crc32fast::hash(name.as_bytes()), uuid::Uuid::new_v4()));
    let mut file = File::create(&temporary)?;
    let written = serde_json::to_vec_pretty(value)
        .map_err(io::Error::other)
        .and_then(|text| file.write_all(&text))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = written {
        // The half-written copy is of no use; the fault to tell is the first one.
        let _ = std::fs::remove_file(&temporary);
        return Err(error);
    }
    sync_directory(parent)
}

/// Reads a JSON document; `None` when there is no file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("`{}` cannot be read: {error}", path.display()))
    })
}

/// Makes new and removed names of a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes a file; one that is not there is no fault.
pub(crate) fn remove_if_present(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Lists the names in a directory that do not begin with a dot, sorted; none when it is missing.
pub(crate) fn list_names(path: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}
