//! Reading the audit.

use weir_base::audit::Change;
use weir_base::error::{CsError, codes};
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_store::{AuditFilter, AuditRecord, Store, StoreError, StoredAudit};

use crate::caller::Caller;
use crate::control::Control;

/// Why audit records are not shown.
#[derive(Debug)]
pub enum AuditError {
    /// The operator has switched the tracker of the project off.
    NoTracker,
    /// The store failed.
    Store(StoreError),
}

impl std::fmt::Display for AuditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoTracker => f.write_str("the operator has switched the tracker of the project off"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl From<AuditError> for CsError {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::NoTracker => codes::TRACKER_NOT_EXIST.error(),
            AuditError::Store(error) => {
                tracing::error!(%error, "the audit could not be read");
                codes::QUERY_AUDIT_LOG_FAILED.error().because(format!("{error}."))
            }
        }
    }
}

/// The change that switches a tracker.
const UPDATE_TRACKER: Change = Change { service: "CTS", resource_type: "tracker", event: "updateTracker" };

/// Switches the tracker of a project on or off on behalf of the operator, whether the service runs or not.
pub async fn switch_tracker(
    store: &Store,
    project: &ProjectId,
    on: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let audit = AuditRecord::of_operator(project, UPDATE_TRACKER, now).about("", "system");
    let op_result = if on { "enabled" } else { "disabled" }.to_string();
    store.switch_tracker(on, &AuditRecord { op_result, ..audit }).await
}

impl Control {
    /// Returns the audit records that match and that the caller may read, newest first.
    pub async fn audit_records(
        &self,
        caller: &Caller,
        filter: AuditFilter,
        offset: i64,
        limit: u32,
    ) -> Result<Vec<StoredAudit>, AuditError> {
        let filter = self.visible(caller, filter).await?;
        let found = self.store.audit_records(&caller.project, &filter, offset, limit).await;
        found.map_err(AuditError::Store)
    }

    /// Counts the audit records that match and that the caller may read.
    pub async fn count_audit_records(&self, caller: &Caller, filter: AuditFilter) -> Result<i64, AuditError> {
        let filter = self.visible(caller, filter).await?;
        self.store.count_audit_records(&caller.project, &filter).await.map_err(AuditError::Store)
    }

    /// Whether the tracker of a project is on.
    pub async fn is_tracker_on(&self, project: &ProjectId) -> Result<bool, AuditError> {
        self.store.is_tracker_on(project).await.map_err(AuditError::Store)
    }

    async fn visible(&self, caller: &Caller, filter: AuditFilter) -> Result<AuditFilter, AuditError> {
        if !self.is_tracker_on(&caller.project).await? {
            return Err(AuditError::NoTracker);
        }
        Ok(AuditFilter { visible_to: caller.sees_only(), ..filter })
    }
}
