//! Bodies of the calls about savepoints.

use serde::Deserialize;
use utoipa::ToSchema;

/// What to do about a savepoint.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "UPPERCASE")]
pub enum SavepointAction {
    /// Write it.
    Trigger,
}

/// Writes a savepoint of a running job.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct TriggerSavepointRequest {
    /// TRIGGER.
    #[schema(value_type = SavepointAction, required = true)]
    pub(crate) action: Option<String>,
    /// OBS path, {bucket}/{dir}/.
    #[schema(value_type = String, required = true, min_length = 1, example = "bucket1/savepoints/")]
    pub(crate) savepoint_path: Option<String>,
}

/// Names a savepoint.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ImportSavepointRequest {
    /// OBS path, {bucket}/{dir}.
    #[schema(value_type = String, required = true, min_length = 1, example = "bucket1/savepoints/1")]
    pub(crate) savepoint_path: Option<String>,
}
