//! Where clusters are, and where they should get.

use serde_json::Value;

use crate::call::Client;
use crate::error::ClientError;
use crate::wait::Verdict;

/// Where a cluster should get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterGoal {
    /// It runs.
    Running,
    /// It stands still.
    Stopped,
    /// It is gone.
    Deleted,
}

/// The status of a cluster that is gone; the service knows no such status.
const GONE: &str = "deleted";
/// The code of a cluster that there is not.
const NO_CLUSTER: &str = "CS.20005";

impl ClusterGoal {
    /// Judges a status. One that is not known may lead anywhere.
    pub fn verdict(self, status: &str) -> Verdict {
        use Verdict::{Missed, Pending, Reached};
        match (self, status) {
            (Self::Running, "cluster_running")
            | (Self::Stopped, "cluster_stopped")
            | (Self::Deleted, GONE) => Reached,
            (Self::Stopped, "cluster_stopping") | (Self::Deleted, "cluster_deleting") => Pending,
            (
                _,
                "cluster_running"
                | "cluster_stopped"
                | "cluster_stopping"
                | "cluster_deleting"
                | "cluster_create_fail"
                | "cluster_delete_fail"
                | "cluster_arrearage_stopped"
                | GONE,
            ) => Missed,
            _ => Pending,
        }
    }
}

impl Client {
    /// Returns a cluster.
    pub async fn cluster(&self, id: i64) -> Result<Value, ClientError> {
        self.payload(&format!("/v1.0/{{project}}/reserved_cluster/{id}"), &[]).await
    }

    /// Returns a cluster, one that is gone with the status `deleted`.
    pub async fn cluster_if_any(&self, id: i64) -> Result<Value, ClientError> {
        match self.cluster(id).await {
            Err(ClientError::Refused(refusal)) if refusal.code == NO_CLUSTER => {
                Ok(serde_json::json!({ "cluster_id": id, "status_name": GONE }))
            }
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_leads_somewhere() {
        use Verdict::{Missed, Pending, Reached};
        #[rustfmt::skip]
        let table = [
            // status                         running  stopped  deleted
            ("cluster_creating",              Pending, Pending, Pending),
            ("cluster_create_fail",           Missed,  Missed,  Missed),
            ("cluster_create_success",        Pending, Pending, Pending),
            ("cluster_starting",              Pending, Pending, Pending),
            ("cluster_running",               Reached, Missed,  Missed),
            ("cluster_deleting",              Missed,  Missed,  Pending),
            ("cluster_delete_fail",           Missed,  Missed,  Missed),
            ("cluster_updating",              Pending, Pending, Pending),
            ("cluster_stopping",              Missed,  Pending, Missed),
            ("cluster_stopped",               Missed,  Reached, Missed),
            ("cluster_restarting",            Pending, Pending, Pending),
            ("cluster_arrearage_stopped",     Missed,  Missed,  Missed),
            ("cluster_arrearage_recovering",  Pending, Pending, Pending),
            ("deleted",                       Missed,  Missed,  Reached),
        ];
        for (status, running, stopped, deleted) in table {
            let goals = [ClusterGoal::Running, ClusterGoal::Stopped, ClusterGoal::Deleted];
            assert_eq!(goals.map(|goal| goal.verdict(status)), [running, stopped, deleted], "{status}");
        }
    }
}
