//! The removal of a cluster beside use-cases that look at it.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use weir_base::clock::{Clock, SystemClock};
use weir_base::id::{ProjectId, UserId};
use weir_cloud::gateway::Gateway;
use weir_cloud::identity::{ClientCredential, Identity, IdentityOptions, SecretKey};
use weir_cloud::notifications::{Publisher, RemoteTopics};
use weir_cloud::objects::{Objects, ObjectsConfig};
use weir_cloud::sealing::Sealer;
use weir_runtime::{Confinement, EmbeddedRunner, Shares, WorkerConfig};
use weir_store::{Store, StoredAccounts};

use crate::caller::{Caller, Role};
use crate::cluster::SentCluster;
use crate::control::{Control, ControlParts};
use crate::options::ControlOptions;

async fn control(place: &Path) -> Arc<Control> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::open(&place.join("weir.db")).await.unwrap();
    let sealer = Sealer::new(place.join("sealing.key"));
    let accounts = Arc::new(StoredAccounts::new(store.clone(), sealer.clone()));
    let objects = Objects::new(ObjectsConfig::Local(place.join("objects")));
    let config = WorkerConfig::under(place);
    let workers = place.join("workers");
    let shares = Shares::new(Confinement::Off, 1 << 30, place).unwrap();
    let runner =
        EmbeddedRunner::new(workers, "false".into(), config, shares, objects.clone(), clock.clone()).unwrap();
    let nobody = ClientCredential::Token(SecretKey::new("none"));
    let topics = RemoteTopics::new("http://localhost", "p1", nobody, clock.clone()).unwrap();
    Control::new(ControlParts {
        store,
        sealer,
        identity: Arc::new(Identity::new(accounts, clock.clone(), IdentityOptions::default())),
        objects,
        gateway: Gateway::new(place.join("gateway")),
        publisher: Publisher::Remote(Arc::new(topics)),
        runner: Arc::new(runner),
        clock,
        options: ControlOptions::default(),
    })
}

#[tokio::test]
async fn a_cluster_goes_while_no_use_case_can_be_about_to_put_a_job_into_it() {
    let place = tempfile::tempdir().unwrap();
    let control = control(place.path()).await;
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
