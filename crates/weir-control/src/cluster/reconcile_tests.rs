//! The removal of a cluster beside use-cases that look at it.

use std::pin::pin;

use weir_base::id::{ProjectId, UserId};

use crate::caller::{Caller, Role};
use crate::cluster::SentCluster;
use crate::options::ControlOptions;
use crate::testing;

#[tokio::test]
async fn a_cluster_goes_while_no_use_case_can_be_about_to_put_a_job_into_it() {
    let place = tempfile::tempdir().unwrap();
    let control = testing::control(place.path(), ControlOptions::default()).await;
    let caller = Caller {
        user: UserId("u1".to_string()),
        user_name: "ann".to_string(),
        audit_name: "ann".to_string(),
        project: ProjectId("p1".to_string()),
        role: Role::Administrator,
        request_id: String::new(),
        source_ip: String::new(),
    };
    let sent = SentCluster { name: Some("c1".to_string()), ..SentCluster::default() };
    let cluster = control.create_cluster(&caller, sent).await.unwrap();
    control.delete_cluster(&caller, cluster).await.unwrap();
    // Somebody else writes, so that the removal comes to a halt in its middle.
    let other = control.store.pool().begin_with("BEGIN IMMEDIATE").await.unwrap();
    let clusters = control.store.all_clusters().await.unwrap();
    let mut round = pin!(control.attend_clusters(&clusters, control.now()));
    while control.gate.try_lock().is_ok() {
        let is_going_on = futures::poll!(round.as_mut()).is_pending();
        assert!(is_going_on, "the cluster was to be removed, and the gate was open all the time");
        tokio::task::yield_now().await;
    }
    other.rollback().await.unwrap();
    assert_eq!(round.await.unwrap().len(), 1);
    assert!(control.store.cluster(&caller.project, cluster).await.unwrap().is_none());
}
