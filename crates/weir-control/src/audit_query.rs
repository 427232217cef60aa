//! Reading the audit.

use weir_base::error::{CsError, codes};
use weir_store::{AuditFilter, StoreError, StoredAudit};

use crate::caller::Caller;
use crate::control::Control;

/// Why audit records are not shown.
#[derive(Debug)]
pub enum AuditError {
    /// The operator has switched the tracker off.
    NoTracker,
    /// The store failed.
    Store(StoreError),
}

impl std::fmt::Display for AuditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoTracker => f.write_str("the operator has switched the tracker off (`audit_tracker`)"),
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

impl Control {
    /// Returns the audit records that match and that the caller may read, newest first.
    pub async fn audit_records(
        &self,
        caller: &Caller,
        filter: AuditFilter,
        offset: i64,
        limit: u32,
    ) -> Result<Vec<StoredAudit>, AuditError> {
        let filter = self.visible(caller, filter)?;
        let found = self.store.audit_records(&caller.project, &filter, offset, limit).await;
        found.map_err(AuditError::Store)
    }

    /// Counts the audit records that match and that the caller may read.
    pub async fn count_audit_records(&self, caller: &Caller, filter: AuditFilter) -> Result<i64, AuditError> {
        let filter = self.visible(caller, filter)?;
        self.store.count_audit_records(&caller.project, &filter).await.map_err(AuditError::Store)
    }

    fn visible(&self, caller: &Caller, filter: AuditFilter) -> Result<AuditFilter, AuditError> {
        if !self.options.audit_tracker {
            return Err(AuditError::NoTracker);
        }
        Ok(AuditFilter { visible_to: caller.sees_only(), ..filter })
    }
}
