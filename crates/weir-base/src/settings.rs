//! The settings of one job that the engine, the connectors and the dialect read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::network::NetworkSettings;

/// What a checkpoint promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointMode {
    /// Every record is reflected once in the state and, with transactional sinks, in the output.
    ExactlyOnce,
    /// Records may be reflected more than once after a failure; output is not held back.
    AtLeastOnce,
}

/// Periodic checkpoints of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointSettings {
    /// What is promised.
    pub mode: CheckpointMode,
    /// Time between the starts of two checkpoints.
    pub interval: Duration,
    /// Bucket that holds them.
    pub bucket: String,
}

/// What happens to a record that cannot be decoded or evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirtyDataPolicy {
    /// Drop it and count it (`"0"`).
    #[default]
    Drop,
    /// Fail the job (`"1"`).
    Fail,
    /// Write it under this `bucket/dir`, drop it and count it (`"2:bucket/dir"`).
    Save(String),
}

impl DirtyDataPolicy {
    /// Parses the value of `dirty_data_strategy`; blank is the default. `None` when it is invalid (CS.11039).
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "" | "0" => Some(Self::Drop),
            "1" => Some(Self::Fail),
            other => {
                let place = other.strip_prefix("2:")?.trim().trim_end_matches('/');
                let bucket = place.split('/').next().unwrap_or_default();
                (!bucket.is_empty()).then(|| Self::Save(place.to_string()))
            }
        }
    }
}

/// A clock that tells time by records, for runs that must be repeatable: record k of a source is
/// read at `start + k * step`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordClock {
    /// Processing time of the first record, milliseconds since the epoch.
    pub start_ms: i64,
    /// Time between two records.
    pub step: Duration,
}

impl RecordClock {
    /// Returns the instant, in milliseconds since the epoch, at which a record is read; the first has number 0.
    pub fn instant(&self, record: u64) -> i64 {
        let steps = i64::try_from(record).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(crate::time::millis(self.step).saturating_mul(steps))
    }
}

/// How long the state of a key is kept without use when a job does not say.
pub const DEFAULT_IDLE_STATE_RETENTION: Duration = Duration::from_secs(3600);

/// The settings of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSettings {
    /// Subtasks per operator chain, 1 to 50.
    pub parallelism: usize,
    /// Checkpoints, or `None` when they are off.
    pub checkpoint: Option<CheckpointSettings>,
    /// Policy for dirty records.
    pub dirty_data: DirtyDataPolicy,
    /// IANA name or fixed offset (`UTC`, `Asia/Shanghai`, `+08:00`) of the job's wall clock.
    pub time_zone: String,
    /// After this time without a record a partition no longer holds back the watermark; `None` is never.
    pub source_idle_timeout: Option<Duration>,
    /// After this time without use the state of a key is dropped by operators that keep it without bounds: `GROUP BY`
    /// without a window, `DISTINCT`, `UNION` and joins without time bounds.
    pub idle_state_retention: Duration,
    /// A repeatable processing-time clock, or `None` for the machine's.
    pub record_clock: Option<RecordClock>,
    /// Bucket that gets the job's log, or `None` when logs stay where the job runs.
    pub log_bucket: Option<String>,
    /// Names of hosts, and what may be reached.
    #[serde(default)]
    pub network: NetworkSettings,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            parallelism: 1,
            checkpoint: None,
            dirty_data: DirtyDataPolicy::Drop,
            time_zone: "UTC".to_string(),
            source_idle_timeout: Some(Duration::from_secs(30)),
            idle_state_retention: DEFAULT_IDLE_STATE_RETENTION,
            record_clock: None,
            log_bucket: None,
            network: NetworkSettings::default(),
        }
    }
}
