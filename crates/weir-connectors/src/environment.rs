//! What surrounds the connectors of a job: stores, clock, settings, and which files they may touch.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::id::JobId;
use weir_base::settings::{CheckpointMode, JobSettings};
use weir_base::text::Zone;
use weir_base::time::Timestamp;
use weir_cloud::gateway::Gateway;
use weir_cloud::objects::Objects;
use weir_cloud::streams::Streams;
use weir_engine::error::ConnectorError;
use weir_engine::sink::SharedSink;
use weir_engine::source::SharedSource;

use crate::network::Network;
use crate::print::PrintTarget;

/// What surrounds the connectors of one job.
#[derive(Clone)]
pub struct Environment {
    /// The buckets of the service.
    pub objects: Objects,
    /// The streams of the service.
    pub streams: Arc<dyn Streams>,
    /// The project whose streams are meant.
    pub project: String,
    /// Stable name of the job, such as `job-7`; staged output carries it.
    pub job: String,
    /// When the user's run began: a restart of it has the same. Tells a sink whether output is of this run.
    pub run: Timestamp,
    /// Which local files the `file` connector may touch.
    pub files: FileAccess,
    /// Settings of the job.
    pub settings: JobSettings,
    /// The network that the job reaches.
    pub network: Network,
    /// The clock of the job.
    pub clock: Arc<dyn Clock>,
    /// Where `apig` sinks keep their records, and for which job; `None` where no service gives them out.
    pub gateway: Option<(Gateway, JobId)>,
    /// Where the `print` sink writes.
    pub print: Arc<dyn PrintTarget>,
    /// What stands in the place of declared sinks, by their names in lower case: a test looks at what reaches them.
    pub sinks: HashMap<String, SharedSink>,
    /// What stands in the place of declared sources, by their names in lower case: a test says how records arrive.
    pub sources: HashMap<String, SharedSource>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("project", &self.project)
            .field("job", &self.job)
            .finish_non_exhaustive()
    }
}

impl Environment {
    /// Returns the zone of the job's wall clock.
    pub(crate) fn zone(&self) -> Result<Zone, ConnectorError> {
        let name = &self.settings.time_zone;
        Zone::parse(name).ok_or_else(|| {
            ConnectorError::permanent(format!(
                "job setting `time_zone`: `{name}` is neither an IANA name such as `Asia/Shanghai` nor an offset such as `+08:00`"
            ))
        })
    }

    /// Returns whether output waits for checkpoints.
    pub(crate) fn is_transactional(&self) -> bool {
        self.settings
            .checkpoint
            .as_ref()
            .is_some_and(|checkpoint| checkpoint.mode == CheckpointMode::ExactlyOnce)
    }
}

/// Which local files a job may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileAccess {
    /// All that the user of the process may: for `weir run`.
    Anywhere,
    /// Only below these directories: for the server. Empty allows none.
    Under(Vec<PathBuf>),
}

impl FileAccess {
    /// Returns the real path of something that exists, when it may be touched.
    pub(crate) fn existing(&self, path: &Path) -> Result<PathBuf, String> {
        match path.canonicalize() {
            Ok(real) => self.permit(path, real),
            Err(error) => {
                // Whether something exists outside of the allowed directories is not told.
                self.permit(path, path.to_path_buf())?;
                Err(format!("cannot open `{}`: {error}", path.display()))
            }
        }
    }

    /// Returns the real path of a file to be written, which need not exist, nor its directory.
    pub(crate) fn writable(&self, path: &Path) -> Result<PathBuf, String> {
        if path.symlink_metadata().is_ok() {
            return self.existing(path);
        }
        let Some(name) = path.file_name() else {
            return Err(format!("`{}` does not name a file", path.display()));
        };
        let directory = match path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => Path::new("."),
        };
        let real = match directory.symlink_metadata() {
            Ok(_) => directory
                .canonicalize()
                .map_err(|error| format!("cannot open directory `{}`: {error}", directory.display()))?,
            Err(_) => self.writable(directory)?,
        };
        self.permit(path, real.join(name))
    }

    fn permit(&self, asked: &Path, real: PathBuf) -> Result<PathBuf, String> {
        let FileAccess::Under(allowed) = self else { return Ok(real) };
        let has_dots = real.components().any(|part| part == std::path::Component::ParentDir);
        let is_allowed =
            |root: &PathBuf| root.canonicalize().is_ok_and(|root| !has_dots && real.starts_with(root));
        if allowed.iter().any(is_allowed) {
            return Ok(real);
        }
        let now = match allowed.is_empty() {
            true => "none is allowed now".to_string(),
            false => {
                let names: Vec<String> = allowed.iter().map(|root| format!("`{}`", root.display())).collect();
                format!("allowed now: {}", names.join(", "))
            }
        };
        Err(format!(
            "`{}` is not below a directory that the operator allows; the operator may add its directory to the setting `file_directories` ({now})",
            asked.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_by_dots_or_links() {
        let root = tempfile::tempdir().unwrap();
        let (allowed, other) = (root.path().join("allowed"), root.path().join("other"));
        std::fs::create_dir_all(allowed.join("sub")).unwrap();
        std::fs::create_dir_all(&other).unwrap();
        std::fs::write(other.join("secret"), "x").unwrap();
        std::fs::write(allowed.join("a.csv"), "x").unwrap();
        std::os::unix::fs::symlink(other.join("secret"), allowed.join("link")).unwrap();
        std::os::unix::fs::symlink(&other, allowed.join("dir")).unwrap();
        let access = FileAccess::Under(vec![allowed.clone()]);
        assert!(access.existing(&allowed.join("a.csv")).is_ok());
        assert!(access.existing(&allowed.join("sub/../a.csv")).is_ok());
        for path in ["../other/secret", "link", "dir/secret"] {
            assert!(access.existing(&allowed.join(path)).is_err(), "{path}");
        }
        for path in
            ["link", "dir/new", "../new", "sub/../../other/new", "dir/x/new", "missing/../../other/new"]
        {
            assert!(access.writable(&allowed.join(path)).is_err(), "{path}");
        }
        assert!(access.writable(&allowed.join("new/deep/out.csv")).is_ok());
        let outside = access.existing(&other.join("missing")).unwrap_err();
        assert!(outside.contains("operator") && !outside.contains("No such"), "{outside}");
        let error = FileAccess::Under(vec![]).existing(&allowed.join("a.csv")).unwrap_err();
        assert!(error.contains("file_directories") && error.contains("none is allowed"), "{error}");
        assert!(FileAccess::Anywhere.existing(&other.join("secret")).is_ok());
    }
}
