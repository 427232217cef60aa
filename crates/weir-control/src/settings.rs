//! The engine's settings of a job, from its stored definition.

use std::time::Duration;

use weir_base::settings::{
    CheckpointMode, CheckpointSettings, DEFAULT_IDLE_STATE_RETENTION, DirtyDataPolicy, JobSettings,
};
use weir_store::JobDefinition;

use crate::options::ControlOptions;
use crate::transfer::split;

/// Returns the bucket that keeps dirty records, if one does.
pub(crate) fn dirty_bucket(definition: &JobDefinition) -> Option<String> {
    match DirtyDataPolicy::parse(definition.dirty_data_strategy.as_deref()?)? {
        DirtyDataPolicy::Save(place) => Some(split(&place).0.to_string()),
        DirtyDataPolicy::Drop | DirtyDataPolicy::Fail => None,
    }
}

/// Returns the settings. A definition that create or update accepted always has them.
pub(crate) fn of_definition(definition: &JobDefinition, options: &ControlOptions) -> JobSettings {
    let checkpoint = definition.checkpoint_enabled.then(|| CheckpointSettings {
        mode: match definition.checkpoint_mode.as_deref() {
            Some("at_least_once") => CheckpointMode::AtLeastOnce,
            _ => CheckpointMode::ExactlyOnce,
        },
        interval: Duration::from_secs(u64::try_from(definition.checkpoint_interval).unwrap_or(10).max(1)),
        bucket: definition.obs_bucket.clone().unwrap_or_default(),
    });
    JobSettings {
        parallelism: usize::try_from(definition.parallel_number).unwrap_or(1).max(1),
        checkpoint,
        dirty_data: DirtyDataPolicy::parse(definition.dirty_data_strategy.as_deref().unwrap_or_default())
            .unwrap_or_default(),
        time_zone: options.time_zone.clone(),
        idle_state_retention: u64::try_from(definition.idle_state_retention)
            .map_or(DEFAULT_IDLE_STATE_RETENTION, Duration::from_secs),
        log_bucket: definition.obs_bucket.clone().filter(|_| definition.log_enabled),
        ..JobSettings::default()
    }
}
