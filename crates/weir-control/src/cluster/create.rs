//! Creating a cluster: its room is taken at once, the reconciler does the rest.

use weir_base::error::{CsError, codes};
use weir_base::id::{ClusterId, random_uuid};
use weir_store::{ClusterDefinition, NewCluster, StoreError};

use super::capacity::{Given, Wanted};
use super::fields::SentCluster;
use super::state;
use crate::audit::{self, Subject};
use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::success;

impl Control {
    /// Creates a cluster and returns its id.
    pub async fn create_cluster(&self, caller: &Caller, sent: SentCluster) -> Result<ClusterId, CsError> {
        let Some(name) = &sent.name else { return Err(codes::CLUSTER_NAME_EMPTY.error()) };
        let options = &self.options.clusters;
        let definition = sent.over(&ClusterDefinition::default(), options)?;
        let wanted = Wanted { spus: definition.maximum_spu_quota, manager_node: definition.manager_node_spu };
        self.check_affords(caller, wanted.spus + wanted.manager_node).await?;
        let _gate = self.gate.lock().await;
        let clusters = self.store.all_clusters().await.map_err(fault)?;
        if clusters.iter().any(|other| other.project == caller.project && other.name == *name) {
            return Err(codes::CLUSTER_NAME_EXIST.error());
        }
        Given::to(&clusters, None).admit(&caller.project, wanted, None, options)?;
        let now = self.now();
        let subject = Subject { resource_type: "cluster", id: "", name };
        let audit = audit::of_success(caller, "createCluster", subject, success::CLUSTER_CREATED, now);
        let cluster = NewCluster {
            project: caller.project.clone(),
            user: caller.user.clone(),
            name: name.clone(),
            vpc_id: random_uuid(),
            definition,
            facts: state::created(now),
            created_at: now,
        };
        let created = self.store.create_cluster(&cluster, audit).await;
        let id = created.map_err(|error| match error {
            StoreError::NameTaken => codes::CLUSTER_NAME_EXIST.error(),
            other => {
                tracing::error!(error = %other, "a cluster could not be written");
                codes::CREATE_CLUSTER_FAILED.error().because(format!("{other}."))
            }
        })?;
        self.changed.notify_one();
        tracing::info!(cluster_id = %id, name, "cluster created");
        Ok(id)
    }
}
