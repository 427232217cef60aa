//! Savepoints of jobs: where they are, and what the service and a worker say to each other about them.

use serde::{Deserialize, Serialize};

use crate::id::JobId;
use crate::object_key::is_object_key;
use crate::time::Timestamp;

/// Where a savepoint is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SavepointPlace {
    /// The bucket; without one it is in the own store of the service, with the files of the job.
    pub bucket: Option<String>,
    /// The directory in the bucket.
    pub path: String,
}

impl SavepointPlace {
    /// Returns the place where the service itself puts the savepoints of a job.
    pub fn of_job(job: JobId, bucket: Option<String>) -> Self {
        Self { bucket, path: format!("jobs/savepoint/{job}") }
    }

    /// Reads `bucket/directory/`.
    pub fn parse(text: &str) -> Option<Self> {
        let (bucket, path) = text.trim().split_once('/')?;
        let path = path.trim_matches('/');
        let is_whole = !bucket.is_empty() && is_object_key(path);
        is_whole.then(|| Self { bucket: Some(bucket.to_string()), path: path.to_string() })
    }

    /// Whether the service put it there for this job, and may remove it.
    pub fn belongs_to(&self, job: JobId) -> bool {
        *self == Self::of_job(job, self.bucket.clone())
    }

    /// Returns `bucket/directory`, `None` for the own store of the service.
    pub fn shown(&self) -> Option<String> {
        Some(format!("{}/{}", self.bucket.as_ref()?, self.path))
    }
}

/// What is asked of a running job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavepointAsk {
    /// When it was asked for; tells one ask of a job from the next.
    pub at: Timestamp,
    /// Where to write it.
    pub place: SavepointPlace,
    /// Whether the job ends with it: nothing is read after it.
    pub stop: bool,
}

/// What became of an ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavepointOutcome {
    /// The `at` of the ask.
    pub at: Timestamp,
    /// Why it could not be written, for people; `None` when it was.
    pub failure: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_shown() {
        let place = SavepointPlace::parse("b1/a/b/").unwrap();
        assert_eq!((place.bucket.as_deref(), place.path.as_str()), (Some("b1"), "a/b"));
        assert_eq!(place.shown().as_deref(), Some("b1/a/b"));
        for text in ["", "b1", "b1/", "/a", "b1/a//b", "b1/..", "b1/../../x", "b1/a/./b"] {
            assert_eq!(SavepointPlace::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_place_that_the_service_chose_belongs_to_a_job() {
        let place = SavepointPlace::parse("b1/jobs/savepoint/7").unwrap();
        assert!(place.belongs_to(JobId(7)) && !place.belongs_to(JobId(8)));
        assert!(SavepointPlace::of_job(JobId(7), None).belongs_to(JobId(7)));
        assert!(!SavepointPlace::parse("b1/mine").unwrap().belongs_to(JobId(7)));
    }
}
