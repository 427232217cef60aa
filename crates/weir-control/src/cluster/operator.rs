//! What the operator of the installation does with clusters, on the metadata, whether the service runs or not.

use weir_base::id::{ClusterId, ProjectId, UserId};
use weir_base::time::Timestamp;
use weir_store::{AuditRecord, BillingMode, Store, StoreError};

/// Notes how a cluster is paid for. Returns whether the project has such a cluster.
pub async fn set_billing_mode(
    store: &Store,
    project: &ProjectId,
    id: ClusterId,
    mode: BillingMode,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(cluster) = store.cluster(project, id).await? else { return Ok(false) };
    let audit = AuditRecord {
        project: project.clone(),
        user: UserId(String::new()),
        user_name: "operator".to_string(),
        request_id: String::new(),
        source_ip: String::new(),
        resource_type: "cluster".to_string(),
        resource_id: id.to_string(),
        resource_name: cluster.name,
        event_name: "setBillingMode".to_string(),
        event_type: "OperatorCommand".to_string(),
        event_rating: "normal".to_string(),
        op_result: mode.as_str().to_string(),
        event_time: now,
    };
    store.set_billing_mode(project, id, mode, &audit).await
}
